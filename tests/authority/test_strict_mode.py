"""Strict mode: a rule says how old a status list may be on the workstation, and a frozen list stops what it would hide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from authority.domain import list_age
from authority.domain.list_age import DAY, HOUR, MOST_AGE
from authority.domain.members import CONSOLE
from authority.domain.offline_rules import FIRST_RULE, Rule, RuleLevel, check_rule, effective
from authority.domain.refusals import InvalidInput
from authority.presentation.borrows import BorrowShown
from authority.services import borrow, policies, status_lists
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import claims_of, issued_to, workstation
from tests.support.chains import refused
from tests.support.console import Console
from tests.support.values import a_member
from verifier import verify

PRO = "arcgis-pro"
ADA = a_member(groups=("crew", "night"))


def rule(level: str, subject: str, age: int | None, product: str = "", days: int | None = None) -> Rule:
    return Rule(RuleLevel(level), subject, product, None, days, None, age)


ORGANIZATION = Rule(RuleLevel.ORGANIZATION, "", "", allowed=True, longest_days=30, default_days=7, status_max_age=9 * DAY)
CASES: dict[str, tuple[Sequence[Rule], int | None]] = {
    "nobody asks for a list": ([FIRST_RULE], None),
    "the organization does": ([ORGANIZATION], 9 * DAY),
    "a product does": ([FIRST_RULE, rule("product", PRO, 2 * DAY)], 2 * DAY),
    "a group does": ([FIRST_RULE, rule("group", "crew", 2 * DAY)], 2 * DAY),
    "what a rule leaves open is the organization's": ([ORGANIZATION, rule("member", "ada", None, days=3)], 9 * DAY),
    "a member needs none": ([ORGANIZATION, rule("member", "ada", 0)], None),
    "a member has longer": ([ORGANIZATION, rule("member", "ada", 60 * DAY)], 60 * DAY),
    "of two groups the strictest": ([FIRST_RULE, rule("group", "crew", 5 * DAY), rule("group", "night", 2 * DAY)], 2 * DAY),
    "the strictest also beside fewer days": (
        [FIRST_RULE, rule("group", "crew", None, days=3), rule("group", "night", 2 * DAY, days=9)],
        2 * DAY,
    ),
    "another's rule says nothing": ([FIRST_RULE, rule("member", "eve", DAY), rule("group", "day", DAY)], None),
}


@pytest.mark.parametrize(("rules", "age"), CASES.values(), ids=CASES)
def test_which_age_is_demanded(rules: Sequence[Rule], age: int | None) -> None:
    assert effective(rules, ADA, PRO).status_max_age == age


@pytest.mark.parametrize("age", [1, HOUR - 1, MOST_AGE + 1, -1])
def test_an_age_that_makes_no_sense_is_refused(age: int) -> None:
    with pytest.raises(InvalidInput, match="age of a status list"):
        check_rule(rule("group", "crew", age))
    for good in (0, HOUR, MOST_AGE):
        check_rule(rule("group", "crew", good))


def test_ages_are_told_in_days_and_hours() -> None:
    assert [list_age.length(seconds) for seconds in (HOUR, DAY, 36 * HOUR, 7 * DAY, 1800)] == [
        "1 hour",
        "1 day",
        "1 day 12 hours",
        "7 days",
        "less than 1 hour",
    ]
    assert list_age.advice(None) is None
    assert "every 3 days 12 hours" in str(list_age.advice(7 * DAY))


def demand(bench: Bench, age: int, level: str = "organization", subject: str = "") -> None:
    days: dict[str, Any] = {"allowed": None, "longest_days": None, "default_days": None}
    policies.change(Unit(bench.authority, CONSOLE), level, subject, "", **days, status_max_age=age)


def test_t8_a_workstation_that_is_brought_no_new_list_is_stale_at_the_exact_second(bench: Bench) -> None:
    """Otherwise a revocation is never known to who leaves the list at home."""
    demand(bench, 2 * DAY)
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, days=9)
    assert claims_of(issued.file)["pol"]["status_max_age"] == 2 * DAY
    listed_at = bench.clock()

    def check(after: timedelta, newer: bytes | None = None) -> None:
        inputs: dict[str, Any] = {"trust": bench.trust_file, "workstation": laptop.identity, "status_list": newer}
        verify(issued.file, now=listed_at + after, **inputs)

    check(timedelta(days=2))
    with refused("status-list-stale"):
        check(timedelta(days=2, seconds=1))
    bench.clock.turn(days=2)
    newer = status_lists.export(Unit(bench.authority, CONSOLE))
    check(timedelta(days=4), newer)
    with refused("status-list-stale"):
        check(timedelta(days=4, seconds=1), newer)


def test_a_borrow_shows_what_it_demands_and_a_renewal_follows_the_rule_of_now(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    before = issued_to(bench, ada, laptop, days=3)
    assert (before.borrow.status_max_age, claims_of(before.file)["pol"]["status_max_age"]) == (None, None)
    demand(bench, 7 * DAY, "member", "ada")
    bench.clock.turn(hours=1)
    renewed = issued_to(bench, ada, laptop, days=4)
    assert claims_of(renewed.file)["pol"]["status_max_age"] == 7 * DAY
    stored = borrow.show(Unit(bench.authority, ada), before.borrow.id)
    assert BorrowShown.of(stored, bench.clock()).status_max_age == 7 * DAY
    demand(bench, 0, "member", "ada")
    bench.clock.turn(hours=1)
    assert claims_of(issued_to(bench, ada, laptop, days=5).file)["pol"]["status_max_age"] is None


def test_a_short_age_leaves_time_for_the_way(sqlite_bench: Bench) -> None:
    """The list inside a borrow file may else be an hour old before anybody carries it."""
    demand(sqlite_bench, HOUR)
    issued_to(sqlite_bench, sqlite_bench.member("eve"), workstation("another"))
    sqlite_bench.clock.turn(minutes=20)
    laptop = workstation("laptop")
    issued = issued_to(sqlite_bench, sqlite_bench.member("ada"), laptop)
    an_hour_later = sqlite_bench.clock() + timedelta(hours=1)
    verify(issued.file, trust=sqlite_bench.trust_file, workstation=laptop.identity, now=an_hour_later)


def test_the_command_sets_explains_and_advises(console: Console) -> None:
    assert console.good("policy", "set", "--status-max-age", "7d")["status_max_age"] == 7 * DAY
    assert console.good("policy", "set", "--group", "crew", "--status-max-age", "36h")["status_max_age"] == 36 * HOUR
    explained = console.good("policy", "explain", "ada", PRO)
    assert explained["status_max_age"] == 7 * DAY
    assert explained["explanation"].endswith("status list of at most 7 days")
    output = console.run("policy", "explain", "ada", PRO).out
    assert "carry a new one every 3 days 12 hours" in output
    assert "status list of at most 1 day 12 hours" in console.run("policy", "show").out
    assert console.good("policy", "set", "--status-max-age", "none")["status_max_age"] == 0
    assert console.good("policy", "explain", "ada", PRO)["status_max_age"] is None
    for wrong in ("7", "7w", "-1d", "d", "\u0667d"):
        assert console.run("policy", "set", "--status-max-age", wrong).status == 2
    assert console.run("policy", "set", "--status-max-age", "1000d").status == 1
