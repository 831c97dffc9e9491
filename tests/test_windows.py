"""How the Windows Python is set up: every part has its digest, and where it cannot be set up that is said."""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tools import apt
from tools.windows import __main__ as command
from tools.windows import parts, wine


def test_every_wheel_is_of_the_lock_and_has_its_digest() -> None:
    lines = parts.wheel_lines().splitlines()
    assert tuple(line.partition("==")[0] for line in lines) == parts.WHEELS
    assert [line for line in lines if not re.search(r"--hash=sha256:[0-9a-f]{64}", line)] == []


def test_the_python_has_its_digest() -> None:
    assert re.search(r"==\S+ --hash=sha256:[0-9a-f]{64}\Z", parts.PYTHON)


@pytest.fixture
def without_wine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with another cache, without Wine, and a user who may install nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(wine, "LOADERS", ())
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.parametrize(("flags", "status"), [([], 1), (["--where-possible"], 0)])
def test_where_wine_cannot_be_installed_it_is_said_that_nothing_was_run(
    without_wine: None, flags: list[str], status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["windows", "test", *flags])
    assert command.main() == status
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("THE TESTS ON WINDOWS WERE NOT RUN: there is no Wine here")


def test_what_is_on_this_system_has_a_name_on_windows(tmp_path: Path) -> None:
    assert command.windows(tmp_path / "a folder") == "Z:" + str(tmp_path / "a folder").replace("/", "\\")


def test_a_borrow_that_fails_beside_the_tests_on_windows_fails_them(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "BORROW", (sys.executable, "-c", "print('1 failed', flush=True); raise SystemExit(1)"))
    python: Any = "Windows"

    def run_tests(_: Any, tests: tuple[str, ...]) -> int:
        print(tests, flush=True)
        return 0

    monkeypatch.setattr(command, "run_tests", run_tests)
    assert command.all_tests(python) == 1
    output = capfd.readouterr().out
    assert output.index(str(command.TESTS)) < output.index(command.TOO_SLOW) < output.index("1 failed")


def test_two_that_install_wait_for_each_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs of `make check` begin together, and each may lack a program."""
    program, busy = tmp_path / "apt-get", tmp_path / "busy"
    program.write_text(f"#!/bin/sh\nmkdir {busy} && sleep 0.05 && rmdir {busy}\n")
    program.chmod(0o755)
    monkeypatch.setattr(apt, "APT", str(program))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(apt.install, ("Wine", "Xvfb", "xdotool"), (["wine"], ["xvfb"], ["xdotool"])))
    assert not busy.exists()
