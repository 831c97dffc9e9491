"""API keys as administrators see them: never the secret, nor what stands for it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, tuple_

from authority.domain.api_keys import ApiKey
from authority.domain.members import CredentialKind
from authority.storage.db.rows import value_of
from authority.storage.db.tables import credentials, members

_c = credentials.c
_API_KEY: Select[Any] = (
    select(_c.id, _c.name, members.c.username.label("member"), _c.created_at, _c.revoked_at)
    .join(members)
    .where(_c.kind == CredentialKind.API_KEY)
)
_GET = _API_KEY.where(_c.id == bindparam("of_id"))
_GET_LOCKED = _GET.with_for_update(of=credentials)


def get(connection: Connection, key_id: str, *, lock: bool = False) -> ApiKey | None:
    """The API key with this id; with `lock` nobody else can revoke it until this transaction ends."""
    row = connection.execute(_GET_LOCKED if lock else _GET, {"of_id": key_id}).one_or_none()
    return None if row is None else value_of(ApiKey, row)


def listed(connection: Connection, after: ApiKey | None, limit: int) -> list[ApiKey]:
    """Up to `limit` keys, newest first; those that follow the key `after`, when one is given."""
    query = _API_KEY.order_by(_c.created_at.desc(), _c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(_c.created_at, _c.id) < (after.created_at, after.id))
    return [value_of(ApiKey, row) for row in connection.execute(query)]
