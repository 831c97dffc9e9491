"""Pools: the levels and extensions of each product, how often each is assigned, and the rules about their seats."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select

from authority.domain.catalogue import Product
from authority.domain.pools import Pool, PoolRule
from authority.storage import holds
from authority.storage.db.rows import value_of
from authority.storage.db.tables import pool_rules, pools

_rule = pool_rules.c
_RULES = select(pool_rules).where(_rule.product == bindparam("product")).order_by(_rule.feature, _rule.group_name)
_LOCK = select(pools).where(pools.c.product == bindparam("product")).order_by(pools.c.feature).with_for_update()
_ASSIGNED = select(pools.c.feature, pools.c.assigned).where(pools.c.product == bindparam("product"))


def add_missing(connection: Connection, products: Iterable[Product]) -> None:
    """One row for each level and extension of these products that has none yet."""
    features = {(product.id, feature) for product in products for feature in (*product.levels, *product.extensions)}
    known = {(product, feature) for product, feature in connection.execute(select(pools.c.product, pools.c.feature))}
    rows = [{"product": product, "feature": feature} for product, feature in sorted(features - known)]
    if rows:
        connection.execute(insert(pools), rows)


def products(connection: Connection) -> set[str]:
    """Every product that any authorization had."""
    return set(connection.execute(select(pools.c.product).distinct()).scalars())


def lock(connection: Connection, product: str) -> None:
    """Makes others who want seats of the product wait until this transaction ends; in one order, so that no two wait for each other."""
    connection.execute(_LOCK, {"product": product}).all()


def assigned(connection: Connection, product: str) -> dict[str, int]:
    """How often each level and extension of a product is assigned; those that nobody holds are left out."""
    rows = connection.execute(_ASSIGNED, {"product": product})
    return {row.feature: row.assigned for row in rows if row.assigned}


def pool(connection: Connection, product: Product, now: datetime) -> Pool:
    """The pool of a concurrent product at this time."""
    rules = rules_of(connection, product.id)
    return Pool(product, rules, holds.use(connection, product.id, rules, now))


def rules_of(connection: Connection, product: str) -> tuple[PoolRule, ...]:
    """The rules about one product, by feature and group."""
    return tuple(value_of(PoolRule, row) for row in connection.execute(_RULES, {"product": product}))


def put_rule(connection: Connection, rule: PoolRule) -> None:
    """Sets a rule in place of the one for the same seats and group."""
    remove_rule(connection, rule)
    connection.execute(insert(pool_rules), {name: getattr(rule, name) for name in rule.__slots__})


def remove_rule(connection: Connection, rule: PoolRule) -> None:
    """Removes the rule for these seats and this group."""
    connection.execute(
        delete(pool_rules).where(
            _rule.product == rule.product, _rule.feature == rule.feature, _rule.group_name == rule.group_name
        )
    )
