"""Vendor access and the permission to download, sentence by sentence (seed S1)."""

from __future__ import annotations

from typing import Any

import pytest

from authority.domain.members import CONSOLE, DownloadPermission, Role
from authority.domain.refusals import NotAllowed
from authority.services import defaults, me, member_changes, members
from authority.services.defaults import Defaults
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import at_once
from tests.support.console import Console
from tests.support.database_contents import contents, log_rows
from tests.support.web import API, Web, problem

FLAGS: list[dict[str, Any]] = [
    {"vendor_access": True},
    {"vendor_access": False},
    {"download_permission": "requested"},
    {"download_permission": "granted"},
    {"download_permission": "none"},
]


def state(web: Web) -> tuple[bool, str]:
    account = web.get("/me", Role.MEMBER).get_json()
    return account["vendor_access"], account["download_permission"]


def patch(web: Web, body: dict[str, Any], role: Role = Role.ADMINISTRATOR) -> Any:
    return web.send("PATCH", f"{API}/members/member", role, json=body)


def ask(web: Web, role: Role = Role.MEMBER) -> Any:
    return web.post("/me/download-request", role=role)


def changes(web: Web) -> list[tuple[str, str, str]]:
    rows = log_rows(web.bench.authority.database, "member-changed")
    return [(row["actor"], row["member"], row["reason"]) for row in rows]


def test_vendor_access_is_off_until_an_administrator_turns_it_on(web: Web) -> None:
    """Esri access is set by the administrator, when a member is invited or afterward (seed S1)."""
    assert state(web) == (False, "none")
    patch(web, {"vendor_access": True})
    assert state(web) == (True, "none")
    assert web.post("/members", {"username": "eve", "vendor_access": True}).get_json()["vendor_access"] is True
    assert changes(web) == [("administrator", "member", "vendor access: no, from now on yes")]


def test_it_can_be_on_for_new_members_by_default(bench: Bench) -> None:
    """Esri access can be enabled by default for new members (seed S1); who says otherwise is heard."""
    defaults.put(Unit(bench.authority, CONSOLE), Defaults("Viewer", vendor_access=True))
    assert members.add(Unit(bench.authority, CONSOLE), NewMember("ada")).vendor_access is True
    assert members.add(Unit(bench.authority, CONSOLE), NewMember("eve", vendor_access=False)).vendor_access is False
    reasons = {row["member"]: row["reason"] for row in log_rows(bench.authority.database, "member-added")}
    assert (reasons["ada"], reasons["eve"]) == ("Viewer; vendor access", "Viewer")


@pytest.mark.parametrize("body", FLAGS)
@pytest.mark.parametrize("role", sorted(set(Role) - {Role.ADMINISTRATOR}))
def test_nobody_but_an_administrator_sets_any_of_it(web: Web, role: Role, body: dict[str, Any]) -> None:
    """Members cannot enable or disable it for themselves (seed S1), nor for others."""
    member_changes.change(
        Unit(web.bench.authority, CONSOLE), role, Change(vendor_access=True, download_permission=DownloadPermission.REQUESTED)
    )
    before = contents(web.bench.authority.database)
    problem(patch(web, body, role), 403, "not-allowed")
    problem(web.send("PATCH", f"{API}/members/{role}", role, json=body), 403, "not-allowed")
    problem(web.send("PUT", f"{API}/members/defaults", role, json={"user_type": "Viewer"}), 403, "not-allowed")
    problem(web.post("/members", {"username": "eve", "vendor_access": True}, role), 403, "not-allowed")
    assert contents(web.bench.authority.database) == before


def test_without_vendor_access_the_permission_cannot_be_requested(web: Web) -> None:
    before = contents(web.bench.authority.database)
    refusal = problem(ask(web), 403, "not-allowed")
    assert "vendor access" in refusal["detail"]
    assert "administrator" in refusal["hint"]
    assert contents(web.bench.authority.database) == before


def test_vendor_access_alone_does_not_let_a_member_download(web: Web) -> None:
    """It does not allow the download by itself: the member requests the permission, and it is logged (seed S1)."""
    patch(web, {"vendor_access": True})
    answer = ask(web)
    assert answer.status_code == 200
    assert answer.get_json() == {"username": "member", "vendor_access": True, "download_permission": "requested"}
    assert state(web) == (True, "requested")
    (row,) = log_rows(web.bench.authority.database, "download-requested")
    assert (row["actor"], row["member"]) == ("member", "member")


@pytest.mark.parametrize("permission", ["requested", "granted"])
def test_a_second_request_changes_nothing(web: Web, permission: str) -> None:
    patch(web, {"vendor_access": True, "download_permission": permission})
    before = contents(web.bench.authority.database)
    assert ask(web).get_json()["download_permission"] == permission
    assert contents(web.bench.authority.database) == before


def test_ten_requests_at_once_are_one(bench: Bench) -> None:
    ada = bench.member("ada", vendor_access=True)
    at_once([lambda: me.request_download(Unit(bench.authority, ada))] * 10)
    assert len(log_rows(bench.authority.database, "download-requested")) == 1


def test_an_administrator_grants_it_denies_it_and_takes_it_back(web: Web) -> None:
    patch(web, {"vendor_access": True})
    for answer, reason in (("none", "requested, from now on none"), ("granted", "requested, from now on granted")):
        ask(web)
        patch(web, {"download_permission": answer})
        assert state(web) == (True, answer)
        assert changes(web)[-1] == ("administrator", "member", f"permission to download: {reason}")
    patch(web, {"download_permission": "none"})
    assert ask(web).get_json()["download_permission"] == "requested"
    assert len(log_rows(web.bench.authority.database, "download-requested")) == 3


def test_who_loses_vendor_access_keeps_what_was_decided_and_cannot_ask(web: Web) -> None:
    """The two are apart: an administrator sets the one and the other."""
    patch(web, {"vendor_access": True, "download_permission": "granted"})
    patch(web, {"vendor_access": False})
    assert state(web) == (False, "granted")
    problem(ask(web), 403, "not-allowed")


@pytest.mark.parametrize("role", list(Role))
def test_every_role_asks_for_itself_alone(web: Web, role: Role) -> None:
    for name in Role:
        member_changes.change(Unit(web.bench.authority, CONSOLE), name, Change(vendor_access=True))
    assert ask(web, role).get_json()["username"] == role
    everybody = members.every(Unit(web.bench.authority, CONSOLE))
    assert {item.username for item in everybody if item.download_permission == "requested"} == {role}


def test_a_request_without_a_member_is_refused(sqlite_bench: Bench) -> None:
    with pytest.raises(NotAllowed):
        me.request_download(Unit(sqlite_bench.authority, CONSOLE))


def test_the_command_grants_and_denies(console: Console) -> None:
    console.good("member", "set", "ada", "--vendor-access")
    assert console.good("member", "set", "ada", "--download", "granted")["member"]["download_permission"] == "granted"
    member = console.good("member", "set", "ada", "--download", "none", "--no-vendor-access")["member"]
    assert (member["vendor_access"], member["download_permission"]) == (False, "none")
