"""One spelling for each group: what looked alike and was several groups becomes one, with the stricter of its rules."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from alembic import op

from authority.domain.names import composed, key_of

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_groups = sa.table("groups", sa.column("key"), sa.column("name"))
_member_groups = sa.table("member_groups", sa.column("member_id"), sa.column("name"))
_offline_rules = sa.table(
    "offline_rules",
    *map(sa.column, ("level", "subject", "product", "longest_days", "default_days")),
    sa.column("allowed", sa.Boolean),
)
_pool_rules = sa.table(
    "pool_rules",
    *map(sa.column, ("product", "feature", "group_name", "low_water", "most_borrowed", "reserved", "maximum")),
    sa.column("from_higher", sa.Boolean),
)
_preferences = sa.table("preferences", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    """Makes the table of spellings, and gives every row that names a group the one spelling."""
    op.create_table(
        "groups",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_groups")),
    )
    connection = op.get_bind()
    defaults = _defaults(connection)
    spellings = _spellings(connection, defaults.get("groups", ()))
    if not spellings:
        return
    connection.execute(sa.insert(_groups), [{"key": key, "name": name} for key, name in spellings.items()])
    _bring_members_together(connection, spellings)
    _bring_offline_rules_together(connection, spellings)
    _bring_pool_rules_together(connection, spellings)
    if defaults.get("groups"):
        defaults["groups"] = sorted({spellings[key_of(name)] for name in defaults["groups"]})
        of_members = sa.update(_preferences).where(_preferences.c.name == "member-defaults")
        connection.execute(of_members.values(value=json.dumps(defaults)))


def _defaults(connection: sa.Connection) -> dict[str, Any]:
    value = connection.execute(sa.select(_preferences.c.value).where(_preferences.c.name == "member-defaults")).scalar()
    defaults: dict[str, Any] = json.loads(value) if value else {}
    return defaults


def _spellings(connection: sa.Connection, of_defaults: Iterable[str]) -> dict[str, str]:
    """By key the spelling that most members have, the first one among several; for what no member has, the first by name."""
    counts = sa.select(_member_groups.c.name, sa.func.count()).group_by(_member_groups.c.name)
    members = {row[0]: int(row[1]) for row in connection.execute(counts)}
    of_rules = sa.select(_offline_rules.c.subject).where(_offline_rules.c.level == "group")
    of_pools = sa.select(_pool_rules.c.group_name).where(_pool_rules.c.group_name != "")
    names = {*members, *of_defaults, *connection.execute(of_rules).scalars(), *connection.execute(of_pools).scalars()}
    spellings: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (-members.get(name, 0), name)):
        spellings.setdefault(key_of(name), composed(name))
    return spellings


def _bring_members_together(connection: sa.Connection, spellings: dict[str, str]) -> None:
    rows = connection.execute(sa.select(_member_groups)).all()
    renamed = sorted({(row.member_id, spellings[key_of(row.name)]) for row in rows})
    if sorted((row.member_id, row.name) for row in rows) != renamed:
        connection.execute(sa.delete(_member_groups))
        connection.execute(sa.insert(_member_groups), [{"member_id": number, "name": name} for number, name in renamed])


def _bring_offline_rules_together(connection: sa.Connection, spellings: dict[str, str]) -> None:
    """Of two rules what forbids more: not allowed before allowed, fewer days before more."""
    is_of_group = _offline_rules.c.level == "group"
    rules: dict[tuple[str, str], dict[str, Any]] = {}
    for row in connection.execute(sa.select(_offline_rules).where(is_of_group).order_by(_offline_rules.c.subject)):
        rule = dict(row._mapping) | {"subject": spellings[key_of(row.subject)]}  # noqa: SLF001 - the documented name
        key = (rule["subject"], rule["product"])
        rules[key] = _stricter(rules.get(key, rule), rule)
    connection.execute(sa.delete(_offline_rules).where(is_of_group))
    if rules:
        connection.execute(sa.insert(_offline_rules), list(rules.values()))


def _stricter(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    allowed = _least(one["allowed"], other["allowed"])
    longest = _least(one["longest_days"], other["longest_days"])
    default = _least(one["default_days"], other["default_days"])
    if default is not None:
        default = _least(default, longest)
    return one | {"allowed": allowed, "longest_days": longest, "default_days": default}


def _bring_pool_rules_together(connection: sa.Connection, spellings: dict[str, str]) -> None:
    """Of two rules the larger reservation, so that no seat is promised twice, and the smaller maximum."""
    is_of_group = _pool_rules.c.group_name != ""
    rules: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in connection.execute(sa.select(_pool_rules).where(is_of_group).order_by(_pool_rules.c.group_name)):
        rule = dict(row._mapping) | {"group_name": spellings[key_of(row.group_name)]}  # noqa: SLF001
        key = (rule["product"], rule["feature"], rule["group_name"])
        one = rules.get(key, rule)
        reserved = max(one["reserved"], rule["reserved"])
        maximum = _least(one["maximum"], rule["maximum"])
        rules[key] = one | {"reserved": reserved, "maximum": None if maximum is None else max(maximum, reserved)}
    connection.execute(sa.delete(_pool_rules).where(is_of_group))
    if rules:
        connection.execute(sa.insert(_pool_rules), list(rules.values()))


def _least(one: Any, other: Any) -> Any:
    """The smaller of the two, or the one that is set."""
    return min((value for value in (one, other) if value is not None), default=None)
