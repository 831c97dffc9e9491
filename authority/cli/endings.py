"""borrow revoke, release, check-in: the endings that people bring about."""

from __future__ import annotations

import click

from authority.cli.files import opened
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.several import View, dry_run_option, once, one_by_one_option, read_carried, show_carried, show_outcomes
from authority.domain.borrows import Borrow, BorrowState
from authority.domain.members import CONSOLE
from authority.domain.refusals import InvalidInput
from authority.presentation import sheets
from authority.presentation.borrows import BorrowShown
from authority.presentation.computers import name_of, place_of
from authority.presentation.shown import rfc3339
from authority.services import endings
from authority.services.context import Authority
from authority.services.several import each
from authority.services.unit import Unit
from authority.signing.inbox import member_of_file

# The columns of an analyst's table of stuck licenses, and those of `borrow list --csv`; one of two names the borrow.
STUCK_COLUMNS = (
    *("cause", "product", "feature", "member", "machine", "handle"),
    *("since", "due", "confidence", "evidence", "action"),
)
NAMED_BY = ("handle", "id")


@click.command("revoke", cls=Command)
@click.argument("borrow_ids", metavar="ID...", nargs=-1, required=True)
@click.option("--reason", required=True, metavar="TEXT")
@one_by_one_option
@dry_run_option
@pass_frame
def revoke(frame: Frame, borrow_ids: tuple[str, ...], reason: str, one_by_one: bool, dry_run: bool) -> int:
    """Withdraw borrows, all or none; the seat of each stays taken until it ends, for a copy may still run."""
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        outcomes = endings.revoke_several(unit, once(borrow_ids), reason, one_by_one=one_by_one, dry_run=dry_run)
        view = _view(authority, ("revoked", "would revoke"), dry_run=dry_run)
        return show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)


@click.command("release", cls=Command)
@click.argument("borrow_ids", metavar="ID...", nargs=-1)
@click.option("--from", "file", metavar="FILE", help="A CSV table of stuck licenses, or of borrow list --csv.")
@click.option("--reason", required=True, metavar="TEXT")
@click.option("--accept-overlap", is_flag=True, help="I know that the lost copy can run until the borrow ends.")
@one_by_one_option
@dry_run_option
@pass_frame
def release(
    frame: Frame,
    borrow_ids: tuple[str, ...],
    file: str | None,
    reason: str,
    accept_overlap: bool,
    one_by_one: bool,
    dry_run: bool,
) -> int:
    """Free the seats of borrows that nobody can check in, because the machines are lost or re-imaged; all or none.

    With --from it is one by one: each row has its line, released or refused and why; what is no borrow of this authority is
    refused too.
    """
    if (file is None) != bool(borrow_ids):
        raise click.UsageError("give the ids of borrows, or --from FILE")
    names = once(borrow_ids) if file is None else _ids(file)
    one_by_one = one_by_one or file is not None
    with frame.authority() as authority:
        outcomes = endings.release_several(
            Unit(authority, CONSOLE), names, reason, accept_overlap=accept_overlap, one_by_one=one_by_one, dry_run=dry_run
        )
        view = _view(authority, ("released", "would release"), dry_run=dry_run)
        return show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)


def _view(authority: Authority, verb: tuple[str, str], *, dry_run: bool) -> View[str, Borrow, BorrowShown]:
    now = authority.now()
    return View(
        names=lambda borrow_id: {"id": borrow_id},
        resource="borrow",
        shown=lambda item: BorrowShown.of(item, now),
        lines=lambda item: [f"{verb[1]} {line_of(item)}"] if dry_run else ended_lines(item),
        verb=verb,
        is_list=dry_run,
    )


def _ids(name: str) -> list[str]:
    """The borrows that a table names, each once; rows without an id are of servers that have none."""
    columns = dict.fromkeys((*STUCK_COLUMNS, *sheets.columns_of(BorrowShown)))
    with opened(name) as stream:
        rows = sheets.read(stream, list(columns), ())
    column = next((item for item in NAMED_BY if item in rows[0].cells), None)
    if column is None:
        raise InvalidInput(
            f"the table has no column {' or '.join(NAMED_BY)}", hint="Take the table of stuck licenses as it is."
        )
    return list(dict.fromkeys(row.cells[column] for row in rows if row.cells[column]))


@click.command("check-in", cls=Command)
@click.argument("receipt_files", metavar="RECEIPT_FILE...", nargs=-1, required=True)
@pass_frame
def check_in(frame: Frame, receipt_files: tuple[str, ...]) -> int:
    """Take carried return receipts in and free the seats, one by one: what is wrong with one keeps no other out.

    One of a borrow that ended before, by time or by an administrator, is taken too: no copy runs any more.
    """
    receipts = read_carried(once(receipt_files))
    with frame.authority() as authority:

        def take(name: str) -> Borrow:
            return endings.check_in(Unit(authority, CONSOLE), member_of_file(receipts[name].done(), "return"))

        now = authority.now()
        view = View[str, Borrow, BorrowShown](
            names=lambda name: {"file": name},
            resource="borrow",
            shown=lambda item: BorrowShown.of(item, now),
            lines=_checked_in_lines,
            verb=("checked in", ""),
        )
        return show_carried(frame, each(receipts, take), view)


def _checked_in_lines(item: BorrowShown) -> list[str]:
    if item.state is BorrowState.CHECKED_IN:
        return [line_of(item), *clone_lines(item)]
    way = f"it ended in another way ({item.state}) at {rfc3339(item.ended_at)}"
    return [line_of(item), f"  {way}; now no copy of it runs any more"]


def ended_lines(item: BorrowShown) -> list[str]:
    """A borrow that was just ended, and until when a copy may still run."""
    if item.copy_may_run_until is None:
        return [line_of(item)]
    until = rfc3339(item.copy_may_run_until)
    return [line_of(item), f"  a copy may still run until {until}, unless its machine gets a new status list"]


def clone_lines(item: BorrowShown) -> list[str]:
    """What says that the machine of a borrow may be two, and what to do; nothing for most."""
    if item.clone_seen_at is None:
        return []
    return [f"  CLONE? {item.clone_evidence}: ask whether it was copied or put back from a backup, else revoke"]


def line_of(item: BorrowShown) -> str:
    """A borrow in one line."""
    features = ", ".join([item.level, *item.extensions])
    ending = (
        f"until {rfc3339(item.expires_at)}"
        if item.state is BorrowState.ACTIVE
        else f"{item.state}, seat free at {rfc3339(item.seat_free_at)}"
    )
    return (
        f"{item.id}: {item.product} {features} for {item.member} on {name_of(item.machine)}{place_of(item.machine)}, {ending}"
    )
