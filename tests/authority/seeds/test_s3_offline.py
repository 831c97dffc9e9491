"""Seed S3: what a member has, signing in, going offline on one machine, and giving the license back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import (
    AlreadyBorrowed,
    ExtensionNotAssigned,
    LevelNotAssigned,
    NotAllowed,
    NotAssigned,
    OfflineNotAllowed,
    Refusal,
    SessionEnded,
    SessionLimit,
)
from authority.services import borrow, endings, policies
from authority.services.borrow import Issued
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from authority.web.application import create_app
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import assign, own_seats, started, used
from tests.support.console import Console
from tests.support.web import API, make_web, problem
from tests.support.workstations import SimulatedWorkstation
from verifier import Grant, NotGood, verify
from verifier.cli.main import main
from verifier.workstation.identity import OsUser

PASSWORD = "correct horse battery"


def grant_on(bench: Bench, issued: Issued, laptop: SimulatedWorkstation) -> Grant:
    """What the application on this machine is told, without a line to anybody."""
    return verify(issued.file.decode(), trust=bench.trust_file, workstation=laptop.identity, now=bench.clock())


def turn_off(bench: Bench) -> None:
    """Turns offline use off for everybody."""
    policies.change(Unit(bench.authority, CONSOLE), "organization", "", "", allowed=False, longest_days=None, default_days=None)


def test_a_gis_professional_can_use_the_product_and_a_creator_needs_an_add_on(sqlite_bench: Bench) -> None:
    """The application is for who has a license: a GIS Professional does, a Creator once one was assigned (seed S3)."""
    ada, eve = sqlite_bench.member("ada"), sqlite_bench.member("eve", user_type="Creator")
    assert started(sqlite_bench, ada, workstation("one")).is_new
    with pytest.raises(NotAssigned) as caught:
        started(sqlite_bench, eve, workstation("two"))
    assert caught.value.hint == "Ask the administrator to assign a license of this product to the member."
    assign(sqlite_bench, "eve", "Basic")
    assert started(sqlite_bench, eve, workstation("two")).is_new


def test_a_member_looks_up_which_licenses_they_have(sqlite_bench: Bench) -> None:
    """Who does not know whether they have a license sees it in what the organization shows them of themself (seed S3)."""
    web = make_web(sqlite_bench)
    (product,) = (item for item in web.get("/me", Role.MEMBER).get_json()["products"] if item["mode"] == "named")
    assert (product["id"], product["levels"]) == ("arcgis-pro", {"Basic": False, "Standard": False, "Advanced": True})
    assert not any(product["extensions"].values())
    sqlite_bench.member("eve", user_type="Creator")
    problem(web.get("/members/eve", Role.MEMBER), 403, "not-allowed")


def test_one_sign_in_is_enough_until_the_member_signs_out(sqlite_bench: Bench) -> None:
    """After signing in once the member goes on without it, until they say that they sign out (seed S3; here for 12 hours)."""
    sqlite_bench.member("ada", password=PASSWORD)
    client = create_app(sqlite_bench.authority).test_client()
    token = client.post(f"{API}/sign-in", json={"username": "ada", "password": PASSWORD}).get_json()["token"]
    signed_in = {"Authorization": f"Bearer {token}"}
    for _ in range(11):
        assert client.get(f"{API}/sessions", headers=signed_in).status_code == 200
        sqlite_bench.clock.turn(hours=1)
    assert client.post(f"{API}/sign-out", headers=signed_in).status_code == 204
    problem(client.get(f"{API}/sessions", headers=signed_in), 401, "not-authenticated")


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong password"), ("nobody", PASSWORD)])
def test_wrong_credentials_are_told_in_one_sentence(sqlite_bench: Bench, username: str, password: str) -> None:
    """Mistyped credentials are answered with one text for user name and password, which does not say which (seed S3)."""
    sqlite_bench.member("ada", password=PASSWORD)
    client = create_app(sqlite_bench.authority).test_client()
    answer = client.post(f"{API}/sign-in", json={"username": username, "password": password})
    assert problem(answer, 401, "not-authenticated")["detail"] == "invalid user name or password"


def test_a_member_is_signed_in_on_up_to_three_computers(sqlite_bench: Bench) -> None:
    """The application can be open on three computers at once, and on no more (seed S3)."""
    ada = sqlite_bench.member("ada")
    for number in range(3):
        assert started(sqlite_bench, ada, workstation(f"w{number}")).is_new
    with pytest.raises(SessionLimit):
        started(sqlite_bench, ada, workstation("fourth"))


@dataclass(frozen=True)
class Laptop:
    """This very machine as a workstation, through the `carnet` command."""

    home: Path
    console: Console

    def answer(self, *arguments: str, status: int = 0) -> Any:
        """The object that a command prints."""
        assert main(["--home", str(self.home), "--json", *arguments]) == status
        return json.loads(self.console.capture.readouterr().out)

    def path(self, name: str) -> str:
        return str(self.home.parent / name)

    def borrow(self, *wish: str) -> None:
        """Asks the authority by files, and takes the answer in."""
        self.answer("request", "arcgis-pro", *wish, "-o", self.path("trip.request"))
        issue = ("borrow", "issue", self.path("trip.request"), "--member", "ada", "-o", self.path("trip.borrow"))
        self.console.good(*issue)
        self.answer("install", self.path("trip.borrow"))


@pytest.fixture
def laptop(console: Console, tmp_path: Path) -> Laptop:
    """A workstation that trusts the organization."""
    computer = Laptop(tmp_path / "laptop", console)
    computer.answer("trust", str(console.home / "organization.trust"))
    return computer


def test_the_license_shows_its_level_and_extensions_with_yes_or_no(laptop: Laptop) -> None:
    """A user sees which of the levels and which of the extensions their license has (seed S3)."""
    laptop.console.good("license", "assign", "ada", "arcgis-pro", "--level", "Standard", "--extension", "3DAnalyst")
    laptop.borrow("--extension", "3DAnalyst")
    (row,) = laptop.answer("status")["licenses"]
    assert row["levels"] == {"Basic": False, "Standard": True, "Advanced": False}
    assert [code for code, is_licensed in row["extensions"].items() if is_licensed] == ["3DAnalyst"]
    assert row["extensions"]["SpatialAnalyst"] is False


WISHES: dict[str, tuple[dict[str, Any], type[Refusal]]] = {
    "a higher level": ({"level": "Advanced"}, LevelNotAssigned),
    "an extension": ({"extensions": ("3DAnalyst",)}, ExtensionNotAssigned),
}


@pytest.mark.parametrize(("wish", "refusal"), WISHES.values(), ids=WISHES)
def test_for_another_level_or_extension_the_administrator_is_asked(
    sqlite_bench: Bench, wish: dict[str, Any], refusal: type[Refusal]
) -> None:
    """Another level or more extensions are the administrator's to give, which the refusal says (seed S3)."""
    eve = sqlite_bench.member("eve", user_type="Creator")
    assign(sqlite_bench, "eve", "Basic")
    with pytest.raises(refusal) as caught:
        started(sqlite_bench, eve, workstation("laptop"), **wish)
    assert "ask the administrator to assign" in caught.value.hint
    assign(sqlite_bench, "eve", "Advanced", ("3DAnalyst",))
    assert started(sqlite_bench, eve, workstation("laptop"), **wish).is_new


