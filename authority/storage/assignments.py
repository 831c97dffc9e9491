"""What members hold of named products. Who changes it keeps the counts in `pools` in step: see `counts`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Executable, and_, bindparam, delete, insert, or_, select, update

from authority.domain.members import Assignment, user_key
from authority.storage.db.tables import assigned_extensions, assignments, members
from authority.storage.members import in_pages

_ONE = select(assignments).where(
    assignments.c.member_id == bindparam("member_id"), assignments.c.product == bindparam("product")
)
_ONE_LOCKED = _ONE.with_for_update()
_EXTENSIONS = (
    select(assigned_extensions.c.extension)
    .where(assigned_extensions.c.member_id == bindparam("member_id"), assigned_extensions.c.product == bindparam("product"))
    .order_by(assigned_extensions.c.extension)
)
_OF_MANY = (
    select(assignments)
    .where(assignments.c.member_id.in_(bindparam("ids", expanding=True)))
    .order_by(assignments.c.member_id, assignments.c.product)
)
_EXTENSIONS_OF_MANY = (
    select(assigned_extensions)
    .where(assigned_extensions.c.member_id.in_(bindparam("ids", expanding=True)))
    .order_by(assigned_extensions.c.extension)
)
_INSERT, _INSERT_EXTENSIONS = insert(assignments), insert(assigned_extensions)
_OF_KEY = (assignments.c.member_id == bindparam("of_member"), assignments.c.product == bindparam("of_product"))
_UPDATE = (
    update(assignments)
    .where(*_OF_KEY)
    .values(level=bindparam("level"), included=bindparam("included"), assigned_at=bindparam("assigned_at"))
)
_DELETE = delete(assignments).where(*_OF_KEY)
_DELETE_EXTENSIONS = delete(assigned_extensions).where(
    assigned_extensions.c.member_id == bindparam("of_member"), assigned_extensions.c.product == bindparam("of_product")
)


@dataclass(frozen=True, slots=True)
class LicenseChange:
    """What a member is to hold of a product in place of what was held; None means nothing."""

    member_id: int
    product: str
    before: Assignment | None
    after: Assignment | None

    @property
    def key(self) -> tuple[int, str]:
        """Member and product."""
        return self.member_id, self.product

    def extensions(self) -> tuple[str, ...]:
        """The extensions to be held."""
        return () if self.after is None else self.after.extensions

    def reversed(self) -> LicenseChange:
        """The change that takes this one back."""
        return LicenseChange(self.member_id, self.product, self.after, self.before)


def get(connection: Connection, member_id: int, product: str, *, lock: bool = False) -> Assignment | None:
    """What the member holds of a named product; with `lock` nobody else can borrow it until this transaction ends."""
    values = {"member_id": member_id, "product": product}
    row = connection.execute(_ONE_LOCKED if lock else _ONE, values).one_or_none()
    if row is None:
        return None
    return Assignment(row.product, row.level, tuple(connection.execute(_EXTENSIONS, values).scalars()), row.included)


def of_member(connection: Connection, member_id: int) -> list[Assignment]:
    """Everything that a member holds, by product."""
    return of_members(connection, [member_id]).get(member_id, [])


def of_members(connection: Connection, ids: Sequence[int]) -> dict[int, list[Assignment]]:
    """Everything that each of these members holds, by product; who holds nothing is left out."""
    by_member: dict[int, list[Assignment]] = {}
    for some in in_pages(ids):
        rows = connection.execute(_OF_MANY, {"ids": some}).all()
        codes = _extensions(connection, some)
        for row in rows:
            extensions = tuple(codes.get((row.member_id, row.product), ()))
            by_member.setdefault(row.member_id, []).append(Assignment(row.product, row.level, extensions, row.included))
    return by_member


def _extensions(connection: Connection, ids: Sequence[int]) -> dict[tuple[int, str], list[str]]:
    codes: dict[tuple[int, str], list[str]] = {}
    for row in connection.execute(_EXTENSIONS_OF_MANY, {"ids": ids}):
        codes.setdefault((row.member_id, row.product), []).append(row.extension)
    return codes


def listed(
    connection: Connection,
    *,
    username: str | None = None,
    product: str | None = None,
    after: Sequence[str] | None = None,
    limit: int,
) -> list[tuple[str, Assignment]]:
    """User name and license, by user name and product: those that follow the pair `after`, up to `limit`; None means all."""
    query = (
        select(assignments, members.c.username)
        .join(members)
        .order_by(members.c.username_key, assignments.c.product)
        .limit(limit)
    )
    if username is not None:
        query = query.where(members.c.username_key == user_key(username))
    if product is not None:
        query = query.where(assignments.c.product == product)
    if after is not None:
        name, last = user_key(after[0]), after[1]
        query = query.where(
            or_(members.c.username_key > name, and_(members.c.username_key == name, assignments.c.product > last))
        )
    rows = connection.execute(query).all()
    codes = _extensions(connection, [row.member_id for row in rows])
    return [
        (row.username, Assignment(row.product, row.level, tuple(codes.get((row.member_id, row.product), ())), row.included))
        for row in rows
    ]


def put(connection: Connection, changes: Iterable[LicenseChange], at: datetime) -> None:
    """Puts what members are to hold in the place of what the caller, who locked the organization, read and counts."""
    rows = [change for change in changes if change.before is not None or change.after is not None]
    # A row that stays is changed, not made anew, for who waits for it to be unlocked.
    stale = [_of_key(change) for change in rows if change.before is not None and change.before.extensions]
    _run(connection, _DELETE_EXTENSIONS, stale)
    _run(connection, _DELETE, [_of_key(change) for change in rows if change.after is None])
    _run(connection, _UPDATE, [_of_key(row) | _values(row.after, at) for row in rows if row.before and row.after])
    _run(connection, _INSERT, [_key(row) | _values(row.after, at) for row in rows if row.before is None and row.after])
    _run(connection, _INSERT_EXTENSIONS, [_key(row) | {"extension": code} for row in rows for code in row.extensions()])


def _key(change: LicenseChange) -> dict[str, Any]:
    return {"member_id": change.member_id, "product": change.product}


def _of_key(change: LicenseChange) -> dict[str, Any]:
    return {"of_member": change.member_id, "of_product": change.product}


def _values(after: Assignment, at: datetime) -> dict[str, Any]:
    return {"level": after.level, "included": after.included, "assigned_at": at}


def _run(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)
