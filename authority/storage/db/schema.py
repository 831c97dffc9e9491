"""Which migrations the database has, and whether they are those of this program."""

from __future__ import annotations

from sqlalchemy import column, inspect, select, table

from authority.domain.refusals import NotSetUp
from authority.storage.db.database import Database
from authority.storage.db.tables import metadata

# The newest migration. It is written here, so that a command need not read all of them to know it; a test holds it to them.
NEWEST = "0016"
# Where Alembic writes the revision.
_APPLIED = table("alembic_version", column("version_num"))


def current(database: Database) -> str | None:
    """The revision that the database has, None for an empty one."""
    with database.read() as connection:
        if not inspect(connection).has_table(_APPLIED.name):
            return None
        revision: str | None = connection.execute(select(_APPLIED.c.version_num)).scalar()
        return revision


def check_complete(database: Database) -> None:
    """Raises NotSetUp when a table or a column of this program is missing, whatever the revision says."""
    with database.read() as connection:
        inspector = inspect(connection)
        there = inspector.get_multi_columns()
    columns = {name: {item["name"] for item in items} for (_, name), items in there.items()}
    missing = [name for name in metadata.tables if name not in columns]
    missing += [
        f"{name}.{item.name}"
        for name, rows in metadata.tables.items()
        for item in rows.columns
        if item.name not in columns.get(name, {item.name})
    ]
    if missing:
        raise NotSetUp(
            f"the database has not all of its tables: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing",
            hint="Somebody removed what the program needs: restore the last backup, docs/operations.md, Back-up and restore.",
        )


def check(database: Database) -> None:
    """Raises NotSetUp when the tables are missing or not those of this program."""
    revision = current(database)
    if revision is None:
        raise NotSetUp("the database has no tables", hint=NotSetUp.empty_database_hint)
    if revision == NEWEST:
        return
    # Revisions are numbered in a line: one that this program does not know comes after all of its own.
    is_newer = revision > NEWEST
    raise NotSetUp(
        f"the database has revision {revision}{', which is of a newer program' if is_newer else ''}, this program needs {NEWEST}",
        hint="Update Carnet here to the version that the others have." if is_newer else "Run: carnet-authority migrate",
    )
