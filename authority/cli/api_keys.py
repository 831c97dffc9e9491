"""api-key: create, list, revoke."""

from __future__ import annotations

import click

from authority.cli.frame import Frame, Group, pass_frame, show, show_table
from authority.domain.members import CONSOLE
from authority.presentation import rendering
from authority.services import access


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
        secret, found = access.create_api_key(authority, CONSOLE, username, name)
    value = rendering.api_key(found) | {"api_key": secret}
    show(frame, value, [f"API key {found.id} ({found.name}) acts as {found.member}; shown this once:", secret])


@api_key.command("list")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def list_keys(frame: Frame, limit: int) -> None:
    """List the API keys, newest first, also those that were revoked; never the keys themselves."""
    with frame.authority() as authority:
        page, more = access.listed_api_keys(authority, CONSOLE, None, limit)
    columns = {
        "id": lambda row: row["id"],
        "name": lambda row: row["name"],
        "member": lambda row: row["member"],
        "created": lambda row: row["created_at"],
        "revoked": lambda row: row["revoked_at"],
    }
    show_table(frame, [rendering.api_key(found) for found in page], columns)
    if more is not None:
        click.echo(f"carnet-authority: there are more than {limit}; raise --limit", err=True)


@api_key.command("revoke")
@click.argument("key_id", metavar="ID")
@pass_frame
def revoke(frame: Frame, key_id: str) -> None:
    """Revoke an API key: from now on it is of no use. Once more changes nothing."""
    with frame.authority() as authority:
        found = rendering.api_key(access.revoke_api_key(authority, CONSOLE, key_id))
    show(frame, found, [f"API key {found['id']} ({found['name']}) of {found['member']} is revoked since {found['revoked_at']}"])
