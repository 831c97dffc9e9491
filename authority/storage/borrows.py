"""Borrows, the seats they hold, the tokens given out, and the status lists made from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, bindparam, func, insert, or_, select, update

from authority.domain.borrows import Borrow, Ending, Machine, OsUser
from authority.domain.events import UseMode
from authority.storage.db.rows import value_of
from authority.storage.db.tables import borrows, holds, member_groups, members, status_lists, tokens
from authority.storage.members import key_of

ENDED, EXPIRED, ACTIVE = "ended", "expired", "active"
# SQLite takes 32,766 values in one statement, PostgreSQL 65,535.
MOST_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Token:
    """One token given out: `payload` is the text that was signed with the key `kid`."""

    jti: str
    borrow_id: str
    request_jti: str
    request_digest: str
    payload: str
    kid: str
    status_index: int
    status_seq: int
    authorization_seq: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A status list as it was published; never changed, never removed."""

    seq: int
    packed: str
    compact: str
    issued_at: datetime
    authorization_seq: int


@dataclass(frozen=True, slots=True)
class Filter:
    """Which borrows to list; None means all. `after` is the id that the page before ended with.

    Group and user type are those that the member has now.
    """

    state: str | None = None
    member: str | None = None
    product: str | None = None
    machine: str | None = None
    after: str | None = None
    limit: int = 100
    group: str | None = None
    user_type: str | None = None
    expires_before: datetime | None = None


_BORROW: Select[Any] = select(borrows, members.c.username, members.c.user_type).join(members)

# Statements of the borrow's own path are built once: building one costs five times as much as running it.
_GET = _BORROW.where(borrows.c.id == bindparam("id"))
_GET_LOCKED = _GET.with_for_update(of=borrows)
_HOLDING = (
    _BORROW.where(
        borrows.c.member_id == bindparam("member_id"),
        borrows.c.product == bindparam("product"),
        borrows.c.seat_free_at > bindparam("now"),
    )
    .order_by(borrows.c.issued_at.desc())
    .with_for_update(of=borrows)
)
_GROUPS = (
    select(member_groups).where(member_groups.c.member_id.in_(bindparam("ids", expanding=True))).order_by(member_groups.c.name)
)
_INSERT_BORROW, _INSERT_HOLDS, _INSERT_TOKEN = insert(borrows), insert(holds), insert(tokens)
# What never changes in a borrow is not written again.
_FIXED = ("id", "member_id", "product", "level", "extensions", "issued_at", "decided_by")
_CHANGING = [column.name for column in borrows.columns if column.name not in _FIXED]
_UPDATE_BORROW = update(borrows).where(borrows.c.id == bindparam("of_id")).values({name: bindparam(name) for name in _CHANGING})
_UPDATE_HOLDS = update(holds).where(holds.c.handle == bindparam("of_handle")).values(free_at=bindparam("free_at"))
_SEATS = (
    select(holds.c.feature, func.count())
    .where(holds.c.product == bindparam("product"), holds.c.free_at > bindparam("now"))
    .group_by(holds.c.feature)
)
_TOKEN_OF_REQUEST = select(tokens).where(tokens.c.request_jti == bindparam("request_jti"))
_TOKEN_OF_BORROW = select(tokens.c.jti).where(tokens.c.borrow_id == bindparam("borrow_id"), tokens.c.jti == bindparam("jti"))
_PLACE = select(tokens.c.jti).where(tokens.c.status_index == bindparam("status_index"))
# The number stands for nothing; it is the only advisory lock.
_LOCK_LISTS = select(func.pg_advisory_xact_lock(1))
_NEWEST_LIST = select(status_lists).order_by(status_lists.c.seq.desc()).limit(1)


def get(connection: Connection, borrow_id: str, *, lock: bool = False) -> Borrow | None:
    """The borrow with this id; with `lock` nobody else can end it until this transaction ends."""
    found = _borrows(connection, _GET_LOCKED if lock else _GET, {"id": borrow_id})
    return found[0] if found else None


def holding(connection: Connection, member_id: int, product: str, now: datetime) -> list[Borrow]:
    """The member's borrows of a product that hold a seat, newest first; nobody else can end them until this transaction ends."""
    return _borrows(connection, _HOLDING, {"member_id": member_id, "product": product, "now": now})


