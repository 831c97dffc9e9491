"""/sessions: what each route answers, to whom, and how it refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import Role
from tests.support.authorities import START
from tests.support.borrowing import workstation
from tests.support.connecting import asked, body_of, configure
from tests.support.database_contents import log_rows
from tests.support.web import Web, problem
from tests.support.workstations import SimulatedWorkstation
from verifier import verify
from verifier.core.claims import SESSION_REQUEST_TYP
from verifier.workstation.carry import Wish
from verifier.workstation.identity import OsUser

SESSION = {
    "id",
    "member",
    "groups",
    "product",
    "level",
    "extensions",
    "machine",
    "user",
    "created_at",
    "last_used_at",
    "active_until",
    "state",
    "ended_at",
    "seat_free_at",
    "save_by",
}


def start(
    web: Web,
    laptop: SimulatedWorkstation | None = None,
    role: Role | None = Role.MEMBER,
    product: str = "arcgis-pro",
    **wish: Any,
) -> Any:
    """The answer to a start by somebody of the role."""
    request = asked(laptop or workstation("laptop"), product, at=web.bench.clock(), **wish)
    return web.post("/sessions", body_of(request), role)


def renew(web: Web, session_id: str, laptop: SimulatedWorkstation) -> Any:
    """The answer to a member's use of a session on a machine."""
    return web.post(f"/sessions/{session_id}/renew", body_of(asked(laptop, at=web.bench.clock())), Role.MEMBER)


def delete(web: Web, path: str, role: Role | None = Role.MEMBER) -> Any:
    return web.send("DELETE", f"/api/v1{path}", role)


def test_a_start_is_answered_with_the_session_and_its_grant(web: Web) -> None:
    laptop = workstation("laptop")
    answer = start(web, laptop)
    body = answer.get_json()
    assert (answer.status_code, answer.content_type, body.keys()) == (201, "application/json", {"session", "grant"})
    shown = body["session"]
    assert shown.keys() == SESSION
    assert (shown["member"], shown["product"], shown["level"], shown["extensions"]) == ("member", "arcgis-pro", "Advanced", [])
    assert shown["machine"] == {"id": "machine-laptop", "alias": "laptop", "source": "simulated"}
    assert shown["user"] == {"id": "uid:1000", "name": "laptop"}
    assert (shown["created_at"], shown["last_used_at"]) == ("2026-03-02T09:00:00Z", "2026-03-02T09:00:00Z")
    assert (shown["active_until"], shown["state"]) == ("2026-03-02T09:30:00Z", "active")
    assert (shown["ended_at"], shown["save_by"]) == (None, None)
    grant = verify(json.dumps(body["grant"]), trust=web.bench.trust_file, workstation=laptop.identity, now=START)
    assert grant.borrow_id == shown["id"]


def test_a_start_on_the_same_computer_is_200_with_the_same_session(web: Web) -> None:
    laptop = workstation("laptop")
    first, again = start(web, laptop), start(web, laptop)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json()["session"]["id"] == first.get_json()["session"]["id"]


def test_an_alias_can_be_left_out(web: Web) -> None:
    laptop = workstation("laptop")
    laptop.name = ""
    answer = start(web, laptop, extensions=())
    assert answer.status_code == 201
    assert answer.get_json()["session"]["machine"]["alias"] is None


def test_a_renewal_moves_the_end_and_gives_a_new_grant(web: Web) -> None:
    laptop = workstation("laptop")
    first = start(web, laptop).get_json()
    web.bench.clock.turn(minutes=10)
    answer = renew(web, first["session"]["id"], laptop)
    body = answer.get_json()
    assert (answer.status_code, body.keys()) == (200, {"session", "grant"})
    assert body["session"]["active_until"] == body["session"]["seat_free_at"] == "2026-03-02T09:40:00Z"
    assert body["grant"] != first["grant"]


@pytest.mark.parametrize("with_session", [False, True])
def test_t1_names_in_a_body_and_requests_of_others_start_and_use_no_session(web: Web, with_session: bool) -> None:
    laptop, tower = workstation("laptop"), workstation("tower")
    path = f"/sessions/{start(web, laptop).get_json()['session']['id']}/renew" if with_session else "/sessions"
    names = {"product": "arcgis-pro", "machine": {"id": "machine-laptop", "source": "simulated"}, "user": {"id": "uid:1000"}}
    problem(web.post(path, names, Role.MEMBER), 400, "invalid-input")
    good = asked(laptop, at=web.bench.clock())
    wrong = {
        "a borrow's": laptop.request(Wish("arcgis-pro"), web.bench.clock()),
        "unsigned": good[:-86] + "A" * 86,
        "with an end": laptop.request(Wish("arcgis-pro", days=3), web.bench.clock(), typ=SESSION_REQUEST_TYP),
        "old": asked(laptop, at=web.bench.clock() - timedelta(hours=25)),
        "of a time to come": asked(laptop, at=web.bench.clock() + timedelta(hours=25)),
        "another member's": laptop.request(Wish("arcgis-pro", member="ada"), web.bench.clock(), typ=SESSION_REQUEST_TYP),
    }
    laptop.organization = "other"
    wrong["of another organization"] = asked(laptop, at=web.bench.clock())
    for name, request in wrong.items():
        assert problem(web.post(path, body_of(request), Role.MEMBER), 400, "request-invalid"), name
    laptop.organization = None
    if with_session:
        for request in (asked(tower, at=web.bench.clock()), asked(laptop, "arcgis-desktop", at=web.bench.clock())):
            problem(web.post(path, body_of(request), Role.MEMBER), 403, "not-allowed")


