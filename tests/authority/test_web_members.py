"""/members: what each route answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from authority.domain.members import ANYBODY, CONSOLE, Role
from authority.services import access, defaults, members
from authority.services.defaults import Defaults
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.support.borrowing import issued_to, seats_held, workstation
from tests.support.browsing import Browser
from tests.support.database_contents import contents, log_rows, unchanged
from tests.support.web import API, Web, one_web, problem

MEMBER = {
    "version",
    "id",
    "username",
    "full_name",
    "email",
    "user_type",
    "role",
    "groups",
    "disabled",
    "vendor_access",
    "download_permission",
    "last_used_at",
    "created_at",
}
PASSWORD = "correct horse battery staple"


def names(web: Web, query: str = "") -> list[str]:
    return [item["username"] for item in web.get(f"/members{query}").get_json()["items"]]


def patch(web: Web, username: str, body: Any, query: str = "", role: Role = Role.ADMINISTRATOR) -> Any:
    return web.send("PATCH", f"{API}/members/{username}{query}", role, json=body)


def put_defaults(web: Web, body: Any) -> Any:
    return web.send("PUT", f"{API}/members/defaults", json=body)


def remove(web: Web, username: str, query: str = "") -> Any:
    return web.send("DELETE", f"{API}/members/{username}{query}")


def test_a_member_is_added_with_everything_said(web: Web) -> None:
    body = {
        "username": "Eve+1@example.org",
        "full_name": "Eve",
        "email": "eve@example.org",
        "user_type": "GIS Professional",
        "role": "analyst",
        "groups": ["survey", "field", "survey"],
        "password": PASSWORD,
        "vendor_access": True,
    }
    answer = web.post("/members", body)
    member = answer.get_json()
    assert (answer.status_code, member.keys()) == (201, MEMBER)
    assert {
        name: member[name] for name in ("username", "full_name", "email", "user_type", "role", "groups", "vendor_access")
    } == {
        **{name: body[name] for name in ("username", "full_name", "email", "user_type", "role", "vendor_access")},
        "groups": ["field", "survey"],
    }
    assert (member["disabled"], member["download_permission"], member["last_used_at"]) == (False, "none", None)
    assert PASSWORD not in answer.get_data(as_text=True)
    assert access.sign_in(Unit(web.bench.authority, ANYBODY), "eve+1@example.org", PASSWORD)
    shown = web.get("/members/EVE+1@example.org").get_json()
    assert shown.keys() == MEMBER | {"licenses"}
    assert shown["licenses"] == [{"product": "arcgis-pro", "level": "Advanced", "extensions": [], "included": True}]


def test_a_name_alone_is_enough_and_the_rest_is_the_default(web: Web) -> None:
    defaults.put(Unit(web.bench.authority, CONSOLE), Defaults("Creator", "analyst", ("new",), (("arcgis-pro", "Basic"),), True))
    for body in ({"username": "eve"}, {"username": "bob", "user_type": None, "role": None, "groups": None, "password": None}):
        member = web.post("/members", body).get_json()
        assert (member["user_type"], member["role"], member["groups"], member["vendor_access"]) == (
            "Creator",
            "analyst",
            ["new"],
            True,
        )
        assert web.get(f"/members/{body['username']}").get_json()["licenses"][0]["level"] == "Basic"
    assert web.post("/members", {"username": "amy", "groups": [], "vendor_access": False}).get_json()["groups"] == []
    assert web.get("/members/amy").get_json()["vendor_access"] is False


def test_pages_of_members_follow_each_other_by_name_and_end(both_web: Web) -> None:
    for name in ("Zoe", "bea", "Ann+1@x.org"):
        both_web.post("/members", {"username": name, "groups": [f"of {name}", "all"]})
    seen: list[str] = []
    path = "/members?limit=3"
    while path:
        page = both_web.get(path).get_json()
        assert page.keys() == {"items", "next", "total", "membership"}
        assert all(item.keys() == MEMBER | {"licenses", "state", "offline_until"} for item in page["items"])
        seen += [item["username"] for item in page["items"]]
        path = f"/members?limit=3&cursor={page['next']}" if page["next"] else ""
    assert sorted(seen) == sorted({"admin", *Role, "Zoe", "bea", "Ann+1@x.org"})
    assert seen == names(both_web, "?limit=1000")
    shown = next(item for item in both_web.get("/members?group=of+bea").get_json()["items"])
    assert (shown["username"], shown["groups"]) == ("bea", ["all", "of bea"])


def test_a_page_goes_on_where_the_last_one_ended_whoever_came_or_went(web: Web) -> None:
    page = web.get("/members?limit=2").get_json()
    assert [item["username"] for item in page["items"]] == ["admin", "administrator"]
    members.add(Unit(web.bench.authority, CONSOLE), NewMember("aaa"))
    remove(web, "admin")
    assert names(web, f"?limit=2&cursor={page['next']}") == ["analyst", "license-manager"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("?type=Viewer", ["admin", "vera"]),
        ("?type=GIS+Professional&role=member", ["member"]),
        ("?role=administrator", ["admin", "administrator"]),
        ("?role=license-manager", ["license-manager"]),
        ("?group=night", ["eve", "vera"]),
        ("?group=night&type=Viewer", ["vera"]),
        ("?group=NIGHT", ["eve", "vera"]),
    ],
)
def test_members_are_filtered(web: Web, query: str, expected: list[str]) -> None:
    web.bench.member("vera", user_type="Viewer", groups=("night", "day"))
    web.bench.member("eve", user_type="Creator", groups=("night",))
    assert names(web, query) == expected


def test_every_page_says_how_many_members_there_are_and_may_be(web: Web) -> None:
    """Administrators see current and licensed membership (seed S2)."""
    web.bench.member("vera", user_type="Viewer")
    expected = {
        "current": 6,
        "maximum": 50,
        "types": {
            "Creator": {"current": 0, "maximum": None},
            "GIS Professional": {"current": 4, "maximum": None},
            "Viewer": {"current": 2, "maximum": None},
        },
    }
    for query in ("", "?limit=1", "?type=Viewer", "?role=analyst"):
        assert web.get(f"/members{query}", Role.LICENSE_MANAGER).get_json()["membership"] == expected


def test_a_change_says_what_it_does_to_the_licenses(web: Web) -> None:
    web.bench.member("eve", groups=("old",))
    planned = patch(web, "EVE", {"user_type": "Viewer"}, "?dry_run=true").get_json()
    assert planned.keys() == {"member", "before", "licenses", "access", "dry_run"}
    assert planned["licenses"].keys() == {"taken", "given", "kept"}
    assert (planned["dry_run"], planned["member"]["user_type"]) == (True, "Viewer")
    assert [item["product"] for item in planned["licenses"]["taken"]] == ["arcgis-pro"]
    assert web.get("/members/eve").get_json()["user_type"] == "GIS Professional"
    done = patch(web, "eve", {"user_type": "Viewer"}).get_json()
    assert done == planned | {"dry_run": False}
    assert web.get("/members/eve").get_json()["licenses"] == []


def test_what_a_new_type_takes_is_in_the_log_with_its_extensions(web: Web) -> None:
    web.bench.member("eve")
    web.post("/assignments", {"assignments": [{"username": "eve", "product": "arcgis-pro", "extensions": ["3DAnalyst"]}]})
    patch(web, "eve", {"user_type": "Viewer"})
    rows = log_rows(web.bench.authority.database, "license-unassigned")
    assert [(row["feature"], row["reason"]) for row in rows] == [("Advanced", "user type"), ("3DAnalyst", "user type")]


def test_every_field_of_a_member_is_changed_and_the_rest_stays(both_web: Web) -> None:
    both_web.bench.member("eve", groups=("old",), password=PASSWORD)
    changes: dict[str, Any] = {
        "full_name": "Eve",
        "role": "license-manager",
        "groups": ["night", "day"],
        "vendor_access": True,
        "download_permission": "granted",
        "disabled": True,
        "user_type": "Creator",
    }
    expected = {name: value for name, value in both_web.get("/members/eve").get_json().items() if name in MEMBER}
    for name, value in changes.items():
        changed = patch(both_web, "eve", {name: value}).get_json()["member"]
        assert changed["version"] != expected["version"]
        expected |= {name: sorted(value) if isinstance(value, list) else value, "version": changed["version"]}
        assert changed == expected
    nothing = dict.fromkeys(changes) | {"password": None}
    assert patch(both_web, "eve", nothing).get_json()["member"] == expected
    patch(both_web, "eve", {"disabled": False, "groups": [], "full_name": "", "password": PASSWORD + "!"})
    assert access.sign_in(Unit(both_web.bench.authority, ANYBODY), "eve", PASSWORD + "!")
    member = both_web.get("/members/eve").get_json()
    assert (member["groups"], member["full_name"]) == ([], "")


def test_a_member_is_removed_and_the_name_is_free(web: Web) -> None:
    web.bench.member("eve")
    planned = remove(web, "EVE", "?dry_run=true").get_json()
    assert planned == {"member": "eve", "borrows": [], "dry_run": True}
    assert "eve" in names(web)
    assert remove(web, "eve").get_json() == planned | {"dry_run": False}
    problem(web.get("/members/eve"), 404, "not-found")
    problem(remove(web, "eve"), 404, "not-found")
    assert web.post("/members", {"username": "eve"}).status_code == 201


def test_who_has_a_borrow_out_is_removed_only_with_its_release(both_web: Web) -> None:
    eve = both_web.bench.member("eve")
    out = issued_to(both_web.bench, eve, workstation("laptop")).borrow
    before = contents(both_web.bench.authority.database)
    for query in ("", "?dry_run=true"):
        assert "eve" in problem(remove(both_web, "eve", query), 409, "member-has-borrow")["detail"]
    planned = remove(both_web, "eve", "?dry_run=true&release=true").get_json()
    assert [(item["id"], item["state"]) for item in planned["borrows"]] == [(out.id, "active")]
    assert contents(both_web.bench.authority.database) == before
    remove(both_web, "eve", "?release=true")
    assert both_web.get(f"/borrows/{out.id}").get_json()["state"] == "released"
    assert seats_held(both_web.bench, "arcgis-pro", "Advanced") == 0


def test_nobody_removes_themself(web: Web) -> None:
    before = contents(web.bench.authority.database)
    problem(remove(web, "administrator"), 403, "not-allowed")
    assert contents(web.bench.authority.database) == before


def test_the_defaults_are_shown_and_set(web: Web) -> None:
    first = web.get("/members/defaults", Role.LICENSE_MANAGER).get_json()
    version = first.pop("version")
    assert first == {"user_type": "Creator", "role": "member", "groups": [], "add_ons": {}, "vendor_access": False}
    wanted = {
        "user_type": "Creator",
        "role": "analyst",
        "groups": ["new"],
        "add_ons": {"arcgis-pro": "Standard"},
        "vendor_access": True,
    }
    answer = put_defaults(web, wanted).get_json()
    assert answer == wanted | {"version": answer["version"]}
    assert answer["version"] != version
    assert web.get("/members/defaults").get_json() == answer
    added = web.post("/members", {"username": "eve"}).get_json()
    assert (added["role"], added["groups"], added["vendor_access"]) == ("analyst", ["new"], True)
    last = put_defaults(web, {"user_type": "Viewer"}).get_json()
    assert last == first | {"user_type": "Viewer", "version": last["version"]}


@pytest.mark.parametrize("role", list(Role))
def test_everyone_sees_themself(web: Web, role: Role) -> None:
    member = web.get(f"/members/{role.upper()}", role).get_json()
    assert (member["username"], member["role"], len(member["licenses"])) == (role, role, 1)


def test_a_text_that_looks_like_code_is_kept_as_the_text_it_is(web: Web) -> None:
    hostile = "<script>alert(1)</script>'; DROP TABLE members; --"
    body = {"username": "eve", "full_name": hostile, "groups": [hostile]}
    member = web.post("/members", body).get_json()
    assert (member["full_name"], member["groups"]) == (hostile, [hostile])
    assert web.get("/members/eve").get_json()["full_name"] == hostile
    assert names(web, "?group=%3Cscript%3Ealert(1)%3C/script%3E%27;%20DROP%20TABLE%20members;%20--") == ["eve"]


def test_nobody_disables_or_removes_themself_by_whatever_way(tmp_path: Path) -> None:
    """Another administrator does; who is at the server's command line is no member."""
    for web in one_web(tmp_path):
        browser = Browser(web).be(Role.ADMINISTRATOR)
        with unchanged(web.bench.authority.database):
            for path, body in (
                ("/members/change", {"usernames": ["member", "administrator"], "change": {"disabled": True}}),
                ("/members/import", {"csv": "username,disabled\nadministrator,true\n"}),
            ):
                assert "nobody disables themself" in web.post(path, body).text, path
            answer = web.send("PATCH", f"{API}/members/administrator", json={"disabled": True})
            assert problem(answer, 403, "not-allowed")["detail"] == "nobody disables themself"
            answer = web.send("DELETE", f"{API}/members/administrator")
            assert problem(answer, 403, "not-allowed")["detail"] == "nobody removes themself"
            browser.get("/console/member/administrator/change")
            action = "/console/member/administrator/change"
            assert "Nobody disables themself" in browser.send_form(action, {**browser.fields(action), "disabled": "true"}).text
        own = web.send("PATCH", f"{API}/members/administrator", json={"full_name": "Chief"})
        assert own.status_code == 200
