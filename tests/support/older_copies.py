"""A database as it was: all of its rows, kept and put back, as who restores an older copy of it does."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, insert, select, text

from authority.services.context import Authority
from authority.storage.db.database import Database
from authority.storage.db.tables import events, members, metadata

Copy = dict[str, list[dict[str, Any]]]


def copy_of(database: Database) -> Copy:
    """Every row of every table."""
    with database.read() as connection:
        return {
            table.name: [dict(row._mapping) for row in connection.execute(select(table))] for table in metadata.sorted_tables
        }


def put_back(authority: Authority, copy: Copy) -> None:
    """Makes the rows of the copy those of the database, and forgets what this process remembers, as a new process would."""
    with authority.database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(delete(table))
        for table in metadata.sorted_tables:
            if copy[table.name]:
                connection.execute(insert(table), copy[table.name])
        for table in (events, members):
            last = max((row["id"] for row in copy[table.name]), default=0)
            if not authority.database.is_sqlite:
                connection.execute(select(func.setval(func.pg_get_serial_sequence(table.name, "id"), last)))
            elif table is events:
                connection.execute(text("UPDATE sqlite_sequence SET seq = :last WHERE name = 'events'"), {"last": last})
    authority.remembered.clear()
