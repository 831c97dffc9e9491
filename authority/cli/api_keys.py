"""api-key: create, list, revoke."""

from __future__ import annotations

import click

from authority.cli.frame import Columns, Frame, Group, pass_frame, show, show_count, show_table
from authority.cli.several import View, dry_run_option, once, one_by_one_option, show_outcomes
from authority.domain.api_keys import ApiKey
from authority.domain.members import CONSOLE
from authority.presentation.api_keys import ApiKeyShown, MadeApiKey
from authority.presentation.shown import rfc3339
from authority.services import access
from authority.services.unit import Unit

COLUMNS: Columns[ApiKeyShown] = {
    "id": lambda key: key.id,
    "name": lambda key: key.name,
    "member": lambda key: key.member,
    "created": lambda key: key.created_at,
    "revoked": lambda key: key.revoked_at,
}


@click.group(cls=Group, name="api-key")
def api_key() -> None:
    """Make, list and revoke keys for programs."""


@api_key.command("create")
@click.argument("username")
@click.option("--name", required=True, metavar="TEXT", help="What the key is for.")
@pass_frame
def create(frame: Frame, username: str, name: str) -> None:
    """Make an API key that acts as the member; it is shown this once."""
    with frame.authority() as authority:
        secret, key = access.create_api_key(Unit(authority, CONSOLE), username, name)
    lines = [f"API key {key.id} ({key.name}) acts as {key.member}; shown this once:", secret]
    show(frame, MadeApiKey.made(key, secret), lines)


@api_key.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def list_keys(frame: Frame, limit: int) -> None:
    """List the API keys, newest first, also those that were revoked; never the keys themselves."""
    with frame.authority() as authority:
        page, more = access.api_keys(Unit(authority, CONSOLE), None, limit)
    show_table(frame, list(map(ApiKeyShown.of, page)), COLUMNS)
    show_count(frame, len(page), "API key", more)


@api_key.command("revoke")
@click.argument("key_ids", metavar="ID...", nargs=-1, required=True)
@one_by_one_option
@dry_run_option
@pass_frame
def revoke(frame: Frame, key_ids: tuple[str, ...], one_by_one: bool, dry_run: bool) -> int:
    """Revoke API keys, all or none: from now on they are of no use. Once more changes nothing."""
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        outcomes = access.revoke_api_keys(unit, once(key_ids), one_by_one=one_by_one, dry_run=dry_run)
    view = View[str, ApiKey, ApiKeyShown](
        names=lambda key_id: {"id": key_id},
        resource="api_key",
        shown=ApiKeyShown.of,
        lines=lambda key: [_line(key, dry_run=dry_run)],
        verb=("revoked", "would revoke"),
    )
    return show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)


def _line(key: ApiKeyShown, *, dry_run: bool) -> str:
    if dry_run:
        return f"would revoke API key {key.id} ({key.name}) of {key.member}"
    return f"API key {key.id} ({key.name}) of {key.member} is revoked since {rfc3339(key.revoked_at)}"
