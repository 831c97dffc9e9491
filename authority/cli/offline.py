"""borrow offline: every borrow that is out, with what was heard of it since and why it may be stuck."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import click

from authority.cli.frame import Columns, Command, Frame, check_output, pass_frame, show, show_count, show_table, write_lines
from authority.domain.members import CONSOLE
from authority.presentation import sheets
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


@click.command("offline", cls=Command)
@click.option("--member", metavar="NAME")
@click.option("--product", metavar="PRODUCT")
@click.option("--machine", metavar="ID_OR_ALIAS", help="The id, or a part of the alias, whatever its case.")
@click.option("--group", metavar="GROUP", help="Of members of this group.")
@click.option("--type", "user_type", metavar="TYPE", help="Of members of this user type.")
@click.option("--due-within", type=click.IntRange(0, 36_500), metavar="DAYS", help="Those that end in so many days.")
@click.option("--stuck", is_flag=True, help="Those alone that look stuck.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), help="Default: 1000; with --csv all.")
@click.option("--csv", "as_csv", is_flag=True, help="Write rows for a spreadsheet.")
@click.option("-o", "--output", metavar="FILE", help="With --csv: the file to write; default: stdout.")
@pass_frame
def list_offline(
    frame: Frame,
    member: str | None,
    product: str | None,
    machine: str | None,
    group: str | None,
    user_type: str | None,
    due_within: int | None,
    stuck: bool,
    limit: int | None,
    as_csv: bool,
    output: str | None,
) -> None:
    """Who is offline now, the next to end first, when each was heard of last, and why it may be stuck."""
    if output is not None:
        check_output(output)
    if (output is not None and not as_csv) or (as_csv and frame.json and output is None):
        raise click.UsageError("-o FILE goes with --csv, and --csv on stdout goes without --json")
    # A script's empty variable must not become a list of everybody.
    if "" in (member, product, machine, group, user_type):
        raise click.UsageError("--member, --product, --machine, --group and --type each need a name")
    wanted = Filter(
        member=member, product=product, machine=machine, limit=limit or 1000, group=group, user_type=user_type, by_end=True
    )
    span = None if due_within is None else timedelta(days=due_within)
    with frame.authority() as authority:
        unit, now = Unit(authority, CONSOLE), authority.now()
        if as_csv:
            every = islice(offline.every(unit, wanted, due_within=span, stuck=stuck), limit)
            write_lines(output, sheets.lines_of(OfflineShown, (OfflineShown.seen(item, now) for item in every)))
            if output is not None:
                show(frame, {"file": output}, [f"wrote {output}"])
            return
        page, more = offline.listed(unit, wanted, due_within=span, stuck=stuck)
    show_table(frame, [OfflineShown.seen(item, now) for item in page], COLUMNS)
    show_count(frame, len(page), "borrow", more)
