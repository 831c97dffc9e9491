"""The web application of a bench, as a client sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.sign_ins import NOWHERE
from authority.services import access
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage import members
from authority.web.application import create_app
from authority.web.problems import STATUS
from tests.support.authorities import Bench, make_bench

API = "/api/v1"
PROBLEM = {"type", "title", "status", "detail", "code", "hint", "errors", "request_id"}

HOSTILE_TEXTS = {
    "NUL": "a\u0000b",
    "surrogate": "\ud800",
    "line break": "a\nb",
    "escape": "\u001b[2J",
    "direction": "\u202eabc",
    "markup": "<script>alert(1)</script>",
    "quote": "'; DROP TABLE members; --",
    "formula": "=cmd|' /C calc'!A0",
    "braces": "{{7*7}}${7*7}%s%n",
    "slashes": "../../etc/passwd",
    "look-alike": "\u0430da",
    "emoji": "\U0001f4a9" * 10,
}


@dataclass
class Web:
    """A client, and an API key and a sign-in for somebody of each role."""

    bench: Bench
    client: FlaskClient
    secrets: dict[Role, str]
    actors: dict[Role, Actor]
    # What the cookie of a browser holds.
    sign_ins: dict[Role, str]

    def send(self, method: str, path: str, role: Role | None = Role.ADMINISTRATOR, **more: Any) -> TestResponse:
        """One request as somebody of the role, or as nobody."""
        headers = dict(more.pop("headers", {}))
        if role is not None:
            headers.setdefault("Authorization", f"Bearer {self.secrets[role]}")
        return self.client.open(path, method=method, headers=headers, **more)

    def get(self, path: str, role: Role | None = Role.ADMINISTRATOR, **more: Any) -> TestResponse:
        return self.send("GET", API + path, role, **more)

    def post(self, path: str, body: Any = None, role: Role | None = Role.ADMINISTRATOR, **more: Any) -> TestResponse:
        if body is not None:
            more["json"] = body
        return self.send("POST", API + path, role, **more)


def sign_in_of(authority: Authority, username: str) -> str:
    """The secret of a sign-in of a member that does not end by itself, made without a password."""
    unit = Unit(authority, CONSOLE)
    with unit.reading():
        member = members.by_username(unit.connection, username)
    assert member is not None
    return access.begin(unit, member, remember=True, origin=NOWHERE)[0]


def make_web(bench: Bench) -> Web:
    """The application over a bench, with a member of each role, named by it."""
    actors = {role: bench.member(str(role), role=role) for role in Role}
    secrets = {
        role: access.create_api_key(Unit(bench.authority, CONSOLE), actor.username, "test")[0] for role, actor in actors.items()
    }
    sign_ins = {role: sign_in_of(bench.authority, actor.username) for role, actor in actors.items()}
    return Web(bench, create_app(bench.authority).test_client(), secrets, actors, sign_ins)


def problem(answer: TestResponse, status: int, code: str) -> dict[str, Any]:
    """The body of an error, after its form was checked."""
    assert answer.status_code == status, answer.get_data(as_text=True)
    assert answer.content_type == "application/problem+json"
    body: dict[str, Any] = answer.get_json()
    assert body.keys() == PROBLEM
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:carnet:problem:{code}"
    assert body["request_id"] == answer.headers["X-Request-Id"] != ""
    assert all(item.keys() == {"name", "message", "value"} for item in body["errors"]), body["errors"]
    assert body["detail"]
    assert body["title"]
    return body


def refused_as_one_of(answer: TestResponse, *codes: str) -> None:
    """The answer is an error with one of these codes, and has the status of it."""
    code = answer.get_json()["code"]
    assert code in codes, answer.get_data(as_text=True)
    problem(answer, STATUS[code], code)


def one_web(folder: Path) -> Iterator[Web]:
    """The application over a bench on SQLite, for a fixture that many tests share because none of them changes anything."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home")
    yield make_web(bench)
    bench.authority.database.close()
