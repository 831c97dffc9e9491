"""Fixtures for the commands of the authority, and its vendor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from authority.signing.vendor import root_folder
from tests.support.authorities import Bench
from tests.support.console import Console, clean_environment
from tests.support.vendors import RealVendor


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Console:
    """Commands for a home that is not there yet."""
    clean_environment(monkeypatch, lambda: list(os.environ))
    return Console(tmp_path / "home", capsys)


@pytest.fixture
def console(empty: Console) -> Console:
    """Commands for a home that was set up, with the member ada."""
    empty.good("init", "--org", "Field Survey")
    empty.good("member", "add", "ada", "--type", "GIS Professional", "--group", "survey")
    return empty


@pytest.fixture
def vendor(sqlite_bench: Bench) -> RealVendor:
    """The folder of the bench's root key, which knows what it issued."""
    folder = sqlite_bench.home / "root"
    with sqlite_bench.authority.database.read() as connection:
        root_folder.remember(folder, sqlite_bench.authority.terms(connection).authorization)
    return RealVendor(folder, sqlite_bench.root)
