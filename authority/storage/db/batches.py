"""SQLite's writers: one after the other, and those who queue wait for the disk together.

SQLite has one writer at a time, and a durable commit waits for the disk. When others queue, the transaction stays open for
the next of them; the last one commits for all. Nobody is answered before the commit, and a block that raises takes back only
what it did itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine

# Other processes wait while a batch is open, so it must not grow for ever.
MOST_IN_A_BATCH = 32


@dataclass
class _Batch:
    """One transaction with the work of several writers in it."""

    connection: Connection
    size: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None


class Batches:
    """Gives writers their turn on one engine."""

    def __init__(self, engine: Engine, queue_file: Path, check_file: Callable[[], None]) -> None:
        """`check_file` raises when what is committed would be lost; it is asked before a transaction and after its commit."""
        self._engine = engine
        self._check_file = check_file
        self._queue = _Queue(queue_file)
        self._turn = threading.Lock()
        self._count = threading.Lock()
        self._queued = 0
        self._open: _Batch | None = None
        # Stays open from one batch to the next: there is one writer at a time, and opening costs more than a small write.
        self._connection: Connection | None = None
        # Where that connection keeps what is temporary: in memory, as it was opened, or in a file.
        self._temporary = "MEMORY"

    @contextlib.contextmanager
    def write(self, *, keep: bool) -> Iterator[Connection]:
        """A connection within the open transaction; after the block returns once the commit is on the disk.

        With `keep` false the block's own work is taken back at its end.
        """
        with self._count:
            self._queued += 1
        with self._turn:
            with self._count:
                self._queued -= 1
            batch = self._open or self._begin()
            try:
                with _savepoint(batch.connection, keep=keep):
                    yield batch.connection
            finally:
                batch.size += 1
                if self._queued == 0 or batch.size >= MOST_IN_A_BATCH:
                    self._commit(batch)
        batch.done.wait()
        if batch.error is not None:
            raise batch.error

    @contextlib.contextmanager
    def write_alone(self, *, keep: bool) -> Iterator[Connection]:
        """A connection within a transaction that has nobody else's work in it; it is committed after the block, or taken back.

        It has no savepoint, and what one of its statements could take back is in a temporary file: it may change more than memory holds.
        """
        with self._turn:
            if self._open is not None:
                self._commit(self._open)
            batch = self._begin(temporary="FILE")
            try:
                yield batch.connection
            except BaseException:
                self._take_back(batch)
                raise
            if keep:
                self._commit(batch)
            else:
                self._take_back(batch)
        if batch.error is not None:
            raise batch.error

    def _take_back(self, batch: _Batch) -> None:
        """Ends a batch of which nothing is kept."""
        self._open = None
        try:
            batch.connection.rollback()
        except BaseException:
            batch.connection.invalidate()
            self.close()
            raise
        finally:
            self._queue.release()
            batch.done.set()

    def _begin(self, temporary: str = "MEMORY") -> _Batch:
        """Begins a transaction; what SQLite keeps for taking a part of it back is in memory, or in a file."""
        self._queue.acquire()
        try:
            if self._connection is None:
                self._connection = self._engine.connect()
            self._check_file()
            if temporary != self._temporary:
                self._connection.connection.cursor().execute(f"PRAGMA temp_store = {temporary}")
                self._temporary = temporary
            self._connection.begin()
            self._connection.connection.cursor().execute("BEGIN IMMEDIATE")
        except BaseException:
            self.close()
            self._queue.release()
            raise
        self._open = _Batch(self._connection)
        return self._open

    def _commit(self, batch: _Batch) -> None:
        """Ends the batch; what goes wrong is told to everyone in it."""
        self._open = None
        try:
            batch.connection.commit()
            self._check_file()
        except BaseException as error:  # noqa: BLE001 - it is raised again by each writer of the batch
            # The transaction is still open on it; nobody may get this connection again.
            batch.connection.invalidate()
            self.close()
            batch.error = error
        finally:
            self._queue.release()
            batch.done.set()

    def close(self) -> None:
        """Closes the connection that is kept open between batches."""
        self._temporary = "MEMORY"
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextlib.contextmanager
def _savepoint(connection: Connection, *, keep: bool) -> Iterator[None]:
    """A part of the transaction that is under way: taken back when the block raises, or in any case with `keep` false.

    What came before it stays as it is, and the transaction goes on.
    """
    # Said by hand: SQLAlchemy's own savepoints stay open after they were rolled back, each within the one before.
    run = connection.connection.cursor().execute
    run("SAVEPOINT part")
    try:
        yield
    except BaseException:
        run(TAKE_BACK)
        run("RELEASE SAVEPOINT part")
        raise
    if not keep:
        run(TAKE_BACK)
    run("RELEASE SAVEPOINT part")


# Takes back what was done since the savepoint, which stays open.
TAKE_BACK = "ROLLBACK TO SAVEPOINT part"


class _Queue:
    """Where the processes of one machine queue. SQLite itself lets them sleep and try again, longer each time.

    Only a courtesy: the lock that counts is the database's own.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1

    def acquire(self) -> None:
        """Waits for the turn of this process; at once where the file cannot be made or locked: what is wrong, SQLite says."""
        if sys.platform != "win32":
            import fcntl

            with contextlib.suppress(OSError):
                if self._descriptor < 0:
                    self._descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600)
                fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def release(self) -> None:
        """Lets the next process have its turn."""
        if sys.platform != "win32" and self._descriptor >= 0:
            import fcntl

            with contextlib.suppress(OSError):
                fcntl.flock(self._descriptor, fcntl.LOCK_UN)
