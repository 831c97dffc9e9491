"""The REST interface: borrows, sign-in, the log and what is public. Who may and what is refused as malformed: `test_routes`."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import every_refusal
from authority.services import members, status_lists
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.signing.keyring import KeyRing
from authority.web.application import create_app
from authority.web.problems import STATUS
from tests.support.borrowing import issued_to, workstation
from tests.support.web import Web, problem
from verifier import verify
from verifier.workstation.carry import Wish

# Contract, section 4; and the two that tell whether a copy may still run, and why it ended.
BORROW = {
    "id",
    "member",
    "user_type",
    "groups",
    "product",
    "level",
    "extensions",
    "machine",
    "user",
    "issued_at",
    "expires_at",
    "state",
    "ended_at",
    "seat_free_at",
    "decided_by",
}
MORE = {"reason", "copy_may_run_until", "days_left", "status_max_age", "clone_evidence", "clone_seen_at"}
PASSWORD = "correct horse battery staple"


def borrowed(web: Web, machine: str = "laptop", role: Role = Role.MEMBER, **wish: Any) -> Any:
    """The answer to a borrow by somebody of the role."""
    request = workstation(machine).request(Wish("arcgis-pro", **wish), web.bench.clock())
    return web.post("/borrows", {"request": request}, role)


def test_a_borrow_is_answered_with_its_object_and_its_file(web: Web) -> None:
    laptop = workstation("laptop")
    body = {"request": laptop.request(Wish("arcgis-pro", days=3), web.bench.clock())}
    answer = web.post("/borrows", body, Role.MEMBER)
    body = answer.get_json()
    assert (answer.status_code, answer.content_type, body.keys()) == (201, "application/json", {"borrow", "file"})
    shown = body["borrow"]
    assert shown.keys() == BORROW | MORE
    assert shown["machine"] == {"id": "machine-laptop", "alias": "laptop", "source": "simulated"}
    assert shown["user"] == {"id": "uid:1000", "name": "laptop"}
    assert (shown["member"], shown["user_type"], shown["groups"]) == ("member", "GIS Professional", [])
    assert (shown["issued_at"], shown["expires_at"]) == ("2026-03-02T09:00:00Z", "2026-03-05T09:00:00Z")
    assert (shown["state"], shown["ended_at"], shown["seat_free_at"]) == ("active", None, "2026-03-05T09:00:00Z")
    file = json.dumps(body["file"])
    grant = verify(file, trust=web.bench.trust_file, workstation=laptop.identity, now=web.bench.clock())
    assert grant.borrow_id == shown["id"]


def test_the_same_request_again_is_200_with_the_same_file(both_web: Web) -> None:
    body = {"request": workstation("laptop").request(Wish("arcgis-pro"), both_web.bench.clock())}
    first, again = both_web.post("/borrows", body, Role.MEMBER), both_web.post("/borrows", body, Role.MEMBER)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.get_json() == first.get_json()


def test_the_file_is_fetched_again_byte_for_byte(web: Web) -> None:
    body = borrowed(web).get_json()
    answer = web.get(f"/borrows/{body['borrow']['id']}/file", Role.MEMBER)
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert answer.get_json() == body["file"]
    assert answer.data == web.get(f"/borrows/{body['borrow']['id']}/file").data


def test_an_administrator_borrows_for_a_member(web: Web) -> None:
    body = {"request": workstation("laptop").request(Wish("arcgis-pro"), web.bench.clock()), "member": "Member"}
    assert web.post("/borrows", body).get_json()["borrow"]["member"] == "member"
    problem(web.post("/borrows", body, Role.ANALYST), 403, "not-allowed")


def test_one_borrow_is_shown_to_its_member_and_to_who_views_all(web: Web) -> None:
    own = borrowed(web).get_json()["borrow"]
    for role in (Role.MEMBER, Role.ADMINISTRATOR, Role.LICENSE_MANAGER):
        assert web.get(f"/borrows/{own['id']}", role).get_json() == own
    for path in (f"/borrows/{own['id']}", f"/borrows/{own['id']}/file"):
        problem(web.get(path, Role.ANALYST), 404, "not-found")
    problem(web.get("/borrows/" + "A" * 22), 404, "not-found")


def test_pages_of_borrows_follow_each_other_and_end(both_web: Web) -> None:
    for number in range(5):
        actor = both_web.bench.member(f"m{number}")
        issued_to(both_web.bench, actor, workstation(f"w{number}"))
    seen: list[str] = []
    path = "/borrows?limit=2"
    for _ in range(3):
        page = both_web.get(path).get_json()
        assert page.keys() == {"items", "next"}
        assert all(item.keys() == BORROW | MORE for item in page["items"])
        seen += [item["member"] for item in page["items"]]
        path = f"/borrows?limit=2&cursor={page['next']}"
    assert page["next"] is None
    assert sorted(seen) == [f"m{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 2),
        ("?state=active", 2),
        ("?state=revoked", 0),
        ("?member=member", 1),
        ("?product=arcgis-pro", 2),
        ("?product=arcgis-desktop", 0),
        ("?machine=tower", 1),
        ("?machine=machine-laptop&state=active&member=MEMBER", 1),
        ("?limit=1000", 2),
    ],
)
def test_borrows_are_filtered(web: Web, query: str, count: int) -> None:
    borrowed(web)
    borrowed(web, "tower", Role.ANALYST)
    assert len(web.get(f"/borrows{query}").get_json()["items"]) == count


def test_a_member_lists_only_their_own_borrows_whatever_is_asked(web: Web) -> None:
    borrowed(web)
    borrowed(web, "tower", Role.ANALYST)
    for query in ("", "?member=analyst", "?machine=tower&member=member"):
        items = web.get(f"/borrows{query}", Role.MEMBER).get_json()["items"]
        assert {item["member"] for item in items} <= {"member"}


def test_revoke_and_release_say_what_is_certain_and_what_is_not(web: Web) -> None:
    borrow = borrowed(web, days=3).get_json()["borrow"]
    revoked = web.post(f"/borrows/{borrow['id']}/revoke", {"reason": "audit"})
    assert (revoked.status_code, revoked.get_json().keys()) == (200, {"borrow", "dry_run"})
    shown = revoked.get_json()["borrow"]
    assert (shown["state"], shown["reason"], shown["copy_may_run_until"]) == ("revoked", "audit", borrow["expires_at"])
    assert shown["seat_free_at"] == borrow["expires_at"]
    body = {"reason": "stolen", "accept_overlap": False}
    refused = problem(web.post(f"/borrows/{borrow['id']}/release", body), 409, "overlap-not-accepted")
    assert [item["name"] for item in refused["errors"]] == ["until"]
    released = web.post(f"/borrows/{borrow['id']}/release", body | {"accept_overlap": True}).get_json()["borrow"]
    assert (released["state"], released["seat_free_at"]) == ("released", "2026-03-02T09:00:00Z")
    again = web.post(f"/borrows/{borrow['id']}/release", body | {"accept_overlap": True})
    assert problem(again, 409, "borrow-already-ended")["hint"]


def test_a_check_in_ends_the_borrow_and_again_says_the_same(web: Web) -> None:
    laptop = workstation("laptop")
    body = {"request": laptop.request(Wish("arcgis-pro"), web.bench.clock())}
    issued = web.post("/borrows", body, Role.MEMBER).get_json()
    receipt = {"receipt": laptop.receipt_for(json.dumps(issued["file"]).encode(), web.bench.clock())}
    problem(web.post("/check-ins", receipt, Role.ANALYST), 403, "not-allowed")
    first, again = web.post("/check-ins", receipt, Role.MEMBER), web.post("/check-ins", receipt)
    assert (first.status_code, again.status_code) == (200, 200)
    shown = first.get_json()["borrow"]
    assert (shown["state"], shown["copy_may_run_until"]) == ("checked-in", None)
    assert again.get_json() == first.get_json()
    problem(web.post("/check-ins", receipt, Role.ANALYST), 403, "not-allowed")


def test_a_refused_borrow_is_409_with_the_values(web: Web) -> None:
    body = problem(borrowed(web, days=31), 409, "duration-too-long")
    assert {item["name"] for item in body["errors"]} == {"limit_days", "limit_until", "decided_by"}
    assert problem(borrowed(web, level="Ultimate"), 404, "no-such-product")["errors"] == [
        {"name": "level", "message": None, "value": "Ultimate"}
    ]


def test_a_member_signs_in_uses_the_token_and_signs_out(web: Web) -> None:
    members.add(Unit(web.bench.authority, CONSOLE), NewMember("ada", password=PASSWORD))
    answer = web.post("/sign-in", {"username": "ada", "password": PASSWORD}, None)
    assert (answer.status_code, answer.get_json().keys()) == (200, {"token", "expires_at"})
    assert answer.get_json()["expires_at"] == "2026-03-02T21:00:00Z"
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {answer.get_json()['token']}"}
    assert web.get("/borrows", None, headers=headers).get_json() == {"items": [], "next": None}
    assert web.post("/sign-out", None, None, headers=headers).status_code == 204
    problem(web.get("/borrows", None, headers=headers), 401, "not-authenticated")


@pytest.mark.parametrize("scheme", ["Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   ", "  bearer  "])
def test_the_scheme_is_taken_in_any_case_and_with_one_space_or_several(web: Web, scheme: str) -> None:
    """RFC 9110, 11.1: the scheme is case-insensitive; 11.4: `1*SP` stands before the credentials."""
    header = f"{scheme}{web.secrets[Role.ADMINISTRATOR]}"
    for padded in (header, f"{header} ", f"{header}\t"):
        assert web.get("/api-keys", None, headers={"Authorization": padded}).status_code == 200


def test_who_cannot_sign_in_gets_one_answer(web: Web) -> None:
    members.add(Unit(web.bench.authority, CONSOLE), NewMember("ada", password=PASSWORD))
    answers = [
        problem(web.post("/sign-in", {"username": name, "password": "wrong password"}, None), 401, "not-authenticated")
        for name in ("ada", "nobody")
    ]
    for body in answers:
        body.pop("request_id")
    assert answers[0] == answers[1]


def test_an_ended_sign_in_is_401(web: Web) -> None:
    members.add(Unit(web.bench.authority, CONSOLE), NewMember("ada", password=PASSWORD))
    token = web.post("/sign-in", {"username": "ada", "password": PASSWORD}, None).get_json()["token"]
    web.bench.clock.at += timedelta(hours=12)
    problem(web.get("/borrows", None, headers={"Authorization": f"Bearer {token}"}), 401, "not-authenticated")


def test_status_list_and_trust_are_public_files(web: Web) -> None:
    status_list, trusted = web.get("/status-list", None), web.get("/trust", None)
    assert status_list.data == status_lists.export(Unit(web.bench.authority, CONSOLE))
    assert status_list.get_json().keys() == {"carnet", "version", "authorization", "status_list"}
    assert trusted.data.decode() == web.bench.trust_file
    assert {status_list.content_type, trusted.content_type} == {"application/json"}


def test_events_are_read_from_a_known_one_on(both_web: Web) -> None:
    borrowed(both_web)
    everything = both_web.get("/events?limit=1000", Role.ANALYST).get_json()
    assert everything.keys() == {"items", "next"}
    assert everything["next"] is None
    ids = [item["id"] for item in everything["items"]]
    assert ids == sorted(ids)
    page = both_web.get(f"/events?after={ids[2]}&limit=2").get_json()
    assert ([item["id"] for item in page["items"]], page["next"]) == (ids[3:5], str(ids[4]))
    last = everything["items"][-1]
    assert (last["kind"], last["member"], last["at"], last["until"]) == (
        "checkout",
        "member",
        "2026-03-02T09:00:00.000000Z",
        "2026-03-09T09:00:00.000000Z",
    )
    assert [item["kind"] for item in both_web.get("/events?kind=checkout").get_json()["items"]] == ["checkout"]
    assert both_web.get(f"/events?after={ids[-1]}").get_json() == {"items": [], "next": None}


def test_without_its_database_the_service_is_alive_but_not_ready(
    web: Web, tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    web.bench.authority.database.close()
    (tmp_path / "authority.db").write_bytes(b"destroyed" * 1000)
    for name in ("authority.db-wal", "authority.db-shm"):
        (tmp_path / name).unlink(missing_ok=True)
    assert web.send("GET", "/healthz", None).status_code == 200
    answer = web.send("GET", "/readyz", None)
    problem(answer, 503, "storage-unavailable")
    assert answer.headers["Retry-After"]
    # What the driver says has paths, addresses and users: it is for the log alone.
    assert answer.get_json()["detail"] == "the database did not take it"
    assert f"request {answer.get_json()['request_id']}: the database did not take it: file is not" in capsys.readouterr().err
    problem(web.get("/borrows"), 503, "storage-unavailable")


def test_what_waiting_does_not_mend_says_no_time_to_try_again(web: Web) -> None:
    bench = web.bench
    laptop = workstation("laptop")
    web.client = create_app(replace(bench.authority, ring=KeyRing({}))).test_client()
    body = {"request": laptop.request(Wish("arcgis-pro"), bench.clock()), "member": "member"}
    answer = web.post("/borrows", body)
    problem(answer, 503, "key-unusable")
    assert "Retry-After" not in answer.headers


def test_every_refusal_has_a_status_and_every_status_a_refusal() -> None:
    codes = [refusal.code for refusal in every_refusal()]
    assert len(codes) == len(set(codes))
    assert set(codes) == set(STATUS)
    assert all(refusal.default_hint for refusal in every_refusal())


@pytest.mark.parametrize("headers", [{}, {"Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "proto=https"}])
def test_the_front_page_says_how_to_sign_in_and_repeats_no_address_that_it_was_asked_at(
    web: Web, headers: dict[str, str]
) -> None:
    """Behind a TLS proxy the server does not know the address that people use, and a client can name any."""
    answer = web.send("GET", "/", None, headers=headers)
    assert (answer.status_code, answer.mimetype) == (200, "text/plain")
    assert 'curl "$URL/api/v1/sign-in"' in answer.text
    assert "http://" not in answer.text
    assert "localhost" not in answer.text
    assert "evil.example" not in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_what_is_wrong_with_a_value_stands_within_its_sentence(web: Web) -> None:
    assert web.get("/members?zzz=1").get_json()["detail"] == "not understood: zzz (there is nothing of this name)"
