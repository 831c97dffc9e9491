"""/members: what each route refuses, to whom, and that nothing is changed by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from authority.domain.members import Role, check_username
from authority.domain.refusals import InvalidInput
from tests.authority.test_web_errors import RAW
from tests.support.authorities import Bench
from tests.support.bad_input import HOSTILE_TEXTS, NO_FLAG, NO_TEXT, check_refused, check_roles, contents, one_web
from tests.support.connecting import overfill
from tests.support.web import API, Web, make_web, problem

PASSWORD = "correct horse battery staple"
VIEWERS = {Role.ADMINISTRATOR, Role.LICENSE_MANAGER}
MANAGERS = {Role.ADMINISTRATOR}


@pytest.fixture
def fast_web(sqlite_bench: Bench) -> Web:
    return make_web(sqlite_bench)


@pytest.fixture(scope="module")
def still_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One for all tests that may change nothing."""
    yield from one_web(tmp_path_factory.mktemp("web"))


REFUSED_DEFAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "an unknown type": ({"user_type": "Wizard"}, 404, "no-such-product"),
    "an unknown product": ({"user_type": "Creator", "add_ons": {"arcgis-mars": "Basic"}}, 404, "no-such-product"),
    "an unknown level": ({"user_type": "Creator", "add_ons": {"arcgis-pro": "Ultimate"}}, 404, "no-such-product"),
    "a type that may not": ({"user_type": "Viewer", "add_ons": {"arcgis-pro": "Basic"}}, 409, "type-not-compatible"),
    "a pool": ({"user_type": "GIS Professional", "add_ons": {"arcgis-desktop": "Advanced"}}, 400, "invalid-input"),
    "an empty group": ({"user_type": "Creator", "groups": [" "]}, 400, "invalid-input"),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED_DEFAULTS.values(), ids=REFUSED_DEFAULTS)
def test_defaults_that_no_member_could_have_are_refused(still_web: Web, body: Any, status: int, code: str) -> None:
    before = contents(still_web.bench.authority.database)
    problem(still_web.send("PUT", f"{API}/members/defaults", json=body), status, code)
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize("name", ["defaults", "Defaults", "DEFAULTS"])
def test_nobody_is_called_defaults(still_web: Web, name: str) -> None:
    """The path of such a member would be that of the defaults."""
    before = contents(still_web.bench.authority.database)
    assert "another meaning" in problem(still_web.post("/members", {"username": name}), 400, "invalid-input")["detail"]
    assert contents(still_web.bench.authority.database) == before
    with pytest.raises(InvalidInput):
        check_username(name)
    check_username(f"{name}1")


REFUSED: dict[str, tuple[dict[str, Any], int, str]] = {
    "a taken name": ({"username": "MEMBER"}, 409, "already-exists"),
    "a name with a space": ({"username": "eve b"}, 400, "invalid-input"),
    "a formula": ({"username": "=cmd|' /C calc'!A0"}, 400, "invalid-input"),
    "no name": ({"username": ""}, 400, "invalid-input"),
    "letters that look alike": ({"username": "\u0430da"}, 400, "invalid-input"),
    "an unknown type": ({"username": "eve", "user_type": "Wizard"}, 404, "no-such-product"),
    "a short password": ({"username": "eve", "password": "short"}, 400, "invalid-input"),
    "a blank group": ({"username": "eve", "groups": ["  "]}, 400, "invalid-input"),
}


