"""Status lists as they were published: numbered, never changed, never removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from authority.storage.db.rows import value_of
from authority.storage.db.tables import status_lists

# The number stands for nothing; it is the advisory lock of publishing.
_LOCK = select(func.pg_advisory_xact_lock(1))
_NEWEST = select(status_lists).order_by(status_lists.c.seq.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class PublishedList:
    """A status list as it was published."""

    seq: int
    packed: str
    compact: str
    issued_at: datetime
    authorization_seq: int


def lock(connection: Connection) -> None:
    """Makes others who publish a list wait until this transaction ends.

    It is a lock of its own and the last that a borrow takes, so that nobody waits for a borrow that waits for them.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK)


def newest(connection: Connection) -> PublishedList | None:
    """The status list published last."""
    row = connection.execute(_NEWEST).one_or_none()
    return None if row is None else value_of(PublishedList, row)


def furthest_ahead(connection: Connection, now: datetime) -> tuple[int, datetime] | None:
    """Number and time of the list whose time lies furthest after `now`; None when no list is of the future."""
    query = select(status_lists.c.seq, status_lists.c.issued_at).where(status_lists.c.issued_at > now)
    row = connection.execute(query.order_by(status_lists.c.issued_at.desc()).limit(1)).one_or_none()
    return None if row is None else (row.seq, row.issued_at)


def text(connection: Connection, seq: int) -> str:
    """The signed text of one published status list."""
    return str(connection.execute(select(status_lists.c.compact).where(status_lists.c.seq == seq)).scalar_one())


def text_or_none(connection: Connection, seq: int) -> str | None:
    """The signed text of the list with this number, None where none was published."""
    text: str | None = connection.execute(select(status_lists.c.compact).where(status_lists.c.seq == seq)).scalar_one_or_none()
    return text


def last_seq(connection: Connection) -> int:
    """The number of the newest list, 0 before the first."""
    number: int = connection.execute(select(func.coalesce(func.max(status_lists.c.seq), 0))).scalar_one()
    return number


def append(connection: Connection, published: PublishedList) -> None:
    """Keeps a status list that is about to be published."""
    connection.execute(insert(status_lists), {name: getattr(published, name) for name in published.__slots__})
