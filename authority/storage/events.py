"""The log: rows are added in the transaction of what they tell, and never changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from authority.domain.events import Event
from authority.storage.db.prepared import Prepared
from authority.storage.db.rows import members_of
from authority.storage.db.tables import events

_INSERT = Prepared(
    insert(events).values({column.name: bindparam(column.name) for column in events.columns if column.name != "id"})
)


def append(connection: Connection, rows: Iterable[Event], at: datetime) -> None:
    """Adds rows to the log."""
    _INSERT.run_many(connection, [{"at": at, **{name: getattr(row, name) for name in row.__slots__}} for row in rows])


def after(connection: Connection, event_id: int, kinds: Sequence[str] | None, limit: int) -> list[dict[str, Any]]:
    """Up to `limit` rows that follow the row `event_id`, oldest first, as dictionaries of the table's columns."""
    query = select(events).where(events.c.id > event_id).order_by(events.c.id).limit(limit)
    if kinds is not None:
        query = query.where(events.c.kind.in_(kinds))
    return [members_of(row) for row in connection.execute(query)]


def every(connection: Connection, kinds: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    """All rows, oldest first, read in pages so that a log of any length fits into memory."""
    last = 0
    while page := after(connection, last, kinds, 1000):
        yield from page
        last = page[-1]["id"]
