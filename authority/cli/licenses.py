"""license: assign, unassign, availability, activity."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import click

from authority.cli.files import opened, write_lines
from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import REFUSED, Columns, show, show_count, show_table
from authority.cli.several import View, dry_run_option, members_once, one_by_one_option, show_outcomes
from authority.domain.activity import Dot
from authority.domain.members import CONSOLE
from authority.presentation import sheets
from authority.presentation.activity import ActivityShown
from authority.presentation.licenses import AssignedLicense, AvailabilityShown, RefusedLicense, UnassignedLicense, outcome_of
from authority.presentation.shown import rfc3339
from authority.services import activity, licenses
from authority.services.activity import Wanted
from authority.services.licenses import License, Unassigned, Wish
from authority.services.unit import Unit
from authority.storage.member_lists import Filter

MEMBER_AND_PRODUCT = 2
COLUMNS = ("username", "product", "level", "extensions")
NEEDED = ("username", "product")
AVAILABILITY: Columns[AvailabilityShown] = {
    "product": lambda row: row.product,
    "level or extension": lambda row: row.feature,
    "licensed": lambda row: row.licensed,
    "used": lambda row: row.used,
    "available": lambda row: row.available,
    "until": lambda row: row.ends_at,
}
ACTIVITY: Columns[ActivityShown] = {
    "member": lambda row: row.member,
    "last used": lambda row: row.last_used_at or "never",
    "days": lambda row: row.days_since_last_used,
    "state": lambda row: "" if row.state is Dot.NONE else row.state,
    "computer": lambda row: row.computer,
    "since": lambda row: row.since,
    "until": lambda row: row.until,
    "sessions": lambda row: [f"{item.computer} until {rfc3339(item.active_until)} ({item.id})" for item in row.sessions],
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("sessions", "since", "until", "computer", "last used", "state", "days")


@click.group(cls=Group, name="license")
def license_group() -> None:
    """Assign licenses of named products, and see what is available."""


@license_group.command("assign")
@click.argument("names", metavar="[USERNAME...] PRODUCT", nargs=-1)
@click.option("--level", metavar="LEVEL", help="Default: the level held now.")
@click.option(
    "--extension",
    "extensions",
    multiple=True,
    metavar="CODE",
    help="All extensions from now on, in place of those held; may be given several times.",
)
@click.option("--add-extension", "added", multiple=True, metavar="CODE", help="This one too, beside those held.")
@click.option("--remove-extension", "removed", multiple=True, metavar="CODE", help="This one no longer; the others stay.")
@click.option(
    "--file", "file", metavar="FILE", help="A CSV file with username,product,level,extensions (extensions with spaces between)."
)
@one_by_one_option
@dry_run_option
@pass_frame
def assign(
    frame: Frame,
    names: tuple[str, ...],
    level: str | None,
    extensions: tuple[str, ...],
    added: tuple[str, ...],
    removed: tuple[str, ...],
    file: str | None,
    one_by_one: bool,
    dry_run: bool,
) -> int:
    """Give members a level and extensions of a named product, in place of what they held of it.

    Extensions that are not named are taken, and it is said which; --add-extension and --remove-extension leave the others.
    """
    if file is not None and (level is not None or extensions or added or removed):
        raise click.UsageError("with --file the level and the extensions stand in the file")
    if extensions and (added or removed):
        raise click.UsageError("--extension names all extensions: say that, or --add-extension and --remove-extension")
    if set(added) & set(removed):
        raise click.UsageError("--add-extension and --remove-extension name the same extension")
    if names if file is not None else len(names) < MEMBER_AND_PRODUCT:
        raise click.UsageError("name members and a product, or --file")
    exactly = None if added or removed else extensions
    wishes = [Wish(name, names[-1], level, exactly, added, removed) for name in members_once(names[:-1])]
    if file is not None:
        wishes = _wishes(file)
    with frame.authority() as authority:
        outcomes = licenses.assign_many(Unit(authority, CONSOLE), wishes, row_by_row=one_by_one, dry_run=dry_run)
    rows = [outcome_of(outcome) for outcome in outcomes]
    show(frame, rows if file or len(rows) > 1 else rows[0], [_line(row, dry_run=dry_run) for row in rows])
    return 0 if all(row.ok for row in rows) else REFUSED


def _wishes(name: str) -> list[Wish]:
    with opened(name) as stream:
        rows = sheets.read(stream, COLUMNS, NEEDED)
    return [_wish(row.cells) for row in rows]


def _wish(cells: Mapping[str, str]) -> Wish:
    extensions = tuple(cells.get("extensions", "").split())
    return Wish(cells["username"].strip(), cells["product"].strip(), cells.get("level", "").strip() or None, extensions)


def _line(row: AssignedLicense | RefusedLicense, *, dry_run: bool) -> str:
    if isinstance(row, RefusedLicense):
        return f"{row.member}: {row.message} [{row.code}]"
    verb = "would hold" if dry_run else "holds"
    taken = f"; taken: {', '.join(row.taken)}" if row.taken else ""
    return f"{row.member} {verb} {row.product}: {', '.join([row.level, *row.extensions])}{taken}"


@license_group.command("unassign")
@click.argument("names", metavar="[USERNAME...] PRODUCT", nargs=-1)
@click.option(
    "--file", "file", metavar="FILE", help="A CSV file with username,product; the file of license assign will do as well."
)
@one_by_one_option
@dry_run_option
@pass_frame
def unassign(frame: Frame, names: tuple[str, ...], file: str | None, one_by_one: bool, dry_run: bool) -> int:
    """Take the licenses of a named product from members, all or none.

    A borrow that is out stays good until it ends or is checked in.
    """
    if names if file is not None else len(names) < MEMBER_AND_PRODUCT:
        raise click.UsageError("name members and a product, or --file")
    wanted = [License(name, names[-1]) for name in members_once(names[:-1])]
    if file is not None:
        wanted = list(dict.fromkeys(License(wish.username, wish.product) for wish in _wishes(file)))
    with frame.authority() as authority:
        outcomes = licenses.unassign_many(Unit(authority, CONSOLE), wanted, row_by_row=one_by_one, dry_run=dry_run)
        now = authority.now()
    view = View[License, Unassigned, UnassignedLicense](
        names=lambda license_: {"member": license_.username, "product": license_.product},
        resource="license",
        shown=lambda taken: UnassignedLicense.of(taken, now),
        lines=lambda row: _unassigned_lines(row, dry_run=dry_run),
        verb=("unassigned", "would unassign"),
        is_list=True,
    )
    return show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)


def _unassigned_lines(row: UnassignedLicense, *, dry_run: bool) -> list[str]:
    license_ = f"{row.taken.product}: {', '.join([row.taken.level, *row.taken.extensions])}"
    line = f"would take from {row.member} {license_}" if dry_run else f"{row.member} no longer holds {license_}"
    return [line, f"  {row.note}"] if row.note else [line]


@license_group.command("availability")
@click.option("--product", metavar="PRODUCT")
@pass_frame
def availability(frame: Frame, product: str | None) -> None:
    """What is licensed, used and available; negative numbers block the product until they are corrected."""
    with frame.authority() as authority:
        rows = [AvailabilityShown.of(item) for item in licenses.availability(Unit(authority, CONSOLE), product)]
    show_table(frame, rows, AVAILABILITY, ("until", "used"), head="product")


@license_group.command("activity")
@click.argument("product")
@click.option(
    "--unused-for",
    type=click.IntRange(0, 36_500),
    metavar="DAYS",
    help="Those alone who did not use it for so many days, and did not get it since; not who is offline with it.",
)
@click.option("--search", metavar="TEXT", help="A part of the user name, the full name or a group, whatever its case.")
@click.option("--group", metavar="GROUP", help="Of members of this group.")
@click.option("--type", "user_type", metavar="TYPE", help="Of members of this user type.")
@click.option("--state", type=click.Choice([str(dot) for dot in Dot]), help="red: offline; green: used in the last 30 minutes.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@click.option("--csv", "as_csv", is_flag=True, help="Write rows for a spreadsheet.")
@pass_frame
def show_activity(
    frame: Frame,
    product: str,
    unused_for: int | None,
    search: str | None,
    group: str | None,
    user_type: str | None,
    state: str | None,
    limit: int,
    as_csv: bool,
) -> None:
    """When each member last used a product: green is within 30 minutes, red is offline; with the computer, since and until."""
    with frame.authority() as authority:
        span = None if unused_for is None else timedelta(days=unused_for)
        members = Filter(user_type=user_type, group=group, search=search, limit=limit)
        wanted = Wanted(members, None if state is None else Dot(state), span)
        page, more = activity.listed(Unit(authority, CONSOLE), product, wanted)
        now = authority.now()
        rows = [ActivityShown.of(item, now) for item in page]
    if as_csv:
        write_lines(None, sheets.lines_of(ActivityShown, rows))
        return
    show_table(frame, rows, ACTIVITY, MAY_GO)
    show_count(frame, len(rows), "member", more)
