"""The rules about offline use: showing, changing and explaining them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection

from authority.domain.events import Event
from authority.domain.members import Actor, Privilege, check_name
from authority.domain.offline_rules import LEVELS, OfflineRule, Rule, check_rule, effective, explanation
from authority.domain.refusals import InvalidInput, NotFound
from authority.services.context import Authority
from authority.storage import events, members, offline_rules


@dataclass(frozen=True, slots=True)
class Explained:
    """The rule in effect for a member and a product, and the way to it in words."""

    member: str
    product: str
    rule: OfflineRule
    text: str


def listed(authority: Authority) -> list[Rule]:
    """All rules; the organization's is always among them."""
    with authority.database.read() as connection:
        return offline_rules.every(connection)


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
    with authority.database.write() as connection:
        key = _checked_key(authority, connection, level, subject, product)
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
    if level == "organization":
        raise InvalidInput("the organization's rule cannot be removed, only changed")
    with authority.database.write() as connection:
        subject = subject.lower() if level == "member" else subject
        found = offline_rules.get(connection, level, subject, product)
        if found is None:
            raise NotFound(f'there is no rule "{Rule(level, subject, product, None, None, None).name()}"')
        offline_rules.remove(connection, found)
        _log(authority, connection, actor, f"{found.name()}: removed")
    return found


def _log(authority: Authority, connection: Connection, actor: Actor, text: str) -> None:
    events.append(connection, [Event(kind="policy-changed", actor=actor.username, reason=text)], authority.clock())


def _checked_key(authority: Authority, connection: Connection, level: str, subject: str, product: str) -> tuple[str, str, str]:
    """The key of a rule whose subject and product exist; a group need not have members yet."""
    if level not in LEVELS:
        raise InvalidInput(f'a rule is for one of {", ".join(LEVELS)}, not "{level}"')
    authorization = authority.authorization(connection)
    for product_id in {product, subject if level == "product" else ""} - {""}:
        authorization.product(product_id)
    if level == "type":
        authorization.user_type(subject)
    if level == "group":
        check_name("a group", subject)
    if level == "member":
        found = members.by_username(connection, subject)
        if found is None:
            raise NotFound(f'there is no member "{subject}"', member=subject)
        subject = found.username.lower()
    return (level, "" if level == "organization" else subject, "" if level in ("organization", "product") else product)


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
