"""The rules about offline use: showing, changing and explaining them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Privilege
from authority.domain.offline_rules import OfflineRule, Rule, RuleLevel, check_key, check_rule, effective, explanation, level_of
from authority.domain.refusals import InvalidInput, NotFound
from authority.services import pages
from authority.services.context import Authority
from authority.storage import events, members, offline_rules
from authority.storage import organization as stored_organization


@dataclass(frozen=True, slots=True)
class Explained:
    """The rule in effect for a member and a product, and the way to it in words."""

    member: str
    product: str
    rule: OfflineRule
    text: str


def listed(
    authority: Authority, actor: Actor, after: str | None = None, limit: int | None = None
) -> tuple[list[Rule], str | None]:
    """All rules by level, subject and product, the organization's always among them; or a page, and the cursor of the next.

    Raises NotAllowed, InvalidInput (`after` is no cursor).
    """
    actor.needs(Privilege.VIEW_BORROWS)
    key = None if after is None else pages.parts(after, 3)
    with authority.database.read() as connection:
        found = offline_rules.every(connection, key, None if limit is None else limit + 1)
    page = found[:limit]
    return page, pages.cursor(page[-1].level, page[-1].subject, page[-1].product) if len(found) > len(page) else None


def change(
    authority: Authority,
    actor: Actor,
    level: str,
    subject: str,
    product: str,
    *,
    allowed: bool | None,
    longest_days: int | None,
    default_days: int | None,
) -> Rule:
    """Changes what is given of a rule, or makes it, and keeps the rest; borrows already out stay as they are.

    Raises NotAllowed, InvalidInput, NotFound (no such member), NoSuchProduct (no such product or user type).
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    rule_level = level_of(level)
    check_key(rule_level, subject, product)
    if (allowed, longest_days, default_days) == (None, None, None):
        raise InvalidInput("nothing to change is named: say allowed, longest_days or default_days")
    with authority.database.write() as connection:
        # Two who change a rule at the same time each keep what the other changed.
        stored_organization.get(connection, lock=True)
        key = _existing_key(authority, connection, rule_level, subject, product)
        before = offline_rules.get(connection, *key) or Rule(*key, None, None, None)
        after = replace(
            before,
            allowed=before.allowed if allowed is None else allowed,
            longest_days=before.longest_days if longest_days is None else longest_days,
            default_days=before.default_days if default_days is None else default_days,
        )
        check_rule(after)
        offline_rules.put(connection, after)
        _log(authority, connection, actor, f"{after.name()}: {after.words()}")
    return after


def remove(authority: Authority, actor: Actor, level: str, subject: str, product: str) -> Rule:
    """Removes a rule; the organization's own stays. Raises NotAllowed, InvalidInput, NotFound."""
    actor.needs(Privilege.MANAGE_AUTHORITY)
    rule_level = level_of(level)
    check_key(rule_level, subject, product)
    if rule_level is RuleLevel.ORGANIZATION:
        raise InvalidInput("the organization's rule cannot be removed, only changed")
    with authority.database.write() as connection:
        stored_organization.get(connection, lock=True)
        subject = subject.lower() if rule_level is RuleLevel.MEMBER else subject
        rule = offline_rules.get(connection, rule_level, subject, product)
        if rule is None:
            raise NotFound(f'there is no rule "{Rule(rule_level, subject, product, None, None, None).name()}"')
        offline_rules.remove(connection, rule)
        _log(authority, connection, actor, f"{rule.name()}: removed")
    return rule


def _log(authority: Authority, connection: Connection, actor: Actor, text: str) -> None:
    events.append(connection, [Event(kind=EventKind.POLICY_CHANGED, actor=actor.username, reason=text)], authority.clock())


def _existing_key(
    authority: Authority, connection: Connection, level: RuleLevel, subject: str, product: str
) -> tuple[RuleLevel, str, str]:
    """The key of a rule whose subject and product exist; a group need not have members yet."""
    authorization = authority.authorization(connection)
    for product_id in {product, subject if level is RuleLevel.PRODUCT else ""} - {""}:
        authorization.product(product_id)
    if level is RuleLevel.TYPE:
        authorization.user_type(subject)
    if level is RuleLevel.MEMBER:
        member = members.by_username(connection, subject)
        if member is None:
            raise NotFound(f'there is no member "{subject}"', member=subject)
        subject = member.username.lower()
    return level, subject, product


def explain(authority: Authority, actor: Actor, username: str, product_id: str) -> Explained:
    """The rule in effect and why. Members may ask for themselves. Raises NotAllowed, NotFound, NoSuchProduct."""
    if username.lower() != actor.username.lower():
        actor.needs(Privilege.VIEW_BORROWS)
    now = authority.now()
    with authority.database.read() as connection:
        member = members.by_username(connection, username)
        if member is None:
            raise NotFound(f'there is no member "{username}"', member=username)
        authorization = authority.authorization(connection)
        product = authorization.product(product_id)
        rule = effective(offline_rules.applying(connection, member, product.id), member, product.id)
    return Explained(member.username, product.id, rule, explanation(rule, authorization, product, now))
