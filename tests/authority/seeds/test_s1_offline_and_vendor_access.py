"""Seed S1, the switch for offline use, and access to the vendor's sites."""

from __future__ import annotations

from typing import Any

import pytest

from authority.domain.members import CONSOLE, Actor, DownloadPermission, Role
from authority.domain.refusals import NotAllowed, OfflineNotAllowed
from authority.services import defaults, member_changes, members, policies
from authority.services.defaults import Defaults
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import assign
from tests.support.console import Console
from tests.support.database_contents import log_rows
from tests.support.web import API, Web, make_web, problem

OTHERS = [Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER]


@pytest.fixture
def web(sqlite_bench: Bench) -> Web:
    return make_web(sqlite_bench)


def allow(bench: Bench, who: Actor, level: str = "organization", subject: str = "", *, allowed: bool) -> None:
    """Sets whether licenses may be taken offline."""
    policies.change(Unit(bench.authority, who), level, subject, "", allowed=allowed, longest_days=None, default_days=None)


@pytest.mark.parametrize(("user_type", "level"), [("GIS Professional", None), ("Creator", "Basic")])
def test_named_users_can_go_offline_by_default(sqlite_bench: Bench, user_type: str, level: str | None) -> None:
    """Without anything being set, members can take the licenses that they hold offline (seed S1)."""
    ada = sqlite_bench.member("ada", user_type=user_type)
    if level is not None:
        assign(sqlite_bench, "ada", level)
    issued = issued_to(sqlite_bench, ada, workstation("laptop"))
    assert (issued.borrow.state(sqlite_bench.clock()), issued.borrow.decided_by) == ("active", "organization")


def test_an_administrator_turns_offline_use_off(sqlite_bench: Bench) -> None:
    """An administrator can take offline use away: from then on nobody goes offline, until it is given back (seed S1)."""
    ada, chief = sqlite_bench.member("ada"), sqlite_bench.administrator()
    allow(sqlite_bench, chief, allowed=False)
    with pytest.raises(OfflineNotAllowed):
        issued_to(sqlite_bench, ada, workstation("laptop"))
    allow(sqlite_bench, chief, allowed=True)
    assert issued_to(sqlite_bench, ada, workstation("laptop")).is_new


def test_the_switch_is_one_command(console: Console) -> None:
    """There is one switch for it, which an administrator turns (seed S1)."""
    assert console.good("policy", "set", "--deny")["allowed"] is False
    assert console.good("policy", "explain", "ada", "arcgis-pro")["allowed"] is False
    assert console.good("policy", "set", "--allow")["allowed"] is True
    assert console.good("policy", "explain", "ada", "arcgis-pro")["allowed"] is True


@pytest.mark.parametrize("role", OTHERS)
def test_nobody_else_turns_the_switch(sqlite_bench: Bench, role: Role) -> None:
    """It is the administrator who does that, not somebody with another role (seed S1)."""
    someone = sqlite_bench.member("someone", role=role)
    with pytest.raises(NotAllowed):
        allow(sqlite_bench, someone, allowed=False)
    assert issued_to(sqlite_bench, someone, workstation("laptop")).is_new


@pytest.mark.parametrize(("level", "subject"), [("member", "ada"), ("group", "field"), ("type", "GIS Professional")])
def test_the_switch_is_for_the_whole_organization(bench: Bench, level: str, subject: str) -> None:
    """Turned off, it is off for everybody alike: no member, group or type is left out of it (seed S1)."""
    ada = bench.member("ada", groups=("field",))
    allow(bench, CONSOLE, level, subject, allowed=True)
    allow(bench, CONSOLE, allowed=False)
    with pytest.raises(OfflineNotAllowed, match=r"\(organization\)"):
        issued_to(bench, ada, workstation("laptop"))


def test_vendor_access_is_shown_for_each_member(console: Console) -> None:
    """Vendor access stands with the member, for the vendor's sites to ask about (seed S1)."""
    assert console.good("member", "show", "ada")["vendor_access"] is False
    assert console.good("member", "set", "ada", "--vendor-access")["member"]["vendor_access"] is True
    assert console.good("member", "show", "ada")["vendor_access"] is True


@pytest.mark.parametrize("role", OTHERS)
@pytest.mark.parametrize("has_it", [True, False])
def test_members_neither_take_nor_drop_vendor_access_themselves(sqlite_bench: Bench, role: Role, has_it: bool) -> None:
    """Vendor access is turned on and off by an administrator, never by the member whose access it is (seed S1)."""
    someone = sqlite_bench.member("someone", role=role)
    member_changes.change(Unit(sqlite_bench.authority, CONSOLE), "someone", Change(vendor_access=has_it))
    with pytest.raises(NotAllowed):
        member_changes.change(Unit(sqlite_bench.authority, someone), "someone", Change(vendor_access=not has_it))
    assert members.show(Unit(sqlite_bench.authority, someone), "someone")[0].vendor_access is has_it


