"""Who holds or used a product, and when they last did: a fixed number of queries, however many members there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, not_, or_, select

from authority.domain.activity import USED_LATELY, Dot
from authority.domain.borrows import Ending
from authority.domain.members import user_key
from authority.storage.db.tables import assignments, borrows, events, members, sessions
from authority.storage.member_lists import Filter, conditions

SECOND = timedelta(seconds=1)
# A borrow was checked in when its seat was freed before its end by a receipt; one that comes later is no use.
_IS_CHECKED_IN = and_(
    borrows.c.receipt_jti.is_not(None),
    borrows.c.seat_free_at < borrows.c.expires_at,
    func.coalesce(borrows.c.ended_by, "") != Ending.RELEASED,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose activity with a product is wanted.

    Of a named one who holds it, is offline with it or has an active session; of a concurrent one whoever used it. Of them those that the filter of `members` lets through; in the `state`, and who did not use it for the time `unused_for`; None: any
    (see `Activity`).
    """

    product: str
    is_named: bool
    members: Filter
    state: Dot | None = None
    unused_for: timedelta | None = None


def people(connection: Connection, wanted: Wanted, now: datetime) -> Sequence[Row[int, str, str, str]]:
    """`id`, `username`, `full_name` and `user_type` by user name, after that of the filter and up to its limit."""
    query = select(members.c.id, members.c.username, members.c.full_name, members.c.user_type)
    query = query.where(*_conditions(wanted, now), *_after(wanted)).order_by(members.c.username_key)
    return connection.execute(query.limit(wanted.members.limit)).all()


def count(connection: Connection, wanted: Wanted, now: datetime) -> int:
    """How many there are, whatever the page."""
    return following(connection, replace(wanted, members=replace(wanted.members, after=None)), now)


def following(connection: Connection, wanted: Wanted, now: datetime) -> int:
    """How many come after the user name of the filter."""
    query = select(func.count()).select_from(members)
    return connection.execute(query.where(*_conditions(wanted, now), *_after(wanted))).scalar_one()


def preceding(connection: Connection, wanted: Wanted, now: datetime) -> Sequence[str]:
    """The user names before that of the filter, the nearest first, up to its limit."""
    query = select(members.c.username).where(*_conditions(wanted, now), *_after(wanted, backwards=True))
    return connection.execute(query.order_by(members.c.username_key.desc()).limit(wanted.members.limit)).scalars().all()


def _after(wanted: Wanted, *, backwards: bool = False) -> Iterator[ColumnElement[bool]]:
    if wanted.members.after is not None:
        key = user_key(wanted.members.after)
        yield members.c.username_key < key if backwards else members.c.username_key > key


def _conditions(wanted: Wanted, now: datetime) -> Iterator[ColumnElement[bool]]:
    product = wanted.product
    yield from conditions(wanted.members, now)
    yield or_(*(_holds(product, now) if wanted.is_named else _used(product)))
    if wanted.state is not None:
        is_offline = _is_offline(product, now)
        yield is_offline if wanted.state is Dot.RED else not_(is_offline)
    if wanted.state in (Dot.GREEN, Dot.NONE):
        is_used = _used_lately(product, now)
        yield is_used if wanted.state is Dot.GREEN else not_(is_used)
    if wanted.unused_for is not None:
        yield from _unused(product, wanted.unused_for, now)


def _unused(product: str, span: timedelta, now: datetime) -> Iterator[ColumnElement[bool]]:
    """Who did not use it for so long, nor has it in use."""
    yield not_(_is_offline(product, now))
    yield not_(_is_at_work(product, now))
    # `now` is in whole seconds: what is written in this very second may be a moment after it.
    since = now - span if span else now + SECOND
    yield from map(not_, _later_than(since, product))
    # Those are few: they are looked up once, and not for each member.
    renewed = select(borrows.c.member_id).join(events, events.c.handle == borrows.c.id)
    is_later = (borrows.c.product == product, events.c.kind == "renewal", events.c.at > since)
    yield members.c.id.not_in(renewed.where(*is_later))


