"""Members and their groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from authority.domain.members import DownloadPermission, Member, Role, search_text, user_key
from authority.storage.db.prepared import Prepared
from authority.storage.db.tables import credentials, identities, member_counts, member_groups, members

# SQLite takes 32,766 values in a statement, PostgreSQL 65,535.
MOST_IN_A_STATEMENT = 10_000
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class MemberChange:
    """A member before and after: None before is a new one, whose `id` is not in the table; None after is one to be removed."""

    before: Member | None
    after: Member | None
    password_hash: str | None = None

    @property
    def key(self) -> int:
        """The member's number."""
        member = self.after or self.before
        assert member is not None  # noqa: S101 - a change is of somebody
        return member.id

    def reversed(self) -> MemberChange:
        """The change that takes this one back."""
        return MemberChange(self.after, self.before)


_BY_USERNAME = select(members).where(members.c.username_key == bindparam("key"))
# FOR NO KEY UPDATE: a borrow that is being written at the same time only needs the member to be there.
_BY_USERNAME_LOCKED = _BY_USERNAME.with_for_update(key_share=True)
# In one order, so that no two wait for each other.
_BY_USERNAMES = (
    select(members).where(members.c.username_key.in_(bindparam("keys", expanding=True))).order_by(members.c.username_key)
)
_BY_USERNAMES_LOCKED = _BY_USERNAMES.with_for_update(key_share=True)
_GROUPS_OF_MANY = (
    select(member_groups).where(member_groups.c.member_id.in_(bindparam("ids", expanding=True))).order_by(member_groups.c.name)
)
_BY_ID = select(members).where(members.c.id == bindparam("id"), members.c.removed_at.is_(None))
_BY_ID_LOCKED = _BY_ID.with_for_update(key_share=True)
_GROUPS = select(member_groups.c.name).where(member_groups.c.member_id == bindparam("id")).order_by(member_groups.c.name)
_TYPE_COUNTS = select(member_counts)
_INSERT = insert(members).returning(members.c.id, members.c.username_key)
# What may change in a member: all of it but number, password and times.
_CHANGING = (
    "username",
    "username_key",
    "full_name",
    "search",
    "user_type",
    "role",
    "disabled",
    "vendor_access",
    "download_permission",
    "email",
)
_UPDATE = update(members).where(members.c.id == bindparam("of_id")).values({name: bindparam(name) for name in _CHANGING})
_INSERT_GROUPS = insert(member_groups)
_DELETE_GROUPS = delete(member_groups).where(member_groups.c.member_id == bindparam("of_member"))
# Rows that refer to the member are still written by others meanwhile; only who asks for this lock too waits.
_LOCK = select(members.c.id).where(members.c.id == bindparam("of_id")).with_for_update(key_share=True)
_TOUCH = Prepared(update(members).where(members.c.id == bindparam("of_id")).values(last_used_at=bindparam("at")))


def by_username(connection: Connection, username: str, *, lock: bool = False) -> Member | None:
    """The member with this user name, whatever its case; with `lock` nobody else changes it until this transaction ends."""
    return _one(connection, _BY_USERNAME_LOCKED if lock else _BY_USERNAME, {"key": user_key(username)})


def by_usernames(connection: Connection, usernames: Iterable[str], *, lock: bool = False) -> dict[str, Member]:
    """Those of these members who are there, by the key of their user name; with `lock` as with one."""
    by_key: dict[str, Member] = {}
    for keys in in_pages([user_key(username) for username in usernames]):
        rows = connection.execute(_BY_USERNAMES_LOCKED if lock else _BY_USERNAMES, {"keys": keys}).all()
        groups = groups_of(connection, [row.id for row in rows])
        by_key |= {row.username_key: member_of(row, tuple(groups.get(row.id, ()))) for row in rows}
    return by_key


def in_pages(values: Sequence[Value]) -> Iterator[Sequence[Value]]:
    """The values in parts that a statement can take."""
    for start in range(0, len(values), MOST_IN_A_STATEMENT):
        yield values[start : start + MOST_IN_A_STATEMENT]


def groups_of(connection: Connection, member_ids: Sequence[int]) -> dict[int, list[str]]:
    """The groups of these members by number, each by name; who is in none is left out. At most `MOST_IN_A_STATEMENT` of them."""
    groups: dict[int, list[str]] = {}
    for row in connection.execute(_GROUPS_OF_MANY, {"ids": member_ids}):
        groups.setdefault(row.member_id, []).append(row.name)
    return groups


def ids_of_name(connection: Connection, username: str) -> list[int]:
    """The number of the member with this user name, whatever its case; when nobody has it, those of members who had it."""
    key = user_key(username)
    ids = list(connection.execute(select(members.c.id).where(members.c.username_key == key)).scalars())
    if ids:
        return ids
    former = connection.execute(select(members.c.id, members.c.username).where(members.c.removed_at.is_not(None)))
    return [row.id for row in former if user_key(row.username) == key]


