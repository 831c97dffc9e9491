"""S1, sentence by sentence: user types, assignments, availability."""

from __future__ import annotations

from typing import Any

import pytest

from authority.domain.members import CONSOLE, Assignment, Role
from authority.domain.refusals import (
    InvalidInput,
    NoSuchProduct,
    NotFound,
    PoolExhausted,
    ProductOverallocated,
    Refusal,
    TypeNotCompatible,
)
from authority.services import borrow, defaults, licenses, member_changes, members
from authority.services.defaults import Defaults
from authority.services.licenses import Wish
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.authority.test_enforcement import install
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation import carry

PRO, ALLSOURCE = "arcgis-pro", "arcgis-allsource"


def held(bench: Bench, name: str = "ada") -> dict[str, Assignment]:
    return {item.product: item for item in members.show(Unit(bench.authority, CONSOLE), name)[1]}


def available(bench: Bench, feature: str, product: str = PRO) -> int:
    return next(
        item.available for item in licenses.availability(Unit(bench.authority, CONSOLE), product) if item.feature == feature
    )


def seats(count: int) -> Any:
    def change(specification: dict[str, Any]) -> None:
        specification["products"][0]["seats"] = dict.fromkeys(("Basic", "Standard", "Advanced"), count)

    return change


@ON_SQLITE
def test_a_gis_professional_holds_the_product_by_itself(bench: Bench) -> None:
    """S1: GIS Professionals are assigned licenses automatically."""
    bench.member("ada", user_type="GIS Professional")
    assert held(bench)[PRO] == Assignment(PRO, "Advanced", (), included=True)


@ON_SQLITE
def test_a_change_to_gis_professional_assigns_it_and_a_change_to_creator_does_not(bench: Bench) -> None:
    """S1: a change to GIS Professional assigns a license automatically; a change to Creator lets one be assigned, no more."""
    bench.member("ada", user_type="Viewer")
    added = member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(user_type="GIS Professional")).licenses.added
    assert [item.product for item in added] == [PRO]
    taken = member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(user_type="Creator")).licenses.removed
    assert [item.product for item in taken] == [PRO]
    assert held(bench) == {}
    assert available(bench, "Advanced") == 50


@ON_SQLITE
def test_an_add_on_stays_where_the_new_type_may_hold_it_and_goes_where_it_may_not(bench: Bench) -> None:
    """S1: only some user types can have a license."""
    bench.member("ada", user_type="Creator")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", ALLSOURCE, "Basic", ("3DAnalyst",))
    member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(user_type="GIS Professional"))
    assert held(bench)[ALLSOURCE] == Assignment(ALLSOURCE, "Basic", ("3DAnalyst",), included=False)
    member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(user_type="Viewer"))
    assert held(bench) == {}
    assert (available(bench, "Basic", ALLSOURCE), available(bench, "3DAnalyst", ALLSOURCE)) == (50, 50)


def test_a_dry_run_shows_what_a_change_does_and_does_nothing(bench: Bench) -> None:
    bench.member("ada", user_type="GIS Professional")
    changed = member_changes.change(
        Unit(bench.authority, CONSOLE), "ada", Change(user_type="Viewer", role=Role.ANALYST), dry_run=True
    )
    assert [item.product for item in changed.licenses.removed] == [PRO]
    member, still = members.show(Unit(bench.authority, CONSOLE), "ada")
    assert (member.user_type, member.role, [item.product for item in still]) == ("GIS Professional", "member", [PRO])


def test_defaults_are_what_new_members_get(bench: Bench) -> None:
    """S1: new members can get a user type and an add-on by default, and vendor access."""
    wanted = Defaults("Creator", "analyst", ("night",), ((PRO, "Standard"),), vendor_access=True)
    defaults.put(Unit(bench.authority, CONSOLE), wanted)
    member = members.add(Unit(bench.authority, CONSOLE), NewMember("ada"))
    assert (member.user_type, member.role, member.groups, member.vendor_access) == ("Creator", "analyst", ("night",), True)
    assert held(bench)[PRO].level == "Standard"


def test_a_default_add_on_that_the_type_may_not_hold_is_refused(sqlite_bench: Bench) -> None:
    with pytest.raises(TypeNotCompatible):
        defaults.put(Unit(sqlite_bench.authority, CONSOLE), Defaults("Viewer", add_ons=((PRO, "Basic"),)))


def test_many_are_assigned_all_or_nothing_or_row_by_row(bench: Bench) -> None:
    for name in ("ada", "eve"):
        bench.member(name, user_type="Creator")
    wishes = [Wish("ada", PRO, "Basic", ()), Wish("bob", PRO, "Basic", ()), Wish("eve", PRO, "Basic", ())]
    with pytest.raises(NotFound):
        licenses.assign_many(Unit(bench.authority, CONSOLE), wishes)
    assert held(bench) == {}
    outcomes = licenses.assign_many(Unit(bench.authority, CONSOLE), wishes, row_by_row=True)
    assert [None if item.refusal is None else item.refusal.code for item in outcomes] == [None, "not-found", None]
    assert (len(held(bench)), len(held(bench, "eve")), available(bench, "Basic")) == (1, 1, 48)


