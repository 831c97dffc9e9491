"""Whether a database takes what is written, and keeps what it has committed: a borrow that was answered must not be gone later."""

from __future__ import annotations

from datetime import UTC, datetime

from authority.domain.disk import NotPermitted
from authority.domain.refusals import Refusal
from authority.storage.db.database import Database

# What of PostgreSQL has to be on, and what happens where it is off.
NEEDED = {
    "fsync": "after a loss of power the database may be damaged",
    "full_page_writes": "after a loss of power the database may be damaged",
    "synchronous_commit": "borrows that were answered are lost when its server loses power",
}
WRITE_AHEAD_LOG = "wal"
LETTERS = "UTF8"


def check(database: Database) -> str:
    """What is said when the database takes changes, and a commit is on the disk before it is answered.

    Raises Refusal where that is not so, NotPermitted where nothing may be written, StorageUnavailable. Nothing is changed.
    """
    return _check_sqlite(database) if database.is_sqlite else _check_postgres(database)


def _check_sqlite(database: Database) -> str:
    with database.write(keep=False) as connection:
        # A file that may only be read gives the lock of a writer all the same, and refuses what is written.
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = version_num")
        mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
    if mode != WRITE_AHEAD_LOG:
        raise Refusal(
            f"SQLite keeps its changes as {mode} and not in a log of changes (WAL): readers and writers stop each other here",
            hint="The folder's file system has no shared memory, as a share of another machine: move the database to a disk of this one, "
            "or use PostgreSQL.",
        )
    return "what is committed is on the disk before it is answered"


def _check_postgres(database: Database) -> str:
    with database.read() as connection:
        values = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in (*NEEDED, "server_encoding")}
        is_replica = connection.exec_driver_sql("SELECT pg_is_in_recovery()").scalar_one()
        reads_only = connection.exec_driver_sql("SHOW default_transaction_read_only").scalar_one() == "on"
    if is_replica or reads_only:
        what = (
            "a replica, which follows another server"
            if is_replica
            else "set to read alone (default_transaction_read_only = on)"
        )
        raise NotPermitted(
            f"the database is {what}: nothing can be written",
            hint="Name the primary as the database; or promote this one: docs/operations.md, Many nodes."
            if is_replica
            else "Set default_transaction_read_only = off for the database and the role.",
            path=database.url.render_as_string(),
        )
    wrong = {name: words for name, words in NEEDED.items() if values[name] == "off"}
    if wrong:
        raise Refusal(
            "; ".join(f"PostgreSQL has {name} = off: {words}" for name, words in wrong.items()),
            hint=f"Set {', '.join(f'{name} = on' for name in wrong)} in postgresql.conf or for the role, and start the server again.",
        )
    if values["server_encoding"] != LETTERS:
        raise Refusal(
            f"the database has the encoding {values['server_encoding']}: names that it has no letters for are refused",
            hint="Make a database with ENCODING 'UTF8' TEMPLATE template0, and move: docs/operations.md, Back-up and restore.",
        )
    return "PostgreSQL has what is committed on the disk before it is answered"


def time_of(database: Database) -> datetime | None:
    """What time it is by the database's own server; None where it has none but this machine's. Raises StorageUnavailable."""
    if database.is_sqlite:
        return None
    with database.read() as connection:
        seconds = connection.exec_driver_sql("SELECT extract(epoch FROM clock_timestamp())").scalar_one()
    return datetime.fromtimestamp(float(seconds), UTC)
