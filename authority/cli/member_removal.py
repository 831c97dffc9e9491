"""member remove: by name, from a file, by type or group."""

from __future__ import annotations

import click

from authority.cli.files import opened
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.several import View, one_by_one_option, show_outcomes
from authority.domain.members import CONSOLE, Role
from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput, NotFound
from authority.presentation import member_sheet, sheets
from authority.presentation.members import (
    RemovalShown,
)
from authority.presentation.shown import rfc3339
from authority.services import members, removal
from authority.services.removal import Removal
from authority.services.unit import Unit


@click.command("remove", cls=Command)
@click.argument("usernames", nargs=-1)
@click.option("--file", "file", metavar="FILE", help="One user name in each line, or a CSV table with a column username.")
@click.option("--type", "user_type", metavar="TYPE", help="All members of the type.")
@click.option("--group", metavar="GROUP", help="All members of the group.")
@click.option("--release", is_flag=True, help="Free the seats of members who still have a borrow out.")
@one_by_one_option
@click.option("--dry-run", is_flag=True, help="Only say who would be removed, or why not.")
@pass_frame
def remove_members(
    frame: Frame,
    usernames: tuple[str, ...],
    file: str | None,
    user_type: str | None,
    group: str | None,
    release: bool,
    one_by_one: bool,
    dry_run: bool,
) -> int:
    """Remove members, all or none."""
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        names = list(usernames) + ([] if file is None else _names(file))
        if user_type or group:
            names += _selected(unit, user_type, group)
        if not names:
            raise _nobody(file, user_type, group)
        outcomes = removal.remove_several(unit, names, release=release, one_by_one=one_by_one, dry_run=dry_run)
        now = authority.now()
    verb = "would remove" if dry_run else "removed"
    view = View[str, Removal, RemovalShown](
        names=lambda name: {"username": name},
        resource="removal",
        shown=lambda item: RemovalShown.of(item, now),
        lines=lambda row: [f"{verb} {row.member}{_still_out(row)}"],
        verb=("removed", "would remove"),
        is_list=True,
    )
    status = show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)
    if not one_by_one and not frame.json:
        click.echo(f"{verb} {counted(len(outcomes), 'member')}")
    return status


def _selected(unit: Unit, user_type: str | None, group: str | None) -> list[str]:
    """The user names of a type or group. Administrators are removed by name alone: a type is no reason to lose one."""
    selection = members.every(unit, user_type=user_type, group=group)
    return [item.username for item in selection if item.role is not Role.ADMINISTRATOR]


def _nobody(file: str | None, user_type: str | None, group: str | None) -> Exception:
    """Why nobody is left to be removed: wrong usage, or a file, a type or a group without anybody."""
    if not (file or user_type or group):
        return click.UsageError("nobody is named: give user names, --file, --type or --group")
    if not (user_type or group):
        return InvalidInput(
            f"{file} names nobody", hint="Write one user name in each line, or a CSV table with a column username."
        )
    places = [f'of the type "{user_type}"'] if user_type else []
    places += [f'in the group "{group}"'] if group else []
    return NotFound(
        f"nobody is to be removed: there is no member {' '.join(places)} who is no administrator",
        hint="Administrators are removed by their user names alone.",
    )


def _still_out(removal: RemovalShown) -> str:
    return "".join(f"; {borrow.product} is out until {rfc3339(borrow.expires_at)}" for borrow in removal.borrows)


def _names(name: str) -> list[str]:
    with opened(name) as stream:
        return sheets.read_names(stream, member_sheet.USERNAME)
