"""Members and what they hold, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.refusals import (
    AlreadyExists,
    InvalidInput,
    MemberLimitReached,
    NoSuchProduct,
    NotFound,
    PoolExhausted,
    Refusal,
    TypeNotCompatible,
)
from authority.services import licenses, members, overview
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.storage import assignments
from tests.support.authorities import ON_SQLITE, Bench, make_bench
from tests.support.borrowing import at_once, codes, issued_to, workstation
from tests.support.database_contents import contents, log_rows

EXTENSIONS = ("3DAnalyst", "SpatialAnalyst")


def held(bench: Bench, actor: Actor, product: str = "arcgis-pro") -> tuple[str, tuple[str, ...], bool] | None:
    assert actor.member_id is not None
    with bench.authority.database.read() as connection:
        assignment = assignments.get(connection, actor.member_id, product)
    return None if assignment is None else (assignment.level, assignment.extensions, assignment.included)


def limited(url: str, home: Path, change: Callable[[dict[str, Any]], None]) -> Bench:
    return make_bench(url, home, change=change)


def test_a_professional_holds_the_included_license_at_once(bench: Bench) -> None:
    assert held(bench, bench.member("ada")) == ("Advanced", (), True)
    (row,) = log_rows(bench.authority.database, "license-assigned")
    assert (row["member"], row["product"], row["feature"], row["reason"]) == ("ada", "arcgis-pro", "Advanced", "included")


@ON_SQLITE
@pytest.mark.parametrize("user_type", ["Creator", "Viewer"])
def test_other_types_hold_nothing_by_themselves(bench: Bench, user_type: str) -> None:
    assert held(bench, bench.member("ada", user_type=user_type)) is None
    assert log_rows(bench.authority.database, "license-assigned") == []


@ON_SQLITE
def test_a_member_is_by_default_a_creator_without_a_role_or_a_password(bench: Bench) -> None:
    member = members.add(Unit(bench.authority, CONSOLE), NewMember("ada"))
    assert (member.user_type, member.role, member.disabled, member.groups) == ("Creator", Role.MEMBER, False, ())
    (row,) = [row for row in log_rows(bench.authority.database, "member-added") if row["member"] == "ada"]
    assert (row["actor"], row["reason"]) == ("console", "Creator")


def test_groups_are_kept_once_and_in_order(bench: Bench) -> None:
    members.add(Unit(bench.authority, CONSOLE), NewMember("ada", "Ada Lovelace", groups=("survey", "field", "survey")))
    (member,) = [item for item in members.every(Unit(bench.authority, CONSOLE)) if item.username == "ada"]
    assert (member.full_name, member.groups) == ("Ada Lovelace", ("field", "survey"))


@pytest.mark.parametrize("name", ["ada", "ADA", "Ada"])
def test_a_user_name_is_given_once_whatever_its_case(bench: Bench, name: str) -> None:
    bench.member("ada")
    before = contents(bench.authority.database)
    with pytest.raises(AlreadyExists):
        bench.member(name)
    assert contents(bench.authority.database) == before


def test_the_same_name_twenty_times_at_once_is_added_once(bench: Bench) -> None:
    answers = at_once([lambda: members.add(Unit(bench.authority, CONSOLE), NewMember("ada"))] * 20)
    assert codes(answers) == {"done": 1, "already-exists": 19}


@pytest.mark.parametrize(
    "new",
    [
        pytest.param(NewMember("=cmd"), id="formula"),
        pytest.param(NewMember("ada lovelace"), id="space"),
        pytest.param(NewMember("ada", full_name="a\nb"), id="name with a line break"),
        pytest.param(NewMember("ada", groups=("a\x1b[2J",)), id="group with an escape"),
        pytest.param(NewMember("ada", full_name="a" * 129), id="long name"),
        pytest.param(NewMember("ada", password="short"), id="short password"),
        pytest.param(NewMember("ada", password="x" * 257), id="long password"),
    ],
)
def test_a_member_of_another_form_is_refused(sqlite_bench: Bench, new: NewMember) -> None:
    before = contents(sqlite_bench.authority.database)
    with pytest.raises(InvalidInput):
        members.add(Unit(sqlite_bench.authority, CONSOLE), new)
    assert contents(sqlite_bench.authority.database) == before


def test_an_unknown_type_is_refused(sqlite_bench: Bench) -> None:
    with pytest.raises(NoSuchProduct, match="Creator"):
        sqlite_bench.member("ada", user_type="Wizard")


def test_members_are_added_up_to_the_total_of_the_authorization(database_url: str, tmp_path: Path) -> None:
    def change(specification: dict[str, Any]) -> None:
        specification["members"] = {"total": 3, "types": {}}

    bench = limited(database_url, tmp_path / "home", change)
    bench.member("one")
    bench.member("two")
    with pytest.raises(MemberLimitReached) as caught:
        bench.member("three")
    assert caught.value.evidence == {"current": 3, "maximum": 3}
    assert len(members.every(Unit(bench.authority, CONSOLE))) == 3
    bench.authority.database.close()


def test_twenty_at_once_do_not_get_past_the_limit_of_a_type(database_url: str, tmp_path: Path) -> None:
    def change(specification: dict[str, Any]) -> None:
        specification["members"] = {"total": 50, "types": {"Creator": 4, "Viewer": None}}

    bench = limited(database_url, tmp_path / "home", change)

    def adding(name: str) -> Callable[[], object]:
        return lambda: bench.member(name, user_type="Creator")

    answers = at_once([adding(f"m{number}") for number in range(20)])
    assert codes(answers) == {"done": 4, "member-limit-reached": 16}
    assert bench.member("viewer", user_type="Viewer").username == "viewer"
    bench.authority.database.close()


def test_a_license_is_assigned_and_replaced(bench: Bench) -> None:
    ada = bench.member("ada", user_type="Creator")
    licenses.assign(Unit(bench.authority, CONSOLE), "ADA", "arcgis-pro", "Basic", ("SpatialAnalyst", "3DAnalyst", "3DAnalyst"))
    assert held(bench, ada) == ("Basic", EXTENSIONS, False)
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ())
    assert held(bench, ada) == ("Standard", (), False)
    features = [row["feature"] for row in log_rows(bench.authority.database, "license-assigned")]
    assert features == ["Basic", *EXTENSIONS, "Standard"]


@ON_SQLITE
def test_without_a_level_the_one_held_is_kept(bench: Bench) -> None:
    ada = bench.member("ada")
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", None, ("3DAnalyst",))
    assert held(bench, ada) == ("Advanced", ("3DAnalyst",), True)
    bench.member("eve", user_type="Creator")
    with pytest.raises(InvalidInput, match="which level"):
        licenses.assign(Unit(bench.authority, CONSOLE), "eve", "arcgis-pro", None, ())


def test_what_a_member_borrowed_stays_as_it_is_when_the_assignment_changes(bench: Bench) -> None:
    ada = bench.member("ada")
    issued = issued_to(bench, ada, workstation("laptop"))
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Basic", ())
    assert issued_to(bench, ada, workstation("laptop2"), product="arcgis-desktop").is_new
    assert issued.borrow.level == "Advanced"


def few_seats(specification: dict[str, Any]) -> None:
    product = specification["products"][0]
    product["seats"] = {"Basic": 1, "Standard": 2, "Advanced": 0}
    product["extensions"] = {"3DAnalyst": 1}


def test_levels_and_extensions_run_out(database_url: str, tmp_path: Path) -> None:
    bench = limited(database_url, tmp_path / "home", few_seats)
    for name in ("ada", "eve", "bob"):
        bench.member(name, user_type="Creator")

    def assign(name: str, level: str, *extensions: str) -> None:
        licenses.assign(Unit(bench.authority, CONSOLE), name, "arcgis-pro", level, extensions)

    assign("ada", "Basic", "3DAnalyst")
    with pytest.raises(PoolExhausted) as caught:
        assign("eve", "Basic")
    assert caught.value.evidence == {"feature": "Basic", "seats": 1}
    assign("eve", "Standard")
    with pytest.raises(PoolExhausted) as caught:
        assign("bob", "Standard", "3DAnalyst")
    assert caught.value.evidence == {"feature": "3DAnalyst", "seats": 1}
    assign("ada", "Basic", "3DAnalyst")  # one's own seat is no obstacle
    assign("ada", "Standard")
    assign("bob", "Basic", "3DAnalyst")
    used = overview.authorization(Unit(bench.authority, CONSOLE))[1]["products"]["arcgis-pro"]
    assert used == {"Basic": 1, "Standard": 2, "3DAnalyst": 1}
    bench.authority.database.close()


def test_without_a_seat_for_what_the_type_includes_no_member_is_added(database_url: str, tmp_path: Path) -> None:
    bench = limited(database_url, tmp_path / "home", few_seats)
    before = contents(bench.authority.database)
    with pytest.raises(PoolExhausted):
        bench.member("ada", user_type="GIS Professional")
    assert contents(bench.authority.database) == before
    bench.authority.database.close()


def test_twenty_assignments_at_once_do_not_get_past_the_seats(database_url: str, tmp_path: Path) -> None:
    bench = limited(database_url, tmp_path / "home", few_seats)
    for number in range(20):
        bench.member(f"m{number}", user_type="Creator")

    def assigning(name: str) -> Callable[[], object]:
        return lambda: licenses.assign(Unit(bench.authority, CONSOLE), name, "arcgis-pro", "Standard", ())

    answers = at_once([assigning(f"m{number}") for number in range(20)])
    assert codes(answers) == {"done": 2, "pool-exhausted": 18}
    bench.authority.database.close()


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        pytest.param(("ada", "arcgis-desktop", "Advanced", ()), InvalidInput, id="concurrent product"),
        pytest.param(("ada", "arcgis-nothing", "Basic", ()), NoSuchProduct, id="unknown product"),
        pytest.param(("ada", "arcgis-pro", "Ultimate", ()), NoSuchProduct, id="unknown level"),
        pytest.param(("ada", "arcgis-pro", "Basic", ("Alchemy",)), NoSuchProduct, id="unknown extension"),
        pytest.param(("nobody", "arcgis-pro", "Basic", ()), NotFound, id="unknown member"),
        pytest.param(("vera", "arcgis-pro", "Basic", ()), TypeNotCompatible, id="a viewer"),
    ],
)
def test_what_cannot_be_assigned_is_refused(sqlite_bench: Bench, arguments: Any, refusal: type[Refusal]) -> None:
    sqlite_bench.member("ada", user_type="Creator")
    sqlite_bench.member("vera", user_type="Viewer")
    before = contents(sqlite_bench.authority.database)
    with pytest.raises(refusal):
        licenses.assign(Unit(sqlite_bench.authority, CONSOLE), *arguments)
    assert contents(sqlite_bench.authority.database) == before
