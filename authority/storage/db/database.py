"""One engine, and the two kinds of transaction: reads that lock nothing, writes that are whole or not at all."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from authority.domain.disk import UNCHANGED, DiskFailed, DiskFull, NotPermitted, explained
from authority.domain.refusals import DatabaseLost, InvalidInput, NotSetUp, Refusal, SettingsInvalid, StorageUnavailable
from authority.storage.db.batches import TAKE_BACK, Batches
from authority.storage.db.prepared import pipeline

LONGEST_WAIT_SECONDS = 20
# Between looks at a log that is missing; who closes the database removes its index a moment later.
PAUSES_SECONDS = (0.001, 0.01, 0.1, 0)
# 32 MB of SQLite's log of changes, and what of the database each connection may hold in memory.
LARGEST_LOG_PAGES = 8_000
CACHE_KIB = 32 * 1024
# SQLite and PostgreSQL, each with the driver that was tried.
DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")


def _nothing(_: Connection) -> None:
    """Writes nothing."""


class DatabaseFile:
    """The file at a path, as it was when this process first opened it.

    Whoever has a file open goes on reading and writing it after it was deleted, or after another one took its name: nobody
    would see again what is written then.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, int] | None = None
        # SQLite's log of changes has what was committed last; it is made before the index and removed before it.
        self._log, self._index = f"{path}-wal", f"{path}-shm"
        self._name = str(path)

    def open_only_what_is_there(self, _dialect: Any, _record: Any, arguments: list[Any], options: dict[str, Any]) -> None:
        """Makes a connection that is about to be opened fail where there is no file; SQLite would make an empty one.

        Raises DatabaseLost where the file is not the one that is in use, or its log of changes is missing: SQLite would go on
        with an empty log.
        """
        if self._opened is not None:
            self.check()
        elif self._is_without_log():
            raise self._without_log()
        arguments[0] = f"{self.path.as_uri()}?mode=rw"
        options["uri"] = True

    def remember(self, _connection: Any, _record: Any) -> None:
        """Takes the file that is there for the one that this process opened first."""
        if self._opened is None:
            self._opened = _identity_of(self._name)

    def is_there(self) -> bool:
        """Whether there is a file at the path."""
        return _identity_of(self._name) is not None

    def missing(self) -> DatabaseLost:
        """The refusal for a path where there is no file, with what to do by whether this process had it open before."""
        hint = DatabaseLost.never_opened_hint if self._opened is None else ""
        return DatabaseLost(f"there is no database {self.path}", hint=hint)

    def check(self) -> None:
        """Raises DatabaseLost when the file that was opened first, or its log of changes, is not the one at its path any more."""
        identity = _identity_of(self._name)
        if identity != self._opened:
            what = "was deleted" if identity is None else "was replaced by another file"
            raise DatabaseLost(f"the database {self.path} {what} while it was in use")
        if self._is_without_log():
            raise self._without_log()

    def _is_without_log(self) -> bool:
        """Whether there is an index without its log, and not only for the moment in which another process closes the database."""
        for pause_seconds in PAUSES_SECONDS:
            if _identity_of(self._log) is not None or _identity_of(self._index) is None:
                return False
            time.sleep(pause_seconds)
        return True

    def _without_log(self) -> DatabaseLost:
        return DatabaseLost(f"{self._log}, which has what was committed last, was deleted while the database was in use")


