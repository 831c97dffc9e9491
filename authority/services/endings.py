"""The endings that people bring about: check in, revoke, release. Each keeps its own name, in code and in the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from authority.domain import endings as rules
from authority.domain.borrows import Borrow, Ending
from authority.domain.events import EventKind, borrow_events
from authority.domain.members import Privilege
from authority.domain.names import spelled
from authority.domain.refusals import InvalidInput, NotFound, RequestInvalid
from authority.services.clones import mark_clones
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.signing import inbox
from authority.storage import borrows, holds, members, returning, sessions
from authority.storage.db.prepared import pipeline

LONGEST_REASON = 500


def check_in(unit: Unit, receipt: str) -> Borrow:
    """Ends the borrow of a signed return receipt and frees its seat; the same receipt again changes nothing.

    A receipt of a borrow that ended in another way is taken too: it proves that no copy runs any more, and its machine can
    renew what else it has. It is in the log with how the borrow had ended; it moves no seat.

    Raises RequestInvalid, NotFound, NotAllowed (another machine, user or account).
    """
    returned = inbox.read_receipt(receipt)
    with unit.writing():
        account = None if unit.actor.has(Privilege.ACT_FOR_MEMBERS) else unit.actor.own_number
        situation = returning.situation(unit.connection, returned, unit.now)
        before = _there(situation.borrow, returned.borrow_id)
        rules.check_receipt(before, returned, account)
        if situation.is_known:
            return before
        if not situation.has_token:
            raise RequestInvalid(f"the receipt names the token {returned.token_jti}, which this borrow never had")
        after = rules.checked_in(before, returned, unit.now)
        if situation.clone_evidence is not None:
            after = mark_clones(unit, after, situation.clone_evidence)
        moves_seat = before.holds_seat(unit.now)
        with pipeline(unit.connection):
            borrows.update(unit.connection, after)
            returning.keep(unit.connection, returned, unit.now)
            if moves_seat:
                members.touch(unit.connection, before.member_id, unit.now)
        if situation.has_sessions:
            _give_back_to_sessions(unit, after)
        reason = str(Ending.CHECKED_IN if moves_seat else before.state(unit.now))
        unit.record(borrow_events(EventKind.CHECK_IN, after, unit.actor, reason, quantity=int(moves_seat)))
    return after


def _give_back_to_sessions(unit: Unit, borrow: Borrow) -> None:
    """The seats of a borrow that was returned go to the member's sessions on its machine: their grants may still run.

    Those of one computer together take each seat once, the session whose grant runs longest first.
    """
    holding = sessions.holding(unit.connection, borrow.member_id, unit.now)
    here = [session for session in holding if session.product == borrow.product and session.is_on(borrow.machine)]
    held = set[str]().union(*(holds.features_of(unit.connection, session.id) for session in here))
    for session in sorted(here, key=lambda item: item.seat_free_at, reverse=True):
        features = set(session.features().all()).intersection((borrow.level, *borrow.extensions)) - held
        sessions.take_seats(unit.connection, session, session.member_id, sorted(features))
        held |= features


def revoke(unit: Unit, borrow_id: str, reason: str) -> Borrow:
    """Withdraws a borrow; its seat stays taken until it ends. Raises NotAllowed, NotFound, BorrowAlreadyEnded."""
    return revoke_several(unit, [borrow_id], reason)[0].done()


def revoke_several(
    unit: Unit, borrow_ids: Sequence[str], reason: str, *, one_by_one: bool = False, dry_run: bool = False
) -> list[Outcome[str, Borrow]]:
    """Withdraws borrows, all or none or `one_by_one`, in their order.

    With `dry_run` every check is made and nothing changed; the borrows are shown as they are. Raises NotAllowed, InvalidInput (the reason), and unless `one_by_one` what `revoke` raises.
    """

    def withdraw(borrow_id: str, reason: str) -> Borrow:
        before = _existing(unit, borrow_id)
        after = rules.revoked(before, reason, unit.now)
        borrows.update(unit.connection, after)
        unit.record(borrow_events(EventKind.REVOCATION, after, unit.actor, reason=reason))
        return before if dry_run else after

    return _end_several(unit, borrow_ids, reason, withdraw, one_by_one=one_by_one, dry_run=dry_run)


def release(unit: Unit, borrow_id: str, reason: str, *, accept_overlap: bool) -> Borrow:
    """Frees the seat of a borrow that nobody can check in. Raises NotAllowed, NotFound, OverlapNotAccepted, BorrowAlreadyEnded."""
    return release_several(unit, [borrow_id], reason, accept_overlap=accept_overlap)[0].done()


def release_several(
    unit: Unit,
    borrow_ids: Sequence[str],
    reason: str,
    *,
    accept_overlap: bool,
    one_by_one: bool = False,
    dry_run: bool = False,
) -> list[Outcome[str, Borrow]]:
    """Frees the seats of borrows, all or none or `one_by_one`, in their order.

    With `dry_run` every check is made and nothing changed; the borrows are shown as they are. Raises NotAllowed, InvalidInput (the reason), and
    unless `one_by_one` what `release` raises.
    """

    def free(borrow_id: str, reason: str) -> Borrow:
        before = _existing(unit, borrow_id)
        after = rules.released(before, reason, unit.now, accept_overlap=accept_overlap)
        borrows.update(unit.connection, after)
        unit.record(borrow_events(EventKind.RELEASE, after, unit.actor, reason=reason))
        return before if dry_run else after

    return _end_several(unit, borrow_ids, reason, free, one_by_one=one_by_one, dry_run=dry_run)


def _end_several(
    unit: Unit,
    borrow_ids: Sequence[str],
    reason: str,
    end: Callable[[str, str], Borrow],
    *,
    one_by_one: bool,
    dry_run: bool,
) -> list[Outcome[str, Borrow]]:
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.END_BORROWS)
        text = checked_reason(reason)
        borrows.lock(unit.connection, borrow_ids)
        return all_or_none(borrow_ids, lambda borrow_id: end(borrow_id, text), one_by_one=one_by_one)


def checked_reason(reason: str) -> str:
    """The reason in one spelling. Raises InvalidInput when it is empty, too long, or has a character that nobody sees."""
    text = spelled("a reason", reason, LONGEST_REASON)
    if not text:
        raise InvalidInput(f"a reason is printable text of 1 to {LONGEST_REASON} characters", about="reason")
    return text


def _existing(unit: Unit, borrow_id: str) -> Borrow:
    """The borrow with this id; nobody else can end it until this transaction ends. Raises NotFound."""
    return _there(borrows.get(unit.connection, borrow_id, lock=True), borrow_id)


def _there(borrow: Borrow | None, borrow_id: str) -> Borrow:
    if borrow is None:
        raise NotFound(f'there is no borrow "{borrow_id}"', borrow_id=borrow_id)
    return borrow
