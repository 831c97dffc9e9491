"""Seed S1, user types: what a change of type gives, and what new members get by default."""

from __future__ import annotations

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import NotAllowed, TypeNotCompatible
from authority.services import defaults, member_changes, members
from authority.services.defaults import Defaults
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.connecting import assign
from tests.support.console import Console
from tests.support.organizations import available, held

PRO = "arcgis-pro"


def become(bench: Bench, username: str, user_type: str) -> None:
    member_changes.change(Unit(bench.authority, CONSOLE), username, Change(user_type=user_type))


def test_a_member_whose_type_cannot_hold_the_product_is_given_another_type_first(sqlite_bench: Bench) -> None:
    """To give the product to somebody whose type does not go with it, the type is changed, and then it can be (seed S1)."""
    sqlite_bench.member("eve", user_type="Viewer")
    with pytest.raises(TypeNotCompatible) as caught:
        assign(sqlite_bench, "eve", "Basic")
    assert "changes the member's user type" in caught.value.hint
    become(sqlite_bench, "eve", "Creator")
    assign(sqlite_bench, "eve", "Basic")
    assert held(sqlite_bench, "eve") == {PRO: ("Basic", ())}


@pytest.mark.parametrize("before", ["Viewer", "Creator"])
def test_who_becomes_a_gis_professional_has_the_product(bench: Bench, before: str) -> None:
    """Whoever is made a GIS Professional has the desktop product by that alone (seed S1)."""
    bench.member("eve", user_type=before)
    become(bench, "eve", "GIS Professional")
    assert held(bench, "eve") == {PRO: ("Advanced", ())}
    assert available(bench, "Advanced") == 49


@pytest.mark.parametrize("before", ["Viewer", "GIS Professional"])
def test_who_becomes_a_creator_has_no_license_by_that(sqlite_bench: Bench, before: str) -> None:
    """Whoever is made a Creator gets nothing by that; an add-on can be assigned then (seed S1)."""
    sqlite_bench.member("eve", user_type=before)
    become(sqlite_bench, "eve", "Creator")
    assert held(sqlite_bench, "eve") == {}
    assign(sqlite_bench, "eve", "Standard")
    assert held(sqlite_bench, "eve") == {PRO: ("Standard", ())}


def test_what_a_change_of_type_does_is_shown_by_the_command(console: Console) -> None:
    """The change that assigns by itself, and the one that does not, say what they give and take (seed S1)."""
    as_creator = console.good("member", "set", "ada", "--type", "Creator")["licenses"]
    assert ([item["product"] for item in as_creator["taken"]], as_creator["given"]) == ([PRO], [])
    as_professional = console.good("member", "set", "ada", "--type", "GIS Professional")["licenses"]
    assert [(item["product"], item["level"], item["included"]) for item in as_professional["given"]] == [
        (PRO, "Advanced", True)
    ]


DEFAULTS: dict[str, tuple[Defaults, dict[str, tuple[str, tuple[str, ...]]]]] = {
    "the type that brings the product": (Defaults("GIS Professional"), {PRO: ("Advanced", ())}),
    "the type with an add-on of it": (Defaults("Creator", add_ons=((PRO, "Standard"),)), {PRO: ("Standard", ())}),
    "the type alone": (Defaults("Creator"), {}),
}


@pytest.mark.parametrize(("wanted", "licenses"), DEFAULTS.values(), ids=DEFAULTS)
def test_new_members_get_the_default_type_and_add_ons(
    sqlite_bench: Bench, wanted: Defaults, licenses: dict[str, tuple[str, tuple[str, ...]]]
) -> None:
    """New members can get their user type by default, as GIS Professionals or as Creators with an add-on (seed S1)."""
    defaults.put(Unit(sqlite_bench.authority, CONSOLE), wanted)
    added = members.add(Unit(sqlite_bench.authority, CONSOLE), NewMember("eve"))
    assert added.user_type == wanted.user_type
    assert held(sqlite_bench, "eve") == licenses


def test_new_members_get_role_and_groups_by_default(sqlite_bench: Bench) -> None:
    """Other properties of new members are set by default as well, and what is said for one member comes first (seed S1)."""
    defaults.put(Unit(sqlite_bench.authority, CONSOLE), Defaults("Creator", role="analyst", groups=("field",)))
    usual = members.add(Unit(sqlite_bench.authority, CONSOLE), NewMember("eve"))
    assert (usual.role, usual.groups) == (Role.ANALYST, ("field",))
    named = members.add(
        Unit(sqlite_bench.authority, CONSOLE), NewMember("bob", user_type="Viewer", role=Role.MEMBER, groups=())
    )
    assert (named.user_type, named.role, named.groups) == ("Viewer", Role.MEMBER, ())


@pytest.mark.parametrize("is_default", [True, False])
def test_vendor_access_can_be_given_by_default(sqlite_bench: Bench, is_default: bool) -> None:
    """New members can have access to the vendor's sites by default; without the default they have none (seed S1)."""
    defaults.put(Unit(sqlite_bench.authority, CONSOLE), Defaults("Creator", vendor_access=is_default))
    assert members.add(Unit(sqlite_bench.authority, CONSOLE), NewMember("eve")).vendor_access is is_default


@pytest.mark.parametrize("role", [Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER])
def test_defaults_and_types_are_the_administrators(sqlite_bench: Bench, role: Role) -> None:
    """Types are changed, and defaults set, by administrators alone: who manages licenses does just that (seed S1)."""
    someone = sqlite_bench.member("eve", user_type="Viewer", role=role)
    with pytest.raises(NotAllowed):
        defaults.put(Unit(sqlite_bench.authority, someone), Defaults("Creator"))
    with pytest.raises(NotAllowed):
        member_changes.change(Unit(sqlite_bench.authority, someone), "eve", Change(user_type="GIS Professional"))
