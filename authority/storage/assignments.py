"""What members hold of named products; every change keeps the counts in `pools` in step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from authority.domain.licenses import features
from authority.domain.members import Assignment
from authority.storage.members import key_of
from authority.storage.tables import assigned_extensions, assignments, members, pools

_OF_MEMBER = select(assignments).where(assignments.c.member_id == bindparam("member_id")).order_by(assignments.c.product)
_EXTENSIONS = (
    select(assigned_extensions.c.product, assigned_extensions.c.extension)
    .where(assigned_extensions.c.member_id == bindparam("member_id"))
    .order_by(assigned_extensions.c.extension)
)
_EXTENSIONS_OF_MANY = (
    select(assigned_extensions)
    .where(assigned_extensions.c.member_id.in_(bindparam("ids", expanding=True)))
    .order_by(assigned_extensions.c.extension)
)
_COUNT = (
    update(pools)
    .where(pools.c.product == bindparam("of_product"), pools.c.feature == bindparam("of_feature"))
    .values(assigned=pools.c.assigned + bindparam("change"))
)
_INSERT, _INSERT_EXTENSIONS = insert(assignments), insert(assigned_extensions)
_OF_KEY = (assignments.c.member_id == bindparam("of_member"), assignments.c.product == bindparam("of_product"))
_UPDATE = (
    update(assignments)
    .where(*_OF_KEY)
    .values(level=bindparam("level"), included=bindparam("included"), assigned_at=bindparam("assigned_at"))
)
_DELETE = delete(assignments).where(*_OF_KEY)
_DELETE_EXTENSIONS = delete(assigned_extensions).where(
    assigned_extensions.c.member_id == bindparam("of_member"), assigned_extensions.c.product == bindparam("of_product")
)


def of_member(connection: Connection, member_id: int) -> list[Assignment]:
    """Everything that a member holds, by product."""
    codes: dict[str, list[str]] = {}
    for row in connection.execute(_EXTENSIONS, {"member_id": member_id}):
        codes.setdefault(row.product, []).append(row.extension)
    return [
        Assignment(row.product, row.level, tuple(codes.get(row.product, ())), row.included)
        for row in connection.execute(_OF_MEMBER, {"member_id": member_id})
    ]


def listed(
    connection: Connection,
    *,
    username: str | None = None,
    product: str | None = None,
    after: Sequence[str] | None = None,
    limit: int,
) -> list[tuple[str, Assignment]]:
    """User name and license, by user name and product: those that follow the pair `after`, up to `limit`; None means all."""
    query = (
        select(assignments, members.c.username)
        .join(members)
        .order_by(members.c.username_key, assignments.c.product)
        .limit(limit)
    )
    if username is not None:
        query = query.where(members.c.username_key == key_of(username))
    if product is not None:
        query = query.where(assignments.c.product == product)
    if after is not None:
        name, last = key_of(after[0]), after[1]
        query = query.where(
            or_(members.c.username_key > name, and_(members.c.username_key == name, assignments.c.product > last))
        )
    rows = connection.execute(query).all()
    codes: dict[tuple[int, str], list[str]] = {}
    for row in connection.execute(_EXTENSIONS_OF_MANY, {"ids": [row.member_id for row in rows]}):
        codes.setdefault((row.member_id, row.product), []).append(row.extension)
    return [
        (row.username, Assignment(row.product, row.level, tuple(codes.get((row.member_id, row.product), ())), row.included))
        for row in rows
    ]


def replace(connection: Connection, member_id: int, before: Assignment | None, after: Assignment | None, at: datetime) -> None:
    """Puts `after` in the place of `before`, which the caller has read under its lock; None means nothing held."""
    held = after or before
    if held is None:
        return
    key = {"member_id": member_id, "product": held.product}
    of_key = {"of_member": member_id, "of_product": held.product}
    if before is not None and before.extensions:
        connection.execute(_DELETE_EXTENSIONS, of_key)
    if after is None:
        connection.execute(_DELETE, of_key)
    else:
        values = {"level": after.level, "included": after.included, "assigned_at": at}
        # The row itself stays where there is one, for who waits for it to be unlocked.
        if before is None:
            connection.execute(_INSERT, key | values)
        else:
            connection.execute(_UPDATE, of_key | values)
        if after.extensions:
            connection.execute(_INSERT_EXTENSIONS, [key | {"extension": code} for code in after.extensions])
    _count(connection, held.product, features(before), features(after))


def _count(connection: Connection, product: str, before: set[str], after: set[str]) -> None:
    changes = [(feature, 1) for feature in sorted(after - before)] + [(feature, -1) for feature in sorted(before - after)]
    if changes:
        values = [{"of_product": product, "of_feature": feature, "change": change} for feature, change in changes]
        connection.execute(_COUNT, values)