def test_a_negative_availability_blocks_the_product_until_it_is_corrected(bench: Bench) -> None:
    """S1: availability can become negative; until the assignments are corrected nobody uses the product."""
    ada, _ = bench.member("ada"), bench.member("eve")
    laptop = SimulatedWorkstation()
    install(bench, 2, seats(1))
    assert available(bench, "Advanced") == -1
    with pytest.raises(ProductOverallocated):
        borrow.issue(Unit(bench.authority, ada), laptop.request(carry.Wish(PRO), bench.clock()))
    licenses.unassign(Unit(bench.authority, CONSOLE), ["eve"], PRO)
    assert available(bench, "Advanced") == 0
    assert borrow.issue(Unit(bench.authority, ada), laptop.request(carry.Wish(PRO), bench.clock())).is_new


@ON_SQLITE
def test_unassigning_says_which_borrow_is_out_and_leaves_it_good(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(carry.Wish(PRO), bench.clock()))
    taken = licenses.unassign(Unit(bench.authority, CONSOLE), ["ada"], PRO)[0]
    assert taken.borrow is not None
    assert (taken.borrow.id, taken.borrow.state(bench.clock())) == (issued.borrow.id, "active")


REFUSED: dict[str, tuple[Wish, type[Refusal]]] = {
    "a concurrent product": (Wish("ada", "arcgis-desktop", "Advanced", ()), InvalidInput),
    "no level held and none named": (Wish("ada", PRO, None, ()), InvalidInput),
    "a type that may not": (Wish("viewer", PRO, "Basic", ()), TypeNotCompatible),
    "no member": (Wish("bob", PRO, "Basic", ()), NotFound),
}


@pytest.mark.parametrize(("wish", "refusal"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_assigned_leaves_the_counts_as_they_are(sqlite_bench: Bench, wish: Wish, refusal: type[Refusal]) -> None:
    sqlite_bench.member("ada", user_type="Creator")
    sqlite_bench.member("viewer", user_type="Viewer")
    before = licenses.availability(Unit(sqlite_bench.authority, CONSOLE))
    with pytest.raises(refusal):
        licenses.assign_many(Unit(sqlite_bench.authority, CONSOLE), [wish])
    assert licenses.availability(Unit(sqlite_bench.authority, CONSOLE)) == before


def test_the_last_license_is_given_once(sqlite_bench: Bench) -> None:
    for name in ("ada", "eve"):
        sqlite_bench.member(name, user_type="Creator")
    install(sqlite_bench, 2, seats(1))
    licenses.assign(Unit(sqlite_bench.authority, CONSOLE), "ada", PRO, "Basic", ())
    with pytest.raises(PoolExhausted):
        licenses.assign(Unit(sqlite_bench.authority, CONSOLE), "eve", PRO, "Basic", ())


def test_a_level_without_seats_cannot_be_borrowed_below_the_assigned_one(sqlite_bench: Bench) -> None:
    """The verifier refuses a level that the authorization has no seats of, so it is never given."""
    ada, laptop = sqlite_bench.member("ada"), SimulatedWorkstation()

    def only_advanced(specification: dict[str, Any]) -> None:
        specification["products"][0]["seats"] = {"Advanced": 5}

    install(sqlite_bench, 2, only_advanced)
    with pytest.raises(NoSuchProduct, match="no seats of the level"):
        borrow.issue(Unit(sqlite_bench.authority, ada), laptop.request(carry.Wish(PRO, level="Basic"), sqlite_bench.clock()))


def test_one_member_can_be_named_twice_and_the_later_row_builds_on_the_earlier(bench: Bench) -> None:
    bench.member("ada", "Creator")
    wishes = [
        Wish("ada", PRO, "Basic", ("3DAnalyst",)),
        Wish("ada", PRO, None, ("SpatialAnalyst",)),
        Wish("ADA", PRO, "Standard", ()),
    ]
    licenses.assign_many(Unit(bench.authority, CONSOLE), wishes)
    assert held(bench)[PRO] == Assignment(PRO, "Standard", (), included=False)
    names = ("Basic", "Standard", "3DAnalyst", "SpatialAnalyst")
    assert [available(bench, name) for name in names] == [50, 49, 50, 50]
    with pytest.raises(NotFound, match="holds no license"):
        licenses.unassign(Unit(bench.authority, CONSOLE), ["ada", "ada"], PRO)
    assert held(bench)[PRO].level == "Standard"
