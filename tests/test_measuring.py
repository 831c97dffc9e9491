"""What coverage counts, which files of tests begin first, and what mutants of the rules are asked with."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.measuring import EVERY_CASE, TESTS, Measured, longest_first


def test_of_the_cases_of_a_test_the_first_is_counted_and_of_the_verifier_each() -> None:
    measured, here = Measured(), Path(__file__)
    cases = ("test_one[a]", "test_one[b]", "test_two", "test_one[c]", "test_two[x[y]]")
    assert [measured.counts(f"tests/test_it.py::{case}", here) for case in cases] == [True, False, True, False, False]
    assert measured.counts("tests/test_other.py::test_one[b]", here)
    assert not measured.counts("tests/test_it.py::test_of_examples", here, repeats=True)
    assert measured.counts(f"{EVERY_CASE[0]}::test_of_examples", EVERY_CASE[0], repeats=True)
    assert [measured.counts(f"{place}::{case}", place) for place in EVERY_CASE for case in cases] == [True] * 5 * len(
        EVERY_CASE
    )


def test_files_with_a_slow_test_begin_first_and_then_those_with_the_most() -> None:
    def item(name: str, number: int, *, slow: bool = False) -> Any:
        return SimpleNamespace(path=Path(name), number=number, get_closest_marker=lambda _: slow or None)

    items = [item("few", 1), item("many", 2), item("slow", 3), item("many", 4), item("slow", 5, slow=True), item("more", 6)]
    items += [item("many", 7)]
    ordered: list[Any] = [*longest_first(items)]
    assert [one.number for one in ordered] == [3, 5, 2, 4, 7, 1, 6]


def test_mutants_have_every_folder_that_their_tests_import_from() -> None:
    """They run in a copy of this checkout; where a folder is missing there, no test can be asked."""
    root = TESTS.parent
    mutmut = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    asked = [root / name for name in mutmut["pytest_add_cli_args_test_selection"]]
    assert [path for path in asked if not path.is_file()] == []
    imported = {
        module.partition(".")[0]
        for path in {*asked, *TESTS.rglob("conftest.py"), *(TESTS / "support").glob("*.py")}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for module in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [])
    }
    folders = {name for name in imported if (root / name).is_dir()}
    assert folders > {"tests", "verifier", "authority"}
    assert folders - {"tests", *mutmut["also_copy"]} == set()
