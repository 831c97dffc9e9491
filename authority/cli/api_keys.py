"""api-key: create, list, revoke."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from authority.cli.frame import DATES, Frame, Group, pass_frame
from authority.cli.output import Columns, show, show_count, show_table
from authority.cli.several import View, dry_run_option, once, one_by_one_option, show_outcomes
from authority.domain.api_keys import ApiKey
from authority.domain.members import CONSOLE, Scope
from authority.presentation.api_keys import ApiKeyShown, MadeApiKey
from authority.presentation.shown import rfc3339
from authority.services import access
from authority.services.unit import Unit

COLUMNS: Columns[ApiKeyShown] = {
    "id": lambda key: key.id,
    "name": lambda key: key.name,
    "member": lambda key: key.member,
    "scopes": lambda key: key.scopes,
    "created": lambda key: key.created_at,
    "last used": lambda key: key.last_used_at,
    "until": lambda key: key.expires_at,
    "revoked": lambda key: key.revoked_at,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("created", "scopes", "last used", "until", "member", "revoked")


@click.group(cls=Group, name="api-key")
def api_key() -> None:
    """Make, list and revoke keys for programs."""


@api_key.command("create")
@click.argument("username")
@click.option("--name", required=True, metavar="TEXT", help="What the key is for.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice([str(scope) for scope in Scope]),
    default=(str(Scope.ALL),),
    help="What of the member's role it is for; may be given several times. Default: all.",
)
@click.option("--until", type=click.DateTime(DATES), metavar="DATE", help="When it ends, UTC, like 2026-03-31; default: never.")
@pass_frame
def create(frame: Frame, username: str, name: str, scopes: tuple[str, ...], until: datetime | None) -> None:
    """Make an API key that acts as the member, within its scopes; it is shown this once."""
    ends_at = None if until is None else until.replace(tzinfo=UTC)
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        secret, key = access.create_api_key(unit, username, name, scopes=[Scope(word) for word in scopes], expires_at=ends_at)
    words = f"for {', '.join(key.scopes)}, until {rfc3339(key.expires_at) or 'it is revoked'}"
    lines = [f"API key {key.id} ({key.name}) acts as {key.member}, {words}; shown this once:", secret]
    show(frame, MadeApiKey.made(key, secret), lines)


@api_key.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def list_keys(frame: Frame, limit: int) -> None:
    """List the API keys, newest first, also those that were revoked; never the keys themselves."""
    with frame.authority() as authority:
        page, more = access.api_keys(Unit(authority, CONSOLE), None, limit)
    show_table(frame, list(map(ApiKeyShown.of, page)), COLUMNS, MAY_GO)
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
