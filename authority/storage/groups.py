"""Groups: how the organization spells each, so that one group has one name wherever it is named."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BindParameter, Connection, ScalarSelect, bindparam, exists, insert, select, update

from authority.domain.names import key_of
from authority.domain.offline_rules import RuleLevel
from authority.storage.db.tables import groups, member_groups, offline_rules, pool_rules

_BY_KEYS = select(groups).where(groups.c.key.in_(bindparam("keys", expanding=True)))
_RESPELL = update(groups).where(groups.c.key == bindparam("of_key")).values(name=bindparam("name"))
_NAME: BindParameter[str] = bindparam("name")
_HAS_MEMBERS = select(exists().where(member_groups.c.name == _NAME))
_HAS_RULES = select(
    exists().where(pool_rules.c.group_name == _NAME)
    | exists().where(offline_rules.c.level == RuleLevel.GROUP, offline_rules.c.subject == _NAME)
)


def names(connection: Connection, wanted: Iterable[str]) -> dict[str, str]:
    """How the organization spells those of these groups that it knows, by the key of the name."""
    keys = sorted({key_of(name) for name in wanted})
    return {row.key: row.name for row in connection.execute(_BY_KEYS, {"keys": keys})} if keys else {}


def name_of(wanted: str) -> ScalarSelect[str]:
    """The name that a group has everywhere, for a condition in a statement; it is like no name for an unknown one."""
    return select(groups.c.name).where(groups.c.key == key_of(wanted)).scalar_subquery()


def add(connection: Connection, new: Iterable[str]) -> None:
    """Keeps these groups with the spelling that they have; the organization knows none of them."""
    rows = [{"key": key_of(group), "name": group} for group in new]
    if rows:
        connection.execute(insert(groups), rows)


def respell(connection: Connection, group: str) -> None:
    """Gives a group that nothing names the spelling that it has here."""
    connection.execute(_RESPELL, {"of_key": key_of(group), "name": group})


def has_members(connection: Connection, group: str) -> bool:
    """True when somebody is in the group with exactly this name."""
    return bool(connection.execute(_HAS_MEMBERS, {"name": group}).scalar_one())


def has_rules(connection: Connection, group: str) -> bool:
    """True when a rule about offline use or about seats is for the group with exactly this name."""
    return bool(connection.execute(_HAS_RULES, {"name": group}).scalar_one())


def with_members(connection: Connection) -> list[str]:
    """Every group that somebody is in, by name."""
    return list(connection.execute(select(member_groups.c.name).distinct().order_by(member_groups.c.name)).scalars())
