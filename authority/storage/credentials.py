"""API keys and sign-ins. A digest stands for each secret, and is never shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, func, insert, or_, select, tuple_, update

from authority.domain.api_keys import ApiKey
from authority.domain.members import CredentialKind, Scope
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
    last_used_at: datetime | None = None
    address: str | None = None
    agent: str | None = None
    # The scopes of an API key with spaces between, None for everything.
    scopes: str | None = None

    def is_good(self, at: datetime) -> bool:
        """Whether it has neither been revoked nor ended at a time."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > at)


@dataclass(frozen=True, slots=True)
class Access:
    """Who may get in: the API keys that work, by id as `NAME of MEMBER`, and what of each member decides (user name to values)."""

    api_keys: dict[str, str]
    members: dict[str, tuple[str, bool, str | None]]

    def differences(self, other: Access, *, without_keys: bool) -> Iterator[str]:
        """What works here, and not in the other, one sentence for each."""
        for key_id, name in self.api_keys.items():
            if key_id not in other.api_keys and not without_keys:
                yield f"the API key {name} works again"
        for username, (role, disabled, password_hash) in self.members.items():
            if username not in other.members:
                yield f"the member {username} is there again"
                continue
            role_there, disabled_there, hash_there = other.members[username]
            if role != role_there:
                yield f"{username} has the role {role} again, and had {role_there}"
            if disabled_there and not disabled:
                yield f"{username} is enabled again"
            if password_hash != hash_there:
                yield f"the password of {username} is the one of before"


_c = credentials.c
_BY_DIGEST = select(credentials).where(_c.digest == bindparam("of_digest"))
_API_KEY: Select[Any] = (
    select(
        *(_c.id, _c.name, members.c.username.label("member"), _c.created_at, _c.revoked_at),
        *(_c.scopes, _c.expires_at, _c.last_used_at),
    )
    .join(members)
    .where(_c.kind == CredentialKind.API_KEY)
)
_REVOKE = update(credentials).where(_c.id == bindparam("of_id")).values(revoked_at=bindparam("at"))
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
    revoke_all(connection, [credential_id], at)


def revoke_all(connection: Connection, credential_ids: Sequence[str], at: datetime) -> None:
    """Makes API keys or sign-ins useless from now on."""
    if credential_ids:
        connection.execute(_REVOKE, [{"of_id": credential_id, "at": at} for credential_id in credential_ids])


def touch(connection: Connection, credential_id: str, at: datetime, before: datetime) -> None:
    """Keeps when a credential was used, unless that was kept since `before`."""
    is_due = or_(_c.last_used_at.is_(None), _c.last_used_at < before)
    connection.execute(update(credentials).where(_c.id == credential_id, is_due).values(last_used_at=at))


def has_signed_in(connection: Connection, member_id: int, address: str, since: datetime) -> bool:
    """Whether a member signed in from the address since then, with a sign-in that is good or with one that ended."""
    query = select(_c.id).where(
        _c.member_id == member_id, _c.kind == CredentialKind.SIGN_IN, _c.address == address, _c.created_at > since
    )
    return connection.execute(query.limit(1)).first() is not None


def remove_old_sign_ins(connection: Connection, member_id: int, before: datetime) -> None:
    """Removes the sign-ins of a member that ended before then: nobody asks for them any more."""
    ended_at = func.coalesce(_c.revoked_at, _c.expires_at)
    is_old = (_c.member_id == member_id, _c.kind == CredentialKind.SIGN_IN, ended_at < before)
    connection.execute(delete(credentials).where(*is_old))


def sign_ins(
    connection: Connection, member_id: int, at: datetime, *, after: Credential | None = None, limit: int | None = None
) -> list[Credential]:
    """The sign-ins of a member that are good at a time, newest first; those that follow `after`, when one is given."""
    query = select(credentials).where(
        _c.member_id == member_id,
        _c.kind == CredentialKind.SIGN_IN,
        *_is_good(at),
    )
    if after is not None:
        query = query.where(tuple_(_c.created_at, _c.id) < (after.created_at, after.id))
    return [
        value_of(Credential, row) for row in connection.execute(query.order_by(_c.created_at.desc(), _c.id.desc()).limit(limit))
    ]


def sign_in(connection: Connection, sign_in_id: str) -> Credential | None:
    """The sign-in with this id, also one that ended."""
    query = select(credentials).where(_c.id == sign_in_id, _c.kind == CredentialKind.SIGN_IN)
    row = connection.execute(query).one_or_none()
    return None if row is None else value_of(Credential, row)


def _api_key(row: Row[Any]) -> ApiKey:
    scopes = (Scope.ALL,) if row.scopes is None else tuple(map(Scope, row.scopes.split()))
    return ApiKey(row.id, row.name, row.member, row.created_at, row.revoked_at, scopes, row.expires_at, row.last_used_at)


def api_key(connection: Connection, key_id: str, *, lock: bool = False) -> ApiKey | None:
    """The API key with this id; with `lock` nobody else can revoke it until this transaction ends."""
    row = connection.execute(_GET_LOCKED if lock else _GET, {"of_id": key_id}).one_or_none()
    return None if row is None else _api_key(row)


def good_api_keys(connection: Connection, member_id: int, at: datetime) -> list[ApiKey]:
    """The API keys of a member that are good at a time, newest first."""
    query = _API_KEY.where(_c.member_id == member_id, *_is_good(at)).order_by(_c.created_at.desc(), _c.id.desc())
    return [_api_key(row) for row in connection.execute(query)]


def access(connection: Connection, at: datetime) -> Access:
    """Who may get in at a time."""
    keys = connection.execute(_API_KEY.where(*_is_good(at)).order_by(members.c.username, _c.name))
    columns = (members.c.username, members.c.role, members.c.disabled, members.c.password_hash)
    there = connection.execute(select(*columns).where(members.c.removed_at.is_(None)).order_by(members.c.username))
    return Access(
        {row.id: f'"{row.name}" of {row.member}' for row in keys},
        {row.username: (row.role, row.disabled, row.password_hash) for row in there},
    )


def remove_sign_ins(connection: Connection) -> int:
    """Ends every sign-in there is, so that nobody is known by one any more. Returns how many."""
    return connection.execute(delete(credentials).where(_c.kind == CredentialKind.SIGN_IN)).rowcount


def revoke_api_keys(connection: Connection, at: datetime) -> None:
    """Makes every API key useless from now on."""
    is_open = (_c.kind == CredentialKind.API_KEY, _c.revoked_at.is_(None))
    connection.execute(update(credentials).where(*is_open).values(revoked_at=at))


def ending_api_keys(connection: Connection, now: datetime, until: datetime) -> list[ApiKey]:
    """The API keys that are good now and end until then, the first to end first."""
    query = _API_KEY.where(*_is_good(now), _c.expires_at <= until).order_by(_c.expires_at, _c.id)
    return [_api_key(row) for row in connection.execute(query)]


def _is_good(at: datetime) -> tuple[ColumnElement[bool], ...]:
    return (_c.revoked_at.is_(None), or_(_c.expires_at.is_(None), _c.expires_at > at))


def api_keys(connection: Connection, after: ApiKey | None, limit: int) -> list[ApiKey]:
    """Up to `limit` API keys, newest first; those that follow the key `after`, when one is given."""
    query = _API_KEY.order_by(_c.created_at.desc(), _c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(tuple_(_c.created_at, _c.id) < (after.created_at, after.id))
    return [_api_key(row) for row in connection.execute(query)]
