"""The log: rows are added in the transaction of what they tell, and never changed.

A row has its number when it is inserted, and is seen when its transaction commits. On PostgreSQL transactions run at the same
time, so that a lower number can be seen after a higher one, and a reader who went on after the higher would miss it. So every
writer takes an advisory lock, shared with other writers, before it inserts, as the last lock of its transaction; a reader takes
it alone for a moment, when every number that was given out is committed or rolled back, and reads no further than the highest.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select

from authority.domain.events import Event
from authority.storage.db.prepared import Prepared, pipeline
from authority.storage.db.rows import members_of
from authority.storage.db.tables import events

_INSERT = Prepared(
    insert(events).values({column.name: bindparam(column.name) for column in events.columns if column.name != "id"})
)
# The number stands for nothing; 1 is the lock of publishing status lists.
_LOCK_SHARED = Prepared(select(func.pg_advisory_xact_lock_shared(2)))
_LOCK_ALONE = select(func.pg_advisory_xact_lock(2))
_LAST_AT = select(events.c.at).order_by(events.c.id.desc()).limit(1)
_LAST = select(func.coalesce(func.max(events.c.id), 0))


def append(connection: Connection, rows: Iterable[tuple[datetime, Event]]) -> None:
    """Adds rows to the log, each with its time. Nothing that could wait for others may follow in the transaction."""
    values = [{"at": at, **{name: getattr(row, name) for name in row.__slots__}} for at, row in rows]
    if connection.dialect.name == "postgresql":
        with pipeline(connection):
            _LOCK_SHARED.run(connection, {})
            _INSERT.run_many(connection, values)
    else:
        _INSERT.run_many(connection, values)


def last(connection: Connection) -> int:
    """The number of the last row that is seen, 0 for an empty log."""
    number: int = connection.execute(_LAST).scalar_one()
    return number


def last_at(connection: Connection) -> datetime | None:
    """The time of the last row that is seen, None for an empty log."""
    return connection.execute(_LAST_AT).scalar_one_or_none()


def last_settled(connection: Connection) -> int:
    """The number up to which every row is committed or will never be, 0 for an empty log. Writers wait until this transaction ends.

    For PostgreSQL, in a short transaction that writes nothing and sees what was committed meanwhile (READ COMMITTED).
    """
    connection.execute(_LOCK_ALONE)
    return last(connection)


def page(connection: Connection, after: int, up_to: int, kinds: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` rows that follow the row `after`, oldest first and none beyond `up_to`, as dictionaries of the columns."""
    query = select(events).where(events.c.id > after, events.c.id <= up_to).order_by(events.c.id).limit(limit)
    if kinds is not None:
        query = query.where(events.c.kind.in_(kinds))
    return [members_of(row) for row in connection.execute(query)]