def test_its_holder_ends_a_session(web: Web) -> None:
    session = start(web).get_json()["session"]
    answer = delete(web, f"/sessions/{session['id']}")
    ended = answer.get_json()["session"]
    assert (answer.status_code, ended["state"], ended["ended_at"]) == (200, "checked-in", "2026-03-02T09:00:00Z")
    assert delete(web, f"/sessions/{session['id']}").get_json()["session"] == ended
    refusal = problem(renew(web, session["id"], workstation("laptop")), 409, "session-ended")
    assert {"name": "state", "message": None, "value": "checked-in"} in refusal["errors"]


def test_an_administrator_ends_a_session_and_the_user_is_told_until_when_to_save(web: Web) -> None:
    session = start(web).get_json()["session"]
    answer = web.post(f"/sessions/{session['id']}/end")
    ended = answer.get_json()["session"]
    assert (answer.status_code, ended["state"], ended["save_by"]) == (200, "ended", "2026-03-02T10:00:00Z")
    refusal = problem(renew(web, session["id"], workstation("laptop")), 409, "session-ended")
    assert "save your work by 2026-03-02 10:00 UTC" in refusal["detail"]
    assert {"name": "save_by", "message": None, "value": (START + timedelta(minutes=60)).isoformat()} in refusal["errors"]
    problem(web.post(f"/sessions/{session['id']}/end"), 409, "session-ended")
    problem(delete(web, f"/sessions/{session['id']}"), 409, "session-ended")
    assert [row["actor"] for row in log_rows(web.bench.authority.database, "end")] == ["administrator"]


def test_the_end_by_time_is_shown_as_such(web: Web) -> None:
    session = start(web).get_json()["session"]
    web.bench.clock.turn(minutes=30)
    shown = web.get(f"/sessions/{session['id']}", Role.MEMBER).get_json()
    assert (shown["state"], shown["ended_at"]) == ("expired", "2026-03-02T09:30:00Z")
    problem(renew(web, session["id"], workstation("laptop")), 409, "session-ended")


def test_the_fourth_computer_is_told_which_three(web: Web) -> None:
    for number in range(3):
        assert start(web, workstation(f"w{number}")).status_code == 201
    refusal = problem(start(web, workstation("fourth")), 409, "session-limit")
    assert all(f"w{number} (since 2026-03-02 09:00 UTC" in refusal["detail"] for number in range(3))
    (computers,) = [item["value"] for item in refusal["errors"] if item["name"] == "computers"]
    assert {item["computer"] for item in computers} == {"w0", "w1", "w2"}


REFUSALS: dict[str, tuple[dict[str, Any], int]] = {
    "no-such-product": ({"product": "nothing"}, 404),
    "extension-not-assigned": ({"extensions": ("3DAnalyst",)}, 409),
    "not-assigned": ({"product": "arcgis-allsource"}, 409),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_rule_that_says_no_has_its_code(web: Web, code: str) -> None:
    more, status = REFUSALS[code]
    problem(start(web, **more), status, code)


def test_pages_of_sessions_follow_each_other_and_end(both_web: Web) -> None:
    for number in range(3):
        start(both_web, workstation(f"w{number}"))
        both_web.bench.clock.turn(minutes=number % 2)
    start(both_web, workstation("other"), Role.ANALYST)
    aliases: list[str] = []
    path = "/sessions?limit=3"
    while path:
        page = both_web.get(path).get_json()
        assert page.keys() == {"items", "next"}
        assert all(item.keys() == SESSION for item in page["items"])
        aliases += [item["machine"]["alias"] for item in page["items"]]
        path = f"/sessions?limit=3&cursor={page['next']}" if page["next"] else ""
    assert sorted(aliases) == ["other", "w0", "w1", "w2"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?member=MEMBER", 1),
        ("?member=analyst", 1),
        ("?product=arcgis-pro", 2),
        ("?product=arcgis-desktop", 0),
        ("?ended=true", 3),
        ("?ended=true&member=member", 2),
        ("?limit=1000", 2),
    ],
)
def test_sessions_are_filtered(web: Web, query: str, count: int) -> None:
    start(web, workstation("old"))
    web.bench.clock.turn(minutes=30)
    start(web)
    start(web, workstation("tower"), Role.ANALYST)
    assert len(web.get(f"/sessions{query}").get_json()["items"]) == count


def test_a_member_lists_only_their_own_sessions_whatever_is_asked(web: Web) -> None:
    start(web)
    start(web, workstation("tower"), Role.ANALYST)
    for query in ("", "?member=analyst", "?ended=true"):
        items = web.get(f"/sessions{query}", Role.MEMBER).get_json()["items"]
        assert [item["member"] for item in items] == ["member"]


@pytest.mark.parametrize("user_id", ["uid:0", "uid:4294967295", "sid:S-1-5-21-3623811015-3361044348-30300820-1013"])
def test_users_of_every_system_are_taken(web: Web, user_id: str) -> None:
    laptop = workstation("laptop")
    laptop.user = OsUser(user_id, "ada")
    assert start(web, laptop).get_json()["session"]["user"]["id"] == user_id


def test_a_text_that_looks_like_code_is_kept_as_the_text_it_is(web: Web) -> None:
    hostile = "<script>alert(1)</script>'; DROP TABLE sessions; --"
    laptop = workstation("laptop")
    laptop.alias = hostile
    assert start(web, laptop).get_json()["session"]["machine"]["alias"] == hostile
    assert web.get("/sessions").get_json()["items"][0]["machine"]["alias"] == hostile


def test_settings_that_make_no_sense_stop_a_start_with_the_reason(web: Web) -> None:
    configure(web.bench, minutes=0)
    assert "minutes" in problem(start(web), 400, "invalid-input")["detail"]
