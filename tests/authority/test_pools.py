"""The seats of concurrent products and the rules about them, as values: who gets one, and why not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.domain.borrows import Features
from authority.domain.pools import Pool, PoolRule, Use, check_rule
from authority.domain.refusals import InvalidInput, NoSuchProduct, PoolExhausted
from tests.support.values import a_concurrent_product, a_product

ADVANCED = Features("Advanced", ())


def a_rule(feature: str = "Advanced", group: str = "", **values: Any) -> PoolRule:
    return PoolRule("arcgis-desktop", feature, group, **values)


def a_pool(
    *rules: PoolRule,
    in_use: dict[str, int] | None = None,
    borrowed: dict[str, int] | None = None,
    by_group: dict[tuple[str, str], int] | None = None,
    **product: Any,
) -> Pool:
    return Pool(a_concurrent_product(**product), rules, Use(in_use or {}, borrowed or {}, by_group or {}))


@pytest.mark.parametrize(("used", "free"), [(0, True), (9, True), (10, False), (11, False)])
def test_a_pool_is_exhausted_exactly_at_its_seats(used: int, free: bool) -> None:
    pool = a_pool(in_use={"Advanced": used})
    if free:
        assert pool.grant(ADVANCED, (), borrowing=True) == ADVANCED
        return
    with pytest.raises(PoolExhausted) as caught:
        pool.grant(ADVANCED, (), borrowing=True)
    assert caught.value.evidence == {"feature": "Advanced", "seats": 10, "in_use": used}


def test_a_pool_without_seats_of_a_level_or_an_extension_is_exhausted() -> None:
    with pytest.raises(PoolExhausted, match=r'^no seat of "arcgis-desktop" Basic is licensed$') as none:
        a_pool().grant(Features("Basic", ()), (), borrowing=False)
    assert "Wait" not in none.value.hint  # there never will be one
    with pytest.raises(PoolExhausted) as caught:
        a_pool(in_use={"3DAnalyst": 2}).grant(Features("Advanced", ("3DAnalyst",)), (), borrowing=False)
    assert caught.value.evidence["feature"] == "3DAnalyst"


@pytest.mark.parametrize(
    ("rule", "borrowed", "most"),
    [
        ({"low_water": 2}, 8, 8),
        ({"low_water": 10}, 0, 0),
        ({"most_borrowed": 3}, 3, 3),
        ({"most_borrowed": 0}, 0, 0),
        ({"low_water": 2, "most_borrowed": 9}, 8, 8),
        ({"low_water": 2, "most_borrowed": 5}, 5, 5),
    ],
)
def test_some_seats_are_never_borrowed_but_used_in_sessions(rule: dict[str, Any], borrowed: int, most: int) -> None:
    """Low water keeps seats from borrowing, most borrowed bounds it; whichever leaves less counts."""
    pool = a_pool(a_rule(**rule), in_use={"Advanced": borrowed}, borrowed={"Advanced": borrowed})
    assert pool.borrowable("Advanced") == most
    assert pool.grant(ADVANCED, (), borrowing=False) == ADVANCED
    with pytest.raises(PoolExhausted) as caught:
        pool.grant(ADVANCED, (), borrowing=True)
    assert caught.value.evidence == {"feature": "Advanced", "seats": 10, "borrowed": borrowed, "most_borrowed": most}
    assert "session" in caught.value.hint


def test_one_seat_below_the_low_water_can_be_borrowed() -> None:
    pool = a_pool(a_rule(low_water=2), in_use={"Advanced": 9}, borrowed={"Advanced": 7})
    assert pool.grant(ADVANCED, (), borrowing=True) == ADVANCED


def test_seats_reserved_for_a_group_are_kept_from_others() -> None:
    rules = (a_rule(group="crew", reserved=3), a_rule(group="night", reserved=1))
    pool = a_pool(*rules, in_use={"Advanced": 7}, by_group={("Advanced", "crew"): 1})
    with pytest.raises(PoolExhausted) as caught:
        pool.grant(ADVANCED, ("office",), borrowing=False)
    assert caught.value.evidence["reserved"] == {"crew": 2, "night": 1}
    assert "2 for crew, 1 for night" in caught.value.message
    assert pool.grant(ADVANCED, ("crew",), borrowing=False) == ADVANCED


def test_a_group_that_uses_its_reserved_seats_keeps_no_more_from_others() -> None:
    pool = a_pool(a_rule(group="crew", reserved=3), in_use={"Advanced": 9}, by_group={("Advanced", "crew"): 4})
    assert pool.grant(ADVANCED, (), borrowing=False) == ADVANCED


@pytest.mark.parametrize(("used", "free"), [(1, True), (2, False), (3, False)])
def test_a_group_takes_its_maximum_at_most(used: int, free: bool) -> None:
    pool = a_pool(a_rule(group="crew", maximum=2), in_use={"Advanced": used}, by_group={("Advanced", "crew"): used})
    assert pool.grant(ADVANCED, ("office",), borrowing=False) == ADVANCED
    if free:
        assert pool.grant(ADVANCED, ("crew",), borrowing=False) == ADVANCED
        return
    with pytest.raises(PoolExhausted) as caught:
        pool.grant(ADVANCED, ("office", "crew"), borrowing=False)
    assert caught.value.evidence == {"feature": "Advanced", "group": "crew", "in_use": used, "maximum": 2}


SEATS = {"Basic": 1, "Standard": 1, "Advanced": 1}


def test_a_level_is_served_from_a_higher_one_only_if_its_rule_says_so() -> None:
    basic = Features("Basic", ("3DAnalyst",))
    without = a_pool(in_use={"Basic": 1}, seats=SEATS)
    with pytest.raises(PoolExhausted) as caught:
        without.grant(basic, (), borrowing=True)
    assert caught.value.evidence["feature"] == "Basic"
    features = a_pool(a_rule("Basic", from_higher=True), in_use={"Basic": 1}, seats=SEATS).grant(basic, (), borrowing=True)
    assert features == Features("Standard", ("3DAnalyst",))


def test_the_next_higher_level_that_has_a_seat_serves() -> None:
    rule = a_rule("Basic", from_higher=True)
    pool = a_pool(rule, in_use={"Basic": 1, "Standard": 1}, seats=SEATS)
    assert pool.grant(Features("Basic", ()), (), borrowing=True).level == "Advanced"
    full = a_pool(rule, in_use=SEATS, seats=SEATS)
    with pytest.raises(PoolExhausted) as caught:
        full.grant(Features("Basic", ()), (), borrowing=True)
    assert caught.value.evidence["feature"] == "Basic"


def test_the_rules_of_the_higher_level_hold_for_what_it_serves() -> None:
    rules = (a_rule("Basic", from_higher=True), a_rule("Standard", low_water=1))
    pool = a_pool(*rules, in_use={"Basic": 1}, seats=SEATS)
    assert pool.grant(Features("Basic", ()), (), borrowing=True).level == "Advanced"
    assert pool.grant(Features("Basic", ()), (), borrowing=False).level == "Standard"


def test_what_is_had_already_takes_no_seat() -> None:
    pool = a_pool(in_use={"Advanced": 10, "3DAnalyst": 2})
    wanted = Features("Advanced", ("3DAnalyst",))
    assert pool.grant(wanted, (), borrowing=False, already=("Advanced", "3DAnalyst")) == wanted
    with pytest.raises(PoolExhausted):
        pool.grant(wanted, (), borrowing=False, already=("Advanced",))


@given(
    st.lists(st.sampled_from(["", "crew", "night"]), min_size=0, max_size=40),
    st.integers(0, 4),
    st.integers(0, 4),
    st.integers(0, 6),
    st.integers(0, 10),
)
def test_whoever_comes_no_group_loses_what_is_reserved(
    arrivals: list[str], crew: int, night: int, maximum: int, low_water: int
) -> None:
    """Seats are given one after the other: never more than there are, and what is reserved stays there for its group."""
    rules = (
        a_rule(low_water=low_water),
        a_rule(group="crew", reserved=min(crew, maximum), maximum=maximum),
        a_rule(group="night", reserved=night),
    )
    given_to: list[str] = []
    for number, group in enumerate(arrivals):
        counts = {("Advanced", name): given_to.count(name) for name in ("crew", "night")}
        pool = a_pool(*rules, in_use={"Advanced": len(given_to)}, borrowed={"Advanced": len(given_to)}, by_group=counts)
        try:
            pool.grant(ADVANCED, (group,) if group else (), borrowing=number % 2 == 0)
        except PoolExhausted:
            continue
        given_to.append(group)
    assert len(given_to) <= 10
    assert given_to.count("crew") <= maximum
    left = 10 - len(given_to)
    assert left >= max(0, min(crew, maximum) - given_to.count("crew")) + max(0, night - given_to.count("night"))


WRONG: dict[str, PoolRule] = {
    "says nothing": a_rule(),
    "low water below zero": a_rule(low_water=-1),
    "low water above the seats": a_rule(low_water=11),
    "most borrowed above the seats": a_rule(most_borrowed=11),
    "group's low water": a_rule(group="crew", low_water=1),
    "group's most borrowed": a_rule(group="crew", most_borrowed=1),
    "group's higher level": a_rule("Basic", "crew", from_higher=True),
    "reserved for everybody": a_rule(reserved=1),
    "maximum for everybody": a_rule(maximum=1),
    "reserved above the maximum": a_rule(group="crew", reserved=3, maximum=2),
    "reserved above the seats": a_rule(group="crew", reserved=11),
    "reserved with others above the seats": a_rule(group="night", reserved=6),
    "nothing above the highest": a_rule(from_higher=True),
    "no level above an extension": a_rule("3DAnalyst", from_higher=True),
}


@pytest.mark.parametrize("rule", WRONG.values(), ids=WRONG)
def test_a_rule_that_makes_no_sense_is_refused(rule: PoolRule) -> None:
    with pytest.raises(InvalidInput):
        check_rule(rule, a_concurrent_product(), [a_rule(group="crew", reserved=5)])


def test_a_rule_is_for_a_level_or_extension_of_a_concurrent_product() -> None:
    check_rule(a_rule("3DAnalyst", low_water=1), a_concurrent_product(), ())
    check_rule(a_rule(group="crew", reserved=5), a_concurrent_product(), [a_rule(group="crew", reserved=9)])
    with pytest.raises(NoSuchProduct):
        check_rule(a_rule("Ultimate", low_water=1), a_concurrent_product(), ())
    with pytest.raises(InvalidInput):
        check_rule(PoolRule("arcgis-pro", "Advanced", low_water=1), a_product(), ())


def test_a_rule_may_take_all_seats_there_are() -> None:
    """Up to the number of seats and of the group's maximum, and not one more: `WRONG` has that one."""
    for rule in (
        a_rule(low_water=10),
        a_rule(most_borrowed=10),
        a_rule(group="crew", reserved=10),
        a_rule(group="crew", maximum=10),
        a_rule(group="crew", reserved=4, maximum=4),
    ):
        check_rule(rule, a_concurrent_product(), ())
    check_rule(a_rule(group="night", reserved=5), a_concurrent_product(), [a_rule(group="crew", reserved=5)])


