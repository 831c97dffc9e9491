"""What coverage counts, and in which order files of tests begin: both are time alone, and no test does anything else for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import coverage
import pytest

# The room with a high floor of its own is counted in every case of its tests.
TESTS = Path(__file__).parents[1]
EVERY_CASE = TESTS / "verifier", TESTS / "connected", TESTS / "test_window.py", TESTS / "test_qr.py"
# Marks of tests that go through the same lines again and again; Hypothesis sets the second.
REPEATING = "slow", "hypothesis"


class Measured:
    """Which tests coverage counts: of the cases of one test the first, because the others go through the same lines with other values.

    Tests that are slow, and those of many examples, are not counted for the same reason: each goes through its lines again and again.
    Counting costs half as much again as the test itself. The floors of coverage are asked of what was counted: less can only miss them.
    """

    def __init__(self) -> None:
        self._tests: set[str] = set()

    def counts(self, nodeid: str, path: Path, *, repeats: bool = False) -> bool:
        """Whether this case is counted: the first of its test in this process unless that repeats itself, or any where each is."""
        test = nodeid.partition("[")[0]
        is_first = test not in self._tests
        self._tests.add(test)
        return (is_first and not repeats) or any(path.is_relative_to(place) for place in EVERY_CASE)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> object:
        """Runs the test; what measures coverage in this process, if anything does, pauses where the case is not counted."""
        running = coverage.Coverage.current()
        repeats = any(item.get_closest_marker(name) for name in REPEATING)
        if self.counts(item.nodeid, item.path, repeats=repeats) or running is None:
            return (yield)
        running.stop()
        try:
            return (yield)
        finally:
            running.start()


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The tests, file by file: first the files in which a test is slow, then those with the most tests.

    A long file that begins last would let all processes but one wait for its end.
    """
    count = Counter(item.path for item in items)
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    return sorted(items, key=lambda item: (item.path not in slow, -count[item.path], item.path))
