"""What the gateway reads of a body: megabytes only from who is known."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from granian.rsgi import Scope

from authority.domain.members import Role
from authority.web.application import create_app
from authority.web.gateway import LARGEST_BODY, LARGEST_BY_PATH, Environ, Gateway, environ_of
from authority.web.proxies import Proxies
from authority.web.strictness import GUARDS, UNREADABLE
from tests.support.web import Web, problem


@dataclass
class Scoped:
    """A request as granian tells of it."""

    path: str
    headers: dict[str, str]
    method: str = "POST"
    query_string: str = ""
    server: str = "127.0.0.1:8440"
    client: str = "127.0.0.1:50000"
    http_version: str = "1.1"
    scheme: str = "http"


@dataclass
class Line:
    """The line of a client that sends a body, whole or in parts, and counts what is taken of it."""

    parts: list[bytes]
    taken: int = 0
    answers: list[tuple[int, bytes]] = field(default_factory=list)

    async def __call__(self) -> bytes:
        self.taken = sum(map(len, self.parts))
        return b"".join(self.parts)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for part in self.parts:
            self.taken += len(part)
            yield part

    def response_bytes(self, status: int, _headers: list[tuple[str, str]], body: bytes) -> None:
        self.answers.append((status, body))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_of_a_large_body_nothing_is_read_before_it_is_known_who_sends_it(still_web: Web, is_chunked: bool) -> None:
    application: Any = still_web.client.application
    gateway = Gateway(application, 1, application.is_known)
    key, sign_in, part = still_web.secrets[Role.ADMINISTRATOR], still_web.sign_ins[Role.ADMINISTRATOR], b" " * 100_000
    table = json.dumps({"csv": "username\r\n", "dry_run": True}).encode()
    for path in LARGEST_BY_PATH:
        is_page = path.startswith("/console/")
        # A cookie opens the console with a sign-in alone.
        for name, is_known in (("", False), ("x", False), (key, not is_page), (sign_in, True)):
            line = Line([table, *[part] * 20])
            headers = {"content-type": "multipart/form-data; boundary=x" if is_page else "application/json"}
            headers |= {"cookie": f"carnet={name}"} if is_page else {"authorization": f"Bearer {name}"}
            length = sum(map(len, line.parts))
            headers |= {"transfer-encoding": "chunked"} if is_chunked else {"content-length": str(length)}
            scope: Any = Scoped(path, headers)
            protocol: Any = line
            asyncio.run(gateway.__rsgi__(scope, protocol))
            ((status, body),) = line.answers
            read = length if is_known else LARGEST_BODY + len(part) if is_chunked else 0
            assert line.taken == read if is_known else line.taken <= read, (path, name)
            assert (status == 401) is not is_known, (path, name, body)


def test_of_a_small_body_nobody_is_asked_who_sends_it() -> None:
    asked: list[object] = []

    def answer(_: Environ, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [])
        return []

    def is_known(environ: Environ) -> bool:
        asked.append(environ)
        return True

    gateway = Gateway(answer, 1, is_known)
    line: Any = Line([b"x" * LARGEST_BODY])
    scope: Scope = Scoped("/api/v1/members/import", {"content-length": str(LARGEST_BODY)})  # type: ignore[assignment]
    asyncio.run(gateway.__rsgi__(scope, line))
    assert (line.taken, line.answers, asked) == (LARGEST_BODY, [(200, b"")], [])


class PartlyReadable(dict[str, str]):
    """Headers as granian gives them: the names of all, the values of those that are ASCII."""

    def items(self) -> Any:
        return [(name, value) for name, value in super().items() if value.isascii()]


def environ(path: str = "/", **more: Any) -> Environ:
    scope: Any = Scoped(path, **({"headers": {}} | more))
    return environ_of(scope, b"")


def test_a_header_that_guards_something_and_cannot_be_read_is_refused(still_web: Web) -> None:
    for name in sorted(GUARDS):
        asked = environ("/api/v1/me", method="GET", headers=PartlyReadable({name: "\u00e9", "user-agent": "\u00e9"}))
        assert name in asked[UNREADABLE]
        more: dict[str, Any] = {"environ_overrides": {UNREADABLE: asked[UNREADABLE]}}
        body = problem(still_web.post("/members", {"username": "eve"}, **more), 400, "invalid-input")
        assert name in body["detail"]
        problem(still_web.post("/members", {"username": "eve"}, None, **more), 401, "not-authenticated")
    assert UNREADABLE not in environ(headers=PartlyReadable({"if-match": '"a"'}))
    assert still_web.get("/me", environ_overrides={UNREADABLE: {"user-agent", "x-name"}}).status_code == 200


def test_a_socket_for_both_kinds_of_addresses_tells_of_each_as_it_is() -> None:
    seen = {
        client: environ(client=client)["REMOTE_ADDR"]
        for client in ("10.0.0.5:1", "[::1]:2", "[::ffff:10.0.0.5]:3", "[fe80::1]:4")
    }
    assert list(seen.values()) == ["10.0.0.5", "::1", "10.0.0.5", "fe80::1"]


FORWARDED = [
    ("10.0.0.5", "203.0.113.7", "203.0.113.7"),
    ("10.0.0.5", "203.0.113.7:4711", "203.0.113.7"),
    ("::1", "[2001:db8::1]:443", "2001:db8::1"),
    ("::1", '"[2001:db8::1]"', "2001:db8::1"),
    ("::1", "::ffff:203.0.113.7", "203.0.113.7"),
    # What a client made up stands at the left.
    ("10.0.0.5", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
    ("10.0.0.5", "1.1.1.1, 203.0.113.7:80, 10.1.2.3, [::ffff:10.0.0.5]:9", "203.0.113.7"),
    ("10.0.0.5", "1.1.1.1, unknown", ""),
    ("10.0.0.5", "1.1.1.1,", ""),
    # Who sits among the proxies is taken for one.
    ("10.0.0.5", "1.1.1.1, 10.1.2.3", "1.1.1.1"),
    ("10.0.0.5", "10.1.9.9, 10.1.2.3", "10.1.9.9"),
    # Who is no proxy is not believed.
    ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
    ("10.0.0.5", "", "10.0.0.5"),
]


def test_of_what_proxies_forward_the_rightmost_address_counts_that_is_none_of_theirs() -> None:
    proxies = Proxies(["10.0.0.5", "::1", "10.1.0.0/16"])
    for peer, header, client in FORWARDED:
        assert proxies.client(peer, header) == client, (peer, header)


def test_an_application_behind_a_proxy_over_ipv6_knows_its_clients(still_web: Web) -> None:
    application = create_app(still_web.bench.authority, ["::1"])
    for peer in ("[::1]:4711", "[2001:db8::9]:4711"):
        headers = {"x-forwarded-for": "203.0.113.7:80", "content-type": "application/json"}
        body = json.dumps({"username": "of-nobody", "password": "wrong"}).encode()
        scope: Any = Scoped("/api/v1/sign-in", headers, client=peer)
        asked = environ_of(scope, body) | {"CONTENT_LENGTH": str(len(body))}
        list(application.wsgi_app(asked, lambda *_: lambda _: None))
        assert asked["REMOTE_ADDR"] == ("203.0.113.7" if peer == "[::1]:4711" else "2001:db8::9")


FAR_DATES = ["Thu, 01 Jan 99999999999 00:00:00 GMT", "Mon, 01 Jan 0001 00:00:00 +2359", "x", "-", '"tag"', "W/"]


def test_no_header_makes_an_error_or_a_line_of_the_log(still_web: Web, capsys: pytest.CaptureFixture[str]) -> None:
    static = re.search(r"/console/static/[^\"]*", still_web.client.get("/console/sign-in").text)
    assert static is not None
    for path in ("/api/v1/trust", "/api/v1/status-list", "/openapi.json", "/docs", static[0], "/api/v1/members/admin"):
        for name in ("If-Modified-Since", "If-Unmodified-Since", "If-Range", "Date", "Range"):
            for value in FAR_DATES:
                answer = still_web.send("GET", path, headers={name: value})
                answer.close()
                assert answer.status_code in {200, 206, 304, 404, 416}, (path, name, value)
    for host in ("a..b", ".", f"{'a' * 64}.example", "[", "a:b:c", ""):
        for path in ("/console/sign-in", "/console/x%0a%1b[31mFAKE", "/console/", "/api/v1/me", "/docs"):
            answer = still_web.client.get(path, headers={"Host": host})
            assert answer.status_code < 500, (host, path)
            assert "Content-Security-Policy" in answer.headers
    assert capsys.readouterr().err == ""


def test_an_error_of_ours_is_told_safely_and_logged_in_lines_of_its_own(
    still_web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("one\n2026-03-02 a line of nobody\r\x1b[31m\u202e\u2028two")

    monkeypatch.setattr("authority.web.console.frame.render_template", fail)
    answer = still_web.client.get("/console/sign-in")
    assert (answer.status_code, answer.content_type) == (500, "text/plain; charset=utf-8")
    monkeypatch.setattr(still_web.client.application, "full_dispatch_request", fail)
    monkeypatch.setattr(still_web.client.application, "handle_exception", fail)
    for path in ("/console/sign-in", "/api/v1/me"):
        answer = still_web.client.get(path)
        assert answer.status_code == 500
        assert {"Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"} <= set(dict(answer.headers))
    lines = capsys.readouterr().err.split("\n")
    assert any("two" in line for line in lines)
    assert all(line.startswith(("request ", "a request: ")) and line.isprintable() for line in lines[:-1]), lines
