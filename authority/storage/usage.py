"""What is in use over all products, read when an authorization is installed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select

from authority.storage.db.tables import (
    assigned_extensions,
    assignments,
    borrows,
    holds,
    members,
    tokens,
)


def holders(connection: Connection) -> dict[tuple[str, str], int]:
    """How many members of each user type hold each named product."""
    query = (
        select(members.c.user_type, assignments.c.product, func.count())
        .join(members, members.c.id == assignments.c.member_id)
        .group_by(members.c.user_type, assignments.c.product)
    )
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


def assigned(connection: Connection) -> dict[str, dict[str, int]]:
    """How often each level and extension of each named product is assigned."""
    counts: dict[str, dict[str, int]] = {}
    for table, feature in ((assignments, assignments.c.level), (assigned_extensions, assigned_extensions.c.extension)):
        _count(counts, connection, select(table.c.product, feature, func.count()).group_by(table.c.product, feature))
    return counts


def held(connection: Connection, now: datetime) -> dict[str, dict[str, int]]:
    """How many seats of each level and extension of each product are held at this time by borrows and sessions."""
    query = select(holds.c.product, holds.c.feature, func.count()).where(holds.c.free_at > now)
    counts: dict[str, dict[str, int]] = {}
    _count(counts, connection, query.group_by(holds.c.product, holds.c.feature))
    return counts


def _count(counts: dict[str, dict[str, int]], connection: Connection, query: Select[Any]) -> None:
    for product, feature, count in connection.execute(query):
        counts.setdefault(product, {})[feature] = count


def tokens_by_authorization(connection: Connection, now: datetime) -> dict[int, int]:
    """How many tokens of borrows that are out at this time went with each authorization, by its number."""
    query = (
        select(tokens.c.authorization_seq, func.count())
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > now, borrows.c.ended_by.is_(None))
        .group_by(tokens.c.authorization_seq)
        .order_by(tokens.c.authorization_seq)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def tokens_out(connection: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    """Key and payload of every token of a borrow that is out at this time."""
    query = (
        select(tokens.c.kid, tokens.c.payload)
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > now, borrows.c.ended_by.is_(None))
    )
    for row in connection.execute(query):
        yield row.kid, row.payload


def borrows_out(connection: Connection, kid: str, now: datetime) -> int:
    """How many borrows are out at this time of which a token that has not expired was signed with this key."""
    query = (
        select(func.count(tokens.c.borrow_id.distinct()))
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.kid == kid, tokens.c.expires_at > now, borrows.c.ended_by.is_(None))
    )
    return connection.execute(query).scalar_one()


def kids_out(connection: Connection, now: datetime) -> dict[str, int]:
    """With which keys tokens of borrows that are out at this time were signed, and how many borrows of each."""
    query = (
        select(tokens.c.kid, func.count(tokens.c.borrow_id.distinct()))
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > now, borrows.c.ended_by.is_(None))
        .group_by(tokens.c.kid)
        .order_by(tokens.c.kid)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def jtis_out(connection: Connection, kid: str, now: datetime) -> list[str]:
    """The numbers of the tokens of borrows that are out at this time and were signed with this key, in order."""
    query = (
        select(tokens.c.jti)
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.kid == kid, tokens.c.expires_at > now, borrows.c.ended_by.is_(None))
        .order_by(tokens.c.jti)
    )
    return list(connection.execute(query).scalars())


def last_expiry(connection: Connection, kid: str, now: datetime) -> datetime | None:
    """When the last token that was signed with this key expires; None when all have."""
    query = select(func.max(tokens.c.expires_at)).where(tokens.c.kid == kid, tokens.c.expires_at > now)
    last: datetime | None = connection.execute(query).scalar_one()
    return last
