"""Who members are at providers of OpenID Connect."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from authority.domain.oidc import Identity
from authority.storage.db.tables import identities

_i = identities.c


def member_id(connection: Connection, identity: Identity) -> int | None:
    """The number of the member who is this at the provider, None when nobody is."""
    query = select(_i.member_id).where(_i.issuer == identity.issuer, _i.subject == identity.subject)
    return connection.execute(query).scalar_one_or_none()


def has_one(connection: Connection, number: int, issuer: str) -> bool:
    """Whether a member is somebody at the provider already."""
    query = select(_i.member_id).where(_i.member_id == number, _i.issuer == issuer).limit(1)
    return connection.execute(query).first() is not None


def of_member(connection: Connection, number: int) -> list[tuple[str, datetime]]:
    """The issuers at which a member is known, and since when, the oldest first."""
    query = select(_i.issuer, _i.created_at).where(_i.member_id == number).order_by(_i.created_at, _i.issuer)
    return [(row.issuer, row.created_at) for row in connection.execute(query)]


def add(connection: Connection, identity: Identity, number: int, at: datetime) -> None:
    """Keeps who a member is at a provider."""
    row = {"issuer": identity.issuer, "subject": identity.subject, "member_id": number, "created_at": at}
    connection.execute(insert(identities), row)


def forget(connection: Connection, number: int) -> int:
    """Forgets who a member is at all providers; of how many."""
    return connection.execute(delete(identities).where(_i.member_id == number)).rowcount
