"""The endings that people bring about: check in, revoke, release. Each keeps its own name, in code and in the log."""

from __future__ import annotations

from sqlalchemy import Connection

from authority.domain import borrows as rules
from authority.domain.borrows import Borrow, Ending
from authority.domain.events import EventKind, borrow_events
from authority.domain.members import Actor, Privilege
from authority.domain.refusals import InvalidInput, NotFound, RequestInvalid
from authority.services.context import Authority
from authority.signing import inbox
from authority.storage import borrows as stored
from authority.storage import events

LONGEST_REASON = 500


def check_in(authority: Authority, actor: Actor, receipt: str) -> Borrow:
    """Ends the borrow of a signed return receipt and frees its seat; the same receipt again changes nothing.

    Raises RequestInvalid, NotFound, NotAllowed (another machine, user or account), BorrowAlreadyEnded.
    """
    found, now = inbox.read_receipt(receipt), authority.now()
    account = None if actor.has(Privilege.ACT_FOR_MEMBERS) else actor.username
    with authority.database.write() as connection:
        before = _locked(connection, found.borrow_id)
        if before.receipt_jti == found.jti:
            return before
        after = rules.checked_in(before, found, account, now)
        if not stored.has_token(connection, before.id, found.token_jti):
            raise RequestInvalid(f"the receipt names the token {found.token_jti}, which this borrow never had")
        stored.update_borrow(connection, after)
        events.append(
            connection, borrow_events(EventKind.CHECK_IN, after, actor, reason=str(Ending.CHECKED_IN)), authority.clock()
        )
    return after


def revoke(authority: Authority, actor: Actor, borrow_id: str, reason: str) -> Borrow:
    """Withdraws a borrow; its seat stays taken until it ends. Raises NotAllowed, NotFound, BorrowAlreadyEnded."""
    actor.needs(Privilege.END_BORROWS)
    now = authority.now()
    with authority.database.write() as connection:
        after = rules.revoked(_locked(connection, borrow_id), checked_reason(reason), now)
        stored.update_borrow(connection, after)
        events.append(connection, borrow_events(EventKind.REVOCATION, after, actor, reason=reason), authority.clock())
    return after


def release(authority: Authority, actor: Actor, borrow_id: str, reason: str, *, accept_overlap: bool) -> Borrow:
    """Frees the seat of a borrow that nobody can check in. Raises NotAllowed, NotFound, OverlapNotAccepted, BorrowAlreadyEnded."""
    actor.needs(Privilege.END_BORROWS)
    now = authority.now()
    with authority.database.write() as connection:
        after = rules.released(_locked(connection, borrow_id), checked_reason(reason), now, accept_overlap=accept_overlap)
        stored.update_borrow(connection, after)
        events.append(connection, borrow_events(EventKind.RELEASE, after, actor, reason=reason), authority.clock())
    return after


def checked_reason(reason: str) -> str:
    """The reason itself. Raises InvalidInput when it is empty, too long or not printable."""
    if not 0 < len(reason.strip()) <= LONGEST_REASON or not reason.isprintable():
        raise InvalidInput(f"a reason is printable text of 1 to {LONGEST_REASON} characters")
    return reason


def _locked(connection: Connection, borrow_id: str) -> Borrow:
    found = stored.get(connection, borrow_id, lock=True)
    if found is None:
        raise NotFound(f'there is no borrow "{borrow_id}"', borrow_id=borrow_id)
    return found
