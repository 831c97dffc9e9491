"""Which offline rule wins, and how the decision is explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Actor
from authority.domain.offline_rules import Rule, RuleLevel, effective
from authority.domain.refusals import (
    DurationTooLong,
    InvalidInput,
    NoSuchProduct,
    NotAllowed,
    NotFound,
    OfflineNotAllowed,
    Refusal,
)
from authority.services import borrow, endings, policies
from authority.services.member_changes import Change, change
from authority.services.unit import Unit
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.values import a_member
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

ORGANIZATION = Rule(RuleLevel.ORGANIZATION, "", "", True, 30, 7)
PRO, ALLSOURCE = "arcgis-pro", "arcgis-allsource"
MEMBER = a_member(username="Ada", groups=("crew", "office"), user_type="GIS Professional")


def rule(level: str, subject: str, days: int | None = None, *, product: str = "", allowed: bool | None = None) -> Rule:
    return Rule(RuleLevel(level), subject, product, allowed, days, None)


SUBJECTS = {"member": "ada", "group": "crew", "type": "GIS Professional", "product": PRO}


@pytest.mark.parametrize("winner", list(RuleLevel)[:-1])
def test_the_most_specific_level_that_has_a_rule_wins(winner: RuleLevel) -> None:
    levels = list(RuleLevel)[list(RuleLevel).index(winner) : -1]
    rules = [ORGANIZATION, *(rule(level, SUBJECTS[level], 10 + place) for place, level in enumerate(levels))]
    decision = effective(rules, MEMBER, PRO)
    assert decision.longest_days == 10
    assert decision.decided_by == f"{winner} {SUBJECTS[winner]}"


CASES: dict[str, tuple[Sequence[Rule], int | None]] = {
    "no rule but the organization's": ([], 30),
    "the strictest of two groups": ([rule("group", "crew", 60), rule("group", "office", 5)], 5),
    "a group that forbids beats one that allows": ([rule("group", "crew", 60), rule("group", "office", allowed=False)], None),
    "a rule for the product before one for all": ([rule("member", "ada", 3), rule("member", "ada", 40, product=PRO)], 40),
    "also within a group": ([rule("group", "crew", 3), rule("group", "crew", 40, product=PRO)], 40),
    "a rule for another product says nothing": ([rule("member", "ada", 3, product=ALLSOURCE)], 30),
    "another member's rule says nothing": ([rule("member", "eve", 3)], 30),
    "another group's rule says nothing": ([rule("group", "night", 3)], 30),
    "a member is allowed what the group is not": ([rule("group", "crew", allowed=False), rule("member", "ada", 3)], 3),
    "what a rule leaves open is the organization's": ([rule("type", "GIS Professional", allowed=True)], 30),
}


@pytest.mark.parametrize(("rules", "days"), CASES.values(), ids=CASES)
def test_rules_decide_as_documented(rules: Sequence[Rule], days: int | None) -> None:
    decision = effective([*rules, ORGANIZATION], MEMBER, PRO)
    assert (decision.longest_days if decision.allowed else None) == days


def test_the_switch_of_the_organization_is_off_for_everybody() -> None:
    """S1: one setting turns offline use off for the organization as a whole."""
    off = Rule(RuleLevel.ORGANIZATION, "", "", False, 30, 7)
    assert not effective([off, rule("member", "ada", 3, allowed=True)], MEMBER, PRO).allowed


def set_rule(bench: Bench, level: str, subject: str, **values: Any) -> Rule:
    fields: dict[str, Any] = {"allowed": None, "longest_days": None, "default_days": None} | values
    return policies.change(Unit(bench.authority, CONSOLE), level, subject, "", **fields)


@ON_SQLITE
def test_the_explanation_is_the_path_to_the_decision(bench: Bench) -> None:
    ada = bench.member("ada", groups=("field-crew",))
    set_rule(bench, "group", "field-crew", longest_days=60)
    explanation = policies.explain(Unit(bench.authority, ada), "ada", PRO)
    assert explanation.text == "member none; group field-crew: 60 days; capped by authorization 365: 60"


@ON_SQLITE
def test_a_borrow_follows_the_rule_that_explain_names(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada", groups=("field-crew",))
    set_rule(bench, "group", "field-crew", longest_days=60, default_days=45)
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish(PRO), bench.clock()))
    assert issued.borrow.expires_at == bench.clock() + timedelta(days=45)
    assert issued.borrow.decided_by == "group field-crew"
    with pytest.raises(DurationTooLong, match="group field-crew: 60 days"):
        borrow.issue(Unit(bench.authority, ada), laptop.request(Wish(PRO, days=61), bench.clock()))


@ON_SQLITE
def test_when_the_switch_is_off_borrows_and_renewals_are_refused_and_check_ins_taken(bench: Bench) -> None:
    """B3: those already offline can still check in."""
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish(PRO, days=3), bench.clock()))
    set_rule(bench, "organization", "", allowed=False)
    for wish in (Wish(PRO, days=5), Wish("arcgis-desktop")):
        with pytest.raises(OfflineNotAllowed, match="organization"):
            borrow.issue(Unit(bench.authority, ada), laptop.request(wish, bench.clock()))
    assert (
        endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock())).state(bench.clock())
        == "checked-in"
    )


def test_a_removed_rule_lets_the_next_level_decide(bench: Bench) -> None:
    bench.member("ada")
    set_rule(bench, "member", "ADA", longest_days=3)
    assert policies.explain(Unit(bench.authority, CONSOLE), "ada", PRO).rule.longest_days == 3
    policies.remove(Unit(bench.authority, CONSOLE), "member", "Ada", "")
    assert policies.explain(Unit(bench.authority, CONSOLE), "ada", PRO).rule.longest_days == 30


REFUSED: dict[str, tuple[tuple[str, str], dict[str, Any], type[Refusal]]] = {
    "unknown level": (("planet", "earth"), {"longest_days": 3}, InvalidInput),
    "unknown member": (("member", "eve"), {"longest_days": 3}, NotFound),
    "unknown type": (("type", "Guest"), {"longest_days": 3}, NoSuchProduct),
    "unknown product": (("product", "arcgis-mars"), {"longest_days": 3}, NoSuchProduct),
    "no day": (("group", "crew"), {"longest_days": 0}, InvalidInput),
    "default beyond longest": (("group", "crew"), {"longest_days": 3, "default_days": 4}, InvalidInput),
    "a group that is no text": (("group", "a\nb"), {"longest_days": 3}, InvalidInput),
}


@pytest.mark.parametrize(("key", "values", "refusal"), REFUSED.values(), ids=REFUSED)
def test_a_senseless_rule_changes_nothing(
    sqlite_bench: Bench, key: tuple[str, str], values: dict[str, Any], refusal: type[Refusal]
) -> None:
    before = policies.listed(Unit(sqlite_bench.authority, CONSOLE))
    with pytest.raises(refusal):
        set_rule(sqlite_bench, *key, **values)
    assert policies.listed(Unit(sqlite_bench.authority, CONSOLE)) == before


def test_members_ask_for_themselves_alone(sqlite_bench: Bench) -> None:
    ada = sqlite_bench.member("ada")
    sqlite_bench.member("eve")
    assert policies.explain(Unit(sqlite_bench.authority, ada), "ada", PRO).member == "ada"
    with pytest.raises(NotAllowed):
        policies.explain(Unit(sqlite_bench.authority, ada), "eve", PRO)


def test_only_administrators_change_rules(sqlite_bench: Bench) -> None:
    ada: Actor = sqlite_bench.member("ada")
    with pytest.raises(NotAllowed):
        policies.change(
            Unit(sqlite_bench.authority, ada), "organization", "", "", allowed=False, longest_days=None, default_days=None
        )


def test_a_change_of_group_changes_the_rule(sqlite_bench: Bench) -> None:
    ada = sqlite_bench.member("ada")
    set_rule(sqlite_bench, "group", "night", longest_days=2)
    change(Unit(sqlite_bench.authority, CONSOLE), "ada", Change(groups=("night",)))
    assert policies.explain(Unit(sqlite_bench.authority, ada), "ada", PRO).rule.longest_days == 2