def _identity_of(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


class Database:
    """A database by its SQLAlchemy URL: `sqlite:///FILE` or `postgresql+psycopg://...`. Opens no connection before it is used."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        try:
            self.engine = create_engine(
                self.url, pool_size=16, max_overflow=32, pool_timeout=LONGEST_WAIT_SECONDS, **_options(self)
            )
        except ModuleNotFoundError as error:
            raise SettingsInvalid("PostgreSQL needs the extra: pip install 'carnet[postgres]'") from error
        # One state over several statements; SQLite's transactions are so by themselves.
        level = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
        self._reading = self.engine.execution_options(**level)
        self._file = DatabaseFile(path) if (path := sqlite_file(url)) is not None else None
        self._batches = None
        if self._file is not None:
            self._batches = Batches(self.engine, Path(f"{self.url.database}.queue"), self._file.check)
            event.listen(self.engine, "do_connect", self._file.open_only_what_is_there)
            event.listen(self.engine, "connect", _set_up_sqlite)
            event.listen(self.engine, "connect", self._file.remember)

    @property
    def file(self) -> Path | None:
        """The file that it is, None for a database on a server."""
        return None if self._file is None else self._file.path

    @contextlib.contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database and changes nothing."""
        with self._translated(), self._reading.connect() as connection:
            if self._file is not None:
                self._file.check()
            connection.begin()
            if self.is_sqlite:
                connection.connection.cursor().execute("BEGIN")
            yield connection
            connection.rollback()

    @contextlib.contextmanager
    def write(
        self, *, keep: bool = True, alone: bool = False, at_end: Callable[[Connection], None] = _nothing
    ) -> Iterator[Connection]:
        """A transaction that is committed at the end of the block, durably, or rolled back when the block raises.

        With `keep` false it is rolled back in any case: every check is made and nothing is changed. `at_end` writes what comes
        last; it goes to PostgreSQL together with the commit, and both are waited for once.

        One that changes most of a database is `alone`: on SQLite it shares its commit with nobody, is not undone by `undo`, and is not
        held in memory.

        On SQLite it holds the one write lock from its first line (BEGIN IMMEDIATE); on PostgreSQL rows are locked by name.
        """
        with self._translated():
            if self._batches is not None:
                begin = self._batches.write_alone if alone else self._batches.write
                with begin(keep=keep) as connection:
                    yield connection
                    at_end(connection)
            else:
                # Begun by name: what runs on the driver alone would begin nothing that there is to commit.
                with self.engine.connect() as connection:
                    connection.begin()
                    yield connection
                    _end(connection, at_end, keep=keep)

    def undo(self, connection: Connection) -> None:
        """Takes back all that the block of `write` did so far; the block goes on."""
        if self._batches is not None:
            connection.connection.cursor().execute(TAKE_BACK)
        else:
            connection.rollback()
            connection.begin()

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        """No driver's exception crosses this boundary, whether it comes through SQLAlchemy or from what runs on the driver."""
        try:
            yield
        except DBAPIError as error:
            raise self._refused(error.orig) from error
        except self.engine.dialect.loaded_dbapi.Error as error:
            raise self._refused(error) from error
        except UnicodeEncodeError as error:
            raise InvalidInput("a text has characters that are no Unicode") from error
        except PoolTimeout as error:
            raise StorageUnavailable(f"no connection to the database became free in {LONGEST_WAIT_SECONDS} seconds") from error

    def _refused(self, error: BaseException | None) -> Refusal:
        if self._file is not None and not self._file.is_there():
            return self._file.missing()
        if isinstance(error, sqlite3.Error):
            return _refused_by_sqlite(error, str(self.url.database))
        return _refused_by_postgres(error)

    def make_private(self) -> None:
        """Makes the file of a SQLite database, where there is none, readable by its owner alone; its journals take over its permissions."""
        if self.is_sqlite:
            with explained(f"the database {self.url.database}", "made", UNCHANGED):
                os.close(os.open(str(self.url.database), os.O_CREAT | os.O_RDWR, 0o600))
                os.chmod(str(self.url.database), 0o600)

    def close(self) -> None:
        """Closes every connection."""
        if self._batches is not None:
            self._batches.close()
        self.engine.dispose()


# The last eight bits say what kind of error it is, the bits above them which one.
PRIMARY_CODE = 0xFF
DAMAGED_HINT = (
    "Keep a copy of the file, and restore the last backup into an empty database: docs/operations.md, Back-up and restore."
)
UNDEFINED_TABLE = "42P01"
# How psycopg calls its errors when no server answers, or one stops answering.
NOT_REACHED = ("OperationalError", "ConnectionTimeout")
# A line of its own with which libpq asks what the hint asks too: "Is the server running on that host ...?".
_QUESTION = re.compile(r"^\s+Is the server running .*\?$", re.MULTILINE)
WRONG_FILE_HINT = "Nothing was changed. Is the path of the database right? It is the setting database_url, or the file authority.db in the home."
FILE_HINTS = {
    sqlite3.SQLITE_CANTOPEN: WRONG_FILE_HINT,
    sqlite3.SQLITE_NOTADB: WRONG_FILE_HINT,
    sqlite3.SQLITE_CORRUPT: DAMAGED_HINT,
}


def _checked(url: str) -> URL:
    try:
        checked = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise SettingsInvalid("the database URL cannot be read; write it like sqlite:////srv/carnet/authority.db") from error
    if checked.drivername not in DRIVERS:
        raise SettingsInvalid(f'the database URL begins with "{checked.drivername}"; use one of {", ".join(DRIVERS)}')
    backend = checked.get_backend_name()
    if backend == "sqlite" and checked.database in (None, "", ":memory:"):
        raise SettingsInvalid("the database would be in memory alone and lost at the end; name a file")
    return checked.set(drivername="sqlite" if backend == "sqlite" else "postgresql+psycopg")


def sqlite_file(url: str) -> Path | None:
    """The path of the database of a URL, None where it is no file. Raises SettingsInvalid for a URL that cannot be used."""
    checked = _checked(url)
    return Path(str(checked.database)).absolute() if checked.get_backend_name() == "sqlite" else None


def _options(database: Database) -> dict[str, Any]:
    if database.is_sqlite:
        return {"connect_args": {"timeout": LONGEST_WAIT_SECONDS, "check_same_thread": False}}
    return {"isolation_level": "READ COMMITTED", "connect_args": {"connect_timeout": LONGEST_WAIT_SECONDS}}


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    """Transactions are begun by us alone; every commit reaches the disk before it is answered.

    What was committed goes from the log of changes to the database in large parts, so that a page that many change goes once.
    What a savepoint could take back stays in memory: SQLite would make a temporary file for each.
    """
    connection.isolation_level = None
    settings = {
        "journal_mode": "WAL",
        "synchronous": "FULL",
        "foreign_keys": "ON",
        "temp_store": "MEMORY",
        "wal_autocheckpoint": LARGEST_LOG_PAGES,
        "cache_size": -CACHE_KIB,
    }
    for name, value in settings.items():
        connection.execute(f"PRAGMA {name} = {value}")


def _end(connection: Connection, at_end: Callable[[Connection], None], *, keep: bool) -> None:
    """Writes what comes last on PostgreSQL, and commits."""
    try:
        with pipeline(connection):
            at_end(connection)
            if keep:
                connection.commit()
    except BaseException:
        # The commit was said and failed on its way: SQLAlchemy holds the transaction for ended, the driver does not.
        connection.connection.rollback()
        raise


def _words(error: BaseException | str | None) -> str:
    """What a driver said, in one line; it breaks lines for terminals."""
    return " ".join(str(error).split())


def _refused_by_sqlite(error: sqlite3.Error, path: str) -> Refusal:
    """What SQLite said, as a refusal of its own where the disk, the path or the tables are to blame, which no second try would mend."""
    sentence = f"the database did not take it: {_words(error)}"
    # An error of the module itself, such as a closed connection, has no code of SQLite.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & PRIMARY_CODE
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(f"{sentence}{UNCHANGED}", path=path)
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return NotPermitted(f"{sentence}{UNCHANGED}", path=path)
    if code == sqlite3.SQLITE_IOERR:
        return DiskFailed(f"{sentence}{UNCHANGED}", path=path)
    if code in FILE_HINTS:
        return StorageUnavailable(sentence, hint=FILE_HINTS[code])
    if code == sqlite3.SQLITE_ERROR and "no such table" in sentence:
        return NotSetUp(sentence, hint=NotSetUp.empty_database_hint)
    return StorageUnavailable(sentence)


def _refused_by_postgres(error: BaseException | None) -> Refusal:
    """What PostgreSQL or its driver said; only the server's own words have a state (https://www.postgresql.org/docs/current/errcodes-appendix.html)."""
    state = getattr(error, "sqlstate", None)
    if state == UNDEFINED_TABLE:
        return NotSetUp(f"the database did not take it: {_words(error)}", hint=NotSetUp.empty_database_hint)
    if state is None and type(error).__name__ in NOT_REACHED:
        return StorageUnavailable(
            f"the database cannot be reached: {_words(_QUESTION.sub('', str(error)))}",
            hint="Nothing was changed. Is the server of the database running, and is the setting database_url right?",
        )
    return StorageUnavailable(f"the database did not take it: {_words(error)}")