def by_id(connection: Connection, member_id: int, *, lock: bool = False) -> Member | None:
    """The member with this number, None when it was removed; with `lock` nobody else changes it until this transaction ends."""
    return _one(connection, _BY_ID_LOCKED if lock else _BY_ID, {"id": member_id})


def _one(connection: Connection, query: Select[Any], values: dict[str, Any]) -> Member | None:
    row = connection.execute(query, values).one_or_none()
    if row is None:
        return None
    return member_of(row, tuple(connection.execute(_GROUPS, {"id": row.id}).scalars()))


def member_of(row: Any, groups: tuple[str, ...]) -> Member:
    """The member of a row with the columns of the table."""
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
        download_permission=DownloadPermission(row.download_permission),
        last_used_at=row.last_used_at,
        email=row.email,
    )


def type_counts(connection: Connection) -> dict[str, int]:
    """How many members of each user type there are; types without any are left out."""
    return {row.user_type: row.members for row in connection.execute(_TYPE_COUNTS) if row.members}


def add(connection: Connection, new: Sequence[MemberChange]) -> list[int]:
    """The numbers of new members, in order. The caller counts them."""
    rows = [
        _values(change.after) | {"password_hash": change.password_hash, "created_at": change.after.created_at}
        for change in new
        if change.after
    ]
    if not rows:
        return []
    by_key = {row.username_key: row.id for row in connection.execute(_INSERT, rows)}
    numbers = [by_key[row["username_key"]] for row in rows]
    _put_groups(connection, {number: change.after.groups for number, change in zip(numbers, new, strict=True) if change.after})
    return numbers


def change(connection: Connection, changes: Sequence[MemberChange]) -> None:
    """Keeps what changed in members who are there. The caller counts changes of type."""
    pairs = [(item.before, item.after) for item in changes if item.before is not None and item.after is not None]
    if pairs:
        connection.execute(_UPDATE, [_values(after) | {"of_id": after.id} for _, after in pairs])
    regrouped = {after.id: after.groups for before, after in pairs if before.groups != after.groups}
    if regrouped:
        connection.execute(_DELETE_GROUPS, [{"of_member": number} for number in regrouped])
        _put_groups(connection, regrouped)


def _put_groups(connection: Connection, groups: Mapping[int, Iterable[str]]) -> None:
    rows = [{"member_id": number, "name": name} for number, names in groups.items() for name in names]
    if rows:
        connection.execute(_INSERT_GROUPS, rows)


def remove(connection: Connection, member_id: int, at: datetime) -> None:
    """Removes a member: the name is free again, no credential works any more; past borrows keep who it was.

    The caller counts it.
    """
    gone = {"username_key": f"#{member_id}", "removed_at": at, "password_hash": None, "email": ""}
    connection.execute(update(members).where(members.c.id == member_id).values(gone))
    for table in (member_groups, credentials, identities):
        connection.execute(delete(table).where(table.c.member_id == member_id))


def with_address(connection: Connection, member_ids: Sequence[int]) -> set[int]:
    """The numbers of those of the members who are there, and have an e-mail address."""
    known: set[int] = set()
    for ids in in_pages(member_ids):
        has_one = (members.c.id.in_(ids), members.c.removed_at.is_(None), members.c.email != "")
        known.update(connection.execute(select(members.c.id).where(*has_one)).scalars())
    return known


def lock(connection: Connection, member_id: int | None) -> None:
    """Makes others who start or renew a session of this member, or change it, wait until this transaction ends."""
    connection.execute(_LOCK, {"of_id": member_id}).all()


def touch(connection: Connection, member_id: int, at: datetime) -> None:
    """Keeps when the member last used a license, connected or offline. The member is locked in this transaction."""
    _TOUCH.run(connection, {"of_id": member_id, "at": at})


def set_password(connection: Connection, member_id: int, password_hash: str) -> None:
    """Replaces the password hash of a member."""
    connection.execute(update(members).where(members.c.id == member_id).values(password_hash=password_hash))


def _values(member: Member) -> dict[str, Any]:
    return {
        "username": member.username,
        "username_key": user_key(member.username),
        "full_name": member.full_name,
        "search": search_text(member.username, member.full_name),
        "user_type": member.user_type,
        "role": str(member.role),
        "disabled": member.disabled,
        "vendor_access": member.vendor_access,
        "download_permission": member.download_permission,
        "email": member.email,
    }


def hash_of(connection: Connection, member_id: int) -> str | None:
    """The password hash of a member, None for one without a password."""
    return connection.execute(select(members.c.password_hash).where(members.c.id == member_id)).scalar_one_or_none()


def password_hash(connection: Connection, username: str) -> tuple[int | None, str | None]:
    """Number and password hash of a member, both None when there is no such member."""
    row = connection.execute(
        select(members.c.id, members.c.password_hash).where(members.c.username_key == user_key(username))
    ).one_or_none()
    return (None, None) if row is None else (row.id, row.password_hash)


def count_without_email(connection: Connection) -> int:
    """How many members have no e-mail address."""
    query = select(func.count()).select_from(members).where(members.c.removed_at.is_(None), members.c.email == "")
    return connection.execute(query).scalar_one()
