"""What every unit of work begins with, in one statement: whose secret it is, how many members there are, what is in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from authority.domain.members import CredentialKind, Role, Scope
from authority.storage.db.prepared import Gathering
from authority.storage.db.tables import authorizations, credentials, member_counts, members

_WHO = Gathering(
    bearer=select(
        credentials.c.id.label("credential_id"),
        credentials.c.kind,
        credentials.c.scopes,
        credentials.c.created_at,
        credentials.c.last_used_at,
        credentials.c.expires_at,
        credentials.c.revoked_at,
        members.c.id,
        members.c.username,
        members.c.role,
        members.c.disabled,
    )
    .join(members)
    .where(credentials.c.digest == bindparam("digest"), members.c.removed_at.is_(None)),
    type_counts=select(member_counts.c.user_type, member_counts.c.members),
    authorization=select(func.max(authorizations.c.seq).label("seq")),
)


@dataclass(frozen=True, slots=True)
class Bearer:
    """The member behind an API key or a sign-in, and what may have ended it."""

    member_id: int
    username: str
    role: Role
    disabled: bool
    expires_at: datetime | None
    revoked_at: datetime | None
    credential_id: str
    kind: CredentialKind
    # Of an API key that is not for everything.
    scopes: tuple[Scope, ...] | None
    # When the credential was used last, to an hour; when it was made, where it was not used since.
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class Who:
    """`bearer` is None for a secret that is nobody's, `authorization_seq` before there is an authorization."""

    bearer: Bearer | None
    type_counts: dict[str, int]
    authorization_seq: int | None


def read(connection: Connection, digest: str | None) -> Who:
    """The bearer whose secret has this digest, the members of each user type, and the number of the authorization in force."""
    parts = _WHO.read(connection, {"digest": digest or ""})
    bearer = None
    for row in parts["bearer"]:
        bearer = Bearer(
            row.id,
            row.username,
            Role(row.role),
            row.disabled,
            row.expires_at,
            row.revoked_at,
            row.credential_id,
            CredentialKind(row.kind),
            None if row.scopes is None else tuple(map(Scope, row.scopes.split())),
            row.last_used_at or row.created_at,
        )
    counts = {row.user_type: row.members for row in parts["type_counts"] if row.members}
    return Who(bearer, counts, parts["authorization"][0].seq)
