"""license: assign, unassign, availability, activity."""

from __future__ import annotations

from collections.abc import Mapping

import click

from authority.cli.frame import REFUSED, Columns, Frame, Group, pass_frame, show, show_rest, show_table
from authority.domain.activity import Dot
from authority.domain.members import CONSOLE
from authority.presentation import sheets
from authority.presentation.activity import ActivityShown
from authority.presentation.licenses import AssignedLicense, AvailabilityShown, RefusedLicense, UnassignedLicense, outcome_of
from authority.presentation.shown import rfc3339
from authority.services import activity, licenses
from authority.services.licenses import Wish
from authority.services.unit import Unit

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


@click.group(cls=Group, name="license")
def license_group() -> None:
    """Assign licenses of named products, and see what is available."""


@license_group.command("assign")
@click.argument("names", metavar="[USERNAME...] PRODUCT", nargs=-1)
@click.option("--level", metavar="LEVEL", help="Default: the level held now.")
@click.option("--extension", "extensions", multiple=True, metavar="CODE", help="May be given several times.")
@click.option(
    "--file", "file", metavar="FILE", help="A CSV file with username,product,level,extensions (extensions with spaces between)."
)
@click.option("--row-by-row", is_flag=True, help="Assign what can be assigned; default: all or nothing.")
@pass_frame
def assign(
    frame: Frame, names: tuple[str, ...], level: str | None, extensions: tuple[str, ...], file: str | None, row_by_row: bool
) -> int:
    """Give members a level and extensions of a named product, in place of what they held of it."""
    if (file is None) == (len(names) < MEMBER_AND_PRODUCT):
        raise click.UsageError("name members and a product, or --file")
    wishes = [Wish(name, names[-1], level, extensions) for name in names[:-1]] if file is None else _wishes(file)
    with frame.authority() as authority:
        outcomes = licenses.assign_many(Unit(authority, CONSOLE), wishes, row_by_row=row_by_row)
    rows = [outcome_of(outcome) for outcome in outcomes]
    show(frame, rows if file or len(rows) > 1 else rows[0], [_line(row) for row in rows])
    return 0 if all(row.ok for row in rows) else REFUSED


def _wishes(name: str) -> list[Wish]:
    try:
        with click.open_file(name, "rb") as stream:
            rows = sheets.read(stream, COLUMNS, NEEDED)
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror}") from error
    return [_wish(row.cells) for row in rows]


def _wish(cells: Mapping[str, str]) -> Wish:
    extensions = tuple(cells.get("extensions", "").split())
    return Wish(cells["username"].strip(), cells["product"].strip(), cells.get("level", "").strip() or None, extensions)


def _line(row: AssignedLicense | RefusedLicense) -> str:
    if isinstance(row, RefusedLicense):
        return f"{row.member}: {row.message} [{row.code}]"
    return f"{row.member} holds {row.product}: {', '.join([row.level, *row.extensions])}"


@license_group.command("unassign")
@click.argument("names", metavar="USERNAME... PRODUCT", nargs=-1)
@pass_frame
def unassign(frame: Frame, names: tuple[str, ...]) -> None:
    """Take the licenses of a named product from members; a borrow that is out stays good until it ends or is checked in."""
    if len(names) < MEMBER_AND_PRODUCT:
        raise click.UsageError("name members and a product")
    with frame.authority() as authority:
        taken = licenses.unassign(Unit(authority, CONSOLE), names[:-1], names[-1])
        now = authority.now()
        rows = [UnassignedLicense.of(item, now) for item in taken]
    lines = []
    for row in rows:
        lines.append(f"{row.member} no longer holds {names[-1]}")
        if row.note:
            lines.append(f"  {row.note}")
    show(frame, rows, lines)


@license_group.command("availability")
@click.option("--product", metavar="PRODUCT")
@pass_frame
def availability(frame: Frame, product: str | None) -> None:
    """What is licensed, used and available; negative numbers block the product until they are corrected."""
    with frame.authority() as authority:
        rows = [AvailabilityShown.of(item) for item in licenses.availability(Unit(authority, CONSOLE), product)]
    show_table(frame, rows, AVAILABILITY)


@license_group.command("activity")
@click.argument("product")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def show_activity(frame: Frame, product: str, limit: int) -> None:
    """When each member last used a product: green is within 30 minutes, red is offline; with the computer, since and until."""
    with frame.authority() as authority:
        page, more = activity.listed(Unit(authority, CONSOLE), product, limit=limit)
        now = authority.now()
        rows = [ActivityShown.of(item, now) for item in page]
    show_table(frame, rows, ACTIVITY)
    show_rest(more, limit)
