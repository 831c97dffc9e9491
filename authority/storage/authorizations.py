"""What the installation of an authorization reads and writes: trust files of their time, and what is in use."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from authority.storage.db.tables import (
    assigned_extensions,
    assignments,
    authorizations,
    borrows,
    holds,
    members,
    organization,
    tokens,
)


def replace_trust_file(connection: Connection, trust_file: str) -> None:
    """Gives the organization another trust file from now on."""
    connection.execute(update(organization).values(trust_file=trust_file))


def trust_file_of(connection: Connection, seq: int) -> str:
    """The trust file that goes with the authorization `seq`: that of its time, which need not be the organization's now."""
    return str(connection.execute(select(authorizations.c.trust_file).where(authorizations.c.seq == seq)).scalar_one())


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
    found: dict[str, dict[str, int]] = {}
    for table, feature in ((assignments, assignments.c.level), (assigned_extensions, assigned_extensions.c.extension)):
        _count(found, connection, select(table.c.product, feature, func.count()).group_by(table.c.product, feature))
    return found


def held(connection: Connection, now: datetime) -> dict[str, dict[str, int]]:
    """How many seats of each level and extension of each product are held at this time by borrows and sessions."""
    query = select(holds.c.product, holds.c.feature, func.count()).where(holds.c.free_at > now)
    found: dict[str, dict[str, int]] = {}
    _count(found, connection, query.group_by(holds.c.product, holds.c.feature))
    return found


def _count(found: dict[str, dict[str, int]], connection: Connection, query: Select[Any]) -> None:
    for product, feature, count in connection.execute(query):
        found.setdefault(product, {})[feature] = count


def tokens_out(connection: Connection, now: datetime) -> Iterator[tuple[str, str]]:
    """Key and payload of every token of a borrow that is out at this time."""
    query = (
        select(tokens.c.kid, tokens.c.payload)
        .join(borrows, borrows.c.id == tokens.c.borrow_id)
        .where(tokens.c.expires_at > now, borrows.c.ended_by.is_(None))
    )
    for row in connection.execute(query):
        yield row.kid, row.payload
