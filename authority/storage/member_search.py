"""Members found by what they are called, what they are, and what they use."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal, or_, select

from authority.domain.members import Member, user_key
from authority.domain.names import key_of, search_key
from authority.storage import members as stored
from authority.storage.db.tables import EPOCH, Instant, borrows, groups, member_groups, members, sessions
from authority.storage.groups import name_of


class Order(StrEnum):
    """What members can be listed by."""

    USERNAME = "username"
    FULL_NAME = "full_name"
    USER_TYPE = "user_type"
    ROLE = "role"
    LAST_USED = "last_used_at"


@dataclass(frozen=True, slots=True)
class Search:
    """Which members to list, None means all, and in which order; by user name where that makes no difference.

    `text` is a part of the user name, the full name or the name of a group, whatever its case; names also without their marks. `unused_since` is for those
    who used no license since then, are there for as long, and have none out. `offline` is for those who have a borrow out, or for the others.
    """

    text: str | None = None
    user_type: str | None = None
    group: str | None = None
    role: str | None = None
    disabled: bool | None = None
    offline: bool | None = None
    unused_since: datetime | None = None
    order: Order = Order.USERNAME
    descending: bool = False


_ORDERS: dict[Order, ColumnElement[Any]] = {
    Order.USERNAME: members.c.username_key,
    Order.FULL_NAME: members.c.search_key,
    Order.USER_TYPE: members.c.user_type,
    Order.ROLE: members.c.role,
    Order.LAST_USED: func.coalesce(members.c.last_used_at, literal(EPOCH, Instant)),
}


def find(
    connection: Connection, wanted: Search, now: datetime, *, after: str | None = None, limit: int | None = None
) -> list[Member]:
    """The members in their order: those that follow the member with the user name `after`, up to `limit`."""
    column = _ORDERS[wanted.order]
    ids = select(members.c.id).where(members.c.removed_at.is_(None), *_conditions(wanted, now))
    if after is not None:
        ids = ids.where(_follows(column, user_key(after), descending=wanted.descending))
    order = [item.desc() if wanted.descending else item for item in (column, members.c.username_key)]
    ids = ids.order_by(*order).limit(limit)
    rows = connection.execute(select(members).where(members.c.id.in_(ids)).order_by(*order)).all()
    groups_of = stored.groups_of(connection, [row.id for row in rows])
    return [stored.member_of(row, tuple(groups_of.get(row.id, ()))) for row in rows]


def count(connection: Connection, wanted: Search, now: datetime) -> int:
    """How many members are wanted."""
    query = select(func.count()).select_from(members).where(members.c.removed_at.is_(None), *_conditions(wanted, now))
    number: int = connection.execute(query).scalar_one()
    return number


def _follows(column: ColumnElement[Any], key: str, *, descending: bool) -> ColumnElement[bool]:
    at = select(column).where(members.c.username_key == key).scalar_subquery()
    if column is members.c.username_key:
        return column < key if descending else column > key
    is_past, is_past_name = (
        (column < at, members.c.username_key < key) if descending else (column > at, members.c.username_key > key)
    )
    return or_(is_past, and_(column == at, is_past_name))


def _conditions(wanted: Search, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.text is not None:
        yield _is_called(wanted.text)
    for name in ("user_type", "role", "disabled"):
        if getattr(wanted, name) is not None:
            yield members.c[name] == getattr(wanted, name)
    if wanted.group is not None:
        yield members.c.id.in_(select(member_groups.c.member_id).where(member_groups.c.name == name_of(wanted.group)))
    is_offline = exists().where(borrows.c.member_id == members.c.id, *_is_out(now))
    if wanted.offline is not None:
        yield is_offline if wanted.offline else ~is_offline
    if wanted.unused_since is not None:
        yield and_(func.coalesce(members.c.last_used_at, members.c.created_at) < wanted.unused_since, ~is_offline)


def _is_called(text: str) -> ColumnElement[bool]:
    of_groups = select(member_groups.c.member_id).join(groups, groups.c.name == member_groups.c.name)
    return or_(
        members.c.search_key.contains(search_key(text), autoescape=True),
        members.c.id.in_(of_groups.where(groups.c.key.contains(key_of(text), autoescape=True))),
    )


def _is_out(now: datetime) -> tuple[ColumnElement[bool], ...]:
    # The second condition says nothing new, but lets the index find the few among all that ever were.
    return borrows.c.ended_by.is_(None), borrows.c.seat_free_at > now, borrows.c.expires_at > now


def offline_until(connection: Connection, member_ids: Collection[int], now: datetime) -> dict[int, datetime]:
    """Until when the last borrow of each of these members is out; who has none out is left out."""
    query = select(borrows.c.member_id, func.max(borrows.c.expires_at)).where(
        borrows.c.member_id.in_(member_ids), *_is_out(now)
    )
    return {row[0]: row[1] for row in connection.execute(query.group_by(borrows.c.member_id))}


def used_since(connection: Connection, member_ids: Collection[int], since: datetime) -> set[int]:
    """Those of these members who used a session after `since`."""
    query = select(sessions.c.member_id).where(
        sessions.c.member_id.in_(member_ids), sessions.c.active_until > since, sessions.c.last_used_at > since
    )
    return set(connection.execute(query.distinct()).scalars())
