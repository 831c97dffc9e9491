"""Borrows: one by its id, those that hold a seat, lists of them, and keeping what changed."""

from __future__ import annotations

import itertools
import json
import operator
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select
from sqlalchemy import insert as inserting
from sqlalchemy import update as updating

from authority.domain.borrows import NOT_RETURNED_FOR, Borrow, BorrowState, Ending, Machine, OsUser, Whereabouts
from authority.domain.events import UseMode
from authority.domain.names import key_of
from authority.storage import holds, member_lists
from authority.storage.db.prepared import Gathering, Prepared
from authority.storage.db.tables import borrows, member_groups, members
from authority.storage.groups import name_of
from authority.storage.members import ids_of_name

# SQLite takes 32,766 values in one statement, PostgreSQL 65,535.
MOST_VALUES = 10_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which borrows to list; None means all. `after` is the id that the page before ended with.

    With `clones` those alone whose machine may be two. `machine` is an id, or a part of an alias whatever its case. With `by_end` those that end first come first, else the newest.

    `search` is a part of the member's user name, full name or group, as in lists of members. `member` is who has that user name, or when nobody has it who had it before: a copy may run though its member was removed.

    `ids` are those alone; of more than a statement takes, the first ones. Group and user type are those that the member has now; `member_id` is for whoever may see their own alone.
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
    whereabouts: Whereabouts | None = None
    search: str | None = None
    member_id: int | None = None
    by_end: bool = False
    clones: bool = False
    ids: frozenset[str] | None = None


BORROW: Select[Any] = select(borrows, members.c.username, members.c.user_type).join(members)
GROUPS_OF_BORROW: Select[Any] = (
    select(member_groups.c.name)
    .join(borrows, borrows.c.member_id == member_groups.c.member_id)
    .where(borrows.c.id == bindparam("id"))
)

# Statements of the borrow's own path are built once: building one costs five times as much as running it.
_GET = Gathering(borrow=BORROW.where(borrows.c.id == bindparam("id")), groups=GROUPS_OF_BORROW)
_LOCK = Prepared(select(borrows.c.id).where(borrows.c.id == bindparam("id")).with_for_update())
_GROUPS = (
    select(member_groups).where(member_groups.c.member_id.in_(bindparam("ids", expanding=True))).order_by(member_groups.c.name)
)
_INSERT = Prepared(inserting(borrows))
# What never changes in a borrow is not written again.
_FIXED = ("id", "member_id", "product", "level", "extensions", "issued_at", "decided_by")
_CHANGING = [column.name for column in borrows.columns if column.name not in _FIXED]
_UPDATE = Prepared(
    updating(borrows).where(borrows.c.id == bindparam("of_id")).values({name: bindparam(name) for name in _CHANGING})
)


def get(connection: Connection, borrow_id: str, *, lock: bool = False) -> Borrow | None:
    """The borrow with this id; with `lock` nobody else can end it until this transaction ends."""
    if lock and connection.dialect.name == "postgresql":
        _LOCK.run(connection, {"id": borrow_id})
    parts = _GET.read(connection, {"id": borrow_id})
    groups = tuple(sorted(row.name for row in parts["groups"]))
    return borrow_of(parts["borrow"][0], groups) if parts["borrow"] else None


def lock(connection: Connection, borrow_ids: Iterable[str]) -> None:
    """Nobody else can end these borrows until this transaction ends; they are locked in one order, whoever asks for them."""
    if connection.dialect.name == "postgresql":
        for borrow_id in sorted(set(borrow_ids)):
            _LOCK.run(connection, {"id": borrow_id})


def holding(connection: Connection, member_id: int, product: str, now: datetime) -> list[Borrow]:
    """The member's borrows of a product that hold a seat, newest first; nobody else can end them until this transaction ends."""
    query = BORROW.where(borrows.c.member_id == member_id, borrows.c.product == product, borrows.c.seat_free_at > now)
    return _borrows(connection, query.order_by(borrows.c.issued_at.desc()).with_for_update(of=borrows))


def held_by(connection: Connection, member_id: int, now: datetime, *, lock: bool = True) -> list[Borrow]:
    """All borrows of a member that hold a seat; with `lock` nobody else can end them until this transaction ends."""
    query = BORROW.where(borrows.c.member_id == member_id, borrows.c.seat_free_at > now)
    return _borrows(connection, query.with_for_update(of=borrows) if lock else query)


