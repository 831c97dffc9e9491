"""sign-in: list, end."""

from __future__ import annotations

import click

from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import Columns, show, show_count, show_table
from authority.cli.several import dry_run_option
from authority.domain.members import CONSOLE
from authority.presentation.shown import rfc3339
from authority.presentation.sign_ins import EndedSignIns, SignInShown
from authority.services import access
from authority.services.unit import Unit

COLUMNS: Columns[SignInShown] = {
    "id": lambda sign_in: sign_in.id,
    "since": lambda sign_in: sign_in.created_at,
    "last used": lambda sign_in: sign_in.last_used_at,
    "until": lambda sign_in: rfc3339(sign_in.expires_at) or "signed out",
    "address": lambda sign_in: sign_in.address,
    "program": lambda sign_in: sign_in.agent,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("program", "until", "since", "address")


@click.group(cls=Group, name="sign-in")
def sign_in() -> None:
    """List and end the sign-ins of members."""


@sign_in.command("list")
@click.argument("username")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def list_sign_ins(frame: Frame, username: str, limit: int) -> None:
    """List where a member is signed in, newest first; those that ended are left out."""
    with frame.authority() as authority:
        page, more = access.sign_ins_of(Unit(authority, CONSOLE), username, None, limit)
    show_table(frame, list(map(SignInShown.of, page)), COLUMNS, MAY_GO)
    show_count(frame, len(page), "sign-in", more)


@sign_in.command("end")
@click.argument("username")
@click.argument("sign_in_ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All of them: sign the member out everywhere.")
@dry_run_option
@pass_frame
def end(frame: Frame, username: str, sign_in_ids: tuple[str, ...], everything: bool, dry_run: bool) -> None:
    """End sign-ins of a member, all or none: from now on they are of no use. API keys are revoked by themselves."""
    if everything == bool(sign_in_ids):
        raise click.UsageError("name the sign-ins to end by their ids, or say --all")
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        ended = EndedSignIns.of(access.end_sign_ins(unit, username, sign_in_ids or None, dry_run=dry_run))
    verb = "would end" if dry_run else "ended"
    lines = [f"{verb} the sign-in {item.id} of {item.member}, since {rfc3339(item.created_at)}" for item in ended.items]
    show(frame, ended, lines or [f"{verb} nothing: {username} is signed in nowhere"])
