"""What the tables have in them, as a test looks at it behind the services."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import func, select

from authority.storage.db.database import Database
from authority.storage.db.tables import events, metadata

Contents = dict[str, list[tuple[Any, ...]]]


def contents(database: Database) -> Contents:
    """Every row of every table."""
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


@contextlib.contextmanager
def unchanged(database: Database, *, but: Collection[str] = ()) -> Iterator[None]:
    """Fails when a row of any table comes, goes or becomes another one; tables named in `but` may change."""
    before = contents(database)
    yield
    after = contents(database)
    changed = {
        name: {
            "gone": [row for row in before[name] if row not in rows],
            "new": [row for row in rows if row not in before[name]],
        }
        for name, rows in after.items()
        if name not in but and rows != before[name]
    }
    assert not changed


def row_counts(database: Database) -> dict[str, int]:
    """How many rows each table has: what came or went, and nothing about what became another."""
    with database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def log_rows(database: Database, kind: str) -> list[dict[str, Any]]:
    """The rows of one kind in the log, oldest first."""
    with database.read() as connection:
        rows = connection.execute(select(events).where(events.c.kind == kind).order_by(events.c.id))
        return [dict(row) for row in rows.mappings()]
