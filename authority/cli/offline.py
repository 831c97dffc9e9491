"""borrow offline: every borrow that is out, with what was heard of it since and why it may be stuck."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import Any

import click

from authority.cli.borrow_lists import USUAL_LIMIT, check_options, selection_options, sheet_options, write_sheet
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import Columns, show_count, show_table
from authority.domain.members import CONSOLE
from authority.presentation.borrows import OfflineShown
from authority.presentation.computers import name_of
from authority.services import offline
from authority.services.unit import Unit
from authority.storage.borrows import Filter

COLUMNS: Columns[OfflineShown] = {
    "id": lambda row: row.id,
    "member": lambda row: row.member,
    "license": lambda row: [f"{row.product} {row.level}", *row.extensions],
    "machine": lambda row: name_of(row.machine),
    "until": lambda row: row.expires_at,
    "days left": lambda row: row.days_left,
    "last sign": lambda row: row.last_sign_at,
    "looks stuck": lambda row: row.stuck_because,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("last sign", "until", "machine", "license", "looks stuck", "days left")


@click.command("offline", cls=Command)
@selection_options
@click.option("--due-within", type=click.IntRange(0, 36_500), metavar="DAYS", help="Those that end in so many days.")
@click.option("--stuck", is_flag=True, help="Those alone that look stuck.")
@sheet_options
@pass_frame
def list_offline(
    frame: Frame,
    /,
    due_within: int | None,
    stuck: bool,
    limit: int | None,
    as_csv: bool,
    output: str | None,
    **selection: Any,
) -> None:
    """Who is offline now, the next to end first, when each was heard of last, and why it may be stuck."""
    check_options(frame, selection, output, as_csv=as_csv)
    wanted = Filter(**selection, limit=limit or USUAL_LIMIT, by_end=True)
    span = None if due_within is None else timedelta(days=due_within)
    with frame.authority() as authority:
        unit, now = Unit(authority, CONSOLE), authority.now()
        if as_csv:
            every = islice(offline.every(unit, wanted, due_within=span, stuck=stuck), limit)
            write_sheet(frame, OfflineShown, (OfflineShown.seen(item, now) for item in every), output)
            return
        page, more = offline.listed(unit, wanted, due_within=span, stuck=stuck)
    show_table(frame, [OfflineShown.seen(item, now) for item in page], COLUMNS, MAY_GO)
    show_count(frame, len(page), "borrow", more)
