"""Seed S1, licenses: who assigns them, who can have them, and what happens while there are too few."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import NoSuchProduct, NotAllowed, ProductExpired, ProductOverallocated, TypeNotCompatible
from authority.services import licenses
from authority.services.unit import Unit
from tests.support.authorities import START, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import assign, started
from tests.support.console import Console
from tests.support.organizations import Change, actor, authorize, available, ends, held, seats, without

PRO, ALLSOURCE, DESKTOP = "arcgis-pro", "arcgis-allsource", "arcgis-desktop"


def start(bench: Bench, username: str, product: str = PRO) -> object:
    """A session of the member, on a machine of its own name."""
    return started(bench, actor(bench, username), workstation(username), product)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.LICENSE_MANAGER])
def test_administrators_and_those_who_may_manage_licenses_assign_them(sqlite_bench: Bench, role: Role) -> None:
    """Licenses are assigned by administrators, and by members who were given the privilege for it (seed S1)."""
    sqlite_bench.member("eve", user_type="Creator")
    chief = sqlite_bench.member("chief", user_type="Viewer", role=role)
    licenses.assign(Unit(sqlite_bench.authority, chief), "eve", PRO, "Basic", ())
    assert held(sqlite_bench, "eve") == {PRO: ("Basic", ())}
    licenses.unassign(Unit(sqlite_bench.authority, chief), ["eve"], PRO)
    assert held(sqlite_bench, "eve") == {}


@pytest.mark.parametrize("role", [Role.ANALYST, Role.MEMBER])
def test_nobody_else_assigns_licenses(sqlite_bench: Bench, role: Role) -> None:
    """Without administration or the privilege for it, nobody assigns a license, not even to themself (seed S1)."""
    eve = sqlite_bench.member("eve", user_type="Creator", role=role)
    with pytest.raises(NotAllowed):
        licenses.assign(Unit(sqlite_bench.authority, eve), "eve", PRO, "Basic", ())
    with pytest.raises(NotAllowed):
        licenses.unassign(Unit(sqlite_bench.authority, eve), ["eve"], PRO)


def test_licenses_and_user_types_are_looked_up_before_assigning(console: Console) -> None:
    """What is left of each product, and which types the organization's members have, is seen before assigning (seed S1)."""
    console.good("license", "assign", "ada", PRO, "--extension", "3DAnalyst")
    counts = {row["feature"]: row for row in console.good("license", "availability", "--product", PRO)}
    assert (counts["3DAnalyst"]["licensed"], counts["3DAnalyst"]["used"], counts["3DAnalyst"]["available"]) == (50, 1, 49)
    types = console.good("authorization", "show")["user_types"]
    assert types["Viewer"] == {"includes": {}, "may_hold": []}
    assert types["Creator"] == {"includes": {}, "may_hold": [PRO, ALLSOURCE]}
    assert types["GIS Professional"]["includes"] == {PRO: "Advanced"}
    assert [row["username"] for row in console.good("member", "list", "--type", "GIS Professional")] == ["ada"]


@pytest.mark.parametrize(("user_type", "can"), [("Viewer", False), ("Creator", True), ("GIS Professional", True)])
def test_only_two_user_types_can_have_the_desktop_product(sqlite_bench: Bench, user_type: str, can: bool) -> None:
    """Creators and GIS Professionals are the only members who can hold the desktop product (seed S1)."""
    sqlite_bench.member("eve", user_type=user_type)
    if can:
        assign(sqlite_bench, "eve", "Standard")
        assert held(sqlite_bench, "eve") == {PRO: ("Standard", ())}
        return
    with pytest.raises(TypeNotCompatible, match='the user type "Viewer"'):
        assign(sqlite_bench, "eve", "Standard")
    assert held(sqlite_bench, "eve") == {}


def test_a_gis_professional_is_given_the_product_by_the_type(bench: Bench) -> None:
    """Nobody has to assign the desktop product to a GIS Professional: it comes with the type (seed S1)."""
    bench.member("ada", user_type="GIS Professional")
    assert held(bench, "ada") == {PRO: ("Advanced", ())}
    assert available(bench, "Advanced") == 49


def test_a_creator_is_given_the_product_as_an_add_on(sqlite_bench: Bench) -> None:
    """While add-on licenses are left, a Creator can be given one, and has the product from then on (seed S1)."""
    sqlite_bench.member("eve", user_type="Creator")
    assert held(sqlite_bench, "eve") == {}
    assign(sqlite_bench, "eve", "Standard")
    assert start(sqlite_bench, "eve")
    assert available(sqlite_bench, "Standard") == 49


