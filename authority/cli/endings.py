"""borrow revoke, release, check-in: the endings that people bring about."""

from __future__ import annotations

from collections.abc import Sequence

import click

from authority.cli.frame import REFUSED, Command, Frame, pass_frame, read_input, show
from authority.domain.borrows import Borrow, BorrowState
from authority.domain.members import CONSOLE
from authority.domain.refusals import InvalidInput, Refusal
from authority.presentation import sheets
from authority.presentation.borrows import BorrowShown
from authority.presentation.computers import name_of
from authority.presentation.releases import RefusedRelease, ReleasedBorrow
from authority.presentation.shown import rfc3339
from authority.services import borrow, endings
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.signing.inbox import member_of_file

# The columns of an analyst's table of stuck licenses, and those of `borrow list --csv`; one of two names the borrow.
STUCK_COLUMNS = (
    *("cause", "product", "feature", "member", "machine", "handle"),
    *("since", "due", "confidence", "evidence", "action"),
)
NAMED_BY = ("handle", "id")


@click.command("revoke", cls=Command)
@click.argument("borrow_id", metavar="ID")
@click.option("--reason", required=True, metavar="TEXT")
@pass_frame
def revoke(frame: Frame, borrow_id: str, reason: str) -> None:
    """Withdraw a borrow; its seat stays taken until it ends, for a copy may still run."""
    with frame.authority() as authority:
        ended = endings.revoke(Unit(authority, CONSOLE), borrow_id, reason)
        show_ended(frame, authority, [ended])


@click.command("release", cls=Command)
@click.argument("borrow_ids", metavar="ID...", nargs=-1)
@click.option("--from", "file", metavar="FILE", help="A CSV table of stuck licenses, or of borrow list --csv.")
@click.option("--reason", required=True, metavar="TEXT")
@click.option("--accept-overlap", is_flag=True, help="I know that the lost copy can run until the borrow ends.")
@click.option("--dry-run", is_flag=True, help="Only say what would be released.")
@pass_frame
def release(
    frame: Frame, borrow_ids: tuple[str, ...], file: str | None, reason: str, accept_overlap: bool, dry_run: bool
) -> int:
    """Free the seats of borrows that nobody can check in, because the machines are lost or re-imaged.

    With --from each row has its line: released, or refused and why; what is no borrow of this authority is refused too.
    """
    if (file is None) != bool(borrow_ids):
        raise click.UsageError("give the ids of borrows, or --from FILE")
    if file is not None:
        return _release_rows(frame, _ids(file), reason, accept_overlap=accept_overlap, dry_run=dry_run)
    with frame.authority() as authority:
        if dry_run:
            borrows = [_borrow(authority, borrow_id) for borrow_id in borrow_ids]
            show(frame, borrows, [f"would release {line_of(item)}" for item in borrows])
        else:
            show_ended(frame, authority, _release_each(authority, borrow_ids, reason, accept_overlap=accept_overlap))
    return 0


def _borrow(authority: Authority, borrow_id: str) -> BorrowShown:
    return BorrowShown.of(borrow.show(Unit(authority, CONSOLE), borrow_id), authority.now())


def _release_each(authority: Authority, borrow_ids: Sequence[str], reason: str, *, accept_overlap: bool) -> list[Borrow]:
    """Releases one after the other; a refusal in the midst says which were released before it."""
    ended: list[Borrow] = []
    for borrow_id in borrow_ids:
        try:
            ended += [endings.release(Unit(authority, CONSOLE), borrow_id, reason, accept_overlap=accept_overlap)]
        except Refusal as error:
            error.done["released"] = [item.id for item in ended]
            raise
    return ended


def _ids(name: str) -> list[str]:
    """The borrows that a table names, each once; rows without an id are of servers that have none."""
    columns = dict.fromkeys((*STUCK_COLUMNS, *sheets.columns_of(BorrowShown)))
    try:
        with click.open_file(name, "rb") as stream:
            rows = sheets.read(stream, list(columns), ())
    except OSError as error:
        raise click.UsageError(f"{name} cannot be read: {error.strerror}") from error
    column = next((item for item in NAMED_BY if item in rows[0].cells), None)
    if column is None:
        raise InvalidInput(
            f"the table has no column {' or '.join(NAMED_BY)}", hint="Take the table of stuck licenses as it is."
        )
    return list(dict.fromkeys(row.cells[column] for row in rows if row.cells[column]))


def _release_rows(frame: Frame, borrow_ids: Sequence[str], reason: str, *, accept_overlap: bool, dry_run: bool) -> int:
    with frame.authority() as authority:
        rows = [_row(authority, item, reason, accept_overlap=accept_overlap, dry_run=dry_run) for item in borrow_ids]
    verb = "would release" if dry_run else "released"
    lines = [
        f"{row.id}: {row.message} [{row.code}]" if isinstance(row, RefusedRelease) else f"{verb} {line_of(row.borrow)}"
        for row in rows
    ]
    done = sum(row.ok for row in rows)
    show(frame, rows, [*lines, f"{verb} {done} of {len(rows)}"])
    return 0 if done == len(rows) else REFUSED


def _row(
    authority: Authority, borrow_id: str, reason: str, *, accept_overlap: bool, dry_run: bool
) -> ReleasedBorrow | RefusedRelease:
    """What became of one row of a table."""
    try:
        ended = borrow.show(Unit(authority, CONSOLE), borrow_id)
        if not dry_run:
            ended = endings.release(Unit(authority, CONSOLE), borrow_id, reason, accept_overlap=accept_overlap)
    except Refusal as error:
        return RefusedRelease(id=borrow_id, code=error.code, message=error.message, hint=error.hint)
    return ReleasedBorrow(id=borrow_id, borrow=BorrowShown.of(ended, authority.now()))


@click.command("check-in", cls=Command)
@click.argument("receipt_file")
@pass_frame
def check_in(frame: Frame, receipt_file: str) -> None:
    """Take a carried return receipt in and free the seat.

    One of a borrow that ended before, by time or by an administrator, is taken too: no copy runs any more.
    """
    receipt = member_of_file(read_input(receipt_file), "return")
    with frame.authority() as authority:
        ended = endings.check_in(Unit(authority, CONSOLE), receipt)
        shown = BorrowShown.of(ended, authority.now())
    lines = [line_of(shown)]
    if shown.state is not BorrowState.CHECKED_IN:
        lines.append(f"  it ended in another way ({shown.state}) at {rfc3339(shown.ended_at)}; now no copy of it runs any more")
    show(frame, shown, lines)


def show_ended(frame: Frame, authority: Authority, ended: list[Borrow]) -> None:
    """Borrows that were just ended, and until when a copy may still run."""
    now = authority.now()
    borrows = [BorrowShown.of(item, now) for item in ended]
    lines = []
    for item in borrows:
        lines.append(line_of(item))
        if item.copy_may_run_until is not None:
            until = rfc3339(item.copy_may_run_until)
            lines.append(f"  a copy may still run until {until}, unless its machine gets a new status list")
    show(frame, borrows if len(borrows) > 1 else borrows[0], lines)


def line_of(item: BorrowShown) -> str:
    """A borrow in one line."""
    features = ", ".join([item.level, *item.extensions])
    ending = (
        f"until {rfc3339(item.expires_at)}"
        if item.state is BorrowState.ACTIVE
        else f"{item.state}, seat free at {rfc3339(item.seat_free_at)}"
    )
    return f"{item.id}: {item.product} {features} for {item.member} on {name_of(item.machine)}, {ending}"