def _is_offline(product: str, now: datetime) -> ColumnElement[bool]:
    return exists().where(
        borrows.c.member_id == members.c.id,
        borrows.c.product == product,
        borrows.c.seat_free_at > now,
        borrows.c.expires_at > now,
        borrows.c.ended_by.is_(None),
    )


def _later_than(at: datetime, product: str) -> Iterator[ColumnElement[bool]]:
    """What was done with the product by a member after this time; of renewals nothing."""
    tables = ((assignments, assignments.c.assigned_at), (borrows, borrows.c.issued_at), (sessions, sessions.c.last_used_at))
    for table, column in tables:
        yield exists().where(table.c.member_id == members.c.id, table.c.product == product, column > at)
    is_theirs = (borrows.c.member_id == members.c.id, borrows.c.product == product)
    yield exists().where(*is_theirs, _IS_CHECKED_IN, borrows.c.seat_free_at > at)


def _used_lately(product: str, now: datetime) -> ColumnElement[bool]:
    is_theirs = (sessions.c.member_id == members.c.id, sessions.c.product == product)
    return exists().where(*is_theirs, sessions.c.last_used_at > now - USED_LATELY)


def _holds(product: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        exists().where(assignments.c.member_id == members.c.id, assignments.c.product == product),
        _is_offline(product, now),
        _is_at_work(product, now),
    )


def _is_at_work(product: str, now: datetime) -> ColumnElement[bool]:
    return exists().where(
        sessions.c.member_id == members.c.id,
        sessions.c.product == product,
        sessions.c.active_until > now,
        sessions.c.ended_by.is_(None),
    )


def _used(product: str) -> tuple[ColumnElement[bool], ...]:
    return (
        exists().where(borrows.c.member_id == members.c.id, borrows.c.product == product),
        exists().where(sessions.c.member_id == members.c.id, sessions.c.product == product),
    )


def last_used(connection: Connection, product: str, member_ids: Collection[int]) -> dict[int, datetime]:
    """When each of these members last used the product, by number; who never did is left out."""
    of_sessions = connection.execute(_last_sessions(product).where(sessions.c.member_id.in_(member_ids)))
    latest: dict[int, datetime] = {row[0]: row[1] for row in of_sessions}
    for number, *times in connection.execute(_last_borrows(product).where(borrows.c.member_id.in_(member_ids))):
        latest[number] = max(at for at in (*times, latest.get(number)) if at is not None)
    return latest


def assigned_at(connection: Connection, product: str, member_ids: Collection[int]) -> dict[int, datetime]:
    """When each of these members got the license of the product that they hold, or what it is now, by number."""
    query = select(assignments.c.member_id, assignments.c.assigned_at)
    rows = connection.execute(query.where(assignments.c.product == product, assignments.c.member_id.in_(member_ids)))
    return {row.member_id: row.assigned_at for row in rows}


def _last_sessions(product: str) -> Select[Any]:
    return (
        select(sessions.c.member_id, func.max(sessions.c.last_used_at))
        .where(sessions.c.product == product)
        .group_by(sessions.c.member_id)
    )


def _last_borrows(product: str) -> Select[Any]:
    """The latest checkout, check-in and renewal. A borrow's row does not keep when it was renewed; the log does.

    No renewal is later than the check-in. The kind of an event is no condition: the few events of a borrow are found by its id.
    A receipt for a borrow that had ended is no use (see `_IS_CHECKED_IN`).
    """
    checked_in_at = case((_IS_CHECKED_IN, borrows.c.seat_free_at))
    renewed_at = case((events.c.kind == "renewal", events.c.at))
    return (
        select(borrows.c.member_id, func.max(borrows.c.issued_at), func.max(checked_in_at), func.max(renewed_at))
        .outerjoin(events, and_(events.c.handle == borrows.c.id, not_(_IS_CHECKED_IN)))
        .where(borrows.c.product == product)
        .group_by(borrows.c.member_id)
    )