def test_a_gis_professional_needs_no_add_on(sqlite_bench: Bench) -> None:
    """A GIS Professional starts the desktop product as it is, without an add-on (seed S1)."""
    sqlite_bench.member("ada", user_type="GIS Professional")
    assert start(sqlite_bench, "ada")


@pytest.mark.parametrize(("user_type", "level"), [("Creator", "Basic"), ("GIS Professional", None)])
def test_both_types_can_be_given_extensions(sqlite_bench: Bench, user_type: str, level: str | None) -> None:
    """Extensions can be assigned to Creators with an add-on and to GIS Professionals alike (seed S1)."""
    sqlite_bench.member("eve", user_type=user_type)
    licenses.assign(Unit(sqlite_bench.authority, CONSOLE), "eve", PRO, level, ("3DAnalyst", "NetworkAnalyst"))
    assert held(sqlite_bench, "eve")[PRO][1] == ("3DAnalyst", "NetworkAnalyst")


def test_a_product_and_its_extensions_are_assigned_in_the_same_way(console: Console) -> None:
    """One way assigns the product and its extensions, and nearly the same way takes them back (seed S1)."""
    console.good("member", "add", "eve", "--type", "Creator")
    assigned = console.good("license", "assign", "eve", PRO, "--level", "Basic", "--extension", "3DAnalyst")
    assert (assigned["level"], assigned["extensions"]) == ("Basic", ["3DAnalyst"])
    console.good("license", "assign", "eve", PRO)
    assert console.good("member", "show", "eve")["licenses"][0]["extensions"] == []
    console.good("license", "unassign", "eve", PRO)
    assert console.good("member", "show", "eve")["licenses"] == []


def test_add_ons_are_set_for_one_product_or_for_several_at_once(console: Console, tmp_path: Path) -> None:
    """Add-ons are assigned for one product to several members, or for several products in one go (seed S1)."""
    for name in ("eve", "bob"):
        console.good("member", "add", name, "--type", "Creator")
    console.good("license", "assign", "eve", "bob", PRO, "--level", "Basic")
    (tmp_path / "add-ons.csv").write_text(
        f"username,product,level,extensions\neve,{PRO},Standard,\neve,{ALLSOURCE},Basic,\nbob,{ALLSOURCE},Basic,\n"
    )
    console.good("license", "assign", "--file", str(tmp_path / "add-ons.csv"))
    for name, level in (("eve", "Standard"), ("bob", "Basic")):
        levels = {item["product"]: item["level"] for item in console.good("member", "show", name)["licenses"]}
        assert levels == {PRO: level, ALLSOURCE: "Basic"}


def crowd(bench: Bench) -> None:
    """Two members with an extension, and one who holds the product without it."""
    for name in ("ada", "eve"):
        bench.member(name)
        licenses.assign(Unit(bench.authority, CONSOLE), name, PRO, None, ("3DAnalyst",))
    bench.member("bob", user_type="Creator")
    assign(bench, "bob", "Basic")


CAUSES: dict[str, tuple[Change, str, int]] = {
    "an agreement for fewer of an extension": (seats("3DAnalyst", 1), "3DAnalyst", -1),
    "an agreement for fewer of a level": (seats("Advanced", 0), "Advanced", -2),
    "a trial of an extension that ended": (seats("3DAnalyst", None), "3DAnalyst", -2),
}


@pytest.mark.parametrize(("change", "feature", "left"), CAUSES.values(), ids=CAUSES)
def test_what_is_available_can_become_negative(bench: Bench, change: Change, feature: str, left: int) -> None:
    """After a changed agreement or an ended trial more can be assigned than there is: then a negative number is left (seed S1)."""
    crowd(bench)
    authorize(bench, change)
    assert available(bench, feature) == left


SHORT: dict[str, Callable[[Bench, str], object]] = {
    "starting": start,
    "borrowing": lambda bench, name: issued_to(bench, actor(bench, name), workstation(name)),
}


@pytest.mark.parametrize("use", SHORT.values(), ids=SHORT)
def test_nobody_uses_the_product_until_the_assignments_are_corrected(bench: Bench, use: Callable[[Bench, str], object]) -> None:
    """While too many are assigned nobody gets into the product, with the short extension or without it (seed S1)."""
    crowd(bench)
    authorize(bench, seats("3DAnalyst", 1))
    for name in ("ada", "eve", "bob"):
        with pytest.raises(ProductOverallocated, match=r"2 licenses of \"arcgis-pro\" 3DAnalyst are assigned, there is 1"):
            use(bench, name)
    licenses.assign(Unit(bench.authority, CONSOLE), "eve", PRO, None, ())
    for name in ("ada", "eve", "bob"):
        assert use(bench, name)