def test_vendor_access_comes_with_the_membership_or_afterwards(sqlite_bench: Bench) -> None:
    """An administrator gives vendor access with the membership, by default or by name, or at any later time (seed S1)."""
    chief = sqlite_bench.administrator()
    earlier = members.add(Unit(sqlite_bench.authority, chief), NewMember("earlier"))
    assert members.add(Unit(sqlite_bench.authority, chief), NewMember("named", vendor_access=True)).vendor_access
    defaults.put(Unit(sqlite_bench.authority, chief), Defaults("Creator", vendor_access=True))
    assert members.add(Unit(sqlite_bench.authority, chief), NewMember("ada")).vendor_access
    assert not members.show(Unit(sqlite_bench.authority, chief), earlier.username)[0].vendor_access
    changed = member_changes.change(Unit(sqlite_bench.authority, chief), "earlier", Change(vendor_access=True))
    assert changed.after.vendor_access


WAYS: dict[str, dict[str, Any]] = {"later": {"vendor_access": True}, "with the type": {"user_type": "GIS Professional"}}


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS)
def test_vendor_access_does_not_bring_the_permission_to_download(sqlite_bench: Bench, change: dict[str, Any]) -> None:
    """Whoever has vendor access may not download the software by that: it is another permission (seed S1)."""
    defaults.put(Unit(sqlite_bench.authority, CONSOLE), Defaults("Creator", vendor_access=True))
    added = members.add(Unit(sqlite_bench.authority, CONSOLE), NewMember("ada"))
    assert (added.vendor_access, added.download_permission) == (True, "none")
    after = member_changes.change(Unit(sqlite_bench.authority, CONSOLE), "ada", Change(**change)).after
    assert (after.vendor_access, after.download_permission) == (True, "none")


def test_an_administrator_grants_the_permission_to_download(sqlite_bench: Bench) -> None:
    """The permission to download is given by an administrator, and to nobody by themself (seed S1)."""
    ada, chief = sqlite_bench.member("ada"), sqlite_bench.administrator()
    with pytest.raises(NotAllowed):
        member_changes.change(Unit(sqlite_bench.authority, ada), "ada", Change(download_permission=DownloadPermission.GRANTED))
    after = member_changes.change(
        Unit(sqlite_bench.authority, chief), "ada", Change(download_permission=DownloadPermission.GRANTED)
    ).after
    assert after.download_permission == "granted"


def ask(web: Web, role: Role = Role.MEMBER) -> Any:
    """The answer to a member who asks for the permission to download."""
    return web.post("/me/download-request", role=role)


def waiting(web: Web) -> list[str]:
    """Those who, as the administrator sees it, wait for the permission to download."""
    items = web.get("/members?limit=1000").get_json()["items"]
    return [item["username"] for item in items if item["download_permission"] == "requested"]


def test_a_member_with_vendor_access_asks_for_the_permission_to_download(web: Web) -> None:
    """Who has vendor access and may not download yet asks for it, and the administrator finds the request (seed S1)."""
    web.send("PATCH", f"{API}/members/member", json={"vendor_access": True})
    assert web.get("/me", Role.MEMBER).get_json()["download_permission"] == "none"
    assert ask(web).get_json()["download_permission"] == "requested"
    assert waiting(web) == ["member"]
    assert [row["member"] for row in log_rows(web.bench.authority.database, "download-requested")] == ["member"]


def test_the_request_is_answered_by_an_administrator(web: Web) -> None:
    """The request goes to an administrator, who grants it; by the request alone there is no permission (seed S1)."""
    web.send("PATCH", f"{API}/members/member", json={"vendor_access": True})
    ask(web)
    mine = web.send("PATCH", f"{API}/members/member", Role.MEMBER, json={"download_permission": "granted"})
    problem(mine, 403, "not-allowed")
    web.send("PATCH", f"{API}/members/member", json={"download_permission": "granted"})
    assert web.get("/me", Role.MEMBER).get_json()["download_permission"] == "granted"
    assert waiting(web) == []


def test_without_vendor_access_there_is_nothing_to_ask_for(web: Web) -> None:
    """Vendor access is what the vendor's download site needs first: without it no permission is asked for (seed S1)."""
    refusal = problem(ask(web), 403, "not-allowed")
    assert "vendor access" in refusal["detail"]
    assert waiting(web) == []


@pytest.mark.parametrize("role", OTHERS)
def test_members_do_not_set_vendor_access_over_http_either(web: Web, role: Role) -> None:
    """Only an administrator turns vendor access on, at the REST interface too (seed S1)."""
    body = {"vendor_access": True}
    problem(web.send("PATCH", f"{API}/members/{role}", role, json=body), 403, "not-allowed")
    assert web.send("PATCH", f"{API}/members/{role}", json=body).get_json()["member"]["vendor_access"] is True
