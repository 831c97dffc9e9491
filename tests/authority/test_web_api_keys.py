"""/api-keys over HTTP: made once, listed without secrets, revoked at once, and closed to everybody but administrators."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Role
from authority.presentation.api_keys import ApiKeyShown, MadeApiKey
from authority.services import access, members
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.support.connecting import overfill
from tests.support.database_contents import contents, log_rows
from tests.support.web import API, HOSTILE_TEXTS, Web, problem

ID = "A" * 22
PASSWORD = "correct horse battery staple"


def create(web: Web, role: Role | None = Role.ADMINISTRATOR, **body: Any) -> TestResponse:
    return web.post("/api-keys", {"username": "member", "name": "script"} | body, role)


def revoke(web: Web, key_id: str, role: Role | None = Role.ADMINISTRATOR) -> TestResponse:
    return web.send("DELETE", f"{API}/api-keys/{key_id}", role)


def with_key(web: Web, secret: str, path: str = "/borrows") -> TestResponse:
    return web.get(path, None, headers={"Authorization": f"Bearer {secret}"})


def items(web: Web, query: str = "") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = web.get(f"/api-keys{query}").get_json()["items"]
    return rows


def test_a_key_is_made_with_its_secret_this_once(web: Web) -> None:
    answer = create(web, username="MEMBER", name="nightly export")
    made = answer.get_json()
    assert answer.status_code == 201
    assert made.keys() == MadeApiKey.model_fields.keys()
    secret = made.pop("api_key")
    assert secret.startswith("carnet_key_")
    assert (made["member"], made["name"], made["created_at"], made["revoked_at"]) == (
        "member",
        "nightly export",
        "2026-03-02T09:00:00Z",
        None,
    )
    assert made in items(web)
    assert with_key(web, secret).status_code == 200
    row = log_rows(web.bench.authority.database, "api-key-created")[-1]
    assert (row["actor"], row["member"], row["reason"]) == ("administrator", "member", f"nightly export ({made['id']})")


def test_a_key_acts_as_its_member(web: Web) -> None:
    secret = create(web).get_json()["api_key"]
    problem(with_key(web, secret, "/events"), 403, "not-allowed")
    analyst = create(web, username="analyst").get_json()["api_key"]
    assert with_key(web, analyst, "/events").status_code == 200


def test_no_answer_but_the_first_has_a_secret_or_digest(web: Web) -> None:
    made = create(web).get_json()
    with web.bench.authority.database.read() as connection:
        digests = {row[2] for row in connection.exec_driver_sql("SELECT id, kind, digest FROM credentials")}
    # Of each role a key and a sign-in, the key of the first administrator, and the new one.
    assert len(digests) == 2 * len(Role) + 2
    for answer in (web.get("/api-keys"), revoke(web, made["id"]), web.get("/events?limit=1000"), web.get("/api-keys?limit=1")):
        text = answer.get_data(as_text=True)
        assert made["api_key"].removeprefix("carnet_key_") not in text
        assert not any(digest in text for digest in digests)
    assert all(item.keys() == ApiKeyShown.model_fields.keys() for item in items(web))


def test_a_revoked_key_stops_working_at_once(web: Web) -> None:
    made = create(web).get_json()
    assert with_key(web, made["api_key"]).status_code == 200
    web.bench.clock.turn(minutes=5)
    answer = revoke(web, made["id"])
    gone = answer.get_json()
    assert (answer.status_code, set(gone)) == (200, {*ApiKeyShown.model_fields, "dry_run"})
    assert gone["revoked_at"] == "2026-03-02T09:05:00Z"
    problem(with_key(web, made["api_key"]), 401, "not-authenticated")
    assert {name: value for name, value in gone.items() if name != "dry_run"} in items(web)
    assert [row["actor"] for row in log_rows(web.bench.authority.database, "api-key-revoked")] == ["administrator"]


def test_revoking_once_more_changes_nothing(web: Web) -> None:
    made = create(web).get_json()
    first = revoke(web, made["id"])
    web.bench.clock.turn(days=1)
    # The first use within an hour is kept.
    web.get("/api-keys")
    before = contents(web.bench.authority.database)
    again = revoke(web, made["id"])
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert contents(web.bench.authority.database) == before


def test_an_administrator_can_revoke_the_very_key_in_use(web: Web) -> None:
    own = next(item for item in items(web) if item["member"] == "administrator")
    assert revoke(web, own["id"]).status_code == 200
    problem(web.get("/api-keys"), 401, "not-authenticated")


def sign_ins(web: Web) -> set[str]:
    with web.bench.authority.database.read() as connection:
        return set(connection.exec_driver_sql("SELECT id FROM credentials WHERE kind = 'sign-in'").scalars())


def test_a_sign_in_is_no_api_key(web: Web) -> None:
    """Nobody ends another's sign-in by an id: it is not listed, and not found here."""
    members.add(Unit(web.bench.authority, CONSOLE), NewMember("ada", password=PASSWORD))
    before = sign_ins(web)
    token = web.post("/sign-in", {"username": "ada", "password": PASSWORD}, None).get_json()["token"]
    (sign_in_id,) = sign_ins(web) - before
    problem(revoke(web, sign_in_id), 404, "not-found")
    assert sign_in_id not in {item["id"] for item in items(web)}
    assert with_key(web, token).status_code == 200


