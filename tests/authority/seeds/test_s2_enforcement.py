"""Seed S2: no more members than the authorization allows, and what happens while there are more."""

from __future__ import annotations

from pathlib import Path

import pytest

from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.domain.refusals import MemberLimitReached, OrganizationOverLimit
from authority.services import access, borrow, members, removal
from authority.services.unit import Unit
from authority.web.application import create_app
from tests.support.authorities import Bench
from tests.support.borrowing import workstation
from tests.support.connecting import asked, body_of
from tests.support.console import Console
from tests.support.organizations import authorize, members_at_most
from tests.support.vendors import sample_toml
from tests.support.web import API, Web, make_web, problem
from verifier.workstation.carry import Wish

PASSWORD = "correct horse battery"
KEPT_OUT = [Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER]


@pytest.fixture
def crowded(sqlite_bench: Bench) -> Web:
    """The first administrator, ada, and somebody of each role: six members, and an authorization for five."""
    sqlite_bench.member("ada", password=PASSWORD)
    web = make_web(sqlite_bench)
    authorize(sqlite_bench, members_at_most(5))
    return web


def may_have(console: Console, beside: Path, total: int) -> None:
    """Authorizes so many members, as the vendor does, and installs that."""
    specification, keys, output = (str(beside / name) for name in ("spec.toml", "keys.json", "new.authorization"))
    Path(specification).write_bytes(sample_toml(members={"total": total}))
    console.good("key", "list", "--public", "-o", keys)
    root = str(console.home / "root")
    console.good("root", "authorize", root, "--spec", specification, "--keys", keys, "-o", output)
    console.good("authorization", "install", output)


@pytest.fixture
def crowded_console(console: Console, tmp_path: Path) -> Console:
    """Four members, and an authorization for three."""
    for name in ("eve", "bob"):
        console.good("member", "add", name)
    may_have(console, tmp_path, 3)
    return console


def test_nothing_works_before_there_is_an_authorization(empty: Console) -> None:
    """The authority is put to work with an authorization from the vendor, and does nothing without one (seed S2)."""
    for command in (("member", "add", "ada"), ("authorization", "show")):
        empty.refused("not-set-up", 3, *command)


def test_the_authorization_says_how_many_members_can_be_added(console: Console, tmp_path: Path) -> None:
    """How many members there can be stands in the authorization (seed S2)."""
    may_have(console, tmp_path, 3)
    console.good("member", "add", "eve")
    console.refused("member-limit-reached", 1, "member", "add", "bob")


def test_no_further_account_is_accepted_than_is_licensed(bench: Bench) -> None:
    """An account beyond the licensed number is refused, with both numbers, and is not there afterwards (seed S2)."""
    authorize(bench, members_at_most(2))
    bench.member("ada")
    with pytest.raises(MemberLimitReached, match="the organization has 2 members, the authorization allows 2") as caught:
        bench.member("eve")
    assert caught.value.evidence == {"current": 2, "maximum": 2}
    assert members.membership(Unit(bench.authority, CONSOLE)).current == 2


def test_more_members_than_licensed_are_a_breach_that_the_authority_knows_of(bench: Bench) -> None:
    """An organization with more members than it is entitled to does not keep its license, and that is said (seed S2)."""
    for name in ("ada", "eve"):
        bench.member(name)
    assert members.membership(Unit(bench.authority, CONSOLE)).excess() is None
    consequences = authorize(bench, members_at_most(2)).consequences
    assert members.membership(Unit(bench.authority, CONSOLE)).excess() == "the organization has 3 members, 2 are allowed"
    assert any("3 members, 2 are allowed" in sentence for sentence in consequences)


def test_members_from_before_the_limit_are_counted_and_stay(crowded: Web) -> None:
    """Members registered while nobody counted may be too many: they stay, and the organization is over its limit (seed S2)."""
    assert members.membership(Unit(crowded.bench.authority, CONSOLE)).current == 6


