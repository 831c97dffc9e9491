"""A request that is sent again with its own key does nothing new and gets the first answer; the database cannot read what was answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Role, Scope
from authority.services import access
from authority.services import attempts as service
from authority.services.unit import Unit
from authority.storage.db.tables import attempts
from authority.web.application import create_app
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.database_contents import contents
from tests.support.web import Web, make_web, problem

PASSWORD = "correct horse battery staple"


@pytest.fixture
def web(bench: Bench) -> Web:
    return make_web(bench)


def sent(web: Web, key: str, path: str = "/members", body: Any = None, **more: Any) -> TestResponse:
    headers = {"Idempotency-Key": key} | more.pop("headers", {})
    return web.post(path, {"username": "eve"} if body is None else body, headers=headers, **more)


def members(web: Web) -> int:
    return int(web.get("/members").get_json()["total"])


def test_the_same_request_again_does_nothing_new_and_gets_the_first_answer(web: Web) -> None:
    first = sent(web, '"one"')
    assert (first.status_code, members(web)) == (201, 6)
    # Another node, or the same after a restart, has nothing but the database.
    other = replace(web, client=create_app(web.bench.authority).test_client())
    for again in (sent(other, '"one"'), sent(other, "one")):
        assert (again.status_code, again.get_data(), again.headers["Idempotency-Replayed"]) == (201, first.get_data(), "true")
    assert members(web) == 6
    problem(sent(web, "two"), 409, "already-exists")
    # What was refused was not done: the same key may be used for what is right.
    assert sent(web, "two", body={"username": "zoe"}).status_code == 201


def test_the_key_belongs_to_one_request_of_one_member_for_a_day(web: Web) -> None:
    assert (
        sent(
            web, "k", "/assignments", {"assignments": [{"username": "admin", "product": "arcgis-pro", "level": "Basic"}]}
        ).status_code
        == 409
    )
    assert sent(web, "k").status_code == 201
    problem(sent(web, "k", body={"username": "bob"}), 422, "key-reused")
    problem(sent(web, "k", "/api-keys", {"username": "eve", "name": "x"}), 422, "key-reused")
    # Somebody else's key is another one.
    body = {"licenses": [{"username": "eve", "product": "arcgis-pro"}], "one_by_one": True}
    assert sent(web, "k", "/assignments/remove", body, role=Role.LICENSE_MANAGER).status_code == 200
    web.bench.clock.turn(hours=23, minutes=59)
    assert sent(web, "k").headers["Idempotency-Replayed"]
    web.bench.clock.turn(minutes=1)
    problem(sent(web, "k"), 409, "already-exists")


def test_many_at_once_with_one_key_are_one(web: Web) -> None:
    apps = [create_app(web.bench.authority).test_client() for _ in range(6)]
    with ThreadPoolExecutor(len(apps)) as pool:
        answers = list(pool.map(lambda client: sent(replace(web, client=client), "same"), apps))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert {answer.get_json()["code"] for answer in answers if answer.status_code == 409} <= {"request-under-way"}
    assert all(answer.headers["Retry-After"] for answer in answers if answer.status_code == 409)
    assert (members(web), sent(web, "same").status_code) == (6, 201)


@ON_SQLITE
def test_a_secret_is_shown_again_to_who_sent_the_request_and_stands_nowhere(web: Web) -> None:
    body = {"username": "member", "name": "script"}
    made = sent(web, "key", "/api-keys", body).get_json()
    assert sent(web, "key", "/api-keys", body).get_json() == made
    secret = next(value for value in made.values() if isinstance(value, str) and value.startswith("carnet_key_"))
    assert secret not in repr(contents(web.bench.authority.database))
    # The same administrator with another credential: it is not done again, and cannot be opened.
    other = access.create_api_key(Unit(web.bench.authority, CONSOLE), "administrator", "second")[0]
    web.secrets[Role.ADMINISTRATOR] = other
    refused = problem(sent(web, "key", "/api-keys", body), 409, "answer-not-kept")
    assert "was done at 2026-03-02 09:00:00 UTC" in refused["detail"]


@ON_SQLITE
def test_a_server_that_stopped_before_it_kept_the_answer_did_it_once(web: Web) -> None:
    assert sent(web, "lost").status_code == 201
    with web.bench.authority.database.write() as connection:
        connection.execute(update(attempts).values(answer=None))
    problem(sent(web, "lost"), 409, "request-under-way")
    web.bench.clock.turn(minutes=1)
    problem(sent(web, "lost"), 409, "answer-not-kept")
    assert members(web) == 6


@ON_SQLITE
def test_what_changes_nothing_keeps_nothing_and_what_is_kept_is_bounded(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    remove = {"usernames": ["member"], "dry_run": True}
    assert sent(web, "dry", "/members/remove", remove).status_code == 200
    assert sent(web, "dry", "/members/remove", remove | {"dry_run": False}).status_code == 200
    for key in ("", "a b", '"', "\u00e9", "x" * 256):
        problem(sent(web, key), 400, "invalid-input")
    monkeypatch.setattr(service, "MOST_KEYS", 2)
    assert sent(web, "second").status_code == 201
    assert problem(sent(web, "third", body={"username": "new"}), 429, "too-many-requests")
    web.bench.clock.turn(hours=24)
    assert sent(web, "third", body={"username": "new"}).status_code == 201
    monkeypatch.setattr(service, "LARGEST_ANSWER", 10)
    assert sent(web, "long", body={"username": "longer"}).status_code == 201
    web.bench.clock.turn(minutes=2)
    problem(sent(web, "long", body={"username": "longer"}), 409, "answer-not-kept")


@ON_SQLITE
def test_t34_whose_token_is_no_good_is_told_so_whatever_the_key_is(web: Web) -> None:
    bad = {"Authorization": "Bearer carnet_key_of-nobody"}
    for path, body in (("/members", {"username": "eve"}), ("/sessions/end", {"unknown": 1})):
        for key in ("x" * 300, "a b", '"'):
            problem(sent(web, key, path, body, headers=bad), 401, "not-authenticated")


@ON_SQLITE
def test_narrow_keys_of_two_members_are_two_members(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    web.bench.member("chief", role=Role.ADMINISTRATOR)
    unit = Unit(web.bench.authority, CONSOLE)
    first, second = (access.create_api_key(unit, name, "x", scopes=[Scope.MEMBERS])[0] for name in ("administrator", "chief"))
    monkeypatch.setattr(service, "MOST_KEYS", 1)
    for secret, name in ((first, "eve"), (second, "bob")):
        answer = sent(web, "nightly", body={"username": name}, headers={"Authorization": f"Bearer {secret}"})
        assert (answer.status_code, "Idempotency-Replayed" in answer.headers) == (201, False), answer.data


@ON_SQLITE
def test_a_new_password_takes_the_key_when_it_is_set_and_what_was_refused_does_not(web: Web) -> None:
    """Its tries are counted in transactions of their own, before it is known whether anything is done."""
    chief = web.bench.member("chief", password=PASSWORD)
    secret = access.create_api_key(Unit(web.bench.authority, CONSOLE), chief.username, "x")[0]
    body = {"old_password": PASSWORD, "new_password": "another long password"}

    def change(**changed: str) -> TestResponse:
        return sent(web, "mine", "/me/password", body | changed, headers={"Authorization": f"Bearer {secret}"})

    for _ in range(2):
        problem(change(old_password="wrong"), 403, "not-allowed")
        problem(change(new_password="short"), 400, "invalid-input")
    first = change()
    again = change()
    assert (first.status_code, again.status_code, again.get_data()) == (200, 200, first.get_data())
    assert again.headers["Idempotency-Replayed"]
    problem(change(old_password="wrong"), 422, "key-reused")
    web.bench.clock.turn(hours=24)
    problem(change(), 403, "not-allowed")
