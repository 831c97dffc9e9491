"""Members, their groups, assignments and credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, func, insert, select, update

from authority.domain.members import USERNAME, Assignment, Member, Role
from authority.storage.rows import value_of
from authority.storage.tables import assigned_extensions, assignments, credentials, member_groups, members


@dataclass(frozen=True, slots=True)
class Credential:
    """An API key (`kind` "api-key") or a sign-in ("sign-in"): a digest stands for the secret."""

    id: str
    kind: str
    digest: str
    name: str
    member_id: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def key_of(username: str) -> str:
    """What makes two user names the same: ASCII letters count without case. A text that is no user name is nobody's."""
    return username.lower() if USERNAME.match(username) else ""


_BY_USERNAME = select(members).where(members.c.username_key == bindparam("key"))
_BY_ID = select(members).where(members.c.id == bindparam("id"))
_GROUPS = select(member_groups.c.name).where(member_groups.c.member_id == bindparam("id")).order_by(member_groups.c.name)
_ASSIGNMENT = select(assignments).where(
    assignments.c.member_id == bindparam("member_id"), assignments.c.product == bindparam("product")
)
_ASSIGNMENT_LOCKED = _ASSIGNMENT.with_for_update()
_EXTENSIONS = (
    select(assigned_extensions.c.extension)
    .where(assigned_extensions.c.member_id == bindparam("member_id"), assigned_extensions.c.product == bindparam("product"))
    .order_by(assigned_extensions.c.extension)
)
_CREDENTIAL = select(credentials).where(credentials.c.digest == bindparam("digest"))
_BEARER = (
    select(
        credentials.c.expires_at, credentials.c.revoked_at, members.c.id, members.c.username, members.c.role, members.c.disabled
    )
    .join(members)
    .where(credentials.c.digest == bindparam("digest"))
)


def by_username(connection: Connection, username: str) -> Member | None:
    """The member with this user name, whatever its case."""
    return _one(connection, _BY_USERNAME, {"key": key_of(username)})


def by_id(connection: Connection, member_id: int) -> Member | None:
    """The member with this number."""
    return _one(connection, _BY_ID, {"id": member_id})


def _one(connection: Connection, query: Select[Any], values: dict[str, Any]) -> Member | None:
    row = connection.execute(query, values).one_or_none()
    if row is None:
        return None
    return _member(row, tuple(connection.execute(_GROUPS, {"id": row.id}).scalars()))


def _member(row: Row[tuple[object, ...]], groups: tuple[str, ...]) -> Member:
    return Member(row.id, row.username, row.full_name, row.user_type, Role(row.role), row.disabled, groups, row.created_at)


def listed(connection: Connection) -> list[Member]:
    """All members by user name."""
    groups: dict[int, list[str]] = {}
    for member_id, name in connection.execute(select(member_groups).order_by(member_groups.c.name)):
        groups.setdefault(member_id, []).append(name)
    rows = connection.execute(select(members).order_by(members.c.username_key))
    return [_member(row, tuple(groups.get(row.id, ()))) for row in rows]


def counts(connection: Connection, user_type: str) -> tuple[int, int]:
    """How many members there are, and how many of the type."""
    total = connection.execute(select(func.count()).select_from(members)).scalar_one()
    of_type = connection.execute(select(func.count()).where(members.c.user_type == user_type)).scalar_one()
    return total, of_type


def insert_member(connection: Connection, member: Member, password_hash: str | None) -> int:
    """Adds a member (its `id` is ignored) and returns its number."""
    values = {
        "username": member.username,
        "username_key": key_of(member.username),
        "full_name": member.full_name,
        "user_type": member.user_type,
        "role": str(member.role),
        "password_hash": password_hash,
        "disabled": member.disabled,
        "created_at": member.created_at,
    }
    member_id: int = connection.execute(insert(members).values(values).returning(members.c.id)).scalar_one()
    if member.groups:
        connection.execute(insert(member_groups), [{"member_id": member_id, "name": name} for name in member.groups])
    return member_id


def password_hash(connection: Connection, username: str) -> tuple[int | None, str | None]:
    """Number and password hash of a member, both None when there is no such member."""
    row = connection.execute(
        select(members.c.id, members.c.password_hash).where(members.c.username_key == key_of(username))
    ).one_or_none()
    return (None, None) if row is None else (row.id, row.password_hash)


def assignment(connection: Connection, member_id: int, product: str, *, lock: bool = False) -> Assignment | None:
    """What the member holds of a named product; with `lock` nobody else can borrow it until this transaction ends."""
    values = {"member_id": member_id, "product": product}
    row = connection.execute(_ASSIGNMENT_LOCKED if lock else _ASSIGNMENT, values).one_or_none()
    if row is None:
        return None
    codes = connection.execute(_EXTENSIONS, values)
    return Assignment(row.product, row.level, tuple(codes.scalars()), row.included)


def put_assignment(connection: Connection, member_id: int, held: Assignment, at: datetime) -> None:
    """Replaces what the member holds of the product. The row itself stays, for who waits for it to be unlocked."""
    key = {"member_id": member_id, "product": held.product}
    values = {"level": held.level, "included": held.included, "assigned_at": at}
    of_key = (assignments.c.member_id == member_id, assignments.c.product == held.product)
    if connection.execute(update(assignments).where(*of_key).values(values)).rowcount == 0:
        connection.execute(insert(assignments).values(key | values))
    table = assigned_extensions
    connection.execute(delete(table).where(table.c.member_id == member_id, table.c.product == held.product))
    if held.extensions:
        connection.execute(insert(table), [key | {"extension": code} for code in held.extensions])


def assigned_counts(connection: Connection, product: str, without_member: int | None = None) -> dict[str, int]:
    """How many members hold each level and extension of a named product, one member left out if asked."""
    counted: dict[str, int] = {}
    for table, feature in ((assignments, assignments.c.level), (assigned_extensions, assigned_extensions.c.extension)):
        query = select(feature, func.count()).where(table.c.product == product).group_by(feature)
        if without_member is not None:
            query = query.where(table.c.member_id != without_member)
        counted |= {row[0]: row[1] for row in connection.execute(query)}
    return counted


def insert_credential(connection: Connection, credential: Credential) -> None:
    """Keeps the digest of a new API key or sign-in."""
    values = {name: getattr(credential, name) for name in credential.__slots__}
    connection.execute(insert(credentials).values(values))


def bearer(connection: Connection, digest: str) -> Any:
    """What a bearer token's digest leads to: `expires_at`, `revoked_at`, and the member's `id`, `username`, `role`, `disabled`."""
    return connection.execute(_BEARER, {"digest": digest}).one_or_none()


def credential_by_digest(connection: Connection, digest: str) -> Credential | None:
    """The API key or sign-in whose secret has this digest."""
    row = connection.execute(_CREDENTIAL, {"digest": digest}).one_or_none()
    return None if row is None else value_of(Credential, row)


def credentials_of_kind(connection: Connection, kind: str) -> list[Credential]:
    """All API keys, or all sign-ins, oldest first."""
    rows = connection.execute(select(credentials).where(credentials.c.kind == kind).order_by(credentials.c.created_at))
    return [value_of(Credential, row) for row in rows]


def revoke_credential(connection: Connection, credential_id: str, at: datetime) -> None:
    """Makes an API key or sign-in useless from now on."""
    connection.execute(update(credentials).where(credentials.c.id == credential_id).values(revoked_at=at))