@pytest.mark.parametrize("role", KEPT_OUT)
def test_who_is_not_an_administrator_cannot_sign_in(sqlite_bench: Bench, role: Role) -> None:
    """Over the limit nobody but administrators signs in: an authorization error sends them to the administrator (seed S2)."""
    sqlite_bench.member("ada", role=role, password=PASSWORD)
    authorize(sqlite_bench, members_at_most(1))
    client = create_app(sqlite_bench.authority).test_client()
    answer = client.post(f"{API}/sign-in", json={"username": "ada", "password": PASSWORD})
    refusal = problem(answer, 403, "organization-over-limit")
    assert "you cannot sign in because of a software authorization error" in refusal["detail"]
    assert refusal["hint"] == "Ask your administrator for assistance."


@pytest.mark.parametrize("role", KEPT_OUT)
def test_who_is_not_an_administrator_gets_no_page(crowded: Web, role: Role) -> None:
    """Over the limit no page is open to a lesser role, also not to who was signed in before (seed S2)."""
    for path in ("/borrows", "/sessions", "/events"):
        refusal = problem(crowded.get(path, role), 403, "organization-over-limit")
        assert refusal["hint"] == "Ask your administrator for assistance."


def test_who_is_not_an_administrator_cannot_use_the_application(crowded: Web) -> None:
    """Over the limit a member gets in from the desktop application neither connected nor offline (seed S2)."""
    laptop = workstation("laptop")
    problem(crowded.post("/sessions", body_of(asked(laptop)), Role.MEMBER), 403, "organization-over-limit")
    request = laptop.request(Wish("arcgis-pro"), crowded.bench.clock())
    problem(crowded.post("/borrows", {"request": request}, Role.MEMBER), 403, "organization-over-limit")
    with pytest.raises(OrganizationOverLimit):
        borrow.issue(Unit(crowded.bench.authority, CONSOLE), request, "member")


def test_members_get_in_again_once_it_is_resolved_and_not_before(crowded: Web) -> None:
    """A member is kept out for as long as there are too many, and gets in as soon as there are not (seed S2)."""
    crowded.bench.clock.turn(days=100)
    problem(crowded.get("/borrows", Role.MEMBER), 403, "organization-over-limit")
    removal.remove(Unit(crowded.bench.authority, CONSOLE), ["analyst"])
    assert crowded.get("/borrows", Role.MEMBER).status_code == 200


def test_an_administrator_sees_how_many_members_there_are_and_may_be(crowded: Web) -> None:
    """An administrator finds the current number of members and the licensed one, to see in time what is needed (seed S2)."""
    membership = crowded.get("/members?limit=1").get_json()["membership"]
    assert (membership["current"], membership["maximum"]) == (6, 5)
    assert membership["types"]["GIS Professional"] == {"current": 5, "maximum": None}
    shown = crowded.get("/authorization").get_json()["members"]
    assert (shown["current"], shown["maximum"]) == (6, 5)


def test_the_commands_show_how_many_members_there_are_and_may_be(console: Console) -> None:
    """Commands show how many members there are and may be, whether or not there are too many (seed S2)."""
    shown = console.good("authorization", "show")["members"]
    assert (shown["current"], shown["maximum"]) == (2, 50)
    assert "2 of 50 members" in console.run("member", "list").err


def test_an_administrator_who_comes_is_told_both_numbers_each_time(crowded: Web) -> None:
    """Over the limit every answer to an administrator says so, with the current number and the maximum (seed S2)."""
    for path in ("/borrows", "/sessions", "/events", "/borrows"):
        answer = crowded.get(path)
        assert answer.status_code == 200
        assert answer.headers["X-Carnet-Over-Limit"] == "the organization has 6 members, 5 are allowed"
    removal.remove(Unit(crowded.bench.authority, CONSOLE), ["analyst"])
    assert "X-Carnet-Over-Limit" not in crowded.get("/borrows").headers


