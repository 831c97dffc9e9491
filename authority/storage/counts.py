"""How many members of each type there are and how often each license is assigned: read once in a transaction, and written once."""

from __future__ import annotations

from collections import Counter
from typing import TypeVar

from sqlalchemy import Connection, bindparam, func, insert, select, update

from authority.domain.licenses import features
from authority.domain.members import Assignment, Member, Role
from authority.storage.db.tables import member_counts, members, pools
from authority.storage.members import type_counts

Key = TypeVar("Key")

_ASSIGNED = select(pools.c.product, pools.c.feature, pools.c.assigned).where(pools.c.assigned != 0)
_COUNT_TYPE = (
    update(member_counts)
    .where(member_counts.c.user_type == bindparam("of_type"))
    .values(members=member_counts.c.members + bindparam("change"))
)
_COUNT_FEATURE = (
    update(pools)
    .where(pools.c.product == bindparam("of_product"), pools.c.feature == bindparam("of_feature"))
    .values(assigned=pools.c.assigned + bindparam("change"))
)


_ADMINISTRATORS = select(func.count()).where(
    members.c.role == str(Role.ADMINISTRATOR), members.c.disabled.is_(False), members.c.removed_at.is_(None)
)


class Counts:
    """The counts while one transaction changes them; it has locked the organization, so that what is counted here is exact.

    A row that is changed for each of many members would be slower each time on PostgreSQL, which keeps every state of it until
    the transaction ends. So the changes are collected, and each row is written once.
    """

    def __init__(self, connection: Connection) -> None:
        """Reads the counts; the organization is locked already."""
        self._connection = connection
        # Read when somebody asks, which few do; what changes meanwhile is counted beside it.
        self._administrators: int | None = None
        self._administrators_change = 0
        self._types, self._assigned = Counter(type_counts(connection)), Counter[tuple[str, str]]()
        for row in connection.execute(_ASSIGNED):
            self._assigned[row.product, row.feature] = row.assigned
        self._types_before, self._assigned_before = self._types.copy(), self._assigned.copy()

    def members(self) -> int:
        """How many members there are."""
        return self._types.total()

    def of_type(self, user_type: str) -> int:
        """How many members have this type."""
        return self._types[user_type]

    def administrators(self) -> int:
        """How many administrators there are who are not disabled."""
        if self._administrators is None:
            self._administrators = self._connection.execute(_ADMINISTRATORS).scalar_one()
        return self._administrators + self._administrators_change

    def assigned(self, product: str) -> dict[str, int]:
        """How often each level and extension of a product is assigned."""
        return {feature: count for (of_product, feature), count in self._assigned.items() if of_product == product}

    def count_member(self, before: Member | None, after: Member | None) -> None:
        """A member is as `after` says in place of `before`; None means not there."""
        for member, change in ((before, -1), (after, 1)):
            if member is not None:
                self._types[member.user_type] += change
                self._administrators_change += change * member.administers()

    def count_license(self, before: Assignment | None, after: Assignment | None) -> None:
        """One member holds `after` in place of `before`; None means nothing."""
        for held, change in ((before, -1), (after, 1)):
            if held is not None:
                self._assigned.update(dict.fromkeys(((held.product, feature) for feature in features(held)), change))

    def write(self, connection: Connection) -> None:
        """Writes what changed."""
        for user_type, change in _changes(self._types_before, self._types):
            if connection.execute(_COUNT_TYPE, {"of_type": user_type, "change": change}).rowcount == 0:
                connection.execute(insert(member_counts), {"user_type": user_type, "members": change})
        rows = [
            {"of_product": product, "of_feature": feature, "change": change}
            for (product, feature), change in _changes(self._assigned_before, self._assigned)
        ]
        if rows:
            connection.execute(_COUNT_FEATURE, rows)


def _changes(before: Counter[Key], after: Counter[Key]) -> list[tuple[Key, int]]:
    difference = after.copy()
    difference.subtract(before)
    return [(key, change) for key, change in difference.items() if change]