def out(connection: Connection, product: str, member_ids: Collection[int], now: datetime) -> list[Borrow]:
    """The active borrows of a product by these members, the one that ends last first."""
    is_theirs = borrows.c.member_id.in_(member_ids)
    query = BORROW.where(borrows.c.product == product, _in_state(BorrowState.ACTIVE, now), is_theirs)
    return _borrows(connection, query.order_by(borrows.c.expires_at.desc(), borrows.c.id))


def keys_out(connection: Connection, now: datetime, member: str | None = None) -> list[tuple[str, str]]:
    """Id and machine key of the borrows that are out, of one member or of all; the newest first."""
    query = select(borrows.c.id, borrows.c.machine_key).where(_in_state(BorrowState.ACTIVE, now))
    if member is not None:
        query = query.where(borrows.c.member_id.in_(ids_of_name(connection, member)))
    return [(row.id, row.machine_key) for row in connection.execute(query.order_by(borrows.c.issued_at.desc()))]


def listed(connection: Connection, wanted: Filter, now: datetime) -> list[Borrow]:
    """A page of borrows in their order; one more than the limit, so that the caller sees whether there is another page."""
    query = BORROW.limit(wanted.limit + 1).where(*_conditions(wanted, now, connection), *_after(wanted))
    return _borrows(connection, query.order_by(*_order(wanted)))


def preceding(connection: Connection, wanted: Filter, now: datetime) -> Sequence[str]:
    """The ids of those before the borrow `after`, the nearest first, up to the limit."""
    query = select(borrows.c.id).join(members).where(*_conditions(wanted, now, connection), *_after(wanted, backwards=True))
    return connection.execute(query.order_by(*_order(wanted, backwards=True)).limit(wanted.limit)).scalars().all()


def _order(wanted: Filter, *, backwards: bool = False) -> list[ColumnElement[Any]]:
    columns = (borrows.c.expires_at if wanted.by_end else borrows.c.issued_at, borrows.c.id)
    return [column.asc() if wanted.by_end is not backwards else column.desc() for column in columns]


def aliases(connection: Connection, part: str = "") -> list[str]:
    """The aliases of machines that ever borrowed, of which this is a part, whatever its case; in order."""
    return sorted(aliases_with(connection, part))[:MOST_VALUES]


def aliases_with(connection: Connection, part: str, *conditions: ColumnElement[bool]) -> Iterator[str]:
    """The aliases of which this is a part, whatever its case, in no order, one by one; of borrows that fit the conditions."""
    key = key_of(part)
    query = select(borrows.c.machine_alias).where(borrows.c.machine_alias.is_not(None), *conditions).distinct()
    return (alias for alias in connection.execute(query).scalars() if key in key_of(alias))


def _conditions(wanted: Filter, now: datetime, connection: Connection) -> Iterator[ColumnElement[bool]]:
    yield from _of_whom(wanted, connection)
    yield from _where(wanted, now, connection)
    if wanted.product is not None:
        yield borrows.c.product == wanted.product
    if wanted.expires_before is not None:
        yield borrows.c.expires_at < wanted.expires_before
    if wanted.clones:
        yield borrows.c.clone_seen_at.is_not(None)
    if wanted.ids is not None:
        yield borrows.c.id.in_(sorted(wanted.ids)[:MOST_VALUES])


def _of_whom(wanted: Filter, connection: Connection) -> Iterator[ColumnElement[bool]]:
    if wanted.member_id is not None:
        yield borrows.c.member_id == wanted.member_id
    if wanted.member is not None:
        yield borrows.c.member_id.in_(ids_of_name(connection, wanted.member))
    if wanted.search:
        yield borrows.c.member_id.in_(select(members.c.id).where(member_lists.matches(wanted.search)))
    if wanted.group is not None:
        yield borrows.c.member_id.in_(select(member_groups.c.member_id).where(member_groups.c.name == name_of(wanted.group)))
    if wanted.user_type is not None:
        yield members.c.user_type == wanted.user_type


def _where(wanted: Filter, now: datetime, connection: Connection) -> Iterator[ColumnElement[bool]]:
    """What is said of the state and the machine; only aliases of borrows in that state are looked through."""
    of_state = []
    if wanted.state is not None:
        of_state.append(_in_state(wanted.state, now))
    if wanted.whereabouts is not None:
        of_state.append(is_there(wanted.whereabouts, now))
    yield from of_state
    if wanted.machine is not None:
        named = itertools.islice(aliases_with(connection, wanted.machine, *of_state), MOST_VALUES)
        yield or_(borrows.c.machine_id == wanted.machine, borrows.c.machine_alias.in_(list(named)))


