"""The page on security holds what it says: each attempt of its table has a test that is named after it, and says what remains."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
# The attempts on a workstation, by their numbers in the table of threats; the others are those on an authority.
WORKSTATION = (*range(1, 25), 27, 28, 29, 37, 38, 39, 41, 43)
# Those on an authority that have a row already.
AUTHORITY = (26, 30, 34, 36, 42)


class Row(NamedTuple):
    """A row of the table: the numbers of its attempt, what remains, and the tests that hold it."""

    attempt: str
    numbers: tuple[int, ...]
    remains: str
    tests: tuple[str, ...]


def rows() -> list[Row]:
    lines = (ROOT / "docs" / "security.md").read_text(encoding="utf-8").splitlines()
    cells = [re.split(r"\s*\|\s*", line.strip("| ")) for line in lines if line.startswith("| ")]
    # The head of the table, and the line below it, which has dashes.
    return [_row(*row) for row in cells[1:] if not row[0].startswith("---")]


def _row(attempt: str, _: str, remains: str, tests: str) -> Row:
    numbers = tuple(int(number) for number in re.findall(r"\bT(\d+)\b", attempt))
    return Row(attempt, numbers, remains, tuple(re.findall(r"`(test_\w+)(?:\.py)?`", tests)))


def defined() -> set[str]:
    """Every test, and every file of tests."""
    paths = list((ROOT / "tests").rglob("test_*.py"))
    names = {
        name for path in paths for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    return names | {path.stem for path in paths}


ROWS = rows()


def test_every_attempt_on_a_workstation_has_a_row() -> None:
    numbers = {number for row in ROWS for number in row.numbers}
    assert numbers == {*WORKSTATION, *AUTHORITY}


@pytest.mark.parametrize("row", ROWS, ids=[row.attempt[:50] for row in ROWS])
def test_a_row_has_tests_that_are_there_and_one_named_after_each_of_its_numbers(row: Row) -> None:
    assert row.remains, "say what remains, also when nothing is known to"
    assert row.tests
    assert set(row.tests) <= defined()
    for number in row.numbers:
        assert any(name.startswith(f"test_t{number}_") for name in row.tests), f"T{number} has no test of its name"


def test_every_test_that_is_named_after_an_attempt_stands_in_a_row_of_it() -> None:
    in_table = {(number, name) for row in ROWS for name in row.tests for number in row.numbers}
    named = {(int(match[1]), name) for name in defined() if (match := re.match(r"test_t(\d+)_", name))}
    assert sorted(named - in_table) == []
