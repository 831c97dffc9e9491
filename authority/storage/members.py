"""Members, their groups, assignments and credentials."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, bindparam, delete, insert, select, update

from authority.domain.members import USERNAME, Assignment, Member, Role
from authority.storage.rows import value_of
from authority.storage.tables import (
    assigned_extensions,
    assignments,
    credentials,
    member_counts,
    member_groups,
    members,
    organization,
)


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
# FOR NO KEY UPDATE: a borrow that is being written at the same time only needs the member to be there.
_BY_USERNAME_LOCKED = _BY_USERNAME.with_for_update(key_share=True)
_BY_USERNAME_KEPT = _BY_USERNAME.with_for_update(read=True)
_BY_ID = select(members).where(members.c.id == bindparam("id"), members.c.removed_at.is_(None))
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
_TYPE_COUNTS = select(member_counts)
_COUNT_TYPE = (
    update(member_counts)
    .where(member_counts.c.user_type == bindparam("of_type"))
    .values(members=member_counts.c.members + bindparam("change"))
)
_LOCK = select(organization.c.id).with_for_update()
_INSERT = insert(members).returning(members.c.id)
# What may change in a member: all of it but number, password and times.
_CHANGING = ("username", "username_key", "full_name", "user_type", "role", "disabled", "vendor_access", "download_permission")
_UPDATE = update(members).where(members.c.id == bindparam("of_id")).values({name: bindparam(name) for name in _CHANGING})
_INSERT_GROUPS = insert(member_groups)
_DELETE_GROUPS = delete(member_groups).where(member_groups.c.member_id == bindparam("of_member"))
_CREDENTIAL = select(credentials).where(credentials.c.digest == bindparam("digest"))
_BEARER = (
    select(
        credentials.c.expires_at, credentials.c.revoked_at, members.c.id, members.c.username, members.c.role, members.c.disabled
    )
    .join(members)
    .where(credentials.c.digest == bindparam("digest"), members.c.removed_at.is_(None))
)


def by_username(connection: Connection, username: str, *, lock: bool = False) -> Member | None:
    """The member with this user name, whatever its case; with `lock` nobody else changes it until this transaction ends."""
    return _one(connection, _BY_USERNAME_LOCKED if lock else _BY_USERNAME, {"key": key_of(username)})


def kept(connection: Connection, username: str) -> Member | None:
    """The same, and nobody removes or changes the member until this transaction ends; others may keep it too."""
    return _one(connection, _BY_USERNAME_KEPT, {"key": key_of(username)})


def by_id(connection: Connection, member_id: int) -> Member | None:
    """The member with this number; None when it was removed."""
    return _one(connection, _BY_ID, {"id": member_id})


def _one(connection: Connection, query: Select[Any], values: dict[str, Any]) -> Member | None:
    row = connection.execute(query, values).one_or_none()
    if row is None:
        return None
    return _member(row, tuple(connection.execute(_GROUPS, {"id": row.id}).scalars()))


def _member(row: Row[tuple[object, ...]], groups: tuple[str, ...]) -> Member:
    return Member(
        id=row.id,
        username=row.username,
        full_name=row.full_name,
        user_type=row.user_type,
        role=Role(row.role),
        disabled=row.disabled,
        groups=groups,
        created_at=row.created_at,
        vendor_access=row.vendor_access,
        download_permission=row.download_permission,
        last_used_at=row.last_used_at,
    )


def listed(
    connection: Connection,
    *,
    user_type: str | None = None,
    group: str | None = None,
    role: str | None = None,
    after: str | None = None,
    limit: int | None = None,
) -> list[Member]:
    """Members by user name: all, or those of a user type, group or role; up to `limit` of them that follow the name `after`."""
    found = select(members.c.id).where(members.c.removed_at.is_(None)).order_by(members.c.username_key).limit(limit)
    if user_type is not None:
        found = found.where(members.c.user_type == user_type)
    if role is not None:
        found = found.where(members.c.role == role)
    if group is not None:
        found = found.where(members.c.id.in_(select(member_groups.c.member_id).where(member_groups.c.name == group)))
    if after is not None:
        found = found.where(members.c.username_key > key_of(after))
    groups: dict[int, list[str]] = {}
    for row in connection.execute(
        select(member_groups).where(member_groups.c.member_id.in_(found)).order_by(member_groups.c.name)
    ):
        groups.setdefault(row.member_id, []).append(row.name)
    query = select(members).where(members.c.id.in_(found)).order_by(members.c.username_key)
    return [_member(row, tuple(groups.get(row.id, ()))) for row in connection.execute(query)]


def type_counts(connection: Connection) -> dict[str, int]:
    """How many members of each user type there are; types without any are left out."""
    return {row.user_type: row.members for row in connection.execute(_TYPE_COUNTS) if row.members}


def lock_counts(connection: Connection) -> dict[str, int]:
    """The same, and nobody else adds or removes members until this transaction ends."""
    connection.execute(_LOCK).all()
    return type_counts(connection)


def count_type(connection: Connection, user_type: str, change: int) -> None:
    """Adds to, or takes from, the count of a user type; the caller holds the lock."""
    values = {"of_type": user_type, "change": change}
    if connection.execute(_COUNT_TYPE, values).rowcount == 0:
        connection.execute(insert(member_counts), {"user_type": user_type, "members": change})


def insert_member(connection: Connection, member: Member, password_hash: str | None) -> int:
    """Adds a member (its `id` is ignored), counts it, and returns its number."""
    values = _values(member) | {"password_hash": password_hash, "created_at": member.created_at}
    member_id: int = connection.execute(_INSERT, values).scalar_one()
    put_groups(connection, member_id, member.groups)
    count_type(connection, member.user_type, 1)
    return member_id


def update_member(connection: Connection, before: Member, after: Member) -> None:
    """Keeps what changed in a member, and the counts in step."""
    connection.execute(_UPDATE, _values(after) | {"of_id": after.id})
    if before.groups != after.groups:
        connection.execute(_DELETE_GROUPS, {"of_member": after.id})
        put_groups(connection, after.id, after.groups)
    if before.user_type != after.user_type:
        count_type(connection, before.user_type, -1)
        count_type(connection, after.user_type, 1)


def put_groups(connection: Connection, member_id: int, groups: tuple[str, ...]) -> None:
    """Puts a member into groups."""
    if groups:
        connection.execute(_INSERT_GROUPS, [{"member_id": member_id, "name": name} for name in groups])


def remove_member(connection: Connection, member: Member, at: datetime) -> None:
    """Removes a member: the name is free again, no credential works any more; past borrows keep who it was."""
    gone = {"username_key": f"#{member.id}", "removed_at": at, "password_hash": None}
    connection.execute(update(members).where(members.c.id == member.id).values(gone))
    for table in (member_groups, credentials):
        connection.execute(delete(table).where(table.c.member_id == member.id))
    count_type(connection, member.user_type, -1)


def set_password(connection: Connection, member_id: int, password_hash: str) -> None:
    """Replaces the password hash of a member."""
    connection.execute(update(members).where(members.c.id == member_id).values(password_hash=password_hash))


def _values(member: Member) -> dict[str, Any]:
    return {
        "username": member.username,
        "username_key": key_of(member.username),
        "full_name": member.full_name,
        "user_type": member.user_type,
        "role": str(member.role),
        "disabled": member.disabled,
        "vendor_access": member.vendor_access,
        "download_permission": member.download_permission,
    }


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


def revoke_credential(connection: Connection, credential_id: str, at: datetime) -> None:
    """Makes an API key or sign-in useless from now on."""
    connection.execute(update(credentials).where(credentials.c.id == credential_id).values(revoked_at=at))