def test_pages_of_keys_follow_each_other_newest_first(both_web: Web) -> None:
    for number in range(5):
        both_web.bench.clock.turn(minutes=number % 2)
        create(both_web, name=f"key {number}")
    rows: list[dict[str, Any]] = []
    path = "/api-keys?limit=4"
    while path:
        page = both_web.get(path).get_json()
        assert page.keys() == {"items", "next"}
        assert len(page["items"]) <= 4
        rows += page["items"]
        path = f"/api-keys?limit=4&cursor={page['next']}" if page["next"] else ""
    assert len({item["id"] for item in rows}) == len(rows) == 10
    times = [item["created_at"] for item in rows]
    assert times == sorted(times, reverse=True)


def test_over_the_limit_an_administrator_still_revokes(web: Web) -> None:
    made = create(web).get_json()
    overfill(web.bench)
    assert revoke(web, made["id"]).status_code == 200
    problem(create(web, Role.ANALYST), 403, "organization-over-limit")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "  "}, 400, "invalid-input"),
        ({"username": "nobody"}, 404, "not-found"),
        ({"username": ""}, 404, "not-found"),
        ({"username": "%"}, 404, "not-found"),
        ({"username": "#1"}, 404, "not-found"),
        ({"username": "\u0430dministrator"}, 404, "not-found"),
    ],
)
def test_a_key_for_nobody_or_nothing_is_refused(still_web: Web, body: dict[str, Any], status: int, code: str) -> None:
    before = contents(still_web.bench.authority.database)
    problem(create(still_web, **body), status, code)
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize("text", HOSTILE_TEXTS.values(), ids=HOSTILE_TEXTS)
def test_a_hostile_name_is_refused_or_kept_as_the_text_it_is(both_web: Web, text: str) -> None:
    before = contents(both_web.bench.authority.database)
    answer = create(both_web, name=text)
    if text.isprintable():
        assert answer.get_json()["name"] == text
        assert text in [item["name"] for item in items(both_web)]
        assert both_web.get("/api-keys").content_type == "application/json"
    else:
        problem(answer, 400, "invalid-input")
        assert contents(both_web.bench.authority.database) == before


def test_an_unknown_id_is_404(still_web: Web) -> None:
    before = contents(still_web.bench.authority.database)
    refusal = problem(revoke(still_web, ID), 404, "not-found")
    assert "GET /api/v1/api-keys" in refusal["hint"]
    assert contents(still_web.bench.authority.database) == before


def test_a_digest_is_no_bearer_token(still_web: Web) -> None:
    """Who reads the database has nothing to sign in with."""
    _, made = access.create_api_key(Unit(still_web.bench.authority, CONSOLE), "member", "read by a thief")
    with still_web.bench.authority.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT id, digest FROM credentials").all()
    digest = {row[0]: row[1] for row in rows}[made.id]
    for secret in (digest, f"carnet_key_{digest}", made.id, f"carnet_key_{made.id}"):
        problem(with_key(still_web, secret), 401, "not-authenticated")
