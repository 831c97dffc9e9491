"""The rules about offline use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, tuple_, update

from authority.domain.members import Member, user_key
from authority.domain.offline_rules import Rule, RuleLevel
from authority.storage.db.tables import offline_rules

_c = offline_rules.c
_APPLYING = select(offline_rules).where(
    _c.product.in_(("", bindparam("product"))),
    or_(
        _c.level == RuleLevel.ORGANIZATION,
        and_(_c.level == RuleLevel.MEMBER, _c.subject == bindparam("member")),
        and_(_c.level == RuleLevel.GROUP, _c.subject.in_(bindparam("groups", expanding=True))),
        and_(_c.level == RuleLevel.TYPE, _c.subject == bindparam("user_type")),
        and_(_c.level == RuleLevel.PRODUCT, _c.subject == bindparam("product")),
    ),
)


def rule_of(row: Any) -> Rule:
    """The rule of a row with the columns of the table."""
    days = (row.longest_days, row.default_days)
    return Rule(RuleLevel(row.level), row.subject, row.product, row.allowed, *days, row.status_max_age)


def applying(connection: Connection, member: Member, product: str) -> list[Rule]:
    """Every rule that could speak for this member and product, in no order."""
    values = {
        "product": product,
        "member": user_key(member.username),
        "groups": list(member.groups) or [""],
        "user_type": member.user_type,
    }
    return [rule_of(row) for row in connection.execute(_APPLYING, values)]


def every(
    connection: Connection, after: tuple[str, ...] | None = None, limit: int | None = None, *, level: RuleLevel | None = None
) -> list[Rule]:
    """All rules, or those of one level, by level, subject and product; or up to `limit` of them, those that follow the key `after`."""
    query = select(offline_rules).order_by(_c.level, _c.subject, _c.product).limit(limit)
    if level is not None:
        query = query.where(_c.level == level)
    if after is not None:
        query = query.where(tuple_(_c.level, _c.subject, _c.product) > after)
    return [rule_of(row) for row in connection.execute(query)]


def get(connection: Connection, level: RuleLevel, subject: str, product: str) -> Rule | None:
    """One rule."""
    row = connection.execute(
        select(offline_rules).where(_c.level == level, _c.subject == subject, _c.product == product)
    ).one_or_none()
    return None if row is None else rule_of(row)


def put(connection: Connection, rule: Rule) -> None:
    """Sets a rule in place of the one at its level for its subject and product."""
    remove(connection, rule)
    connection.execute(insert(offline_rules), {name: getattr(rule, name) for name in rule.__slots__})


def remove(connection: Connection, rule: Rule) -> None:
    """Removes the rule at this level for this subject and product."""
    connection.execute(
        delete(offline_rules).where(_c.level == rule.level, _c.subject == rule.subject, _c.product == rule.product)
    )


def rename_member(connection: Connection, before: str, after: str) -> None:
    """Keeps the rules for a member who has another user name from now on."""
    of_member = update(offline_rules).where(_c.level == RuleLevel.MEMBER, _c.subject == user_key(before))
    connection.execute(of_member.values(subject=user_key(after)))


def remove_of_member(connection: Connection, username: str) -> None:
    """Removes the rules for a member, so that they are not those of the next one with the same name."""
    connection.execute(delete(offline_rules).where(_c.level == RuleLevel.MEMBER, _c.subject == user_key(username)))
