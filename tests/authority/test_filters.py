"""A filter by what there is not is refused with what there is, in every list: nobody takes a typing error for "none"."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import click
import pytest

from authority.cli.main import cli
from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import NotFound
from authority.services import activity, borrow, licenses, members, removal
from authority.services.activity import Wanted
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from authority.storage.member_lists import Filter as MemberFilter
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import started
from tests.support.console import Console
from tests.support.web import Web, make_web, problem

PRO = "arcgis-pro"
# Command, code, and what the sentence names.
UNKNOWN: dict[str, tuple[tuple[str, ...], str, str]] = {
    "borrow list --member": (("borrow", "list", "--member", "adda"), "not-found", "there are ada, admin"),
    "borrow list --product": (("borrow", "list", "--product", "arcgis"), "no-such-product", PRO),
    "borrow list --machine": (("borrow", "list", "--machine", "tower"), "not-found", "there are laptop"),
    "borrow list --group": (("borrow", "list", "--group", "servey"), "not-found", "there are survey"),
    "borrow list --type": (("borrow", "list", "--type", "creator"), "no-such-product", "Creator"),
    "borrow list --csv": (("borrow", "list", "--csv", "-o", "offline.csv", "--member", "adda"), "not-found", "ada"),
    "session list --member": (("session", "list", "--member", "adda"), "not-found", "ada"),
    "session list --product": (("session", "list", "--product", "arcgis"), "no-such-product", PRO),
    "member list --group": (("member", "list", "--group", "servey"), "not-found", "survey"),
    "member list --type": (("member", "list", "--type", "creator"), "no-such-product", "Creator"),
    "member remove --group": (("member", "remove", "--group", "servey", "--dry-run"), "not-found", "survey"),
    "member remove --type": (("member", "remove", "--type", "creator", "--dry-run"), "no-such-product", "Creator"),
    "license availability --product": (("license", "availability", "--product", "arcgis"), "no-such-product", PRO),
    "pool show --product": (("pool", "show", "--product", "arcgis"), "no-such-product", "arcgis-desktop"),
    "pool show of a named product": (("pool", "show", "--product", PRO), "invalid-input", "arcgis-desktop"),
    "license activity": (("license", "activity", "arcgis"), "no-such-product", PRO),
    "license activity --group": (("license", "activity", PRO, "--group", "servey"), "not-found", "survey"),
    "license activity --type": (("license", "activity", PRO, "--type", "creator"), "no-such-product", "Creator"),
    "log list --member": (("log", "list", "--member", "adda"), "not-found", "ada"),
    "log list --product": (("log", "list", "--product", "arcgis"), "no-such-product", PRO),
    "log list --machine": (("log", "list", "--machine", "tower"), "not-found", "laptop"),
}


@pytest.mark.parametrize(("arguments", "code", "known"), UNKNOWN.values(), ids=UNKNOWN)
def test_an_unknown_value_is_refused_with_those_that_there_are(
    console: Console, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], code: str, known: str
) -> None:
    monkeypatch.chdir(console.home)
    console.borrow(workstation("laptop"), "ada", "arcgis-desktop")
    assert known in console.refused(code, 1, *arguments)["message"]


FILTERS = ("--member", "--product", "--machine", "--group", "--type")


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


def test_every_filter_of_every_list_is_tried_here() -> None:
    lists = {name: command for name, command in walk(cli) if name.endswith((" list", " activity", " availability"))}
    lists |= {name: command for name, command in walk(cli) if name in ("pool show", "member remove")}
    expected = {
        f"{name} {option.opts[-1]}"
        for name, command in lists.items()
        for option in command.params
        if option.opts[-1] in FILTERS
    }
    assert expected <= UNKNOWN.keys()


ROUTES: dict[str, tuple[str, int, str]] = {
    "borrows of a member": ("/borrows?member=adda", 404, "not-found"),
    "borrows of a product": ("/borrows?product=arcgis", 404, "no-such-product"),
    "borrows of a machine": ("/borrows?machine=tower", 404, "not-found"),
    "borrows of a group": ("/borrows?group=servey", 404, "not-found"),
    "borrows of a type": ("/borrows?type=creator", 404, "no-such-product"),
    "borrows of a state": ("/borrows?state=gone", 400, "invalid-input"),
    "borrows as CSV": ("/borrows?format=csv&member=adda", 404, "not-found"),
    "sessions of a member": ("/sessions?member=adda", 404, "not-found"),
    "sessions of a product": ("/sessions?product=arcgis", 404, "no-such-product"),
    "members of a group": ("/members?group=servey", 404, "not-found"),
    "members of a type": ("/members?type=creator", 404, "no-such-product"),
    "members of a role": ("/members?role=chief", 400, "invalid-input"),
    "assignments of a member": ("/assignments?username=adda", 404, "not-found"),
    "assignments of a product": ("/assignments?product=arcgis", 404, "no-such-product"),
    "availability": ("/availability?product=arcgis", 404, "no-such-product"),
    "activity": ("/license-activity?product=arcgis", 404, "no-such-product"),
    "pools of a product": ("/pools?product=arcgis", 404, "no-such-product"),
    "pools of a named product": (f"/pools?product={PRO}", 400, "invalid-input"),
    "activity of a group": (f"/license-activity?product={PRO}&group=servey", 404, "not-found"),
    "offline of a member": ("/offline?member=adda", 404, "not-found"),
    "offline of a type": ("/offline?type=creator", 404, "no-such-product"),
    "events of a member": ("/events?member=adda", 404, "not-found"),
    "events of a product": ("/events?product=arcgis", 404, "no-such-product"),
    "events of a kind": ("/events?kind=checkouts", 400, "invalid-input"),
}


@pytest.mark.parametrize(("path", "status", "code"), ROUTES.values(), ids=ROUTES)
def test_so_does_every_route(still_web: Web, path: str, status: int, code: str) -> None:
    problem(still_web.get(path), status, code)


def test_a_kind_of_event_is_refused_with_all_kinds(still_web: Web) -> None:
    detail = problem(still_web.get("/events?kind=checkouts"), 400, "invalid-input")["detail"]
    assert "checkout, renewal" in detail
    assert still_web.get("/events?kind=checkout").get_json()["items"] == []


def test_who_sees_their_own_alone_learns_nothing_of_others(still_web: Web) -> None:
    for query in ("member=nobody", "member=admin", "group=nowhere", "machine=none", "type=None"):
        answer = still_web.get(f"/borrows?{query}", Role.MEMBER)
        assert (answer.status_code, answer.get_json()["items"]) == (200, [])
    assert still_web.get("/sessions?member=nobody", Role.MEMBER).get_json()["items"] == []


def test_what_was_is_no_unknown(bench: Bench) -> None:
    """A member who was removed, a product that is licensed no more, a group that everybody has left."""
    ada = bench.member("ada", groups=("night",))
    issued_to(bench, ada, workstation("laptop"))
    removal.remove(Unit(bench.authority, CONSOLE), ["ada"], release=True)
    for wanted in (Filter(member="ADA"), Filter(machine="LAPTOP"), Filter(machine="machine-laptop"), Filter(product=PRO)):
        assert len(borrow.listed(Unit(bench.authority, CONSOLE), wanted)[0]) == 1
    assert members.every(Unit(bench.authority, CONSOLE), group="night") == []
    with pytest.raises(NotFound):
        members.every(Unit(bench.authority, CONSOLE), group="day")


def test_of_many_those_that_look_alike_are_named(sqlite_bench: Bench) -> None:
    for number in range(25):
        sqlite_bench.member(f"surveyor{number}", "Viewer")
    with pytest.raises(NotFound) as caught:
        borrow.listed(Unit(sqlite_bench.authority, CONSOLE), Filter(member="surveyer7"))
    assert "there are 26, and like it surveyor7" in caught.value.message
    with pytest.raises(NotFound, match=r"there are 26$"):
        borrow.listed(Unit(sqlite_bench.authority, CONSOLE), Filter(member="xyz"))


def unused(bench: Bench, days: int, product: str = PRO, limit: int = 100) -> list[str]:
    """Everybody who did not use a product for so many days, over all pages."""
    names, cursor = [], None
    while True:
        page, cursor = activity.listed(
            Unit(bench.authority, CONSOLE),
            product,
            Wanted(MemberFilter(limit=limit), unused_for=timedelta(days=days)),
            cursor=cursor,
        )
        names += [item.member for item in page]
        if cursor is None:
            return names


def test_licenses_that_nobody_used_for_long_are_found(bench: Bench) -> None:
    people = {name: bench.member(name) for name in ("ada", "bob", "eve", "joe", "new", "sam")}
    issued_to(bench, people["ada"], workstation("laptop"), days=5)
    started(bench, people["bob"], workstation("tower"))
    issued_to(bench, people["sam"], workstation("desk"), days=29)
    bench.clock.turn(days=20)
    started(bench, people["eve"], workstation("other"))
    licenses.assign(Unit(bench.authority, CONSOLE), "new", PRO, "Basic", ())
    bench.clock.turn(days=5)
    # ada: borrowed 25 days ago and back since 20; sam is still offline; new got another level 5 days ago; joe never used it.
    assert unused(bench, 21) == ["ada", "bob", "joe"]
    assert unused(bench, 21, limit=1) == ["ada", "bob", "joe"]
    assert unused(bench, 5) == ["ada", "bob", "eve", "joe", "new"]
    assert unused(bench, 26) == []


@ON_SQLITE
def test_the_route_and_the_command_find_the_same(bench: Bench) -> None:
    bench.member("ada")
    bench.clock.turn(days=10)
    web = make_web(bench)
    items = web.get(f"/license-activity?product={PRO}&unused_for=10").get_json()["items"]
    assert [(item["member"], item["assigned_at"] is not None) for item in items] == [("ada", True)]
    assert web.get(f"/license-activity?product={PRO}&unused_for=11").get_json()["items"] == []
    problem(web.get(f"/license-activity?product={PRO}&unused_for=-1"), 400, "invalid-input")


def test_the_command_counts_them(console: Console) -> None:
    assert [row["member"] for row in console.good("license", "activity", PRO, "--unused-for", "0")] == ["ada"]
    assert console.good("license", "activity", PRO, "--unused-for", "1") == []
    assert "0 members" in console.run("license", "activity", PRO, "--unused-for", "1").err
    assert console.run("license", "activity", PRO, "--unused-for", "-1").status == 2
