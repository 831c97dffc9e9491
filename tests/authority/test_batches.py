"""Writers that queue share a commit, and nothing else."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from authority.domain.refusals import StorageUnavailable
from authority.storage.db.database import Database

WRITERS = 40
# How SQLite says where what is temporary goes (https://sqlite.org/pragma.html#pragma_temp_store).
FILE, MEMORY = 1, 2


@pytest.fixture
def database(tmp_path: Path) -> Database:
    database = Database(f"sqlite:///{tmp_path / 'batches.db'}")
    database.make_private()
    with database.write() as connection:
        connection.execute(text("CREATE TABLE parent (id INTEGER PRIMARY KEY)"))
        connection.execute(
            text("CREATE TABLE child (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        )
    return database


def refuse_odd(number: int) -> None:
    if number % 2:
        raise LookupError(number)


def run_together(writers: list[threading.Thread]) -> None:
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()


def test_a_writer_that_raises_takes_back_its_own_work_alone(database: Database) -> None:
    """Every other writer raises in the midst of a crowd; exactly the others' rows are there."""
    raised: list[int] = []

    def write(number: int) -> None:
        try:
            with database.write() as connection:
                connection.execute(text("INSERT INTO parent VALUES (:id)"), {"id": number})
                refuse_odd(number)
        except LookupError:
            raised.append(number)

    run_together([threading.Thread(target=write, args=(number,)) for number in range(WRITERS)])
    with database.read() as connection:
        rows = set(connection.execute(text("SELECT id FROM parent")).scalars())
    assert sorted(raised) == list(range(1, WRITERS, 2))
    assert rows == set(range(0, WRITERS, 2))


def test_what_was_written_is_there_for_others_when_the_block_has_ended(database: Database) -> None:
    """Nobody goes on before the commit: each writer reads its own row on another connection at once."""
    missing: list[int] = []

    def write(number: int) -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO parent VALUES (:id)"), {"id": number})
        with database.read() as connection:
            if connection.execute(text("SELECT id FROM parent WHERE id = :id"), {"id": number}).first() is None:
                missing.append(number)

    run_together([threading.Thread(target=write, args=(number,)) for number in range(WRITERS)])
    assert missing == []


def test_a_commit_that_fails_is_told_to_every_writer_in_it(database: Database) -> None:
    """A deferred foreign key fails at the commit: whoever shared it is told, and none of its rows is there."""
    outcomes: dict[int, str] = {}

    def write(number: int) -> None:
        try:
            with database.write() as connection:
                connection.execute(text("INSERT INTO child VALUES (:id, 4711)"), {"id": number})
            outcomes[number] = "answered"
        except StorageUnavailable:
            outcomes[number] = "refused"

    run_together([threading.Thread(target=write, args=(number,)) for number in range(WRITERS)])
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM child")).scalar_one() == 0
    assert outcomes == dict.fromkeys(range(WRITERS), "refused")


def test_the_next_writer_begins_afresh_after_a_failed_commit(database: Database) -> None:
    with pytest.raises(StorageUnavailable), database.write() as connection:
        connection.execute(text("INSERT INTO child VALUES (1, 4711)"))
    with database.write() as connection:
        connection.execute(text("INSERT INTO parent VALUES (1)"))
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM parent")).scalar_one() == 1


def test_who_writes_alone_shares_no_commit_and_has_no_savepoint(database: Database) -> None:
    """What a statement or a savepoint could take back is every page that was changed: of a whole database more than memory may hold."""
    with pytest.raises(LookupError), database.write(alone=True) as connection:  # noqa: PT012 - what is written is to be taken back
        connection.execute(text("INSERT INTO parent (id) VALUES (1)"))
        refuse_odd(1)
    with database.write(alone=True, keep=False) as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (2)"))
    with database.write(alone=True) as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (3)"))
        with pytest.raises(sqlite3.OperationalError, match="no such savepoint"):
            database.undo(connection)
        assert connection.execute(text("PRAGMA temp_store")).scalar_one() == FILE
    with database.write() as connection:
        connection.execute(text("INSERT INTO parent (id) VALUES (4)"))
        assert connection.execute(text("PRAGMA temp_store")).scalar_one() == MEMORY
    with database.read() as connection:
        assert list(connection.execute(text("SELECT id FROM parent")).scalars()) == [3, 4]


def test_who_writes_alone_waits_for_others_and_takes_back_nothing_of_theirs(database: Database) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def write_first() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO parent (id) VALUES (1)"))
            inside.set()
            go_on.wait()

    def write_alone() -> None:
        with pytest.raises(LookupError), database.write(alone=True) as connection:  # noqa: PT012 - what is removed is to be there again
            connection.execute(text("DELETE FROM parent"))
            refuse_odd(1)

    def write_last() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO parent (id) VALUES (2)"))

    first, *others = [threading.Thread(target=target) for target in (write_first, write_alone, write_last)]
    first.start()
    inside.wait()
    for thread in others:
        thread.start()
    go_on.set()
    for thread in (first, *others):
        thread.join()
    with database.read() as connection:
        assert list(connection.execute(text("SELECT id FROM parent ORDER BY id")).scalars()) == [1, 2]
