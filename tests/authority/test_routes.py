"""Every route against everybody, and every part of its request in forms that it may not have. A route that is not in the table fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Role, Scope
from authority.services import access
from authority.services.unit import Unit
from authority.web.gateway import BODY_IS_LATE, LARGEST_BODY
from tests.authority import wrong_values
from tests.authority.route_table import BARE, READING, ROUTES, SCOPED, World, make_world, path_of, send
from tests.support.connecting import overfill
from tests.support.database_contents import unchanged
from tests.support.routes import described_operations
from tests.support.web import API, problem

PROTECTED = [name for name, route in ROUTES.items() if not route.is_public]
WITH_BODY = [name for name, route in ROUTES.items() if route.body is not None]
NOBODY = {"username": "nobody", "event_id": "999999999", "kid": "A" * 43}
OPERATIONS = described_operations()
WITH_PATH = [name for name in ROUTES if "{" in name]
# Fixed paths that have the form of another one with an id in it: no session and no member has such an id.
OTHER_MEANING = {
    "GET /borrows/revoke": (400, "invalid-input"),
    "GET /borrows/release": (400, "invalid-input"),
    "GET /sessions/end": (400, "invalid-input"),
    "DELETE /sessions/end": (400, "invalid-input"),
    **{
        f"{method} /members/{word}": (404, "not-found")
        for method in ("GET", "DELETE")
        for word in ("change", "remove", "import")
    },
    **{f"PATCH /members/{word}": (400, "invalid-input") for word in ("change", "remove", "import")},
    "DELETE /sessions/settings": (400, "invalid-input"),
    "DELETE /members/defaults": (404, "not-found"),
    "PATCH /members/defaults": (400, "invalid-input"),
}
CACHED = {f"{API}/trust", f"{API}/status-list", "/openapi.json"}
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One for all that may not change it."""
    made = make_world(tmp_path_factory.mktemp("world"))
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def changing(world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    copied = world.copy(tmp_path_factory.mktemp("changing"))
    yield copied
    copied.database.close()


@pytest.fixture
def fresh(world: World, changing: World) -> Iterator[World]:
    """A copy that may be changed; it is put back afterwards."""
    yield changing
    changing.put_back(world)


def rules(app: Flask) -> set[str]:
    """METHOD PATH of every rule for programs; pages have tests of their own. The one for static files is Flask's own, and has no folder."""
    return {
        f"{method} {rule.rule.removeprefix(API).replace('<', '{').replace('>', '}')}"
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and not rule.rule.startswith("/console")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def safe(answer: TestResponse) -> TestResponse:
    """The answer, after a look at its headers."""
    headers = dict(answer.headers)
    # What is public may be kept by a cache; all else by nobody.
    if urlsplit(answer.request.url).path in CACHED and answer.status_code == 200:
        headers["Cache-Control"] = "no-store"
    # A page of the reference has a sheet of styles, and may be kept too.
    if urlsplit(answer.request.url).path.startswith("/docs") and answer.status_code == 200:
        assert "'unsafe" not in headers["Content-Security-Policy"]
        headers |= {name: SAFE_HEADERS[name] for name in ("Cache-Control", "Content-Security-Policy")}
    assert SAFE_HEADERS.items() <= headers.items()
    assert answer.headers["X-Request-Id"]
    assert "Access-Control-Allow-Origin" not in answer.headers
    return answer


def refused(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The problem, with what to do next."""
    body = problem(safe(answer), status, code)
    assert body["hint"]
    return body


def test_every_route_is_in_the_table_and_described(world: World) -> None:
    assert rules(world.web.client.application) == ROUTES.keys()
    assert OPERATIONS.keys() == {name for name in ROUTES if name.partition(" ")[2] not in BARE}
    assert world.web.send("GET", "/openapi.json", None).get_json()["openapi"].startswith("3.1.")
    for name, operation in OPERATIONS.items():
        assert operation.summary, name
        assert (operation.is_protected, operation.has_body) == (name in PROTECTED, name in WITH_BODY), name
        assert operation.success.get(ROUTES[name].status) == (ROUTES[name].status != 204), name


def body_of(world: World, name: str) -> Any:
    """The body of the good request."""
    make = ROUTES[name].body
    assert make
    return make(world)


# Who.


@pytest.mark.parametrize("name", PROTECTED)
def test_nobody_gets_in_without_a_good_token(world: World, name: str) -> None:
    with unchanged(world.database):
        tokens = [*wrong_values.NO_TOKENS, *(wrong_values.UNKNOWN_TOKENS if ROUTES[name].needs_member else ())]
        for headers in [{}, *({"Authorization": token} for token in tokens)]:
            answer = send(world, name, None, headers=headers)
            refused(answer, 401, "not-authenticated")
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="carnet"'


def wrong_requests(world: World, name: str) -> Iterator[dict[str, Any]]:
    """What of a request can be wrong, one after the other: query, path, body, size, type, and that the body did not come."""
    for query in ("unknown=1", "limit=x", "limit=1&limit=2", "%00=%ff", "release=perhaps&product="):
        yield {"query": query}
    if name in WITH_PATH:
        for value in ("short", "%00", "a%0Ab"):
            yield {"path": path_of(name, world, **dict.fromkeys(world.ids, value))}
    if name.partition(" ")[0] in {"POST", "PUT", "PATCH"}:
        for raw in wrong_values.RAW.values():
            yield {"data": raw, "content_type": "application/json"}
        yield {"json": {"unknown": 1}}
        yield {"data": b"{" + b" " * LARGEST_BODY, "content_type": "application/json"}
        for content_type in wrong_values.NO_JSON:
            yield {"data": b"{}", "content_type": content_type}
    yield {"environ_overrides": {BODY_IS_LATE: True}}


@pytest.mark.parametrize("name", PROTECTED)
def test_t34_a_stranger_is_told_of_the_credential_whatever_else_is_wrong(world: World, name: str) -> None:
    with unchanged(world.database):
        for wrong in wrong_requests(world, name):
            for headers in ({}, {"Authorization": wrong_values.UNKNOWN_TOKENS[0]})[: 1 + ROUTES[name].needs_member]:
                answer = send(world, name, None, headers=headers, **dict(wrong))
                refused(answer, 401, "not-authenticated")
                assert (answer.headers.get("Connection") == "close") == ("environ_overrides" in wrong)


@pytest.mark.parametrize("role", [*Role, None], ids=lambda role: role or "owner")
@pytest.mark.parametrize("name", ROUTES)
def test_who_may_gets_an_answer_and_who_may_not_a_refusal_that_changes_nothing(
    world: World, fresh: World, name: str, role: Role | None
) -> None:
    """The owner is ada, a member, about what is hers; whoever asks in the role of a member is a stranger to it."""
    route, is_owner = ROUTES[name], role is None
    if (role or Role.MEMBER) in route.allowed or (is_owner and route.owner):
        answer = safe(send(fresh, name, role, owner=is_owner))
        assert answer.status_code == route.status, answer.get_data(as_text=True)
        return
    with unchanged(world.database):
        body = refused(send(world, name, role, owner=is_owner), *route.differs.get(role or Role.MEMBER, route.refused))
    if body["code"] == "not-allowed":
        assert body["detail"]


def with_scope(world: World, role: Role, scope: Scope) -> dict[str, Any]:
    """The header with a new API key of somebody of the role, for the scope."""
    unit = Unit(world.web.bench.authority, CONSOLE)
    return {"Authorization": f"Bearer {access.create_api_key(unit, str(role), 'x', scopes=[scope])[0]}"}


@pytest.mark.parametrize("scope", [scope for scope in Scope if scope is not Scope.ALL])
def test_a_key_of_a_scope_is_refused_what_the_scope_leaves_out_and_all_that_its_member_may_not(
    fresh: World, scope: Scope
) -> None:
    keys = {role: with_scope(fresh, role, scope) for role in (Role.ADMINISTRATOR, Role.MEMBER)}
    with unchanged(fresh.database):
        for role, headers in keys.items():
            for name, route in ROUTES.items():
                if name in PROTECTED and route.needs_member and not (name in SCOPED[scope] and role in route.allowed):
                    answer = send(fresh, name, None, headers=headers)
                    assert answer.get_json().get("code") in {"not-allowed", "not-found"}, (name, role, answer.data)


@pytest.mark.parametrize(
    ("scope", "name"), [(scope, name) for scope in Scope if scope is not Scope.ALL for name in sorted(SCOPED[scope] - READING)]
)
def test_a_key_of_a_scope_changes_what_the_scope_says(fresh: World, scope: Scope, name: str) -> None:
    answer = send(fresh, name, None, headers=with_scope(fresh, Role.ADMINISTRATOR, scope))
    assert answer.status_code == ROUTES[name].status, answer.data


@pytest.mark.parametrize("scope", Scope)
def test_a_key_of_a_scope_reads_what_the_scope_says(fresh: World, scope: Scope) -> None:
    headers = with_scope(fresh, Role.ADMINISTRATOR, scope)
    with unchanged(fresh.database):
        for name in sorted(SCOPED[scope] & READING):
            answer = send(fresh, name, None, headers=headers)
            assert answer.status_code == ROUTES[name].status, (name, answer.data)


@pytest.mark.parametrize("name", [name for name in ROUTES if name not in PROTECTED])
def test_what_is_public_needs_no_token(fresh: World, name: str) -> None:
    for headers in [{}, *({"Authorization": token} for token in wrong_values.UNKNOWN_TOKENS)]:
        assert safe(send(fresh, name, None, headers=headers)).status_code == ROUTES[name].status


@pytest.mark.parametrize("name", PROTECTED)
def test_who_may_not_cannot_tell_what_is_there(world: World, name: str) -> None:
    """Asked about somebody or something that is not there, the refusal is the one about what is."""
    route = ROUTES[name]
    body = None if route.body is None else json.loads(json.dumps(body_of(world, name)).replace('"ada"', '"nobody"'))
    nobody = NOBODY | dict.fromkeys(("borrow_id", "session_id", "key_id", "sign_in_id"), "A" * 22)
    more: dict[str, Any] = {"path": path_of(name, world, **nobody), "query": route.query.replace("ada", "nobody")}
    if body is not None:
        more["json"] = body
    with unchanged(world.database):
        for role in {Role.MEMBER, Role.ANALYST} - route.allowed:
            refusal = route.differs.get(role, route.refused)
            refused(send(world, name, role, **more), *refusal)


@pytest.mark.parametrize("name", PROTECTED)
def test_over_the_limit_only_administrators_get_in_and_licenses_are_given_back(fresh: World, name: str) -> None:
    """While there are too many members, access is disabled for all but administrators, who are shown the numbers (seed S2)."""
    route = ROUTES[name]
    overfill(fresh.web.bench)
    for role in [role for role in Role if role is not Role.ADMINISTRATOR]:
        if not route.open_over_limit:
            refused(send(fresh, name, role), 403, "organization-over-limit")
    if not route.open_over_limit:
        refused(send(fresh, name, owner=True), 403, "organization-over-limit")
    elif route.owner:
        assert send(fresh, name, owner=True).status_code == route.status
    answer = send(fresh, name)
    if name != "POST /sign-out":
        assert answer.headers["X-Carnet-Over-Limit"] == "the organization has 51 members, 50 are allowed"


@pytest.mark.parametrize("name", [name for name in ROUTES if name.startswith("GET ")])
def test_reading_changes_nothing(world: World, name: str) -> None:
    with unchanged(world.database):
        for role in ROUTES[name].allowed:
            answer = send(world, name, role)
            head = world.web.send("HEAD", f"{path_of(name, world)}?{ROUTES[name].query}", role)
            assert (head.status_code, head.get_data()) == (answer.status_code, b"")


# What.


@pytest.mark.parametrize("name", WITH_PATH)
def test_what_is_not_there_is_not_found(world: World, name: str) -> None:
    with unchanged(world.database):
        for parameter in [part.split("}")[0] for part in name.split("{")[1:]]:
            nobody = path_of(name, world, **{parameter: NOBODY.get(parameter, "A" * 22)})
            refused(send(world, name, path=nobody), 404, "not-found")


def test_a_body_that_is_no_object_or_too_large_or_no_json_is_refused(world: World) -> None:
    """Whatever the route: it is seen before any is asked."""
    name = "POST /authorization"
    good = json.dumps(body_of(world, name))
    with unchanged(world.database):
        for raw in wrong_values.RAW.values():
            refused(send(world, name, data=raw, content_type="application/json"), 400, "invalid-input")
        # It would be good if it were read twice.
        body = refused(send(world, name, json=good), 400, "invalid-input")
        assert body["errors"][0]["name"] == ""
        padded = good[:-1] + f', "padding": "{"x" * 256 * 1024}"}}'
        refused(send(world, name, data=padded, content_type="application/json"), 413, "too-large")
        for content_type in wrong_values.NO_JSON:
            refused(send(world, name, data=good, content_type=content_type), 415, "unsupported-media-type")


def test_what_an_operation_does_not_take_is_refused_and_nothing_is_done(world: World) -> None:
    """Most of all a dry run: who asked for one where it does not belong would have it done."""
    with unchanged(world.database):
        for name, operation in OPERATIONS.items():
            queries = ["DRY_RUN=true", *([] if "dry_run" in operation.query else ["dry_run=true"])]
            for query in queries:
                body = refused(send(world, name, query=f"{ROUTES[name].query}&{query}".lstrip("&")), 400, "invalid-input")
                assert ("dry run" in body["hint"]) == (query == "dry_run=true"), name
            if not name.startswith("GET") and not operation.has_body:
                body = refused(send(world, name, json={"dry_run": True}), 400, "invalid-input")
                assert ("?dry_run=true" in body["hint"]) == ("dry_run" in operation.query), name


def test_a_dry_run_of_an_ending_ends_nothing(world: World) -> None:
    with unchanged(world.database):
        for name in ("DELETE /api-keys/{key_id}", "DELETE /members/{username}/sign-ins"):
            assert send(world, name, query="dry_run=true").status_code == 200
        for name in ("DELETE /sessions/{session_id}", "DELETE /me/sign-ins", "DELETE /me/sign-ins/{sign_in_id}"):
            assert send(world, name, owner=True, query="dry_run=true").status_code == 200


@pytest.mark.parametrize("path", sorted({name.partition(" ")[2] for name in ROUTES}))
def test_another_method_is_405_and_the_answer_says_which_there_are(world: World, path: str) -> None:
    there_are = {name.partition(" ")[0] for name in ROUTES if name.partition(" ")[2] == path}
    with unchanged(world.database):
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - there_are:
            answer = world.web.send(method, path_of(f"{method} {path}", world))
            if f"{method} {path}" in OTHER_MEANING:
                refused(answer, *OTHER_MEANING[f"{method} {path}"])
                continue
            refused(answer, 405, "method-not-allowed")
            assert there_are <= set(answer.headers["Allow"].split(", "))


@pytest.mark.parametrize(
    "path", ["/x", API, f"{API}/", f"{API}/nothing", f"{API}/borrows/", "/.env", "/static/x", f"{API}/borrows/../../etc/passwd"]
)
def test_an_unknown_path_is_404(world: World, path: str) -> None:
    refused(world.web.send("GET", path), 404, "not-found")