@pytest.mark.parametrize(
    ("rule", "name", "words"),
    [
        (a_rule(), "arcgis-desktop Advanced", "nothing"),
        (a_rule(low_water=2), "arcgis-desktop Advanced", "2 never borrowed"),
        (a_rule(low_water=2, most_borrowed=0), "arcgis-desktop Advanced", "2 never borrowed, 0 borrowed at most"),
        (a_rule("Basic", from_higher=True), "arcgis-desktop Basic", "served from a higher level"),
        (
            a_rule(group="crew", reserved=3, maximum=5),
            "arcgis-desktop Advanced, group crew",
            "3 reserved, 5 in use at most",
        ),
    ],
)
def test_a_rule_says_what_it_sets_and_for_whom(rule: PoolRule, name: str, words: str) -> None:
    assert (rule.name(), rule.words()) == (name, words)


def test_rules_of_other_features_and_of_everybody_are_no_rules_of_groups() -> None:
    everybody, crew, extension = a_rule(low_water=1), a_rule(group="crew", reserved=1), a_rule("3DAnalyst", "crew", reserved=1)
    pool = a_pool(everybody, crew, extension)
    assert pool.of_groups("Advanced") == [crew]
    assert pool.rule("Advanced") == everybody
    assert pool.rule("3DAnalyst") == a_rule("3DAnalyst")


