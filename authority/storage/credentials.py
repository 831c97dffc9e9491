"""API keys and sign-ins. A digest stands for each secret, and is never shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, tuple_, update

from authority.domain.api_keys import ApiKey
from authority.domain.members import CredentialKind
from authority.storage.db.rows import value_of
from authority.storage.db.tables import credentials, members


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key or a sign-in: a digest stands for the secret."""

    id: str
    kind: CredentialKind
    digest: str
    name: str
    member_id: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


_c = credentials.c
_BY_DIGEST = select(credentials).where(_c.digest == bindparam("of_digest"))
_API_KEY: Select[Any] = (
    select(_c.id, _c.name, members.c.username.label("member"), _c.created_at, _c.revoked_at)
    .join(members)
    .where(_c.kind == CredentialKind.API_KEY)
)
_GET = _API_KEY.where(_c.id == bindparam("of_id"))
_GET_LOCKED = _GET.with_for_update(of=credentials)


def add(connection: Connection, credential: Credential) -> None:
    """Keeps the digest of a new API key or sign-in."""
    connection.execute(insert(credentials), {name: getattr(credential, name) for name in credential.__slots__})


def by_digest(connection: Connection, digest: str) -> Credential | None:
    """The API key or sign-in whose secret has this digest."""
    row = connection.execute(_BY_DIGEST, {"of_digest": digest}).one_or_none()
    return None if row is None else value_of(Credential, row)


def revoke(connection: Connection, credential_id: str, at: datetime) -> None:
    """Makes an API key or sign-in useless from now on."""
    connection.execute(update(credentials).where(_c.id == credential_id).values(revoked_at=at))


def revoke_sign_ins(connection: Connection, member_id: int, at: datetime) -> None:
    """Makes every sign-in of a member useless from now on."""
    is_in_use = (_c.member_id == member_id, _c.kind == CredentialKind.SIGN_IN, _c.revoked_at.is_(None))
    connection.execute(update(credentials).where(*is_in_use).values(revoked_at=at))


def api_key(connection: Connection, key_id: str, *, lock: bool = False) -> ApiKey | None:
    """The API key with this id; with `lock` nobody else can revoke it until this transaction ends."""
    row = connection.execute(_GET_LOCKED if lock else _GET, {"of_id": key_id}).one_or_none()
    return None if row is None else value_of(ApiKey, row)


def api_keys(connection: Connection, after: ApiKey | None, limit: int) -> list[ApiKey]:
    """Up to `limit` API keys, newest first; those that follow the key `after`, when one is given."""
    query = _API_KEY.order_by(_c.created_at.desc(), _c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(_c.created_at, _c.id) < (after.created_at, after.id))
    return [value_of(ApiKey, row) for row in connection.execute(query)]
