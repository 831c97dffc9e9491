"""Figures over all borrows, sessions and log rows: counted by the database, whatever there is of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Connection, Select, and_, func, select, type_coerce

from authority.domain.events import EventKind, UseMode
from authority.storage.db.tables import borrows, events, holds, sessions

HOUR = 3_600_000_000


def borrowed(connection: Connection, now: datetime) -> dict[tuple[str, str], int]:
    """How many seats of each product and feature are held by borrows at this time."""
    query = (
        select(holds.c.product, holds.c.feature, func.count())
        .where(holds.c.free_at > now, holds.c.mode == str(UseMode.BORROW))
        .group_by(holds.c.product, holds.c.feature)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def out_by_product(connection: Connection, now: datetime) -> dict[str, int]:
    """How many borrows of each product are out; a product of which none is, is left out."""
    query = select(borrows.c.product, func.count()).where(_is_out(now)).group_by(borrows.c.product)
    return {row[0]: row[1] for row in connection.execute(query)}


def due_between(connection: Connection, after: datetime, until: datetime) -> int:
    """How many borrows are out that end after one time and before the other."""
    query = select(func.count()).select_from(borrows).where(_is_out(after), borrows.c.expires_at < until)
    return connection.execute(query).scalar_one()


def _is_out(now: datetime) -> ColumnElement[bool]:
    # The last condition says nothing new, but lets the index find the few among all that ever were.
    return and_(borrows.c.ended_by.is_(None), borrows.c.expires_at > now, borrows.c.seat_free_at > now)


def ends_by_day(connection: Connection, now: datetime) -> dict[int, int]:
    """How many borrows that are out end on each day (UTC), by days since 1970."""
    day = _whole(borrows.c.expires_at, 24 * HOUR).label("day")
    query = select(day, func.count()).where(_is_out(now)).group_by(day)
    return {int(row[0]): row[1] for row in connection.execute(query)}


def denials(connection: Connection, since: datetime) -> dict[str, int]:
    """How many borrows and sessions were refused since then, by reason; several features of one refusal are one."""
    query = (
        select(events.c.reason, func.count(events.c.at.distinct()))
        .where(events.c.kind == EventKind.DENIAL, events.c.at > since)
        .group_by(events.c.reason)
    )
    return {row[0] or "": row[1] for row in connection.execute(query)}


def uses(connection: Connection, since: datetime) -> Iterator[tuple[str, int, int]]:
    """The seats of levels that were held at any time after `since`: product, beginning, and when the seat was or will be free.

    Times are microseconds since 1970.
    """
    of_borrows = _uses(borrows.c.issued_at).join(
        borrows, and_(borrows.c.id == holds.c.handle, borrows.c.level == holds.c.feature)
    )
    of_sessions = _uses(sessions.c.created_at).join(
        sessions, and_(sessions.c.id == holds.c.handle, sessions.c.level == holds.c.feature)
    )
    for query in (of_borrows, of_sessions):
        yield from map(tuple, connection.execute(query.where(holds.c.free_at > since)))


def _uses(began: ColumnElement[datetime]) -> Select[Any]:
    # As the numbers that they are stored as: made into times, many thousands of them take a second.
    return select(holds.c.product, type_coerce(began, BigInteger), type_coerce(holds.c.free_at, BigInteger)).select_from(holds)


def _whole(column: ColumnElement[datetime], span: int) -> ColumnElement[int]:
    """How many whole spans of so many microseconds a time is after 1970."""
    return type_coerce(column, BigInteger) // span
