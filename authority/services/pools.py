"""The rules about the seats of concurrent products: showing, setting and removing them."""

from __future__ import annotations

from dataclasses import dataclass

from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Privilege, check_name
from authority.domain.pools import PoolRule, check_rule
from authority.domain.refusals import NotFound
from authority.services.context import Authority
from authority.storage import events
from authority.storage import organization as stored_organization
from authority.storage import pools as stored


@dataclass(frozen=True, slots=True)
class GroupShare:
    """What a group has of a pool: seats reserved for it, the most it can use, and how many it uses now."""

    group: str
    reserved: int
    maximum: int | None
    in_use: int


@dataclass(frozen=True, slots=True)
class PoolState:
    """The seats of one level or extension of a concurrent product, now: what is in use, and what the rules say."""

    licensed: int
    in_use: int
    borrowed: int
    borrowable: int
    rule: PoolRule
    groups: tuple[GroupShare, ...]


def shown(authority: Authority, actor: Actor, product_id: str | None = None) -> list[PoolState]:
    """Every level and extension of every concurrent product, or of one. Raises NotAllowed, NoSuchProduct."""
    actor.needs(Privilege.VIEW_BORROWS)
    now, found = authority.now(), []
    with authority.database.read() as connection:
        authorization = authority.authorization(connection)
        products = authorization.products.values() if product_id is None else [authorization.product(product_id)]
        for product in products:
            if product.is_concurrent:
                pool = stored.pool(connection, product, now)
                for feature in (*product.levels, *product.extensions):
                    shares = tuple(
                        GroupShare(
                            rule.group_name, rule.reserved, rule.maximum, pool.use.by_group.get((feature, rule.group_name), 0)
                        )
                        for rule in pool.of_groups(feature)
                    )
                    used = pool.use.in_use.get(feature, 0), pool.use.borrowed.get(feature, 0)
                    found.append(
                        PoolState(product.seats_of(feature), *used, pool.borrowable(feature), pool.rule(feature), shares)
                    )
    return found


def change(authority: Authority, actor: Actor, rule: PoolRule) -> PoolRule:
    """Sets a rule in place of the one for the same seats and group; who has a seat keeps it.

    Raises NotAllowed, InvalidInput, NoSuchProduct.
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    check_name("a group", rule.group_name)
    with authority.database.write() as connection:
        product = authority.authorization(connection).product(rule.product)
        stored_organization.lock_pools(connection, product.id)
        check_rule(rule, product, stored.of_product(connection, product.id))
        stored.put(connection, rule)
        events.append(connection, [_event(actor, rule, rule.words())], authority.clock())
    return rule


def remove(authority: Authority, actor: Actor, product_id: str, feature: str, group: str) -> PoolRule:
    """Removes the rule for these seats and this group (empty: for everybody). Raises NotAllowed, NotFound."""
    actor.needs(Privilege.MANAGE_AUTHORITY)
    with authority.database.write() as connection:
        wanted = PoolRule(product_id, feature, group)
        key = (wanted.feature, wanted.group_name)
        found = next(
            (rule for rule in stored.of_product(connection, product_id) if (rule.feature, rule.group_name) == key), None
        )
        if found is None:
            raise NotFound(f"there is no rule for {wanted.name()}", hint="carnet-authority pool show lists them.")
        stored.remove(connection, found)
        events.append(connection, [_event(actor, found, "removed")], authority.clock())
    return found


def _event(actor: Actor, rule: PoolRule, text: str) -> Event:
    return Event(
        kind=EventKind.POOL_RULE_CHANGED,
        actor=actor.username,
        product=rule.product,
        feature=rule.feature,
        group=rule.group_name or None,
        reason=text,
    )
