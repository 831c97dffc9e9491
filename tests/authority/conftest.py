"""Fixtures for the commands of the authority."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.console import Console, clean_environment


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
