"""The REST interface under bad input: every error in one form, nothing secret in it, nothing changed by it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest

from authority.domain.refusals import Refusal, every_refusal
from authority.web.api.forms import Body
from authority.web.problems import STATUS
from tests.support.authorities import make_bench
from tests.support.borrowing import row_counts
from tests.support.web import API, Web, make_web, problem

ID = "A" * 22
POSTS: dict[str, dict[str, Any]] = {
    "/borrows": {"request": "x", "member": "ada"},
    "/check-ins": {"receipt": "x"},
    f"/borrows/{ID}/revoke": {"reason": "lost"},
    f"/borrows/{ID}/release": {"reason": "lost", "accept_overlap": True},
    "/sign-in": {"username": "ada", "password": "wrong password"},
}
GETS = ["/borrows", f"/borrows/{ID}", f"/borrows/{ID}/file", "/status-list", "/trust", "/events"]
WRONG_VALUES: dict[str, Any] = {
    "number": 7,
    "null": None,
    "array": ["x"],
    "object": {"x": 1},
    "true": True,
    "long text": "x" * 9000,
}
OPTIONAL = {("member", "null"), ("accept_overlap", "true")}


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """One for all tests here: none of them may change anything."""
    folder = tmp_path_factory.mktemp("web")
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    yield make_web(bench)
    bench.authority.database.close()


def wrong_bodies() -> list[Any]:
    """Each member of each body missing, unknown, or of another type."""
    found = []
    for path, good in POSTS.items():
        name = path.rsplit("/", 1)[1]
        found.append(pytest.param(path, good | {"admin": True}, id=f"{name}: unknown member"))
        for member in good:
            if member not in {"member", "accept_overlap"}:
                missing = {other: value for other, value in good.items() if other != member}
                found.append(pytest.param(path, missing, id=f"{name}: no {member}"))
            found += [
                pytest.param(path, good | {member: value}, id=f"{name}: {member} is {kind}")
                for kind, value in WRONG_VALUES.items()
                if (member, kind) not in OPTIONAL
            ]
    return found


@pytest.mark.parametrize(("path", "body"), wrong_bodies())
def test_a_body_of_another_form_is_refused_with_the_member_named(web: Web, path: str, body: Any) -> None:
    before = row_counts(web.bench.authority.database)
    found = problem(web.post(path, body), 400, "invalid-input")
    assert found["errors"]
    assert all(item.keys() == {"field", "message"} for item in found["errors"])
    assert row_counts(web.bench.authority.database) == before


RAW: dict[str, bytes] = {
    "empty": b"",
    "cut short": b'{"request": "x"',
    "two values": b"{} {}",
    "array": b'[{"request": "x"}]',
    "text": b'"request"',
    "number": b"7",
    "null": b"null",
    "not UTF-8": b'{"request": "\xff\xfe"}',
    "byte order mark": b'\xef\xbb\xbf{"request": 7}',
    "deep": b"[" * 100_000,
    "huge number": b'{"request": ' + b"9" * 5000 + b"}",
    "NaN": b'{"request": NaN}',
    "random": bytes(range(256)),
}


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("raw", RAW.values(), ids=RAW)
def test_a_body_that_is_no_json_object_is_refused(web: Web, path: str, raw: bytes) -> None:
    before = row_counts(web.bench.authority.database)
    problem(web.post(path, data=raw, content_type="application/json"), 400, "invalid-input")
    assert row_counts(web.bench.authority.database) == before


@pytest.mark.parametrize("path", POSTS)
def test_a_body_that_is_a_text_with_json_in_it_is_refused(web: Web, path: str) -> None:
    """It would be good if it were read twice."""
    before = row_counts(web.bench.authority.database)
    found = problem(web.post(path, json.dumps(POSTS[path])), 400, "invalid-input")
    assert found["errors"][0]["field"] == ""
    assert row_counts(web.bench.authority.database) == before


def test_every_body_is_one_of_ours(web: Web) -> None:
    """The model of every route that takes a body refuses what is not documented, and a text with JSON in it."""
    bodies = [
        get_type_hints(view)["body"]
        for view in web.client.application.view_functions.values()
        if "body" in get_type_hints(view)
    ]
    assert len(bodies) > 10
    assert all(issubclass(model, Body) for model in bodies), bodies


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml", ""])
def test_another_content_type_is_415(web: Web, path: str, content_type: str) -> None:
    problem(web.post(path, data=json.dumps(POSTS[path]), content_type=content_type), 415, "unsupported-media-type")


@pytest.mark.parametrize("path", POSTS)
def test_a_body_over_the_limit_is_413(web: Web, path: str) -> None:
    body = json.dumps(POSTS[path] | {"padding": "x" * 256 * 1024})
    problem(web.post(path, data=body, content_type="application/json"), 413, "too-large")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", sorted({*POSTS, *GETS}))
def test_another_method_is_405(web: Web, path: str, method: str) -> None:
    answer = web.send(method, API + path)
    problem(answer, 405, "method-not-allowed")
    assert answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/", API, f"{API}/", f"{API}/nothing", f"{API}/borrows/", "/.env", "/static/x", f"{API}/borrows/../../etc/passwd"]
)
def test_an_unknown_path_is_404(web: Web, path: str) -> None:
    problem(web.send("GET", path), 404, "not-found")


@pytest.mark.parametrize(
    "query",
    [
        "state=ended",
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=ten",
        "limit=1e3",
        "cursor=short",
        "cursor=" + "A" * 23,
        "unknown=1",
        "member=" + "x" * 129,
        "product=" + "x" * 65,
    ],
)
def test_a_query_of_another_form_is_refused(web: Web, query: str) -> None:
    problem(web.get(f"/borrows?{query}"), 400, "invalid-input")


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=0", "limit=1001", "unknown=1", "kind=" + "x" * 33])
def test_an_event_query_of_another_form_is_refused(web: Web, query: str) -> None:
    problem(web.get(f"/events?{query}"), 400, "invalid-input")


@pytest.mark.parametrize("borrow_id", ["short", "A" * 23, "A" * 21 + "%00", "%2e%2e%2f" + "A" * 13, "A" * 21 + "'", "é" * 22])
def test_an_id_of_another_form_is_refused(web: Web, borrow_id: str) -> None:
    answer = web.get(f"/borrows/{borrow_id}")
    assert answer.status_code in {400, 404}
    problem(answer, answer.status_code, answer.get_json()["code"])


def test_every_refusal_has_a_status_and_every_status_a_refusal() -> None:
    codes = [refusal.code for refusal in every_refusal()]
    assert len(codes) == len(set(codes))
    assert set(codes) == set(STATUS)
    assert all(refusal.default_hint for refusal in every_refusal())
    assert Refusal("a fact").code == ""


def test_the_description_is_openapi_3_1_and_names_every_route(web: Web) -> None:
    found = web.send("GET", "/openapi.json", None).get_json()
    assert found["openapi"].startswith("3.1.")
    rules = web.client.application.url_map.iter_rules()
    wanted = {
        (method.lower(), rule.rule.replace("<", "{").replace(">", "}"))
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith(API)
    }
    described = {(method, path) for path, methods in found["paths"].items() for method in methods}
    assert wanted <= described
    assert ("post", f"{API}/borrows") in described
    assert all(operation.get("summary") for methods in found["paths"].values() for operation in methods.values())


def test_every_answer_has_the_safe_headers(web: Web) -> None:
    for answer in (web.get("/trust", None), web.get("/nothing"), web.get("/borrows", None), web.get("/borrows")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers
