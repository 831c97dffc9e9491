"""Lists of members: those that a filter lets through, how many they are, and who of them is offline or at work now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, literal, not_, or_, select

from authority.domain.activity import USED_LATELY
from authority.domain.members import Member, user_key
from authority.domain.names import key_of, search_key
from authority.storage.db.tables import (
    EPOCH,
    Instant,
    assigned_extensions,
    assignments,
    borrows,
    groups,
    member_groups,
    members,
    sessions,
)
from authority.storage.groups import name_of
from authority.storage.members import groups_of, in_pages, member_of


class Order(StrEnum):
    """What members can be listed by; by user name where that makes no difference."""

    USERNAME = "username"
    FULL_NAME = "full_name"
    USER_TYPE = "user_type"
    ROLE = "role"
    LAST_USED = "last_used_at"


@dataclass(frozen=True, slots=True)
class Filter:
    """Which members to list; None means all. `after` is the user name that the page before ended with.

    `search` is a part of the user name, the full name or a group, whatever its case; of names also without their marks. `unused_since`: those alone who used no
    license since then, who were members by then, and who are neither offline nor connected. `product`: those who hold it, `feature`: those
    who have that level or extension, of that product where one is named. `download`: whether they may download, or ask for it.
    """

    user_type: str | None = None
    group: str | None = None
    role: str | None = None
    search: str | None = None
    disabled: bool | None = None
    offline: bool | None = None
    unused_since: datetime | None = None
    product: str | None = None
    feature: str | None = None
    download: str | None = None
    after: str | None = None
    limit: int | None = None
    order: Order = Order.USERNAME
    descending: bool = False


_COLUMNS: dict[Order, ColumnElement[Any]] = {
    Order.USERNAME: members.c.username_key,
    # It begins with the full name.
    Order.FULL_NAME: members.c.search,
    Order.USER_TYPE: members.c.user_type,
    Order.ROLE: members.c.role,
    Order.LAST_USED: func.coalesce(members.c.last_used_at, literal(EPOCH, Instant)),
}


def listed(connection: Connection, wanted: Filter, now: datetime) -> list[Member]:
    """Members in the order of the filter, up to its limit."""
    rows = connection.execute(_in_order(select(members), wanted, now)).all()
    by_member: dict[int, list[str]] = {}
    for ids in in_pages([row.id for row in rows]):
        by_member |= groups_of(connection, ids)
    return [member_of(row, tuple(by_member.get(row.id, ()))) for row in rows]


def _in_order(query: Select[Any], wanted: Filter, now: datetime) -> Select[Any]:
    columns = (_COLUMNS[wanted.order], members.c.username_key)
    order = [column.desc() if wanted.descending else column for column in columns]
    return query.where(*conditions(wanted, now), *_after(wanted)).order_by(*order).limit(wanted.limit)


def _after(wanted: Filter) -> Iterator[ColumnElement[bool]]:
    if wanted.after is not None:
        yield _follows(_COLUMNS[wanted.order], user_key(wanted.after), descending=wanted.descending)


def preceding(connection: Connection, wanted: Filter, now: datetime) -> Sequence[str]:
    """The user names of those before the member `after`, the nearest first, up to the limit."""
    query = _in_order(select(members.c.username), replace(wanted, descending=not wanted.descending), now)
    return connection.execute(query).scalars().all()


def following(connection: Connection, wanted: Filter, now: datetime) -> int:
    """How many come after the member `after`."""
    query = select(func.count()).select_from(members).where(*conditions(wanted, now), *_after(wanted))
    return connection.execute(query).scalar_one()


def _follows(column: ColumnElement[Any], key: str, *, descending: bool) -> ColumnElement[bool]:
    """Those who come after the member with this key in the order by the column and the user name."""
    name = members.c.username_key
    is_past_name = name < key if descending else name > key
    if column is name:
        return is_past_name
    at = select(column).where(name == key).scalar_subquery()
    return or_(column < at if descending else column > at, and_(column == at, is_past_name))


def count(connection: Connection, wanted: Filter, now: datetime) -> int:
    """How many members the filter lets through, whatever its page."""
    return connection.execute(select(func.count()).select_from(members).where(*conditions(wanted, now))).scalar_one()


def conditions(wanted: Filter, now: datetime) -> Iterator[ColumnElement[bool]]:
    """What the rows of `members` that the filter lets through have in common, whatever its page."""
    yield members.c.removed_at.is_(None)
    if wanted.user_type is not None:
        yield members.c.user_type == wanted.user_type
    if wanted.role is not None:
        yield members.c.role == wanted.role
    if wanted.disabled is not None:
        yield members.c.disabled.is_(wanted.disabled)
    if wanted.group is not None:
        yield members.c.id.in_(_ids_in_groups().where(member_groups.c.name == name_of(wanted.group)))
    if wanted.search:
        yield matches(wanted.search)
    if wanted.product is not None or wanted.feature is not None:
        yield exists().where(*_holds(wanted.product, wanted.feature))
    if wanted.download is not None:
        yield members.c.download_permission == wanted.download
    if wanted.offline is not None:
        yield _is_offline(now) if wanted.offline else not_(_is_offline(now))
    if wanted.unused_since is not None:
        yield func.coalesce(members.c.last_used_at, members.c.created_at) <= wanted.unused_since
        yield not_(_is_offline(now))
        yield not_(exists().where(sessions.c.member_id == members.c.id, _is_active(now)))


def _holds(product: str | None, feature: str | None) -> Iterator[ColumnElement[bool]]:
    yield assignments.c.member_id == members.c.id
    if product is not None:
        yield assignments.c.product == product
    if feature is not None:
        extension = assigned_extensions.c
        is_of_license = (extension.member_id == assignments.c.member_id, extension.product == assignments.c.product)
        yield or_(assignments.c.level == feature, exists().where(*is_of_license, extension.extension == feature))


def matches(text: str) -> ColumnElement[bool]:
    """Whether the text is a part of the user name, the full name or a group, for rows of `members`."""
    named = select(groups.c.name).where(groups.c.key.contains(key_of(text), autoescape=True))
    is_in_group = members.c.id.in_(_ids_in_groups().where(member_groups.c.name.in_(named)))
    return or_(members.c.search.contains(search_key(text), autoescape=True), is_in_group)


def _ids_in_groups() -> Select[Any]:
    return select(member_groups.c.member_id)


def _is_offline(now: datetime) -> ColumnElement[bool]:
    return exists().where(borrows.c.member_id == members.c.id, _is_out(now))


def _is_out(now: datetime) -> ColumnElement[bool]:
    # The first condition says nothing new, but lets the index find the few among all that ever were.
    return and_(borrows.c.seat_free_at > now, borrows.c.expires_at > now, borrows.c.ended_by.is_(None))


def _is_active(now: datetime) -> ColumnElement[bool]:
    return and_(sessions.c.active_until > now, sessions.c.ended_by.is_(None))


def offline_until(connection: Connection, member_ids: Sequence[int], now: datetime) -> dict[int, datetime]:
    """When the last active borrow of any product ends, by the number of the member; who has none is left out."""
    query = select(borrows.c.member_id, func.max(borrows.c.expires_at)).where(_is_out(now)).group_by(borrows.c.member_id)
    pages = (query.where(borrows.c.member_id.in_(ids)) for ids in in_pages(member_ids))
    return {row[0]: row[1] for page in pages for row in connection.execute(page)}


def used_lately(connection: Connection, member_ids: Sequence[int], now: datetime) -> set[int]:
    """The numbers of those of these members who used a session of any product in the last 30 minutes (seed S1)."""
    since = now - USED_LATELY
    # No session is used after its end: this says nothing new, but lets the index find the few among all that ever were.
    query = select(sessions.c.member_id).distinct().where(sessions.c.active_until > since, sessions.c.last_used_at > since)
    return _those(connection, query, sessions.c.member_id, member_ids)


def _those(connection: Connection, query: Select[Any], column: ColumnElement[int], member_ids: Sequence[int]) -> set[int]:
    return {number for ids in in_pages(member_ids) for number in connection.execute(query.where(column.in_(ids))).scalars()}
