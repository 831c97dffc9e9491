"""What there is that a list can be filtered by: whether anything has a value, and which values are like it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, exists, select

from authority.storage import borrows, groups, members
from authority.storage.db.tables import assignments, pool_rules, sessions
from authority.storage.db.tables import borrows as borrows_table
from authority.storage.db.tables import members as members_table

_PRODUCT = bindparam("product", type_=borrows_table.c.product.type)
_HAS_PRODUCT = select(
    exists().where(borrows_table.c.product == _PRODUCT)
    | exists().where(sessions.c.product == _PRODUCT)
    | exists().where(assignments.c.product == _PRODUCT)
    | exists().where(pool_rules.c.product == _PRODUCT)
)
_HAS_MACHINE = select(exists().where(borrows_table.c.machine_id == bindparam("machine")))
_USERNAMES = select(members_table.c.username).where(members_table.c.removed_at.is_(None)).order_by(members_table.c.username_key)


def has_member(connection: Connection, username: str) -> bool:
    """True when a member has this user name, or one who was removed had it."""
    return bool(members.ids_of_name(connection, username))


def usernames(connection: Connection) -> list[str]:
    """The user name of every member, in order."""
    return list(connection.execute(_USERNAMES).scalars())


def has_product(connection: Connection, product: str) -> bool:
    """True when anything was ever kept about a product, also one that is licensed no more."""
    return bool(connection.execute(_HAS_PRODUCT, {"product": product}).scalar_one())


def has_group(connection: Connection, group: str) -> bool:
    """True when the organization knows a group by this name, whatever its case."""
    return bool(groups.names(connection, [group]))


def has_machine(connection: Connection, machine: str) -> bool:
    """True when a machine with this id, or with this as a part of its alias, ever borrowed."""
    has_id = bool(connection.execute(_HAS_MACHINE, {"machine": machine}).scalar_one())
    return has_id or any(borrows.aliases_with(connection, machine))
