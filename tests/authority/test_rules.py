"""The rules of a borrow, with values alone: which features, which members, how many seats."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.domain import borrows as rules
from authority.domain import entitlement
from authority.domain.members import RESERVED, Actor, Privilege, Role, check_room, user_key, username_of
from authority.domain.membership import Membership
from authority.domain.refusals import (
    AlreadyBorrowed,
    ExtensionNotAssigned,
    InvalidInput,
    LevelNotAssigned,
    MemberDisabled,
    MemberLimitReached,
    NoSuchProduct,
    NotAssigned,
    OrganizationOverLimit,
    ProductOverallocated,
    Refusal,
    TypeNotCompatible,
)
from tests.support.values import (
    LEVELS,
    MACHINE,
    NOW,
    USER,
    a_borrow,
    a_concurrent_product,
    a_member,
    a_product,
    an_ask,
    an_assignment,
    an_authorization,
)

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("extensions", "granted"),
    [(None, ("SpatialAnalyst", "3DAnalyst")), (("3DAnalyst",), ("3DAnalyst",)), ((), ())],
    ids=["none asked for", "one asked for", "none wanted"],
)
def test_a_named_product_gives_the_assigned_level_and_extensions_unless_others_are_asked_for(
    extensions: tuple[str, ...] | None, granted: tuple[str, ...]
) -> None:
    """Contract, section 8: a request without extensions takes what is assigned to the member, as it does with the level."""
    assignment = an_assignment("Standard", ("SpatialAnalyst", "3DAnalyst"))
    features = entitlement.features_of(a_product(), an_ask(extensions=extensions), assignment)
    assert features.all() == ("Standard", *granted)


def test_of_a_concurrent_product_no_extension_is_given_that_was_not_asked_for() -> None:
    """None is assigned to anybody, and each takes a seat of its own."""
    assert entitlement.features_of(a_concurrent_product(), an_ask(extensions=None), None).all() == ("Advanced",)


@pytest.mark.parametrize("level", LEVELS)
def test_a_named_product_gives_any_level_up_to_the_assigned_one(level: str) -> None:
    assert entitlement.features_of(a_product(), an_ask(level=level), an_assignment("Advanced")).level == level


@pytest.mark.parametrize(
    ("ask", "assignment", "refusal"),
    [
        pytest.param({}, None, NotAssigned, id="nothing assigned"),
        pytest.param({"level": "Advanced"}, an_assignment("Standard"), LevelNotAssigned, id="level too high"),
        pytest.param({"level": "Ultimate"}, an_assignment(), NoSuchProduct, id="level unknown"),
        pytest.param({"extensions": ("SpatialAnalyst",)}, an_assignment(), ExtensionNotAssigned, id="extension missing"),
        pytest.param({"extensions": ("Alchemy",)}, an_assignment(), NoSuchProduct, id="extension unknown"),
    ],
)
def test_what_is_not_assigned_is_refused(ask: dict[str, Any], assignment: Any, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        entitlement.features_of(a_product(), an_ask(**ask), assignment)


def test_the_refusal_of_an_extension_names_all_that_are_missing() -> None:
    with pytest.raises(ExtensionNotAssigned) as caught:
        entitlement.features_of(a_product(), an_ask(extensions=("SpatialAnalyst", "3DAnalyst")), an_assignment(extensions=()))
    assert caught.value.evidence == {"missing": ["SpatialAnalyst", "3DAnalyst"]}


def test_a_concurrent_product_gives_the_lowest_level_that_has_seats() -> None:
    assert entitlement.features_of(a_concurrent_product(), an_ask(), None).level == "Advanced"
    both = a_concurrent_product()
    assert entitlement.features_of(replace(both, seats={"Standard": 1, "Advanced": 1}), an_ask(), None).level == "Standard"


def test_a_concurrent_product_knows_its_levels() -> None:
    assert entitlement.features_of(a_concurrent_product(), an_ask(level="Basic"), None).level == "Basic"
    with pytest.raises(NoSuchProduct):
        entitlement.features_of(a_concurrent_product(), an_ask(level="Ultimate"), None)


def test_a_disabled_member_and_an_incompatible_type_may_not_use_a_product() -> None:
    with pytest.raises(MemberDisabled):
        entitlement.check_may_use(a_member(disabled=True), an_authorization(), a_product())
    with pytest.raises(TypeNotCompatible) as caught:
        entitlement.check_may_use(a_member(user_type="Viewer"), an_authorization(), a_product())
    assert caught.value.evidence["user_type"] == "Viewer"


@pytest.mark.parametrize("user_type", ["Creator", "GIS Professional"])
def test_creators_and_professionals_may_use_the_product(user_type: str) -> None:
    entitlement.check_may_use(a_member(user_type=user_type), an_authorization(), a_product())
    assert an_authorization().user_type(user_type).may_use("arcgis-pro")


def test_a_renewal_extends() -> None:
    after = rules.renewed(a_borrow(), a_product(), an_ask(), NOW + 9 * DAY)
    assert (after.expires_at, after.seat_free_at, after.id) == (NOW + 9 * DAY, NOW + 9 * DAY, a_borrow().id)


@given(st.integers(1, 60), st.integers(1, 60))
def test_a_renewal_never_shortens(first: int, second: int) -> None:
    before = a_borrow(expires_at=NOW + first * DAY, seat_free_at=NOW + first * DAY)
    after = rules.renewed(before, a_product(), an_ask(), NOW + second * DAY)
    assert after.expires_at == after.seat_free_at == NOW + max(first, second) * DAY


@pytest.mark.parametrize(
    ("changes", "is_refused"),
    [
        pytest.param({"extensions": ("SpatialAnalyst",)}, True, id="another extension"),
        pytest.param({"extensions": ("3DAnalyst", "SpatialAnalyst")}, True, id="one more extension"),
        pytest.param({"level": "Basic"}, False, id="a lower level, which is had already"),
        pytest.param({"level": "Advanced", "extensions": ("3DAnalyst",)}, False, id="the same"),
        pytest.param({"extensions": None}, False, id="nothing is asked for"),
        pytest.param({}, False, id="nothing said"),
    ],
)
def test_a_renewal_keeps_what_was_granted(changes: dict[str, Any], is_refused: bool) -> None:
    if is_refused:
        with pytest.raises(AlreadyBorrowed) as caught:
            rules.renewed(a_borrow(), a_product(), an_ask(**changes), NOW + 9 * DAY)
        assert caught.value.evidence == {"borrow_id": a_borrow().id}
        return
    after = rules.renewed(a_borrow(), a_product(), an_ask(**changes), NOW + 9 * DAY)
    assert (after.level, after.extensions) == ("Advanced", ("3DAnalyst",))


@pytest.mark.parametrize("changed", ["id", "key"])
def test_another_machine_is_told_by_its_id_and_by_its_key(changed: str) -> None:
    assert a_borrow().is_on(MACHINE, USER)
    assert not a_borrow().is_on(replace(MACHINE, **{changed: "other"}), USER)
    assert not a_borrow().is_on(MACHINE, replace(USER, id="uid:1001"))
    assert a_borrow().is_on(replace(MACHINE, alias="renamed"), replace(USER, name="renamed"))


def test_levels_are_ordered_and_a_higher_one_holds_the_lower_ones() -> None:
    assert [a_product().levels_up_to(level) for level in LEVELS] == [LEVELS[:1], LEVELS[:2], LEVELS]
    assert a_product().seats_of("3DAnalyst") == 2
    assert a_product().seats_of("Alchemy") == 0


@pytest.mark.parametrize(
    ("members", "of_type", "refused"),
    [(49, 0, False), (50, 0, True), (51, 0, True), (10, 2, False), (10, 3, True)],
)
def test_members_are_limited_in_total_and_by_type(members: int, of_type: int, refused: bool) -> None:
    authorization = an_authorization(members_by_type={"Creator": 3, "Viewer": None})
    check_room(authorization, "Viewer", min(members, 49), 1000)
    if refused:
        with pytest.raises(MemberLimitReached) as caught:
            check_room(authorization, "Creator", members, of_type)
        assert caught.value.evidence["current"] >= caught.value.evidence["maximum"]
    else:
        check_room(authorization, "Creator", members, of_type)


@pytest.mark.parametrize(
    "name",
    [
        *("a", "Ada.Lovelace@example.com", "9", "a" * 128, "a_b+c-d", "CORP\\ada", "CORP\\иван", "o'brien", "o\u2019brien"),
        *("müller", "straße", "Łukasz", "Ελένη", "иван.петров", "山田太郎", "ひろし", "محمد", "امیر\u200cحسین", "अनिल", "ada٣"),
        *("svc$", "ada_corp.example#EXT#@tenant.example", "joão", "paral·lel"),
    ],
)
def test_user_names_are_those_of_directories(name: str) -> None:
    assert username_of(name) == name
    assert user_key(name) == user_key(unicodedata.normalize("NFD", name)) == user_key(name.upper()) != ""


def test_user_names_are_kept_composed() -> None:
    assert username_of("mu\u0308ller") == "müller"


@pytest.mark.parametrize(
    "name",
    [
        *("", " ada", "ada ", "-ada", "=ada", "a" * 129, "ad\u0430", "a\n", "a\x00", "a/b", "\uff41da", "a b", "@ada", "'ada"),
        *("\\ada", "CORP\\", "a;b", "a,b", 'a"b', "<b>", "a:b", "a*", "#12", "\u0301ada", "\u200cada", "a\u202eb", "a\udcff"),
        *("oμega", "ß" * 100),
    ],
)
def test_other_user_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="cannot be a user name"):
        username_of(name)
    assert user_key(name) == ""


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("a b", "the character U+0020 (SPACE)"),
        ("a\u202eb", "the character U+202E (RIGHT-TO-LEFT OVERRIDE)"),
        ("\uff41da", "the character U+FF41 (FULLWIDTH LATIN SMALL LETTER A), which has a plain form"),
        ("ad\u0430", "letters of several scripts: CYRILLIC, LATIN"),
        ("-ada", "it begins with a letter or digit"),
    ],
)
def test_why_a_user_name_is_refused_is_said(name: str, why: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        username_of(name)
    assert why in caught.value.message


@pytest.mark.parametrize(("assigned", "refused"), [({}, False), ({"Advanced": 5}, False), ({"Advanced": 6}, True)])
def test_a_product_is_overallocated_with_one_license_more_than_there_are(assigned: dict[str, int], refused: bool) -> None:
    if not refused:
        entitlement.check_not_overallocated(a_product(), assigned)
        return
    with pytest.raises(ProductOverallocated) as caught:
        entitlement.check_not_overallocated(a_product(), assigned)
    assert caught.value.evidence == {"feature": "Advanced", "assigned": 6, "seats": 5}


def test_without_seats_anywhere_the_lowest_level_is_the_usual_one() -> None:
    assert entitlement.usual_level(replace(a_concurrent_product(), seats={}), None) == LEVELS[0]
    assert entitlement.features_of(a_concurrent_product(), an_ask(extensions=("3DAnalyst",)), None).extensions == ("3DAnalyst",)


def test_a_renewal_takes_the_machine_and_user_as_they_are_called_now_and_no_higher_level() -> None:
    machine, user = replace(MACHINE, alias="renamed"), replace(USER, name="renamed")
    after = rules.renewed(a_borrow(), a_product(), an_ask(machine=machine, user=user), NOW + 9 * DAY)
    assert (after.machine, after.user) == (machine, user)
    with pytest.raises(AlreadyBorrowed):
        rules.renewed(a_borrow(level="Basic"), a_product(), an_ask(level="Standard"), NOW + 9 * DAY)


def test_a_refusal_elsewhere_says_where_since_and_until_when() -> None:
    held = a_borrow()
    refusal = rules.taken(held, MACHINE)
    assert refusal.evidence == {
        "borrow_id": held.id,
        "alias": "laptop",
        "since": held.issued_at.isoformat(),
        "until": held.seat_free_at.isoformat(),
        "same_machine_id": True,
    }
    assert "laptop since 2026-03-02 09:00 UTC, its seat is taken until 2026-03-09 09:00 UTC" in refusal.message
    nameless = a_borrow(machine=replace(MACHINE, alias=None))
    assert "machine-1 since" in rules.taken(nameless, replace(MACHINE, id="machine-2")).message
    assert rules.taken(nameless, replace(MACHINE, id="machine-2")).evidence["same_machine_id"] is False


def test_membership_counts_every_type_and_says_each_limit_that_is_passed() -> None:
    authorization = an_authorization(members_by_type={"Creator": 3})
    within = Membership.of(authorization, {"Creator": 3, "Guest": 1})
    assert (within.current, within.maximum) == (4, authorization.members_total)
    assert within.by_type["Creator"] == (3, 3)
    assert within.by_type["Guest"] == (1, None)
    assert within.by_type["Viewer"] == (0, None)
    assert within.excess() is None
    assert Membership(5, 5, {}).excess() is None
    both = Membership(5, 4, {"Creator": (4, 3), "Viewer": (1, None)})
    assert both.excess() == 'the organization has 5 members, 4 are allowed; 4 members of the type "Creator", 3 are allowed'
    assert Membership(5, None, {}).excess() is None


@pytest.mark.parametrize("role", list(Role))
def test_over_the_limit_all_but_administrators_are_kept_out(role: Role) -> None:
    over = Membership(5, 4, {})
    Membership(4, 4, {}).check_admitted(role)
    if role is Role.ADMINISTRATOR:
        over.check_admitted(role)
        return
    with pytest.raises(OrganizationOverLimit) as caught:
        over.check_admitted(role)
    assert caught.value.evidence == {"current": 5, "maximum": 4}


def test_a_role_says_what_somebody_may_do() -> None:
    assert Actor(1, "ada", Role.ANALYST).has(Privilege.READ_LOG)
    assert not Actor(1, "ada", Role.MEMBER).has(Privilege.READ_LOG)


@pytest.mark.parametrize("name", sorted([*RESERVED, *(name.upper() for name in RESERVED)]))
def test_names_with_another_meaning_are_nobodys(name: str) -> None:
    with pytest.raises(InvalidInput, match="another meaning"):
        username_of(name)