def held_by(connection: Connection, member_id: int, now: datetime, *, lock: bool = True) -> list[Borrow]:
    """All borrows of a member that hold a seat; with `lock` nobody else can end them until this transaction ends."""
    query = _BORROW.where(borrows.c.member_id == member_id, borrows.c.seat_free_at > now)
    return _borrows(connection, query.with_for_update(of=borrows) if lock else query)


def out(connection: Connection, product: str, first: str, last: str, now: datetime) -> list[Borrow]:
    """The active borrows of a product by members from one user name to another, the one that ends last first."""
    between = members.c.username_key.between(key_of(first), key_of(last))
    query = _BORROW.where(borrows.c.product == product, _in_state(ACTIVE, now), between)
    return _borrows(connection, query.order_by(borrows.c.expires_at.desc(), borrows.c.id))


def listed(connection: Connection, wanted: Filter, now: datetime) -> list[Borrow]:
    """A page of borrows, newest first; one more than the limit, so that the caller sees whether there is another page."""
    query = _BORROW.order_by(borrows.c.issued_at.desc(), borrows.c.id.desc()).limit(wanted.limit + 1)
    return _borrows(connection, query.where(*_conditions(wanted, now)))


def _conditions(wanted: Filter, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.state is not None:
        yield _in_state(wanted.state, now)
    if wanted.member is not None:
        yield members.c.username_key == key_of(wanted.member)
    if wanted.product is not None:
        yield borrows.c.product == wanted.product
    if wanted.machine is not None:
        yield or_(borrows.c.machine_id == wanted.machine, borrows.c.machine_alias == wanted.machine)
    if wanted.group is not None:
        yield borrows.c.member_id.in_(select(member_groups.c.member_id).where(member_groups.c.name == wanted.group))
    if wanted.user_type is not None:
        yield members.c.user_type == wanted.user_type
    if wanted.expires_before is not None:
        yield borrows.c.expires_at < wanted.expires_before
    if wanted.after is not None:
        issued_at = select(borrows.c.issued_at).where(borrows.c.id == wanted.after).scalar_subquery()
        yield or_(borrows.c.issued_at < issued_at, and_(borrows.c.issued_at == issued_at, borrows.c.id < wanted.after))


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    if state == ACTIVE:
        # The second condition says nothing new, but lets the index find the few among all that ever were.
        return and_(borrows.c.ended_by.is_(None), borrows.c.expires_at > now, borrows.c.seat_free_at > now)
    if state == EXPIRED:
        return and_(borrows.c.ended_by.is_(None), borrows.c.expires_at <= now)
    return borrows.c.ended_by == state


def _borrows(connection: Connection, query: Select[Any], values: dict[str, Any] | None = None) -> list[Borrow]:
    rows = connection.execute(query, values).all()
    ids = list({row.member_id for row in rows})
    groups: dict[int, list[str]] = {}
    for first in range(0, len(ids), MOST_VALUES):
        for member_id, name in connection.execute(_GROUPS, {"ids": ids[first : first + MOST_VALUES]}):
            groups.setdefault(member_id, []).append(name)
    return [_borrow(row, tuple(groups.get(row.member_id, ()))) for row in rows]


def _borrow(row: Row[Any], groups: tuple[str, ...]) -> Borrow:
    return Borrow(
        id=row.id,
        member=row.username,
        user_type=row.user_type,
        groups=groups,
        product=row.product,
        level=row.level,
        extensions=tuple(json.loads(row.extensions)),
        machine=Machine(row.machine_id, row.machine_source, row.machine_secondary, row.machine_alias, row.machine_key),
        user=OsUser(row.user_id, row.user_name),
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
        ended_by=None if row.ended_by is None else Ending(row.ended_by),
        end_reason=row.end_reason,
        seat_free_at=row.seat_free_at,
        decided_by=row.decided_by,
        receipt_jti=row.receipt_jti,
        receipt_digest=row.receipt_digest,
    )


def insert_borrow(connection: Connection, borrow: Borrow, member_id: int) -> None:
    """Keeps a new borrow and the seats that it holds."""
    connection.execute(_INSERT_BORROW, {"id": borrow.id, "member_id": member_id, **_values(borrow)})
    seats = [
        {
            "handle": borrow.id,
            "feature": feature,
            "mode": UseMode.BORROW,
            "member_id": member_id,
            "product": borrow.product,
            "free_at": borrow.seat_free_at,
        }
        for feature in (borrow.level, *borrow.extensions)
    ]
    connection.execute(_INSERT_HOLDS, seats)


def update_borrow(connection: Connection, borrow: Borrow) -> None:
    """Keeps what changed in a borrow, and until when its seats are held."""
    connection.execute(
        _UPDATE_BORROW, {"of_id": borrow.id} | {name: value for name, value in _values(borrow).items() if name in _CHANGING}
    )
    connection.execute(_UPDATE_HOLDS, {"of_handle": borrow.id, "free_at": borrow.seat_free_at})


def _values(borrow: Borrow) -> dict[str, Any]:
    return {
        "product": borrow.product,
        "level": borrow.level,
        "extensions": json.dumps(borrow.extensions),
        "machine_id": borrow.machine.id,
        "machine_source": borrow.machine.source,
        "machine_secondary": borrow.machine.secondary,
        "machine_alias": borrow.machine.alias,
        "machine_key": borrow.machine.key,
        "user_id": borrow.user.id,
        "user_name": borrow.user.name,
        "issued_at": borrow.issued_at,
        "expires_at": borrow.expires_at,
        "ended_at": borrow.ended_at,
        "ended_by": None if borrow.ended_by is None else str(borrow.ended_by),
        "end_reason": borrow.end_reason,
        "seat_free_at": borrow.seat_free_at,
        "decided_by": borrow.decided_by,
        "receipt_jti": borrow.receipt_jti,
        "receipt_digest": borrow.receipt_digest,
    }


def seats_in_use(connection: Connection, product: str, now: datetime) -> dict[str, int]:
    """How many seats of each level and extension of a product are held at this time."""
    return {row[0]: row[1] for row in connection.execute(_SEATS, {"product": product, "now": now})}


def token_of_request(connection: Connection, request_jti: str) -> Token | None:
    """The token that was given for a request."""
    row = connection.execute(_TOKEN_OF_REQUEST, {"request_jti": request_jti}).one_or_none()
    return None if row is None else value_of(Token, row)


def is_receipt_known(connection: Connection, digest: str) -> bool:
    """True when a receipt with this digest was checked in."""
    return connection.execute(select(borrows.c.id).where(borrows.c.receipt_digest == digest).limit(1)).first() is not None


def has_token(connection: Connection, borrow_id: str, jti: str) -> bool:
    """True when the borrow was given a token with this id."""
    return connection.execute(_TOKEN_OF_BORROW, {"borrow_id": borrow_id, "jti": jti}).first() is not None


def newest_token(connection: Connection, borrow_id: str) -> Token:
    """The latest token of a borrow: the first, or that of its last renewal."""
    query = (
        select(tokens).where(tokens.c.borrow_id == borrow_id).order_by(tokens.c.expires_at.desc(), tokens.c.status_seq.desc())
    )
    return value_of(Token, connection.execute(query.limit(1)).one())


def insert_token(connection: Connection, token: Token) -> None:
    """Keeps a token."""
    connection.execute(_INSERT_TOKEN, {name: getattr(token, name) for name in token.__slots__})


def free_status_index(connection: Connection, candidates: Iterable[int]) -> int | None:
    """The first of the candidates that no token has, or None."""
    for index in candidates:
        if connection.execute(_PLACE, {"status_index": index}).first() is None:
            return index
    return None


def tokens_given(connection: Connection) -> int:
    """How many places of the status list are taken."""
    return connection.execute(select(func.count()).select_from(tokens)).scalar_one()


def ended_indexes(connection: Connection, not_expired_at: datetime) -> list[int]:
    """The status list places of tokens whose borrow ended before its time, and that time alone does not yet refuse."""
    query = (
        select(tokens.c.status_index)
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > not_expired_at, borrows.c.ended_by.is_not(None))
    )
    return list(connection.execute(query).scalars())


def lock_lists(connection: Connection) -> None:
    """Makes others who publish a list wait until this transaction ends.

    It is a lock of its own and the last that a borrow takes, so that nobody waits for a borrow that waits for them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_LISTS)


def newest_list(connection: Connection) -> PublishedList | None:
    """The status list published last."""
    row = connection.execute(_NEWEST_LIST).one_or_none()
    return None if row is None else value_of(PublishedList, row)


def list_text(connection: Connection, seq: int) -> str:
    """The signed text of one published status list."""
    return str(connection.execute(select(status_lists.c.compact).where(status_lists.c.seq == seq)).scalar_one())


def insert_list(connection: Connection, published: PublishedList) -> None:
    """Keeps a status list that is about to be published."""
    connection.execute(insert(status_lists), {name: getattr(published, name) for name in published.__slots__})
