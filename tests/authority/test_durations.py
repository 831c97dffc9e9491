"""How long a license may be away, with values alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.domain.catalogue import Product
from authority.domain.offline_rules import (
    FIRST_RULE,
    MOST_DAYS,
    OfflineRule,
    Rule,
    RuleLevel,
    check_key,
    check_rule,
    effective,
    end_of_borrow,
    explanation,
    latest_end,
)
from authority.domain.refusals import DurationTooLong, InvalidInput, OfflineNotAllowed, ProductExpired
from tests.support.values import NOW, a_member, a_product, an_authorization

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def end(days: int | None = None, until: datetime | None = None, **places: Any) -> datetime:
    rule = places.get("rule", OfflineRule(True, 30, 7, "organization"))
    return end_of_borrow(
        rule, places.get("authorization", an_authorization()), places.get("product", a_product()), NOW, days, until
    )


def test_the_organization_starts_with_thirty_days_at_most_and_seven_by_default() -> None:
    assert (FIRST_RULE.allowed, FIRST_RULE.longest_days, FIRST_RULE.default_days) == (True, 30, 7)


def test_who_does_not_say_how_long_gets_the_default() -> None:
    assert end() == NOW + 7 * DAY


@pytest.mark.parametrize("days", [1, 29, 30])
def test_up_to_the_longest_time_is_given_exactly(days: int) -> None:
    assert end(days) == NOW + days * DAY


def test_a_time_until_a_date_is_given_exactly_up_to_the_limit() -> None:
    assert end(until=NOW + 30 * DAY) == NOW + 30 * DAY
    assert end(until=NOW + SECOND) == NOW + SECOND


@pytest.mark.parametrize(
    ("days", "until"),
    [
        pytest.param(31, None, id="one day more"),
        pytest.param(None, NOW + 30 * DAY + SECOND, id="one second more"),
        pytest.param(2**40, None, id="beyond the calendar"),
        pytest.param(10**9, None, id="beyond what a time span holds"),
    ],
)
def test_a_time_past_the_limit_is_refused_and_never_cut(days: int | None, until: datetime | None) -> None:
    with pytest.raises(DurationTooLong) as caught:
        end(days, until)
    assert "limit_days" in caught.value.evidence


def test_the_refusal_of_too_long_a_time_names_the_limit_and_who_set_it() -> None:
    with pytest.raises(DurationTooLong) as caught:
        end(31)
    assert caught.value.evidence == {
        "limit_days": 30.0,
        "limit_until": (NOW + 30 * DAY).isoformat(),
        "decided_by": "organization: 30 days",
    }
    assert "30 days" in caught.value.message


@pytest.mark.parametrize("until", [NOW, NOW - SECOND, NOW - 400 * DAY])
def test_an_end_that_does_not_lie_in_the_future_is_refused(until: datetime) -> None:
    with pytest.raises(InvalidInput):
        end(until=until)


CAPS = [
    pytest.param({"authorization": an_authorization(max_borrow_days=5)}, 5, id="longest of the authorization"),
    pytest.param({"authorization": an_authorization(ends_at=NOW + 4 * DAY)}, 4, id="end of the authorization"),
    pytest.param({"product": a_product(until=NOW + 3 * DAY)}, 3, id="end of the product"),
    pytest.param({"rule": OfflineRule(True, 2, 1, "organization")}, 2, id="longest of the rule"),
]


@pytest.mark.parametrize(("places", "days"), CAPS)
def test_every_cap_holds_to_the_second(places: dict[str, Any], days: int) -> None:
    assert end(days, **places) == NOW + days * DAY
    with pytest.raises(DurationTooLong):
        end(until=NOW + days * DAY + SECOND, **places)


@pytest.mark.parametrize(("places", "days"), CAPS[:3])
def test_the_default_is_cut_to_what_is_allowed_at_all(places: dict[str, Any], days: int) -> None:
    assert end(**places) == NOW + days * DAY


@pytest.mark.parametrize(
    "places",
    [
        pytest.param({"product": a_product(until=NOW)}, id="product ends now"),
        pytest.param({"product": a_product(until=NOW - DAY)}, id="product ended"),
        pytest.param({"authorization": an_authorization(ends_at=NOW)}, id="authorization ends now"),
    ],
)
def test_what_has_ended_cannot_be_borrowed(places: dict[str, Any]) -> None:
    with pytest.raises(ProductExpired):
        end(1, **places)


def test_offline_use_that_is_not_allowed_is_refused_with_who_decided() -> None:
    with pytest.raises(OfflineNotAllowed) as caught:
        end(1, rule=OfflineRule(False, 30, 7, "organization"))
    assert caught.value.evidence == {"decided_by": "organization"}


@given(st.integers(1, 400), st.integers(1, 400), st.integers(1, 400), st.integers(1, 400))
def test_a_time_that_was_asked_for_is_given_exactly_or_refused(asked: int, longest: int, cap: int, ends: int) -> None:
    rule = OfflineRule(True, longest, 1, "organization")
    authorization = an_authorization(max_borrow_days=cap, ends_at=NOW + ends * DAY)
    try:
        given_end = end(asked, rule=rule, authorization=authorization)
    except DurationTooLong:
        assert asked > min(longest, cap, ends)
    else:
        assert given_end == NOW + asked * DAY
        assert given_end <= latest_end(rule, authorization, a_product(), NOW)[0]


@pytest.mark.parametrize(("default", "longest"), [(0, 5), (6, 5), (-1, 5), (1, 0)])
def test_a_rule_with_senseless_days_is_refused(default: int, longest: int) -> None:
    with pytest.raises(InvalidInput):
        check_rule(Rule(RuleLevel.ORGANIZATION, "", "", True, longest, default))


def test_a_rule_may_have_its_longest_as_its_default() -> None:
    check_rule(Rule(RuleLevel.ORGANIZATION, "", "", True, 5, 5))
    assert end(rule=OfflineRule(True, 5, 5, "organization")) == NOW + 5 * DAY


@pytest.mark.parametrize("days", [1, MOST_DAYS])
def test_a_rule_may_have_one_day_and_the_most(days: int) -> None:
    check_rule(Rule(RuleLevel.GROUP, "crew", "", allowed=None, longest_days=days, default_days=days))


@pytest.mark.parametrize("missing", ["allowed", "longest_days", "default_days"])
def test_the_organizations_rule_leaves_nothing_open(missing: str) -> None:
    with pytest.raises(InvalidInput):
        check_rule(replace(FIRST_RULE, **dict[str, Any]({missing: None})))


@pytest.mark.parametrize(
    ("level", "subject", "product"),
    [
        ("organization", "crew", ""),
        ("organization", "", "arcgis-pro"),
        ("product", "arcgis-pro", "arcgis-pro"),
        ("group", " ", ""),
    ],
)
def test_a_rule_has_the_subject_and_product_of_its_level(level: str, subject: str, product: str) -> None:
    with pytest.raises(InvalidInput):
        check_key(RuleLevel(level), subject, product)
    check_key(RuleLevel.ORGANIZATION, "", "")
    check_key(RuleLevel.PRODUCT, "arcgis-pro", "")
    check_key(RuleLevel.GROUP, "crew", "arcgis-pro")


@pytest.mark.parametrize(
    ("rule", "name", "words"),
    [
        (FIRST_RULE, "organization", "30 days, default 7"),
        (
            Rule(RuleLevel.GROUP, "crew", "arcgis-pro", allowed=None, longest_days=60, default_days=None),
            "group crew, arcgis-pro",
            "60 days",
        ),
        (
            Rule(RuleLevel.PRODUCT, "arcgis-pro", "", allowed=False, longest_days=1, default_days=1),
            "product arcgis-pro",
            "not allowed",
        ),
        (Rule(RuleLevel.MEMBER, "ada", "", allowed=True, longest_days=None, default_days=None), "member ada", "allowed"),
    ],
)
def test_a_rule_is_named_and_said_in_words(rule: Rule, name: str, words: str) -> None:
    assert (rule.name(), rule.words()) == (name, words)


def test_of_two_groups_the_one_with_the_shorter_default_is_the_stricter() -> None:
    member = a_member(groups=("day", "night"))
    day = Rule(RuleLevel.GROUP, "day", "", allowed=None, longest_days=9, default_days=5)
    night = replace(day, subject="night", default_days=3)
    assert effective([FIRST_RULE, day, night], member, "arcgis-pro").decided_by == "group night"
    assert effective([FIRST_RULE, night, replace(day, default_days=None)], member, "arcgis-pro").decided_by == "group night"


def test_a_switch_that_is_off_is_the_whole_path_and_keeps_the_days() -> None:
    off = replace(FIRST_RULE, allowed=False)
    rule = effective([off], a_member(), "arcgis-pro")
    assert (rule.allowed, rule.longest_days, rule.default_days) == (False, 30, 7)
    assert rule.path == ("organization: not allowed, for everybody",)
    on = effective([FIRST_RULE], a_member(), "arcgis-pro")
    assert (on.longest_days, on.default_days, on.path[-1]) == (30, 7, "organization: 30 days, default 7")


@pytest.mark.parametrize(
    ("rule", "product", "said"),
    [
        (OfflineRule(True, 30, 7, "organization", ("organization: 30 days",)), a_product(), "capped by authorization 365: 30"),
        (OfflineRule(True, 999, 7, "organization"), a_product(), "capped by authorization: 365 days: 365"),
        (OfflineRule(True, 30, 7, "organization"), a_product(until=NOW + 23 * 3600 * SECOND), "capped by end of arcgis-pro: 0"),
        (OfflineRule(True, 999, 7, "organization"), a_product(until=NOW + 400 * DAY), "capped by authorization: 365 days: 365"),
    ],
)
def test_the_explanation_says_what_caps_the_days(rule: OfflineRule, product: Product, said: str) -> None:
    assert explanation(rule, an_authorization(max_borrow_days=365, ends_at=NOW + 999 * DAY), product, NOW).endswith(said)


def test_what_ends_first_is_named_when_the_authorization_does() -> None:
    soon = an_authorization(ends_at=NOW + DAY)
    assert latest_end(OfflineRule(True, 30, 7, "organization"), soon, a_product(), NOW) == (
        NOW + DAY,
        "end of the authorization",
    )
