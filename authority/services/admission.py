"""Who is kept out while the organization has too many members (seed S2)."""

from __future__ import annotations

from sqlalchemy import Connection

from authority.domain.members import Actor, Member
from authority.domain.membership import Membership
from authority.services.context import Authority
from authority.storage import members


def membership(authority: Authority, connection: Connection) -> Membership:
    """Current and licensed membership."""
    return Membership.of(authority.authorization(connection), members.type_counts(connection))


def current(authority: Authority) -> Membership:
    """Current and licensed membership, read by itself."""
    with authority.database.read() as connection:
        return membership(authority, connection)


def check_admitted(authority: Authority, connection: Connection, person: Actor | Member) -> None:
    """Raises OrganizationOverLimit for everyone but an administrator while there are too many members."""
    actor = person if isinstance(person, Actor) else Actor(person.id, person.username, person.role)
    membership(authority, connection).check_admitted(actor)