def _after(wanted: Filter, *, backwards: bool = False) -> Iterator[ColumnElement[bool]]:
    """Those that come after the borrow `after` in the order of the list, or before it."""
    if wanted.after is not None:
        column = borrows.c.expires_at if wanted.by_end else borrows.c.issued_at
        is_past = operator.gt if wanted.by_end is not backwards else operator.lt
        at = select(column).where(borrows.c.id == wanted.after).scalar_subquery()
        yield or_(is_past(column, at), and_(column == at, is_past(borrows.c.id, wanted.after)))


def _in_state(state: str, now: datetime) -> ColumnElement[bool]:
    if state == BorrowState.ACTIVE:
        # The second condition says nothing new, but lets the index find the few among all that ever were.
        return and_(borrows.c.ended_by.is_(None), borrows.c.expires_at > now, borrows.c.seat_free_at > now)
    if state == BorrowState.EXPIRED:
        return and_(borrows.c.ended_by.is_(None), borrows.c.expires_at <= now)
    return borrows.c.ended_by == state


def is_there(whereabouts: Whereabouts, now: datetime) -> ColumnElement[bool]:
    """What the borrows of these whereabouts have in common."""
    if whereabouts is Whereabouts.OUT:
        return _in_state(BorrowState.ACTIVE, now)
    if whereabouts is Whereabouts.REVOKED:
        return and_(borrows.c.ended_by == str(Ending.REVOKED), borrows.c.seat_free_at > now)
    if whereabouts is Whereabouts.TAKEN:
        return and_(
            borrows.c.seat_free_at > now,
            or_(borrows.c.ended_by == str(Ending.REVOKED), and_(borrows.c.ended_by.is_(None), borrows.c.expires_at > now)),
        )
    has_ended = and_(_in_state(BorrowState.EXPIRED, now), borrows.c.expires_at > now - NOT_RETURNED_FOR)
    return and_(has_ended, borrows.c.receipt_jti.is_(None))


def count(connection: Connection, wanted: Filter, now: datetime) -> int:
    """How many borrows the filter lets through, whatever its page."""
    return following(connection, replace(wanted, after=None), now)


def following(connection: Connection, wanted: Filter, now: datetime) -> int:
    """How many come after the borrow `after`."""
    query = select(func.count()).select_from(borrows.join(members))
    return connection.execute(query.where(*_conditions(wanted, now, connection), *_after(wanted))).scalar_one()


def _borrows(connection: Connection, query: Select[Any], values: dict[str, Any] | None = None) -> list[Borrow]:
    rows = connection.execute(query, values).all()
    ids = list({row.member_id for row in rows})
    groups: dict[int, list[str]] = {}
    for first in range(0, len(ids), MOST_VALUES):
        for member_id, name in connection.execute(_GROUPS, {"ids": ids[first : first + MOST_VALUES]}):
            groups.setdefault(member_id, []).append(name)
    return [borrow_of(row, tuple(groups.get(row.member_id, ()))) for row in rows]


def borrow_of(row: Any, groups: tuple[str, ...]) -> Borrow:
    """The borrow of a row with the columns of the table, and the member's user name and type."""
    return Borrow(
        id=row.id,
        member_id=row.member_id,
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
        status_max_age=row.status_max_age,
        clone_seen_at=row.clone_seen_at,
        clone_evidence=row.clone_evidence,
    )


def insert(connection: Connection, borrow: Borrow, member_id: int) -> None:
    """Keeps a new borrow and the seats that it holds."""
    _INSERT.run(connection, {"id": borrow.id, "member_id": member_id, **_values(borrow)})
    holder = holds.Holder(borrow.id, UseMode.BORROW, member_id, borrow.product, borrow.seat_free_at)
    holds.take(connection, holder, (borrow.level, *borrow.extensions))


def update(connection: Connection, borrow: Borrow) -> None:
    """Keeps what changed in a borrow, and until when its seats are held."""
    _UPDATE.run(connection, {"of_id": borrow.id, **_values(borrow)})
    holds.hold_until(connection, borrow.id, borrow.seat_free_at)


def mark_clones(connection: Connection, machine: Machine, evidence: str, now: datetime, *, by_id: bool) -> None:
    """Keeps with every borrow that is out under this machine's id, or else under its key, that there may be two of it."""
    is_there = borrows.c.machine_id == machine.id if by_id else borrows.c.machine_key == machine.key
    query = updating(borrows).where(is_there, borrows.c.ended_by.is_(None), borrows.c.expires_at > now)
    connection.execute(query.values(clone_seen_at=now, clone_evidence=evidence))


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
        "status_max_age": borrow.status_max_age,
        "clone_seen_at": borrow.clone_seen_at,
        "clone_evidence": borrow.clone_evidence,
    }