def test_an_extension_has_rules_as_a_level_has() -> None:
    """Reserved seats and what is never borrowed count for extensions too, and whoever is in the group has what is reserved for it."""
    wanted = Features("Advanced", ("3DAnalyst",))
    reserved = a_pool(a_rule("3DAnalyst", "crew", reserved=2))
    assert reserved.grant(wanted, ("crew",), borrowing=False) == wanted
    with pytest.raises(PoolExhausted) as caught:
        reserved.grant(wanted, (), borrowing=False)
    assert caught.value.evidence["reserved"] == {"crew": 2}
    never_borrowed = a_pool(a_rule("3DAnalyst", low_water=2))
    assert never_borrowed.grant(wanted, (), borrowing=False) == wanted
    with pytest.raises(PoolExhausted):
        never_borrowed.grant(wanted, (), borrowing=True)


def test_a_higher_level_serves_whoever_is_in_the_group_it_is_reserved_for() -> None:
    pool = a_pool(a_rule("Basic", from_higher=True), a_rule(group="crew", reserved=10))
    assert pool.grant(Features("Basic", ()), ("crew",), borrowing=False) == ADVANCED
    with pytest.raises(PoolExhausted):
        pool.grant(Features("Basic", ()), (), borrowing=False)


@pytest.mark.parametrize("feature", ["Basic", "Standard"])
def test_every_level_but_the_highest_can_be_served_from_above(feature: str) -> None:
    check_rule(a_rule(feature, from_higher=True), a_concurrent_product(), ())


def test_a_rule_of_a_group_that_says_nothing_is_refused_too() -> None:
    with pytest.raises(InvalidInput, match="say nothing"):
        check_rule(a_rule(group="crew"), a_concurrent_product(), ())


def test_a_group_of_which_nobody_has_a_seat_has_its_whole_maximum() -> None:
    assert a_pool(a_rule(group="crew", maximum=1)).grant(ADVANCED, ("crew",), borrowing=False) == ADVANCED


def test_a_group_without_seats_left_to_reserve_is_not_named() -> None:
    rules = (a_rule(group="crew", reserved=3), a_rule(group="day", reserved=1))
    pool = a_pool(*rules, in_use={"Advanced": 7}, by_group={("Advanced", "day"): 1})
    with pytest.raises(PoolExhausted, match=r'7 of 10 seats of "arcgis-desktop" Advanced are in use, .* reserved: 3 for crew$'):
        pool.grant(ADVANCED, (), borrowing=False)
