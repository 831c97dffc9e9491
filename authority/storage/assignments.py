"""What members hold of named products; every change keeps the counts in `pools` in step."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from authority.domain.licenses import features
from authority.domain.members import Assignment
from authority.storage.tables import assigned_extensions, assignments, pools

_OF_MEMBER = select(assignments).where(assignments.c.member_id == bindparam("member_id")).order_by(assignments.c.product)
_EXTENSIONS = (
    select(assigned_extensions.c.product, assigned_extensions.c.extension)
    .where(assigned_extensions.c.member_id == bindparam("member_id"))
    .order_by(assigned_extensions.c.extension)
)
_COUNT = (
    update(pools)
    .where(pools.c.product == bindparam("of_product"), pools.c.feature == bindparam("of_feature"))
    .values(assigned=pools.c.assigned + bindparam("change"))
)
_INSERT, _INSERT_EXTENSIONS = insert(assignments), insert(assigned_extensions)


def of_member(connection: Connection, member_id: int) -> list[Assignment]:
    """Everything that a member holds, by product."""
    codes: dict[str, list[str]] = {}
    for row in connection.execute(_EXTENSIONS, {"member_id": member_id}):
        codes.setdefault(row.product, []).append(row.extension)
    return [
        Assignment(row.product, row.level, tuple(codes.get(row.product, ())), row.included)
        for row in connection.execute(_OF_MEMBER, {"member_id": member_id})
    ]


def replace(connection: Connection, member_id: int, before: Assignment | None, after: Assignment | None, at: datetime) -> None:
    """Puts `after` in the place of `before`, which the caller has read under its lock; None means nothing held."""
    held = after or before
    if held is None:
        return
    key = {"member_id": member_id, "product": held.product}
    of_key = (assignments.c.member_id == member_id, assignments.c.product == held.product)
    extensions = assigned_extensions.c
    connection.execute(delete(assigned_extensions).where(extensions.member_id == member_id, extensions.product == held.product))
    if after is None:
        connection.execute(delete(assignments).where(*of_key))
    else:
        values = {"level": after.level, "included": after.included, "assigned_at": at}
        # The row itself stays where there is one, for who waits for it to be unlocked.
        if before is None:
            connection.execute(_INSERT, key | values)
        else:
            connection.execute(update(assignments).where(*of_key).values(values))
        if after.extensions:
            connection.execute(_INSERT_EXTENSIONS, [key | {"extension": code} for code in after.extensions])
    _count(connection, held.product, features(before), features(after))


def _count(connection: Connection, product: str, before: set[str], after: set[str]) -> None:
    changes = [(feature, 1) for feature in sorted(after - before)] + [(feature, -1) for feature in sorted(before - after)]
    if changes:
        values = [{"of_product": product, "of_feature": feature, "change": change} for feature, change in changes]
        connection.execute(_COUNT, values)
