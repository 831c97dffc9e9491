"""Holds: the seats that borrows and sessions have taken, one row for each level and extension, under the id of the borrow or session."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from authority.domain.events import UseMode
from authority.domain.pools import PoolRule, Use
from authority.storage.db.prepared import Prepared
from authority.storage.db.tables import holds, member_groups


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds seats: the id of a borrow or session, which of the two it is, whose, of which product, and until when."""

    handle: str
    mode: UseMode
    member_id: int
    product: str
    free_at: datetime


_INSERT = Prepared(insert(holds))
_UPDATE = Prepared(update(holds).where(holds.c.handle == bindparam("of_handle")).values(free_at=bindparam("free_at")))
_FEATURES = select(holds.c.feature).where(holds.c.handle == bindparam("of_handle"))
_DELETE = delete(holds).where(
    holds.c.handle == bindparam("of_handle"), holds.c.feature.in_(bindparam("features", expanding=True))
)


_IS_TAKEN = (holds.c.product == bindparam("product"), holds.c.free_at > bindparam("now"))
_IN_USE = select(holds.c.feature, holds.c.mode, func.count()).where(*_IS_TAKEN).group_by(holds.c.feature, holds.c.mode)
_BY_GROUP = (
    select(holds.c.feature, member_groups.c.name, func.count())
    .join(member_groups, member_groups.c.member_id == holds.c.member_id)
    .where(*_IS_TAKEN, member_groups.c.name.in_(bindparam("groups", expanding=True)))
    .group_by(holds.c.feature, member_groups.c.name)
)


def take(connection: Connection, holder: Holder, features: Collection[str]) -> None:
    """Keeps that a seat of each of these levels and extensions is held."""
    row = {name: getattr(holder, name) for name in holder.__slots__}
    if features:
        _INSERT.run_many(connection, [row | {"feature": feature} for feature in features])


def hold_until(connection: Connection, handle: str, free_at: datetime) -> None:
    """Keeps until when a borrow or session holds its seats; a time that is past frees them."""
    _UPDATE.run(connection, {"of_handle": handle, "free_at": free_at})


def give_up(connection: Connection, handle: str, features: Collection[str]) -> None:
    """Gives up the seats of these levels and extensions; the borrow or session goes on."""
    if features:
        connection.execute(_DELETE, {"of_handle": handle, "features": sorted(features)})


def features_of(connection: Connection, handle: str) -> set[str]:
    """The levels and extensions of which a borrow or session has a seat of its own."""
    return set(connection.execute(_FEATURES, {"of_handle": handle}).scalars())


def in_use(connection: Connection, product: str, now: datetime) -> dict[str, int]:
    """How many seats of each level and extension of a product are held at this time; those of which none is are left out."""
    seats: dict[str, int] = {}
    for feature, _, count in connection.execute(_IN_USE, {"product": product, "now": now}):
        seats[feature] = seats.get(feature, 0) + count
    return seats


def use(connection: Connection, product: str, rules: Collection[PoolRule], now: datetime) -> Use:
    """The seats of a product that are held at this time: in all, by borrows, and by the groups that the rules are about."""
    values = {"product": product, "now": now}
    groups = sorted({rule.group_name for rule in rules} - {""})
    by_group = connection.execute(_BY_GROUP, values | {"groups": groups}) if groups else ()
    return use_of(connection.execute(_IN_USE, values), by_group)


def use_of(in_use: Iterable[Sequence[Any]], by_group: Iterable[Sequence[Any]]) -> Use:
    """The seats in use by rows of feature, mode and count, and of feature, group and count."""
    seats: dict[str, int] = {}
    borrowed: dict[str, int] = {}
    for feature, mode, count in in_use:
        seats[feature] = seats.get(feature, 0) + count
        if mode == UseMode.BORROW:
            borrowed[feature] = count
    return Use(seats, borrowed, {(feature, group): count for feature, group, count in by_group})
