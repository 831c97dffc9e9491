"""Writers that queue share a commit, and nothing else."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import text

from authority.domain.refusals import StorageUnavailable
from authority.storage.db.database import Database

WRITERS = 40


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
