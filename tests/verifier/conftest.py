"""Fixtures of the verifier's room; they need nothing of the authority, so that this room's tests run where only the verifier is."""

import sys
from pathlib import Path

import pytest

from tests.support.vectors import vectors

__all__ = ["vectors"]

# Whole files that only a system of POSIX can run, and why; the summary of a run on Windows names them.
NOT_ON_WINDOWS = {
    "test_operating_system.py": "full disks by limits, flock and /dev/full are of POSIX",
    "test_folder.py": "pipes, links and modes in the place of files are of POSIX",
    "test_clock.py": "the zone of a process is set by tzset, which Windows has not",
    "test_standing_alone.py": "builds and installs a wheel with the tools of the machine that develops",
}

# What runs in part there, because each case takes long under Wine.
IN_PART_ON_WINDOWS = {
    "test_parsers.py": "10,000 of 100,000 changed files",
    "test_state.py": "every seventh of the changed bytes",
    "test_numbers.py": "4 of 11 extreme numbers, those that the C library of Windows treats in its own way",
}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Passes over the files that only POSIX can run."""
    return True if sys.platform == "win32" and collection_path.name in NOT_ON_WINDOWS else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which files were passed over or run in part, and why."""
    if sys.platform == "win32":
        for name, reason in NOT_ON_WINDOWS.items():
            terminalreporter.write_line(f"NOT RUN ON WINDOWS: {name}: {reason}")
        for name, part in IN_PART_ON_WINDOWS.items():
            terminalreporter.write_line(f"RUN IN PART ON WINDOWS: {name}: {part}")