def test_an_administrator_who_signs_in_is_told_both_numbers(sqlite_bench: Bench) -> None:
    """Over the limit an administrator signs in, and hears of it with that (seed S2)."""
    sqlite_bench.member("chief", user_type="Viewer", role=Role.ADMINISTRATOR, password=PASSWORD)
    authorize(sqlite_bench, members_at_most(1))
    client = create_app(sqlite_bench.authority).test_client()
    answer = client.post(f"{API}/sign-in", json={"username": "chief", "password": PASSWORD})
    assert answer.status_code == 200
    assert answer.headers["X-Carnet-Over-Limit"] == "the organization has 2 members, 1 is allowed"


def test_an_administrator_at_the_console_is_told_both_numbers_each_time(crowded_console: Console) -> None:
    """With too many members each command says how many there are and may be (seed S2)."""
    for command in (("member", "list"), ("borrow", "list"), ("license", "availability"), ("member", "list")):
        ended = crowded_console.run(*command)
        assert ended.status == 0
        assert "the organization has 4 members, 3 are allowed" in ended.err


def test_any_number_of_people_use_what_is_public(crowded: Web) -> None:
    """What needs no membership is open to everybody, however many they are and whatever the limit is (seed S2)."""
    for path in ("/api/v1/status-list", "/api/v1/trust", "/healthz", "/readyz", "/openapi.json"):
        assert [crowded.client.get(path).status_code for _ in range(12)] == [200] * 12


def test_a_larger_authorization_is_a_way_out(crowded: Web) -> None:
    """One way out is a new authorization for enough members, and to authorize again with it (seed S2)."""
    authorize(crowded.bench, members_at_most(6))
    assert crowded.get("/borrows", Role.MEMBER).status_code == 200
    assert access.sign_in(Unit(crowded.bench.authority, ANYBODY), "ada", PASSWORD)[0]


def test_removing_members_is_the_other_way_out(crowded: Web) -> None:
    """A way out is to remove members until there are as many as the authorization allows (seed S2)."""
    removal.remove(Unit(crowded.bench.authority, crowded.actors[Role.ADMINISTRATOR]), ["analyst"])
    assert members.membership(Unit(crowded.bench.authority, CONSOLE)).excess() is None
    assert access.sign_in(Unit(crowded.bench.authority, ANYBODY), "ada", PASSWORD)[0]


@pytest.mark.parametrize("way", ["one", "names", "file", "type"])
def test_members_are_removed_one_by_one_or_in_bulk(crowded_console: Console, tmp_path: Path, way: str) -> None:
    """A member is removed by name, and many at once from the command line (seed S2)."""
    (tmp_path / "leavers.txt").write_text("eve\nbob\n")
    arguments = {
        "one": ("eve",),
        "names": ("eve", "bob"),
        "file": ("--file", str(tmp_path / "leavers.txt")),
        "type": ("--type", "Creator"),
    }[way]
    crowded_console.good("member", "remove", *arguments)
    left = {row["username"] for row in crowded_console.good("member", "list")}
    assert left == {"ada", "admin"} | ({"bob"} if way == "one" else set())
    assert "are allowed" not in crowded_console.run("member", "list").err


def test_over_the_limit_no_member_is_added(crowded: Web) -> None:
    """While there are too many members no account is made: who tries is told both numbers and what helps (seed S2)."""
    with pytest.raises(MemberLimitReached, match="has 6 members, the authorization allows 5") as caught:
        crowded.bench.member("new")
    assert caught.value.hint == "Remove members, or install an authorization for more."


def test_over_the_limit_no_member_is_added_at_the_console(crowded_console: Console) -> None:
    """With too many members the command line adds none (seed S2)."""
    refusal = crowded_console.refused("member-limit-reached", 1, "member", "add", "new")
    assert refusal["evidence"] == {"current": 4, "maximum": 3}
