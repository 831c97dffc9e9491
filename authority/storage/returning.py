"""What a check-in is decided from, over several aggregates: locked first, then read in one statement; and the receipts that were taken."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BindParameter, Connection, Integer, String, and_, bindparam, insert, or_, select

from authority.domain.borrows import Borrow, Receipt, clone_evidence
from authority.storage.borrows import BORROW, GROUPS_OF_BORROW, borrow_of
from authority.storage.db.prepared import Gathering, Prepared, pipeline
from authority.storage.db.tables import Instant, borrows, members, receipts, sessions, tokens
from authority.storage.tokens import NOT_COUNTED

_ID: BindParameter[str] = bindparam("id", type_=String())
_NOW: BindParameter[datetime] = bindparam("now", type_=Instant())
_KEY: BindParameter[str] = bindparam("machine_key", type_=String())
_COUNT: BindParameter[int] = bindparam("count", type_=Integer())
_REQUESTS: BindParameter[int] = bindparam("requests", type_=Integer())
_BORROW = select(borrows.c.member_id, borrows.c.product).where(borrows.c.id == _ID).cte()
_OWNER = select(_BORROW.c.member_id).scalar_subquery()
_REQUEST = select(tokens.c.jti).join(borrows).where(borrows.c.machine_key == _KEY)
_RECEIPT = select(receipts.c.digest).where(receipts.c.machine_key == _KEY)

_SITUATION = Gathering(
    borrow=BORROW.where(borrows.c.id == _ID),
    groups=GROUPS_OF_BORROW,
    receipt=select(receipts.c.digest).where(receipts.c.digest == bindparam("digest")),
    token=select(tokens.c.jti).where(tokens.c.borrow_id == _ID, tokens.c.jti == bindparam("token")),
    same_number=_RECEIPT.where(receipts.c.number == _COUNT, receipts.c.digest != bindparam("digest")).limit(1),
    # A request that was made later must know of the receipt, and one that was made before must not.
    contradicting=_REQUEST.where(
        _REQUESTS != NOT_COUNTED,
        or_(
            and_(tokens.c.request_number > _REQUESTS, tokens.c.returns < _COUNT),
            and_(tokens.c.request_number <= _REQUESTS, tokens.c.returns >= _COUNT),
        ),
    ).limit(1),
    counted_requests=_REQUEST.where(_REQUESTS == NOT_COUNTED, tokens.c.request_number.is_not(None)).limit(1),
    counted_receipts=_RECEIPT.where(_REQUESTS == NOT_COUNTED, receipts.c.requests.is_not(None)).limit(1),
    sessions=select(sessions.c.id)
    .where(
        sessions.c.member_id == _OWNER,
        # Of a session that is over a grant may still run.
        or_(sessions.c.granted_until > _NOW, and_(sessions.c.active_until > _NOW, sessions.c.ended_by.is_(None))),
    )
    .limit(1),
)
# On PostgreSQL: the member before the borrow, in the order of who renews it, so that no two wait for each other.
_LOCKS = (
    Prepared(select(members.c.id).where(members.c.id == _OWNER).with_for_update(key_share=True)),
    Prepared(select(borrows.c.id).where(borrows.c.id == _ID).with_for_update()),
)
_INSERT = Prepared(insert(receipts))


@dataclass(frozen=True, slots=True)
class Situation:
    """What is there when a receipt comes.

    `borrow` is the one that it names, None where there is none. `is_known` says that this very receipt was taken before, `has_token`
    that the borrow was given the token that it names, `has_sessions` that the member has sessions that hold seats.
    `clone_evidence` is what says that the machine may be two, None when nothing does.
    """

    borrow: Borrow | None
    is_known: bool
    has_token: bool
    has_sessions: bool
    clone_evidence: str | None


def situation(connection: Connection, receipt: Receipt, now: datetime) -> Situation:
    """Locks the borrow of a receipt and its member, and reads what the decision is about, within a transaction that writes."""
    values = {
        "id": receipt.borrow_id,
        "digest": receipt.digest,
        "token": receipt.token_jti,
        "machine_key": receipt.machine_key,
        "count": receipt.count,
        "requests": NOT_COUNTED if receipt.requests is None else receipt.requests,
        "now": now,
    }
    if connection.dialect.name == "postgresql":
        with pipeline(connection):
            for lock in _LOCKS:
                lock.run(connection, values)
    parts = _SITUATION.read(connection, values)
    groups = tuple(sorted(row.name for row in parts["groups"]))
    return Situation(
        borrow=borrow_of(parts["borrow"][0], groups) if parts["borrow"] else None,
        is_known=bool(parts["receipt"]),
        has_token=bool(parts["token"]),
        has_sessions=bool(parts["sessions"]),
        clone_evidence=clone_evidence(
            same_number=bool(parts["same_number"]),
            contradicts=bool(parts["contradicting"]),
            counts_no_more=bool(parts["counted_requests"] or parts["counted_receipts"]),
            other_board=False,
        ),
    )


def keep(connection: Connection, receipt: Receipt, at: datetime) -> None:
    """Keeps that a receipt was taken."""
    row = {
        "digest": receipt.digest,
        "borrow_id": receipt.borrow_id,
        "taken_at": at,
        "machine_key": receipt.machine_key,
        "number": receipt.count,
        "requests": receipt.requests,
    }
    _INSERT.run(connection, row)
