"""The walks of a borrow, a check-in and a check keep within the house's budget: how much code somebody reads to follow one."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# What `python -m tools.walk` says at most. Who makes a walk shorter lowers the figure here.
BUDGET = {
    "borrow": {
        # Three of the files and four of the functions record what leaves, outside the database; one of each notes how long it took,
        # and two look whether the headers can be trusted and the query has nothing that the route does not take.
        "files": 48,
        "functions": 160,
        "changes of file": 148,
        "SQL executions": 11,
        "SQL statements": 7,
        "connections": 1,
        "clock reads": 1,
        "signatures verified": 2,
    },
    "check-in": {
        "files": 33,
        "functions": 93,
        "changes of file": 79,
        "SQL executions": 11,
        "SQL statements": 7,
        "connections": 1,
        "clock reads": 1,
        "signatures verified": 1,
    },
    "check": {
        # One of them opens what is signed (steps 1 to 4), one judges by it (steps 5 to 12).
        "files": 23,
        "functions": 141,
        # Where XDG_STATE_HOME is set there are two places for a second copy; without it 175.
        "changes of file": 177,
        "machine key opened": 1,
        "signatures verified": 4,
        "status list verified": 1,
        "clock reads": 1,
    },
}


@functools.cache
def walk(*arguments: str) -> str:
    """What the script prints; each walk has a process of its own, once, in which nothing is remembered from other tests."""
    command = [sys.executable, "-m", "tools.walk", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120).stdout


@pytest.mark.parametrize("name", BUDGET)
def test_a_walk_keeps_within_its_budget(name: str) -> None:
    figures = json.loads(walk(name, "--json"))[name]
    over = {figure: (figures[figure], most) for figure, most in BUDGET[name].items() if figures[figure] > most}
    assert not over, "more than the budget: shorten the walk, or say in the commit why it grew"


def test_every_figure_of_a_walk_is_measured() -> None:
    """A borrow and a check-in run SQL on a connection and verify signatures; a check opens this machine's key: nothing is zero for want of looking."""
    for name, budget in BUDGET.items():
        figures = json.loads(walk(name, "--json"))[name]
        assert all(figures[figure] > 0 for figure in budget), figures


def test_the_path_of_a_borrow_begins_in_its_route_and_writes_in_storage() -> None:
    lines = walk("borrow", "--full").splitlines()
    route = next(number for number, line in enumerate(lines) if "web/api/borrows.py" in line)
    storing = [number for number, line in enumerate(lines) if "authority/storage/borrows.py" in line]
    assert storing
    assert min(storing) > route
    depth = len(lines[route]) - len(lines[route].lstrip())
    assert all(len(lines[number]) - len(lines[number].lstrip()) > depth for number in storing)
