"""The database behind the services: tables from the migrations, whole transactions, and its troubles in our words."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import func, inspect, select, text
from sqlalchemy.exc import StatementError

from authority.domain.refusals import NotSetUp, SettingsInvalid, StorageUnavailable
from authority.storage.db import migrating, schema
from authority.storage.db.database import Database
from authority.storage.db.tables import members, metadata, microseconds, organization, pools, receipts
from authority.web.problems import TELL_THE_OPERATOR, hint_over_http
from tests.support.authorities import Bench
from tests.support.database_contents import contents


def test_the_migrations_make_exactly_the_tables_of_the_definitions(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrating.migrate(database)
    with database.write() as connection:
        assert migrating.differences(connection) == []
        names = set(inspect(connection).get_table_names())
    assert names == {*metadata.tables, "alembic_version"}
    database.close()


def test_indexes_and_unique_rules_are_those_of_the_definitions(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    migrating.migrate(database)
    with database.read() as connection:
        look = inspect(connection)
        for table in metadata.sorted_tables:
            uniques = {tuple(item["column_names"]) for item in look.get_unique_constraints(table.name)}
            indexes = {item["name"] for item in look.get_indexes(table.name) if not item.get("duplicates_constraint")}
            wanted = {(column.name,) for column in table.columns if column.unique}
            assert uniques == wanted, table.name
            assert {index.name for index in table.indexes} == indexes, table.name
    database.close()


def test_migrating_twice_changes_nothing(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    assert migrating.revisions()[0] == schema.NEWEST
    assert migrating.migrate(database) == (None, schema.NEWEST)
    assert migrating.migrate(database) == (schema.NEWEST, schema.NEWEST)
    schema.check(database)
    database.close()


def test_receipts_that_borrows_had_are_known_after_migrating(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with database.write() as connection:
        config = migrating._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO members (id, username, username_key, full_name, user_type, role, disabled, vendor_access, "
                "download_permission, created_at) VALUES (1, 'ada', 'ada', '', 'Viewer', 'member', false, false, 'none', 0)"
            )
        )
        for borrow_id, digest in (("a" * 22, "d" * 43), ("b" * 22, None)):
            connection.execute(
                text(
                    "INSERT INTO borrows (id, member_id, product, level, extensions, machine_id, machine_source, machine_key, "
                    "user_id, user_name, issued_at, expires_at, seat_free_at, decided_by, receipt_digest) VALUES "
                    "(:id, 1, 'arcgis-pro', 'Advanced', '[]', 'm', 's', 'k', 'uid:1', 'ada', 0, 9, 7, 'organization', :digest)"
                ),
                {"id": borrow_id, "digest": digest},
            )
    assert migrating.migrate(database) == ("0001", schema.NEWEST)
    with database.read() as connection:
        assert [(row.digest, row.borrow_id) for row in connection.execute(select(receipts))] == [("d" * 43, "a" * 22)]
    database.close()


def test_a_database_without_tables_is_not_set_up(empty_database_url: str) -> None:
    database = Database(empty_database_url)
    with pytest.raises(NotSetUp, match="no tables"):
        schema.check(database)
    assert schema.current(database) is None
    database.close()


def test_another_revision_is_not_set_up_and_says_what_to_do(bench: Bench) -> None:
    for revision, what_to_do in (("0001", "carnet-authority migrate"), ("9999", "Update Carnet here")):
        with bench.authority.database.write() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})
        with pytest.raises(NotSetUp, match=revision) as caught:
            schema.check(bench.authority.database)
        assert what_to_do in caught.value.hint


def test_a_database_of_a_newer_program_is_not_migrated_back(bench: Bench) -> None:
    with bench.authority.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = contents(bench.authority.database)
    with pytest.raises(NotSetUp):
        migrating.migrate(bench.authority.database)
    assert contents(bench.authority.database) == before


def test_a_time_without_a_zone_is_refused(bench: Bench) -> None:
    naive = datetime(2026, 3, 2, 9, 0, 0)  # noqa: DTZ001 - that is what is refused
    with pytest.raises((StorageUnavailable, StatementError, ValueError)), bench.authority.database.read() as connection:
        connection.execute(select(organization).where(organization.c.created_at > naive))
    with pytest.raises(ValueError, match="without a zone"):
        microseconds(naive)


@pytest.mark.parametrize(
    "at",
    [
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 0, 0, tzinfo=timezone(timedelta(hours=14))),
    ],
    ids=str,
)
def test_times_are_kept_exactly(bench: Bench, at: datetime) -> None:
    with bench.authority.database.write() as connection:
        connection.execute(organization.update().values(created_at=at))
    with bench.authority.database.read() as connection:
        stored = connection.execute(select(organization.c.created_at)).scalar_one()
    assert stored == at
    assert stored.utcoffset() == timedelta(0)


class Halfway(Exception):
    """Raised in the midst of a transaction."""


def test_a_transaction_that_raises_leaves_nothing_and_frees_the_lock(bench: Bench) -> None:
    database, before = bench.authority.database, contents(bench.authority.database)

    def write_and_raise() -> None:
        with database.write() as connection:
            connection.execute(pools.insert().values(product="p", feature="f"))
            raise Halfway

    with pytest.raises(Halfway):
        write_and_raise()
    assert contents(database) == before
    with database.write() as connection:
        connection.execute(pools.insert().values(product="p", feature="f"))
    assert len(contents(database)["pools"]) == len(before["pools"]) + 1


def test_what_is_read_does_not_change_under_the_reader(sqlite_bench: Bench) -> None:
    database = sqlite_bench.authority.database
    with database.read() as reader:
        first = reader.execute(select(pools)).all()
        with database.write() as writer:
            writer.execute(pools.insert().values(product="p", feature="f"))
        assert reader.execute(select(pools)).all() == first


def test_sqlite_is_used_the_safe_way(sqlite_bench: Bench, tmp_path: Path) -> None:
    with sqlite_bench.authority.database.read() as connection:
        settings = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    assert settings == ["wal", 2, 1]
    assert (tmp_path / "authority.db").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("sqlite:////nowhere/at/all/authority.db", id="no such folder"),
        pytest.param("postgresql://carnet:secret-word@127.0.0.1:9/carnet", id="nothing listens"),
    ],
)
def test_a_database_that_cannot_be_reached_is_unavailable_and_its_password_not_shown(url: str) -> None:
    database = Database(url)
    with pytest.raises(StorageUnavailable) as caught:
        schema.current(database)
    assert "secret-word" not in f"{caught.value.message} {caught.value.hint} {caught.value.evidence}"
    database.close()


def test_a_file_that_is_no_database_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "authority.db").write_bytes(b"this is not SQLite" * 100)
    database = Database(f"sqlite:///{tmp_path / 'authority.db'}")
    with pytest.raises(StorageUnavailable):
        schema.current(database)
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("oracle://scott:tiger-word@host/db", id="another database"),
        pytest.param("mysql://host/db", id="mysql"),
        pytest.param("nonsense", id="no URL"),
        pytest.param("", id="empty"),
        pytest.param("sqlite+nothing:///x", id="unknown SQLite driver"),
        pytest.param("postgresql://host:port/db", id="port that is no number"),
    ],
)
def test_an_unusable_url_is_an_invalid_setting_and_is_not_repeated(url: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        Database(url)
    assert "tiger-word" not in caught.value.message


def test_a_server_that_does_not_answer_is_told_in_one_plain_line() -> None:
    database = Database("postgresql://carnet:tiger-word@127.0.0.1:1/carnet")
    with pytest.raises(StorageUnavailable) as caught, database.read():
        raise AssertionError("somebody answered")
    assert caught.value.message.startswith("the database cannot be reached: ")
    assert not re.search(r"OperationalError|\s{2}|[\n\t]|tiger-word", caught.value.message)
    # What libpq asks in a line of its own is asked by the hint.
    assert caught.value.message.endswith("Connection refused")
    assert "database_url" in caught.value.hint
    assert hint_over_http(caught.value.code, caught.value.hint) == "Nothing was changed. Try again in a moment."
    database.close()


def test_a_table_that_is_gone_is_not_to_be_tried_again(bench: Bench) -> None:
    with pytest.raises(NotSetUp) as caught, bench.authority.database.read() as connection:
        connection.execute(text("SELECT * FROM nowhere"))
    assert "nowhere" in caught.value.message
    assert not re.search(r"[A-Z][a-z]+Error|UndefinedTable", caught.value.message)
    assert hint_over_http(caught.value.code, caught.value.hint) == TELL_THE_OPERATOR


def test_opening_a_database_needs_no_connection(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'new.db'}")
    assert not (tmp_path / "new.db").exists()
    database.close()


def test_without_the_postgres_driver_the_extra_is_named() -> None:
    """In a process that cannot import psycopg, as in an installation without the extra."""
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from authority.domain.refusals import SettingsInvalid\n"
        "from authority.storage.db.database import Database\n"
        "try:\n    Database('postgresql://host/db')\n"
        "except SettingsInvalid as error:\n    print(error.message)\n"
    )
    root = Path(__file__).parents[2]
    process = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=root, env=dict(os.environ)
    )
    assert "carnet[postgres]" in process.stdout, process.stderr[-500:]


def test_a_read_sees_one_state_whatever_is_written_meanwhile(bench: Bench) -> None:
    database = bench.authority.database
    with database.read() as connection:
        before = connection.execute(select(func.count()).select_from(members)).scalar_one()
        bench.member("ada")
        assert connection.execute(select(func.count()).select_from(members)).scalar_one() == before
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(members)).scalar_one() == before + 1
