"""Bringing the tables up to date."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from authority.domain.refusals import NotSetUp
from authority.storage.db import schema
from authority.storage.db.database import Database
from authority.storage.db.tables import metadata

MIGRATIONS = Path(__file__).parent / "migrations"


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def revisions() -> list[str]:
    """All migrations there are, the newest first."""
    return [script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()]


def migrate(database: Database) -> tuple[str | None, str]:
    """Brings the tables up to date in one transaction. Returns the revision before and after."""
    database.make_private()
    before = schema.current(database)
    if before == schema.NEWEST:
        return before, before
    if before is not None and before not in revisions():
        raise NotSetUp(f"the database has revision {before}, which is of a newer program", hint="Update Carnet.")
    with database.write() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return before, schema.NEWEST


def make_tables(database: Database, revision: str) -> None:
    """Makes the tables of an earlier revision in an empty database. Raises NotSetUp for a revision that this program does not know."""
    if revision not in revisions():
        raise NotSetUp(f"there is no revision {revision}, it is of a newer program", hint="Update Carnet.")
    database.make_private()
    with database.write() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def differences(connection: Connection) -> list[object]:
    """What the migrated tables lack of the definitions in `tables`, or have beyond them; empty when they agree."""
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, metadata))
