"""The rules about offline use: showing, changing and explaining them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from authority.domain.catalogue import Product
from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Member, Privilege, user_key
from authority.domain.offline_rules import (
    OfflineRule,
    Rule,
    RuleLevel,
    changes_of,
    check_key,
    check_rule,
    effective,
    explanation,
    level_of,
)
from authority.domain.refusals import InvalidInput, Mistakes, NotFound
from authority.services import groups, pages
from authority.services.unit import Unit
from authority.storage import members, offline_rules


@dataclass(frozen=True, slots=True)
class Explained:
    """The rule in effect for a member and a product, and the way to it in words."""

    member: str
    product: str
    rule: OfflineRule
    text: str


def listed(
    unit: Unit, after: str | None = None, limit: int | None = None, *, level: RuleLevel | None = None
) -> tuple[list[Rule], str | None]:
    """All rules by level, subject and product, the organization's always among them; or a page, and the cursor of the next.

    With a `level` those of that level alone.

    Raises NotAllowed, InvalidInput (`after` is no cursor).
    """
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        key = None if after is None else pages.parts(after, 3)
        rules = offline_rules.every(unit.connection, key, None if limit is None else limit + 1, level=level)
    page = rules[:limit]
    return page, pages.cursor(page[-1].level, page[-1].subject, page[-1].product) if len(rules) > len(page) else None


def show(unit: Unit, level: str, subject: str, product: str) -> Rule | None:
    """The rule of this level for this subject and product, None where there is none. Raises NotAllowed, InvalidInput."""
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        rule_level = level_of(level)
        check_key(rule_level, subject, product)
        return offline_rules.get(unit.connection, rule_level, _subject(unit, rule_level, subject), product)


def change(
    unit: Unit,
    level: str,
    subject: str,
    product: str,
    *,
    allowed: bool | None,
    longest_days: int | None,
    default_days: int | None,
    status_max_age: int | None = None,
    inherit: Collection[str] = (),
    dry_run: bool = False,
) -> Rule:
    """Changes what is given of a rule, or makes it, and keeps the rest; borrows already out stay as they are.

    Values that are named in `inherit` (see `VALUES`) are again as the organization's rule says.

    A rule for a group that nobody is in leaves a note about it in the unit. With `dry_run` every check is made and nothing
    changed.
    Raises NotAllowed, InvalidInput, NotFound (no such member), NoSuchProduct (no such product or user type), ChangedMeanwhile.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        rule_level = level_of(level)
        check_key(rule_level, subject, product)
        values = {
            "allowed": allowed,
            "longest_days": longest_days,
            "default_days": default_days,
            "status_max_age": status_max_age,
        }
        changes = changes_of(rule_level, values, inherit)
        # Two who change a rule at the same time each keep what the other changed.
        unit.lock_organization()
        mistakes, key = Mistakes(), (rule_level, subject, product)
        with mistakes.collected():
            key = _existing_key(unit, rule_level, subject, product)
        known, named = offline_rules.get(unit.connection, *key), Rule(*key, None, None, None)
        unit.compare(f'the rule "{named.name()}"', None if known is None else known.values())
        before = known or named
        after = replace(before, **changes)
        with mistakes.collected():
            check_rule(after)
        mistakes.tell()
        offline_rules.put(unit.connection, after)
        unit.record([_event(unit.actor, f"{after.name()}: {after.words()}")])
        if after.level is RuleLevel.GROUP:
            unit.note = groups.note(unit, after.subject)
    return after


def remove(unit: Unit, level: str, subject: str, product: str, *, dry_run: bool = False) -> Rule:
    """The rule, now removed; the organization's own stays. With `dry_run` every check is made and nothing changed.

    Raises NotAllowed, InvalidInput, NotFound.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        rule_level = level_of(level)
        check_key(rule_level, subject, product)
        if rule_level is RuleLevel.ORGANIZATION:
            raise InvalidInput("the organization's rule cannot be removed, only changed")
        unit.lock_organization()
        subject = _subject(unit, rule_level, subject)
        rule = offline_rules.get(unit.connection, rule_level, subject, product)
        if rule is None:
            raise NotFound(f'there is no rule "{Rule(rule_level, subject, product, None, None, None).name()}"')
        unit.compare(f'the rule "{rule.name()}"', rule.values())
        offline_rules.remove(unit.connection, rule)
        unit.record([_event(unit.actor, f"{rule.name()}: removed")])
    return rule


def _event(actor: Actor, text: str) -> Event:
    return Event(kind=EventKind.POLICY_CHANGED, actor=actor.username, reason=text)


def _existing_key(unit: Unit, level: RuleLevel, subject: str, product: str) -> tuple[RuleLevel, str, str]:
    """The key of a rule whose subject and product exist; a group need not have members yet."""
    authorization = unit.authorization
    for product_id in {product, subject if level is RuleLevel.PRODUCT else ""} - {""}:
        authorization.product(product_id)
    if level is RuleLevel.TYPE:
        authorization.user_type(subject)
    if level is RuleLevel.MEMBER:
        member = members.by_username(unit.connection, subject)
        if member is None:
            raise NotFound(f'there is no member "{subject}"', member=subject)
        subject = user_key(member.username)
    elif level is RuleLevel.GROUP:
        subject = groups.spelled(unit, [subject])[0]
    return level, subject, product


def _subject(unit: Unit, level: RuleLevel, subject: str) -> str:
    """The subject as a rule that is there has it."""
    if level is RuleLevel.MEMBER:
        return user_key(subject)
    return groups.known(unit, [subject])[0] if level is RuleLevel.GROUP else subject


def explain_every(unit: Unit, username: str) -> list[Explained]:
    """`explain` for each product of the authorization, in its order. Raises NotAllowed, NotFound."""
    with unit.reading():
        member = _member_to_explain(unit, username)
        return [_explained(unit, member, product) for product in unit.authorization.products.values()]


def _member_to_explain(unit: Unit, username: str) -> Member:
    if not unit.actor.is_own(username):
        unit.actor.needs(Privilege.VIEW_BORROWS)
    member = members.by_username(unit.connection, username)
    if member is None:
        raise NotFound(f'there is no member "{username}"', member=username)
    return member


def _explained(unit: Unit, member: Member, product: Product) -> Explained:
    rule = effective(offline_rules.applying(unit.connection, member, product.id), member, product.id)
    return Explained(member.username, product.id, rule, explanation(rule, unit.authorization, product, unit.now))


def explain(unit: Unit, username: str, product_id: str) -> Explained:
    """The rule in effect and why. Members may ask for themselves. Raises NotAllowed, NotFound, NoSuchProduct."""
    with unit.reading():
        member = _member_to_explain(unit, username)
        return _explained(unit, member, unit.authorization.product(product_id))
