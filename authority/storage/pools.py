"""The pools of concurrent products: what is in use, and the rules about it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from authority.domain.catalogue import Product
from authority.domain.events import UseMode
from authority.domain.pools import Pool, PoolRule, Use
from authority.storage.db.rows import value_of
from authority.storage.db.tables import holds, member_groups, pool_rules

_rule = pool_rules.c
_RULES = select(pool_rules).where(_rule.product == bindparam("product")).order_by(_rule.feature, _rule.group_name)
_HELD = (
    holds.c.product == bindparam("product"),
    holds.c.free_at > bindparam("now"),
    holds.c.handle.not_in(bindparam("without", expanding=True)),
)
_IN_USE = select(holds.c.feature, holds.c.mode, func.count()).where(*_HELD).group_by(holds.c.feature, holds.c.mode)
_BY_GROUP = (
    select(holds.c.feature, member_groups.c.name, func.count())
    .join(member_groups, member_groups.c.member_id == holds.c.member_id)
    .where(*_HELD, member_groups.c.name.in_(bindparam("groups", expanding=True)))
    .group_by(holds.c.feature, member_groups.c.name)
)


def pool(connection: Connection, product: Product, now: datetime, without: Collection[str] = ()) -> Pool:
    """The pool at this time; the seats of the borrows and sessions `without` (their ids) count as free."""
    rules = of_product(connection, product.id)
    values = {"product": product.id, "now": now, "without": list(without)}
    in_use: dict[str, int] = {}
    borrowed: dict[str, int] = {}
    for feature, mode, count in connection.execute(_IN_USE, values):
        in_use[feature] = in_use.get(feature, 0) + count
        if mode == UseMode.BORROW:
            borrowed[feature] = count
    groups = sorted({rule.group_name for rule in rules} - {""})
    rows = connection.execute(_BY_GROUP, values | {"groups": groups}) if groups else ()
    return Pool(product, rules, Use(in_use, borrowed, {(row[0], row[1]): row[2] for row in rows}))


def of_product(connection: Connection, product: str) -> tuple[PoolRule, ...]:
    """The rules about one product, by feature and group."""
    return tuple(value_of(PoolRule, row) for row in connection.execute(_RULES, {"product": product}))


def put(connection: Connection, rule: PoolRule) -> None:
    """Sets a rule in place of the one for the same seats and group."""
    remove(connection, rule)
    connection.execute(insert(pool_rules), {name: getattr(rule, name) for name in rule.__slots__})


def remove(connection: Connection, rule: PoolRule) -> None:
    """Removes the rule for these seats and this group."""
    connection.execute(
        delete(pool_rules).where(
            _rule.product == rule.product, _rule.feature == rule.feature, _rule.group_name == rule.group_name
        )
    )


def seats_in_use(connection: Connection, product: str, now: datetime) -> dict[str, int]:
    """How many seats of each level and extension of a product are held at this time."""
    query = select(holds.c.feature, func.count()).where(holds.c.product == product, holds.c.free_at > now)
    return {row[0]: row[1] for row in connection.execute(query.group_by(holds.c.feature))}
