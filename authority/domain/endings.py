"""The four endings of a borrow, each with its own name: time ends it by itself, the others are here."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from authority.domain import days
from authority.domain.borrows import Borrow, BorrowState, Ending, Receipt
from authority.domain.plurals import counted
from authority.domain.refusals import BorrowAlreadyEnded, NotAllowed, OverlapNotAccepted


def check_receipt(borrow: Borrow, receipt: Receipt, account: int | None) -> None:
    """Raises NotAllowed unless the receipt comes from the same machine, OS user and machine key, by the same account.

    `account` is the number of the member who brings it, None for an administrator (seed S3).
    """
    if account is not None and account != borrow.member_id:
        raise NotAllowed(f"this borrow is {borrow.member}'s, only the same account checks it in", member=borrow.member)
    if (receipt.machine_id, receipt.machine_key, receipt.user_id) != (borrow.machine.id, borrow.machine.key, borrow.user.id):
        raise NotAllowed(
            "the receipt was made on another machine or by another user than the borrow",
            hint="Return the license on the machine, and as the user, that borrowed it.",
        )


def checked_in(borrow: Borrow, receipt: Receipt, now: datetime) -> Borrow:
    """The borrow after its holder proved with a receipt that the copy is gone: the seat is free at once.

    What ended in another way keeps its ending (a machine that was found, a return that came late): of a revoked borrow the
    seat is freed, and of a revoked or released one no copy may run any more.
    """
    proved = replace(borrow, receipt_jti=borrow.receipt_jti or receipt.jti)
    if borrow.state(now) is BorrowState.ACTIVE:
        return replace(proved, ended_at=now, ended_by=Ending.CHECKED_IN, end_reason=None, seat_free_at=now)
    return replace(proved, seat_free_at=min(now, borrow.seat_free_at))


def revoked(borrow: Borrow, reason: str, now: datetime) -> Borrow:
    """The borrow withdrawn: its token goes on the status list, its seat stays taken until it ends, for a copy may still run.

    Raises BorrowAlreadyEnded.
    """
    _check_open(borrow, now)
    return replace(borrow, ended_at=now, ended_by=Ending.REVOKED, end_reason=reason)


def released(borrow: Borrow, reason: str, now: datetime, *, accept_overlap: bool) -> Borrow:
    """The borrow that nobody can check in, its seat freed at once; until it would have ended two copies may run.

    Raises OverlapNotAccepted with that time, BorrowAlreadyEnded.
    """
    if borrow.ended_by is not Ending.REVOKED or not borrow.holds_seat(now):
        _check_open(borrow, now)
    if not accept_overlap:
        raise OverlapNotAccepted(
            f"the copy on {borrow.machine.alias or borrow.machine.id} can still run until "
            f"{borrow.expires_at:%Y-%m-%d %H:%M} UTC, {counted(days.left(borrow.expires_at, now), 'day')} from now",
            until=borrow.expires_at,
        )
    return replace(borrow, ended_at=now, ended_by=Ending.RELEASED, end_reason=reason, seat_free_at=now)


def _check_open(borrow: Borrow, now: datetime) -> None:
    state = borrow.state(now)
    if state is not BorrowState.ACTIVE:
        at = borrow.ended_at or borrow.expires_at
        raise BorrowAlreadyEnded(f"the borrow {borrow.id} is {state} since {at:%Y-%m-%d %H:%M} UTC", state=state, ended_at=at)
