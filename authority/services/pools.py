"""The rules about the seats of concurrent products: showing, setting and removing them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Privilege
from authority.domain.pools import Pool, PoolRule, check_rule
from authority.domain.refusals import InvalidInput, NotFound
from authority.services import groups
from authority.services.unit import Unit
from authority.storage import pools


@dataclass(frozen=True, slots=True)
class GroupShare:
    """What a group has of a pool: seats reserved for it, the most it can use, and how many it uses now."""

    group: str
    reserved: int
    maximum: int | None
    in_use: int
    version: str


@dataclass(frozen=True, slots=True)
class PoolState:
    """The seats of one level or extension of a concurrent product, now: what is in use, and what the rules say."""

    licensed: int
    in_use: int
    borrowed: int
    borrowable: int
    rule: PoolRule
    groups: tuple[GroupShare, ...]


def states(unit: Unit, product_id: str | None = None) -> list[PoolState]:
    """Every level and extension of every concurrent product, or of one.

    Raises NotAllowed, NoSuchProduct, InvalidInput for a named product, which has no pools.
    """
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        products = unit.authorization.products.values() if product_id is None else [unit.authorization.product(product_id)]
        if product_id is not None and not any(product.is_concurrent for product in products):
            names = [product.id for product in unit.authorization.products.values() if product.is_concurrent]
            raise InvalidInput(
                f'"{product_id}" is a named product, and has no pools; there are those of {", ".join(names) or "no product"}',
                hint="carnet-authority license availability shows what of it is assigned.",
            )
        pools_of_products = [pools.pool(unit.connection, product, unit.now) for product in products if product.is_concurrent]
    return [_state(pool, feature) for pool in pools_of_products for feature in (*pool.product.levels, *pool.product.extensions)]


def _state(pool: Pool, feature: str) -> PoolState:
    shares = tuple(
        GroupShare(
            rule.group_name, rule.reserved, rule.maximum, pool.use.by_group.get((feature, rule.group_name), 0), rule.version
        )
        for rule in pool.of_groups(feature)
    )
    return PoolState(
        licensed=pool.product.seats_of(feature),
        in_use=pool.use.in_use.get(feature, 0),
        borrowed=pool.use.borrowed.get(feature, 0),
        borrowable=pool.borrowable(feature),
        rule=pool.rule(feature),
        groups=shares,
    )


def change(unit: Unit, rule: PoolRule, *, dry_run: bool = False) -> PoolRule:
    """Sets a rule in place of the one for the same seats and group; who has a seat keeps it.

    A rule for a group that nobody is in, or in place of another, leaves a note about it in the unit. With `dry_run` every check is made and nothing
    changed.
    Raises NotAllowed, InvalidInput, NoSuchProduct, ChangedMeanwhile.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        product = unit.authorization.product(rule.product)
        if rule.group_name:
            unit.lock_organization()
            rule = replace(rule, group_name=groups.spelled(unit, [rule.group_name])[0])
            unit.note = groups.note(unit, rule.group_name)
        pools.lock(unit.connection, product.id)
        rules = pools.rules_of(unit.connection, product.id)
        known = next((item for item in rules if (item.feature, item.group_name) == (rule.feature, rule.group_name)), None)
        unit.compare(f"the rule for {rule.name()}", (known or PoolRule(rule.product, rule.feature, rule.group_name)).values())
        check_rule(rule, product, rules)
        unit.note = "; ".join(filter(None, [unit.note, _note(rule, known)])) or None
        pools.put_rule(unit.connection, rule)
        unit.record([_event(unit.actor, rule, rule.words())])
    return rule


def _note(rule: PoolRule, before: PoolRule | None) -> str | None:
    """What the rule takes the place of, None when it is the first for its seats and group, or says what that one said."""
    return None if before is None or before == rule else f"in place of: {before.words()}"


def remove(unit: Unit, product_id: str, feature: str, group: str, *, dry_run: bool = False) -> PoolRule:
    """The rule for these seats and this group (empty: for everybody), now removed.

    With `dry_run` every check is made and nothing changed. Raises NotAllowed, NotFound.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        wanted = PoolRule(product_id, feature, groups.known(unit, [group])[0] if group else "")
        rules = {(rule.feature, rule.group_name): rule for rule in pools.rules_of(unit.connection, product_id)}
        rule = rules.get((wanted.feature, wanted.group_name))
        if rule is None:
            raise NotFound(f"there is no rule for {wanted.name()}", hint="carnet-authority pool show lists them.")
        unit.compare(f"the rule for {rule.name()}", rule.values())
        pools.remove_rule(unit.connection, rule)
        unit.record([_event(unit.actor, rule, "removed")])
    return rule


def _event(actor: Actor, rule: PoolRule, text: str) -> Event:
    return Event(
        kind=EventKind.POOL_RULE_CHANGED,
        actor=actor.username,
        product=rule.product,
        feature=rule.feature,
        group=rule.group_name or None,
        reason=text,
    )