@pytest.mark.parametrize(("body", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_a_member_who_cannot_be_is_refused(still_web: Web, body: Any, status: int, code: str) -> None:
    before = contents(still_web.bench.authority.database)
    found = problem(still_web.post("/members", body), status, code)
    assert found["hint"]
    assert contents(still_web.bench.authority.database) == before


def test_the_member_past_the_limit_is_refused_with_the_numbers(fast_web: Web) -> None:
    """The error has current and maximum (seed S2)."""
    for number in range(45):
        fast_web.bench.member(f"m{number}", user_type="Viewer")
    told = problem(fast_web.post("/members", {"username": "eve", "user_type": "Viewer"}), 409, "member-limit-reached")
    assert {"name": "current", "value": 50} in told["errors"]
    assert {"name": "maximum", "value": 50} in told["errors"]


NO_NAME = [*NO_TEXT, *HOSTILE_TEXTS, "x" * 129]
NO_TYPE = [*NO_TEXT, *HOSTILE_TEXTS, "", "x" * 65]
NO_ROLE = [*NO_TEXT, *HOSTILE_TEXTS, "", "king", "Administrator"]
NO_GROUPS = ["night", 7, True, {}, {"a": 1}, [7], [None], [["a"]], [""], *([text] for text in HOSTILE_TEXTS), ["a"] * 257]
NO_PASSWORD = [*NO_TEXT, "x" * 257, "\ud800" * 12]
ADD = {"username": "eve"}
HOSTILE_ADD: dict[str, list[Any]] = {
    "username": [None, *NO_NAME],
    "full_name": [None, *NO_NAME],
    "user_type": NO_TYPE,
    "role": NO_ROLE,
    "groups": NO_GROUPS,
    "password": NO_PASSWORD,
    "vendor_access": NO_FLAG,
    "disabled": [True, None],
    "download_permission": ["granted"],
    "id": [1],
}
HOSTILE_CHANGE: dict[str, list[Any]] = {
    "full_name": NO_NAME,
    "user_type": NO_TYPE,
    "role": NO_ROLE,
    "groups": NO_GROUPS,
    "password": NO_PASSWORD,
    "disabled": NO_FLAG,
    "vendor_access": NO_FLAG,
    "download_permission": [*NO_TEXT, *HOSTILE_TEXTS, "", "denied", "Granted"],
    "username": ["bob", None],
    "last_used_at": ["2026-03-02T09:00:00Z"],
}
HOSTILE_DEFAULTS: dict[str, list[Any]] = {
    "user_type": [None, *NO_TYPE],
    "role": [None, *NO_ROLE],
    "groups": [None, *NO_GROUPS],
    "add_ons": [
        None,
        7,
        "arcgis-pro=Basic",
        [],
        ["arcgis-pro"],
        {"arcgis-pro": None},
        {"arcgis-pro": 7},
        {"arcgis-pro": ""},
        {"arcgis-pro": "a\u0000b"},
        {"arcgis-pro": "\ud800"},
        {"Upper": "Basic"},
        {"": "Basic"},
        {"a\u0000b": "Basic"},
        {f"p{number}": "Basic" for number in range(257)},
    ],
    "vendor_access": [None, *NO_FLAG],
    "password": [PASSWORD],
}


@pytest.mark.parametrize("field", HOSTILE_ADD)
def test_a_new_member_of_another_form_is_refused_with_the_field_named(still_web: Web, field: str) -> None:
    check_refused(still_web, "POST", "/members", ADD, field, HOSTILE_ADD[field])


@pytest.mark.parametrize("field", HOSTILE_CHANGE)
def test_a_change_of_another_form_is_refused_with_the_field_named(still_web: Web, field: str) -> None:
    check_refused(still_web, "PATCH", "/members/member", {}, field, HOSTILE_CHANGE[field])


@pytest.mark.parametrize("field", HOSTILE_DEFAULTS)
def test_defaults_of_another_form_are_refused_with_the_field_named(still_web: Web, field: str) -> None:
    check_refused(still_web, "PUT", "/members/defaults", {"user_type": "Creator"}, field, HOSTILE_DEFAULTS[field])


WRITES = [("POST", "/members"), ("PATCH", "/members/member"), ("PUT", "/members/defaults")]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_that_is_no_json_object_is_refused(still_web: Web, method: str, path: str) -> None:
    before = contents(still_web.bench.authority.database)
    for raw in RAW.values():
        problem(still_web.send(method, API + path, data=raw, content_type="application/json"), 400, "invalid-input")
    for other in ("text/plain", "application/x-www-form-urlencoded", ""):
        answer = still_web.send(method, API + path, data=json.dumps(ADD), content_type=other)
        problem(answer, 415, "unsupported-media-type")
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize(
    "query",
    [
        "?limit=0",
        "?limit=1001",
        "?limit=ten",
        "?limit=1e3",
        "?limit=99999999999999999999999",
        "?role=king",
        "?type=",
        "?type=%00",
        "?type=" + "x" * 65,
        "?group=",
        "?group=%00",
        "?group=%ED%A0%80%0A",
        "?group=" + "x" * 129,
        "?cursor=",
        "?cursor=admin",
        "?cursor=" + "A" * 1025,
        "?cursor=WyJhIiwiYiJd",
        "?cursor=WzFd",
        "?cursor=WyJhXHUwMDAwIl0",
        "?cursor=W1tbW1tb",
        "?cursor=%00",
        "?username=ada",
    ],
)
def test_a_query_of_another_form_is_refused(still_web: Web, query: str) -> None:
    found = problem(still_web.get(f"/members{query}"), 400, "invalid-input")
    assert found["hint"]


@pytest.mark.parametrize(
    "username", ["%00", "a%00", "a%0A", "%20", "-a", "a'b", "%ED%A0%80", "é", "a" * 129, "a%5C", "%3Cb%3E"]
)
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_path_that_names_nobody_is_refused(still_web: Web, method: str, username: str) -> None:
    more: dict[str, Any] = {"json": {}} if method == "PATCH" else {}
    before = contents(still_web.bench.authority.database)
    problem(still_web.send(method, f"{API}/members/{username}", **more), 400, "invalid-input")
    problem(still_web.send(method, f"{API}/members/nobody", **more), 404, "not-found")
    assert contents(still_web.bench.authority.database) == before


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/members/member?dry_run=perhaps"),
        ("PATCH", "/members/member?release=true"),
        ("DELETE", "/members/member?dry_run="),
        ("DELETE", "/members/member?release=2"),
        ("DELETE", "/members/member?force=true"),
    ],
)
def test_a_flag_that_is_none_is_refused_and_nothing_is_done(still_web: Web, method: str, path: str) -> None:
    before = contents(still_web.bench.authority.database)
    more: dict[str, Any] = {"json": {"disabled": True}} if method == "PATCH" else {}
    problem(still_web.send(method, API + path, **more), 400, "invalid-input")
    assert contents(still_web.bench.authority.database) == before


