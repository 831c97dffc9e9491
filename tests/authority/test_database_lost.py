"""The database is deleted or replaced while it is served: nothing is answered from it, and the hints lead out."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from authority.domain.members import CONSOLE
from authority.domain.refusals import DatabaseLost
from authority.services.unit import Unit
from authority.storage.db.database import Database
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import workstation
from tests.support.console import Console
from tests.support.servers import Server, running_server

FILES = ("authority.db", "authority.db-wal", "authority.db-shm")


def copied(source: Path, target: Path) -> None:
    """Makes the content of one database that of another, whoever has it open."""
    with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(target)) as new:
        old.backup(new)


def deleted(home: Path) -> None:
    (home / "authority.db").unlink()


def deleted_with_its_journals(home: Path) -> None:
    for name in FILES:
        (home / name).unlink(missing_ok=True)


def moved_away(home: Path) -> None:
    (home / "authority.db").rename(home / "elsewhere.db")


def replaced_by_an_empty_file(home: Path) -> None:
    deleted_with_its_journals(home)
    (home / "authority.db").touch()


def replaced_by_its_own_copy(home: Path) -> None:
    copied(home / "authority.db", home / "copy.db")
    (home / "copy.db").replace(home / "authority.db")


def home_deleted(home: Path) -> None:
    shutil.rmtree(home)


LOSSES = [deleted, deleted_with_its_journals, moved_away, replaced_by_an_empty_file, replaced_by_its_own_copy, home_deleted]


@contextlib.contextmanager
def connected(server: Server) -> Iterator[http.client.HTTPConnection]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        yield connection


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_a_lost_database_is_told_and_nothing_is_answered_from_it(empty: Console, lose: Callable[[Path], None]) -> None:
    secret = empty.good("init", "--org", "Field Survey")["admin"]["api_key"]
    for name in ("ada", "bea"):
        empty.good("member", "add", name, "--type", "GIS Professional")
    requests = [json.loads(Path(empty.request(workstation(name))).read_bytes())["request"] for name in ("one", "two")]
    with running_server(empty.home) as server, connected(server) as connection:
        body = {"request": requests[0], "member": "ada"}
        assert server.request(connection, "POST", "/api/v1/borrows", secret, body)[0] == 201
        assert server.request(connection, "GET", "/readyz", "")[0] == 200
        lose(empty.home)
        for method, path, sent in (
            ("GET", "/readyz", None),
            ("POST", "/api/v1/borrows", {"request": requests[1], "member": "bea"}),
            ("POST", "/api/v1/sign-in", {"username": "ada", "password": "a-wrong-password"}),
            ("GET", "/api/v1/borrows", None),
            ("GET", "/api/v1/status-list", None),
        ):
            status, answer = server.request(connection, method, path, secret, sent)
            assert (status, answer["code"]) == (503, "database-lost"), (path, answer)
            assert "authority.db" in answer["detail"]
        assert answer["hint"].startswith("Tell whoever runs this server:")
        assert server.request(connection, "GET", "/healthz", "")[0] == 200


def test_a_database_that_is_put_back_is_served_on(empty: Console) -> None:
    secret = empty.good("init", "--org", "Field Survey")["admin"]["api_key"]
    with running_server(empty.home) as server, connected(server) as connection:
        assert server.request(connection, "GET", "/api/v1/borrows", secret)[0] == 200
        moved_away(empty.home)
        assert server.request(connection, "GET", "/api/v1/borrows", secret)[0] == 503
        (empty.home / "elsewhere.db").rename(empty.home / "authority.db")
        assert server.request(connection, "GET", "/api/v1/borrows", secret)[0] == 200


@ON_SQLITE
def test_what_was_committed_to_a_file_that_was_deleted_meanwhile_is_not_told_as_done(bench: Bench) -> None:
    path = Path(str(bench.authority.database.url.database))
    with pytest.raises(DatabaseLost), bench.authority.database.write():
        path.unlink()


@ON_SQLITE
def test_a_log_of_changes_that_was_deleted_is_told_and_what_was_in_it_is_written_at_the_end(bench: Bench) -> None:
    database = bench.authority.database
    path = Path(str(database.url.database))
    with database.write() as connection:
        connection.execute(text("CREATE TABLE kept (one)"))
    path.with_name(f"{path.name}-wal").unlink()
    with pytest.raises(DatabaseLost, match="-wal"), database.read():
        pass
    with pytest.raises(DatabaseLost, match="-wal"), database.write():
        pass
    other = Database(str(database.url))
    with pytest.raises(DatabaseLost, match="-wal"), other.read():
        pass
    other.close()
    assert not path.with_name(f"{path.name}-wal").exists()
    database.close()
    with contextlib.closing(sqlite3.connect(path)) as after:
        assert after.execute("SELECT count(*) FROM kept").fetchone() == (0,)


@ON_SQLITE
def test_a_log_of_changes_that_sqlite_itself_removes_is_no_loss(bench: Bench) -> None:
    bench.authority.database.engine.dispose()
    with bench.authority.database.write() as connection:
        connection.execute(text("CREATE TABLE made (one)"))


def test_an_older_copy_written_over_the_database_is_found_by_the_log(empty: Console) -> None:
    empty.good("init", "--org", "Field Survey")
    shutil.copy(empty.home / "authority.db", empty.home / "older.db")
    for name in ("ada", "bea", "cem"):
        empty.good("member", "add", name)
    with running_server(empty.home) as server, connected(server) as connection:
        assert server.request(connection, "GET", "/readyz", "")[0] == 200
        copied(empty.home / "older.db", empty.home / "authority.db")
        status, answer = server.request(connection, "GET", "/readyz", "")
        assert (status, answer["code"]) == (503, "database-lost")


READING = (
    ("borrow", "list"),
    ("member", "list"),
    ("license", "availability"),
    ("policy", "show"),
    ("session", "list"),
    ("authorization", "show"),
    ("key", "list"),
    ("log", "export"),
    ("doctor",),
    ("migrate",),
    ("serve",),
)


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
def test_no_command_but_init_makes_a_database(console: Console, arguments: tuple[str, ...]) -> None:
    deleted_with_its_journals(console.home)
    before = set(os.listdir(console.home))
    ended = console.run(*arguments, "--json")
    assert ended.status == 3
    assert set(os.listdir(console.home)) - {"authority.db.queue"} == before - {"authority.db.queue"}


@pytest.mark.parametrize("arguments", READING, ids=" ".join)
@pytest.mark.parametrize("loss", ["no file", "an empty file"])
def test_hints_lead_out_and_not_in_a_circle(console: Console, arguments: tuple[str, ...], loss: str) -> None:
    """In no hint is `init` or `migrate` advised: the first refuses this home, the second would make tables without content."""
    deleted_with_its_journals(console.home)
    if loss == "an empty file":
        (console.home / "authority.db").touch(0o600)
    ended = console.run(*arguments)
    output = ended.out + ended.err
    assert "docs/operations.md, When the database is gone" in " ".join(output.split())
    assert not re.search(r"Run: carnet-authority (init|migrate)", output)


def test_the_page_that_the_hints_name_has_the_way_out() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operations.md").read_text()
    assert "\n## When the database is gone\n" in page


def test_init_still_refuses_a_home_whose_database_is_gone_and_another_home_works(console: Console, tmp_path: Path) -> None:
    deleted_with_its_journals(console.home)
    assert console.run("init", "--org", "Field Survey").status == 1
    assert not (console.home / "authority.db").exists()
    assert console.bare("init", "--org", "Field Survey", "--home", str(tmp_path / "another")).status == 0


@ON_SQLITE
def test_a_request_that_waits_does_not_outlive_the_database(bench: Bench) -> None:
    """A unit that begins after the loss is refused, whatever it is for."""
    Path(str(bench.authority.database.url.database)).unlink()
    for begin in (Unit(bench.authority, CONSOLE).reading, Unit(bench.authority, CONSOLE).writing):
        with pytest.raises(DatabaseLost), begin():
            raise AssertionError("the unit began")
