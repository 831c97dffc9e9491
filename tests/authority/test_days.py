"""Days are counted in one way: here, in the verifier, and wherever they are shown."""

from __future__ import annotations

from datetime import timedelta

import pytest

from authority.domain import days
from authority.domain.plurals import counted
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.values import NOW
from verifier import verify


@pytest.mark.parametrize(
    ("left", "count", "words"),
    [
        (timedelta(days=10), 10, "10 days"),
        (timedelta(days=9, seconds=1), 10, "10 days"),
        (timedelta(days=9), 9, "9 days"),
        (timedelta(days=1), 1, "1 day"),
        (timedelta(seconds=1), 1, "1 day"),
        (timedelta(0), 0, "0 days"),
        (timedelta(days=-3), 0, "0 days"),
    ],
)
def test_days_left_are_begun_days(left: timedelta, count: int, words: str) -> None:
    assert (days.left(NOW + left, NOW), counted(count, "day")) == (count, words)


def test_the_authority_and_the_verifier_count_the_same_days(sqlite_bench: Bench) -> None:
    laptop = workstation("laptop")
    issued = issued_to(sqlite_bench, sqlite_bench.member("ada"), laptop, days=10)
    for step in (timedelta(0), timedelta(seconds=1), timedelta(hours=23), timedelta(days=1), timedelta(days=7, hours=12)):
        now = sqlite_bench.clock.turn(seconds=step.total_seconds())
        grant = verify(issued.file, trust=sqlite_bench.trust_file, workstation=laptop.identity, now=now)
        assert grant.days_left == days.left(issued.borrow.expires_at, now)
