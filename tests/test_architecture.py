"""The page on the architecture is held to the code: what it names is there, and its figures are those of the budget."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.test_walk import BUDGET
from tools.walk_picture import ROOMS

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_every_path_that_is_named_is_there() -> None:
    named = re.findall(r"`((?:authority|verifier|notebooks|tests|tools)/[\w/.]+)`", PAGE)
    assert len(named) > 20
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_folder_of_the_rooms_is_named() -> None:
    folders = [
        f"{room}/{folder.name}"
        for room in ("authority", "verifier")
        for folder in (ROOT / room).iterdir()
        if (folder / "__init__.py").exists()
    ]
    assert [folder for folder in folders if f"`{folder}`" not in PAGE] == []


def test_every_room_of_the_contracts_is_named() -> None:
    """What import-linter keeps apart in each of the three packages, the page tells apart."""
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = {
        (package, room)
        for contract in configuration["contracts"]
        for package in set(contract.get("containers", [])) & set(configuration["root_packages"])
        for layer in contract["layers"]
        for room in re.findall(r"\w+", layer)
    }
    assert {package for package, _ in layers} == set(configuration["root_packages"])
    unnamed = [
        (package, room)
        for package, room in sorted(layers)
        if not re.search(rf"`{room}`" if package == "checkout_log" else rf"`{package}/{room}(\.py)?`", PAGE)
    ]
    assert unnamed == []


def test_its_figures_are_those_of_the_budget() -> None:
    """The page may not say less than what the walk is allowed to be."""
    rows = {cells[1].strip(): cells[3].strip() for line in PAGE.splitlines() if len(cells := line.split("|")) == 6}
    for figure in ("files", "functions", "changes of file", "SQL executions", "connections"):
        assert int(rows[figure]) == BUDGET["borrow"][figure]
    assert f"walks {BUDGET['check']['files']} files and {BUDGET['check']['functions']} functions" in PAGE


def test_the_picture_has_every_room() -> None:
    picture = (ROOT / "docs" / "pictures" / "walk.svg").read_text(encoding="utf-8")
    assert [room for room in ROOMS if f">{room}</text>" not in picture] == []
