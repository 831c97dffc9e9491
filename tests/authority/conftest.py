"""Fixtures for the application and the commands of the authority, and its vendor."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from authority.signing.vendor import root_folder
from tests.support.authorities import Bench
from tests.support.console import Console, clean_environment
from tests.support.vendors import RealVendor
from tests.support.web import Web, make_web, one_web


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """Commands for a home that is not there yet."""
    clean_environment(monkeypatch, lambda: list(os.environ))
    return Console(tmp_path / "home", capsys)


@pytest.fixture(scope="session")
def ready_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home lies that was set up once, to be copied."""
    return tmp_path_factory.mktemp("ready") / "home"


@pytest.fixture
def console(empty: Console, ready_home: Path) -> Console:
    """Commands for a home that was set up, with the member ada."""
    if not ready_home.exists():
        ready = Console(ready_home.with_name("not ready yet"), empty.capture)
        ready.good("init", "--org", "Field Survey")
        ready.good("member", "add", "ada", "--type", "GIS Professional", "--group", "survey")
        ready.home.rename(ready_home)
    shutil.copytree(ready_home, empty.home)
    return empty


@pytest.fixture
def web(sqlite_bench: Bench) -> Web:
    """The application with a member of each role, on SQLite."""
    return make_web(sqlite_bench)


@pytest.fixture
def both_web(bench: Bench) -> Web:
    """The application on each database in turn: pages, transactions and times are those of the database."""
    return make_web(bench)


@pytest.fixture(scope="module")
def still_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """The application that all tests of a file share which change nothing."""
    yield from one_web(tmp_path_factory.mktemp("web"))


@pytest.fixture
def vendor(sqlite_bench: Bench) -> RealVendor:
    """The folder of the bench's root key, which knows what it issued."""
    folder = sqlite_bench.home / "root"
    with sqlite_bench.authority.database.read() as connection:
        root_folder.remember(folder, sqlite_bench.authority.terms(connection).authorization)
    return RealVendor(folder, sqlite_bench.root)