def test_offline_the_application_works_without_being_signed_in(laptop: Laptop) -> None:
    """Once taken offline the license works on its machine with nobody signed in and no line to the authority (seed S3)."""
    laptop.borrow()
    laptop.console.home.rename(laptop.console.home.with_name("away"))
    assert laptop.answer("check", "arcgis-pro")["grant"]["member"] == "ada"


def test_offline_the_license_is_for_the_machine_that_took_it(bench: Bench) -> None:
    """A license that is offline can be used on the one machine that took it, and on no other (seed S3)."""
    ada, laptop, other = bench.member("ada"), workstation("laptop"), workstation("other")
    issued = issued_to(bench, ada, laptop)
    assert grant_on(bench, issued, laptop).member == "ada"
    with pytest.raises(NotGood) as refused:
        grant_on(bench, issued, other)
    assert refused.value.code == "wrong-machine"
    with pytest.raises(AlreadyBorrowed, match="borrowed on laptop since"):
        started(bench, ada, other)
    with pytest.raises(AlreadyBorrowed, match="borrowed on laptop since"):
        issued_to(bench, ada, other)


def test_who_goes_offline_leaves_the_other_computers(bench: Bench) -> None:
    """It is one machine (seed S3): a grant that was given elsewhere ends first, and no session elsewhere is used after."""
    ada = bench.member("ada")
    elsewhere = started(bench, ada, workstation("tower")).session
    with pytest.raises(AlreadyBorrowed, match="in a session on tower"):
        issued_to(bench, ada, workstation("laptop"))
    bench.clock.turn(minutes=31)
    assert issued_to(bench, ada, workstation("laptop")).is_new
    with pytest.raises((AlreadyBorrowed, SessionEnded)):
        used(bench, ada, elsewhere.id)
    with pytest.raises(AlreadyBorrowed, match="borrowed on laptop since"):
        started(bench, ada, workstation("tower"))


def test_with_a_line_now_and_then_the_member_signs_in_on_the_same_machine(sqlite_bench: Bench) -> None:
    """Offline, and with a line at times, the member can still connect from that machine; it is no second license (seed S3)."""
    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    issued_to(sqlite_bench, ada, laptop)
    assert own_seats(sqlite_bench, started(sqlite_bench, ada, laptop).session) == []


