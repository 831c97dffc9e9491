"""Who holds or used a product, and when they last did: a fixed number of queries, however many members there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, exists, func, not_, or_, select

from authority.domain.activity import USED_LATELY, Dot
from authority.domain.borrows import Ending
from authority.domain.members import user_key
from authority.storage.db.tables import assignments, borrows, events, members, sessions
from authority.storage.member_lists import Filter, conditions


def people(
    connection: Connection,
    product: str,
    wanted: Filter,
    now: datetime,
    *,
    is_named: bool,
    state: Dot | None = None,
    unused_since: datetime | None = None,
) -> Sequence[Row[int, str, str, str]]:
    """`id`, `username`, `full_name` and `user_type` by user name, of those that the filter lets through, up to its limit.

    With `state` and `unused_since` those are left out who cannot be in it, or used it later, so that few have to be looked at.

    Of a named product who holds it, is offline with it or has an active session; of a concurrent one whoever used it.
    """
    query = (
        select(members.c.id, members.c.username, members.c.full_name, members.c.user_type)
        .where(*conditions(wanted, now), or_(*(_holds(product, now) if is_named else _used(product))))
        .order_by(members.c.username_key)
        .limit(wanted.limit)
    )
    if state is Dot.RED:
        query = query.where(_is_offline(product, now))
    if state is Dot.GREEN:
        query = query.where(_used_lately(product, now))
    if unused_since is not None:
        query = query.where(*map(not_, _later_than(unused_since, product)))
    if wanted.after is not None:
        query = query.where(members.c.username_key > user_key(wanted.after))
    return connection.execute(query).all()


def _is_offline(product: str, now: datetime) -> ColumnElement[bool]:
    return exists().where(
        borrows.c.member_id == members.c.id,
        borrows.c.product == product,
        borrows.c.seat_free_at > now,
        borrows.c.expires_at > now,
        borrows.c.ended_by.is_(None),
    )


def _later_than(at: datetime, product: str) -> tuple[ColumnElement[bool], ...]:
    """What was done with the product by a member after this time."""
    tables = ((assignments, assignments.c.assigned_at), (borrows, borrows.c.issued_at), (sessions, sessions.c.last_used_at))
    return tuple(
        exists().where(table.c.member_id == members.c.id, table.c.product == product, column > at) for table, column in tables
    )


def _used_lately(product: str, now: datetime) -> ColumnElement[bool]:
    is_theirs = (sessions.c.member_id == members.c.id, sessions.c.product == product)
    return exists().where(*is_theirs, sessions.c.last_used_at > now - USED_LATELY)


def _holds(product: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        exists().where(assignments.c.member_id == members.c.id, assignments.c.product == product),
        _is_offline(product, now),
        exists().where(
            sessions.c.member_id == members.c.id,
            sessions.c.product == product,
            sessions.c.active_until > now,
            sessions.c.ended_by.is_(None),
        ),
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
    A receipt for a borrow that had ended is no use: it was checked in when its seat was freed before its end by a receipt.
    """
    is_checked_in = and_(
        borrows.c.receipt_jti.is_not(None),
        borrows.c.seat_free_at < borrows.c.expires_at,
        func.coalesce(borrows.c.ended_by, "") != Ending.RELEASED,
    )
    checked_in_at = case((is_checked_in, borrows.c.seat_free_at))
    renewed_at = case((events.c.kind == "renewal", events.c.at))
    return (
        select(borrows.c.member_id, func.max(borrows.c.issued_at), func.max(checked_in_at), func.max(renewed_at))
        .outerjoin(events, and_(events.c.handle == borrows.c.id, not_(is_checked_in)))
        .where(borrows.c.product == product)
        .group_by(borrows.c.member_id)
    )