def test_an_expired_license_has_to_be_taken_from_those_who_hold_it(sqlite_bench: Bench) -> None:
    """A license that is gone, as after a trial, must be unassigned, so that everyone's licenses are good ones (seed S1)."""
    crowd(sqlite_bench)
    authorize(sqlite_bench, seats("3DAnalyst", None))
    with pytest.raises(ProductOverallocated, match="there are 0"):
        start(sqlite_bench, "bob")
    for name in ("ada", "eve"):
        licenses.assign(Unit(sqlite_bench.authority, CONSOLE), name, PRO, None, ())
    assert start(sqlite_bench, "bob")


def test_a_product_past_its_end_is_of_no_use_to_anybody(sqlite_bench: Bench) -> None:
    """From the day that a trial of a product ends nobody gets into it, and it can be taken from its holders (seed S1)."""
    crowd(sqlite_bench)
    authorize(sqlite_bench, ends(PRO, START + timedelta(days=30)))
    sqlite_bench.clock.turn(days=30)
    for name in ("ada", "bob"):
        for use in SHORT.values():
            with pytest.raises(ProductExpired, match="2026-04-01"):
                use(sqlite_bench, name)
    licenses.unassign(Unit(sqlite_bench.authority, CONSOLE), ["ada", "eve", "bob"], PRO)
    assert available(sqlite_bench, "Advanced") == 50


def test_a_product_that_is_not_licensed_any_more_can_be_taken_from_its_holders(sqlite_bench: Bench) -> None:
    """A product that a new authorization does not have can still be unassigned (seed S1)."""
    sqlite_bench.member("eve", user_type="Creator")
    assign(sqlite_bench, "eve", "Basic", product=ALLSOURCE)
    authorize(sqlite_bench, without(ALLSOURCE))
    with pytest.raises(NoSuchProduct):
        start(sqlite_bench, "eve", ALLSOURCE)
    licenses.unassign(Unit(sqlite_bench.authority, CONSOLE), ["eve"], ALLSOURCE)
    assert held(sqlite_bench, "eve") == {}
    with pytest.raises(NoSuchProduct, match="arcgis-allsource"):
        licenses.unassign(Unit(sqlite_bench.authority, CONSOLE), ["eve"], ALLSOURCE)


def test_a_product_that_is_not_licensed_any_more_is_shown_as_long_as_it_is_held(bench: Bench) -> None:
    """Available is negative for what is assigned and no more licensed, also where the whole product is gone (seed S1)."""
    bench.member("eve", user_type="Creator")
    assign(bench, "eve", "Basic", product=ALLSOURCE)
    issued_to(bench, bench.member("ada"), workstation("laptop"), DESKTOP, days=3)
    authorize(bench, without(ALLSOURCE), without(DESKTOP))

    def gone(product: str | None = None) -> list[tuple[str, str, int, int, datetime | None]]:
        counts = licenses.availability(Unit(bench.authority, CONSOLE), product)
        rows = [(item.product, item.feature, item.licensed, item.available, item.ends_at) for item in counts]
        return [row for row in rows if row[0] != PRO]

    basic, advanced = (ALLSOURCE, "Basic", 0, -1, None), (DESKTOP, "Advanced", 0, -1, None)
    assert (gone(), gone(ALLSOURCE), gone(DESKTOP), gone(PRO)) == ([basic, advanced], [basic], [advanced], [])
    licenses.unassign(Unit(bench.authority, CONSOLE), ["eve"], ALLSOURCE)
    assert gone() == [advanced]
    for name in (ALLSOURCE, "arcgis-never"):
        with pytest.raises(NoSuchProduct):
            gone(name)
    bench.clock.turn(days=4)
    assert gone() == []


def test_other_products_stay_usable(sqlite_bench: Bench) -> None:
    """There the additional products are closed as well; here it is the product that has too few, and no other (seed S1)."""
    crowd(sqlite_bench)
    licenses.assign(Unit(sqlite_bench.authority, CONSOLE), "bob", ALLSOURCE, "Basic", ())
    authorize(sqlite_bench, seats("3DAnalyst", 1))
    with pytest.raises(ProductOverallocated):
        start(sqlite_bench, "bob")
    assert start(sqlite_bench, "bob", ALLSOURCE)
