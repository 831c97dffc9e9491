"""Requests that were sent with a key of the client's own: which was done, and its answer as sealed bytes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from authority.storage.db.rows import value_of
from authority.storage.db.tables import attempts

_a = attempts.c


@dataclass(frozen=True, slots=True)
class Attempt:
    """Key and request by their digests; whose it is (0: nobody's number); `answer` is None until it is kept, and where it never was."""

    key: str
    member_id: int
    request: str
    begun_at: datetime
    answer: bytes | None = None


def add(connection: Connection, new: Attempt) -> bool:
    """Keeps an attempt. False when there is one with its key: then nothing was written.

    On PostgreSQL who comes second waits here until the first one's transaction ends, on SQLite where a transaction begins.
    """
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    query = insert(attempts).values({name: getattr(new, name) for name in new.__slots__})
    written = query.on_conflict_do_nothing(index_elements=["key"]).returning(_a.key)
    return connection.execute(written).first() is not None


def get(connection: Connection, key: str) -> Attempt | None:
    """The attempt with this key."""
    row = connection.execute(select(attempts).where(_a.key == key)).one_or_none()
    return None if row is None else value_of(Attempt, row)


def keep_answer(connection: Connection, key: str, answer: bytes) -> None:
    """Keeps the answer of an attempt."""
    connection.execute(update(attempts).where(_a.key == key).values(answer=answer))


def forget(connection: Connection, until: datetime) -> None:
    """Removes the attempts that were begun by then."""
    connection.execute(delete(attempts).where(_a.begun_at <= until))


def count(connection: Connection, member_id: int) -> int:
    """How many attempts of a member are kept."""
    return connection.execute(select(func.count()).select_from(attempts).where(_a.member_id == member_id)).scalar_one()