def test_the_alias_is_the_users_choice_and_tells_which_computer_is_offline(laptop: Laptop) -> None:
    """A user gives the workstation a name, by which the administrator knows the computer that is offline (seed S3)."""
    laptop.answer("alias", "Red field laptop")
    laptop.borrow()
    (row,) = laptop.console.good("borrow", "list", "--state", "active")
    assert (row["member"], row["machine"]["alias"]) == ("ada", "Red field laptop")
    assert laptop.console.good("borrow", "list", "--machine", "Red field laptop") == [row]


def test_when_the_computer_is_lost_the_member_gets_a_new_license(sqlite_bench: Bench) -> None:
    """By the name of a lost or damaged computer its license is found, and the member can have a new one (seed S3)."""
    ada = sqlite_bench.member("ada")
    issued_to(sqlite_bench, ada, workstation("lost"))
    (lost,) = borrow.listed(Unit(sqlite_bench.authority, CONSOLE), Filter(machine="lost"))[0]
    endings.release(Unit(sqlite_bench.authority, CONSOLE), lost.id, "left on a train", accept_overlap=True)
    assert issued_to(sqlite_bench, ada, workstation("new")).is_new


def test_with_offline_use_turned_off_going_offline_is_an_error(sqlite_bench: Bench) -> None:
    """Where the administrator has turned offline use off, who tries to go offline is told so (seed S3)."""
    ada = sqlite_bench.member("ada")
    turn_off(sqlite_bench)
    with pytest.raises(OfflineNotAllowed, match="offline use is not allowed") as caught:
        issued_to(sqlite_bench, ada, workstation("laptop"))
    assert caught.value.hint == "Ask the administrator to allow offline use."


def test_back_on_a_line_the_license_is_checked_in_at_any_time(sqlite_bench: Bench) -> None:
    """Once connected again, the member returns the license, also after offline use was turned off for everybody (seed S3)."""
    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    issued = issued_to(sqlite_bench, ada, laptop)
    turn_off(sqlite_bench)
    receipt = laptop.receipt_for(issued.file, sqlite_bench.clock())
    assert endings.check_in(Unit(sqlite_bench.authority, ada), receipt).state(sqlite_bench.clock()) == "checked-in"


OTHER_MACHINES: dict[str, Callable[[SimulatedWorkstation], SimulatedWorkstation]] = {
    "another computer": lambda laptop: replace(workstation("other"), user=laptop.user),
    "another user of the computer": lambda laptop: replace(laptop, user=OsUser("uid:1001", "eve")),
    "the computer with another key": lambda laptop: replace(workstation(laptop.name), user=laptop.user),
}


@pytest.mark.parametrize("other", OTHER_MACHINES.values(), ids=OTHER_MACHINES)
def test_a_license_is_checked_in_where_it_was_taken_and_by_the_same_user(
    bench: Bench, other: Callable[[SimulatedWorkstation], SimulatedWorkstation]
) -> None:
    """The license is returned on the very computer that took it offline, as the same user of its system (seed S3)."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    receipt = other(laptop).receipt_for(issued.file, bench.clock())
    with pytest.raises(NotAllowed, match="another machine or by another user"):
        endings.check_in(Unit(bench.authority, ada), receipt)
    assert borrow.show(Unit(bench.authority, ada), issued.borrow.id).state(bench.clock()) == "active"


def test_a_license_is_checked_in_by_the_account_that_took_it(sqlite_bench: Bench) -> None:
    """The license is returned with the account that took it offline, at the organization that gave it (seed S3)."""
    ada, eve, laptop = sqlite_bench.member("ada"), sqlite_bench.member("eve"), workstation("laptop")
    issued = issued_to(sqlite_bench, ada, laptop)
    receipt = laptop.receipt_for(issued.file, sqlite_bench.clock())
    with pytest.raises(NotAllowed, match="only the same account"):
        endings.check_in(Unit(sqlite_bench.authority, eve), receipt)
    assert endings.check_in(Unit(sqlite_bench.authority, ada), receipt).state(sqlite_bench.clock()) == "checked-in"


def test_after_checking_in_the_member_connects_again_to_work(laptop: Laptop) -> None:
    """Returning the license ends its offline use at once; to go on the member connects, wherever they are (seed S3)."""
    laptop.borrow()
    laptop.answer("return", "arcgis-pro", "-o", laptop.path("trip.return"))
    assert laptop.answer("check", "arcgis-pro", status=1)["code"] == "given-up"
    laptop.console.good("borrow", "check-in", laptop.path("trip.return"))
    assert laptop.console.good("borrow", "list", "--state", "active") == []


def test_after_checking_in_any_computer_will_do(sqlite_bench: Bench) -> None:
    """With the license back, the member is free to connect on every computer (seed S3)."""
    ada, laptop = sqlite_bench.member("ada"), workstation("laptop")
    issued = issued_to(sqlite_bench, ada, laptop)
    endings.check_in(Unit(sqlite_bench.authority, ada), laptop.receipt_for(issued.file, sqlite_bench.clock()))
    for name in ("laptop", "tower"):
        assert started(sqlite_bench, ada, workstation(name)).is_new