ROUTES: dict[str, tuple[str, str, set[Role], Any]] = {
    "list": ("GET", "/members", VIEWERS, None),
    "show": ("GET", "/members/eve", VIEWERS, None),
    "show nobody": ("GET", "/members/nobody", VIEWERS, None),
    "defaults": ("GET", "/members/defaults", VIEWERS, None),
    "add": ("POST", "/members", MANAGERS, {"username": "new"}),
    "change": ("PATCH", "/members/eve", MANAGERS, {"full_name": "E"}),
    "try a change": ("PATCH", "/members/eve?dry_run=true", MANAGERS, {"full_name": "E"}),
    "set defaults": ("PUT", "/members/defaults", MANAGERS, {"user_type": "Viewer"}),
    "remove": ("DELETE", "/members/eve", MANAGERS, None),
    "try to remove": ("DELETE", "/members/eve?dry_run=true", MANAGERS, None),
}


@pytest.mark.parametrize("name", ROUTES)
def test_a_role_does_what_it_may_and_nothing_else(fast_web: Web, name: str) -> None:
    method, path, allowed, body = ROUTES[name]
    fast_web.bench.member("eve")
    check_roles(fast_web, method, path, allowed, **({} if body is None else {"json": body}))


@pytest.mark.parametrize("name", ROUTES)
def test_over_the_limit_only_administrators_get_in(fast_web: Web, name: str) -> None:
    method, path, _, body = ROUTES[name]
    fast_web.bench.member("eve")
    overfill(fast_web.bench)
    more: dict[str, Any] = {} if body is None else {"json": body}
    for role in set(Role) - {Role.ADMINISTRATOR}:
        problem(fast_web.send(method, API + path, role, **more), 403, "organization-over-limit")
    answer = fast_web.send(method, API + path, **more)
    assert answer.headers["X-Carnet-Over-Limit"] == "the organization has 51 members, 50 are allowed"


def test_no_password_comes_back_in_an_error(still_web: Web) -> None:
    secret = "hunter2-hunter2"
    answers = [
        still_web.post("/members", {"username": "a b", "password": secret}),
        still_web.post("/members", {"username": "eve", "password": [secret]}),
        still_web.post("/members", {"username": "member", "password": secret}),
        still_web.post("/members", {"username": "eve", "pasword": secret}),
        still_web.send("PATCH", f"{API}/members/nobody", json={"password": secret}),
        still_web.send("PATCH", f"{API}/members/member", json={"password": secret, "role": "king"}),
        still_web.send("PATCH", f"{API}/members/member", Role.MEMBER, json={"password": secret}),
    ]
    for answer in answers:
        assert answer.status_code >= 400
        assert secret not in answer.get_data(as_text=True)


def test_another_method_is_405(still_web: Web) -> None:
    for method, path in (
        ("PUT", "/members"),
        ("DELETE", "/members"),
        ("POST", "/members/member"),
        ("PUT", "/members/member"),
    ):
        problem(still_web.send(method, API + path, json={}), 405, "method-not-allowed")
