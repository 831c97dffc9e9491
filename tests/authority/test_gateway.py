"""What the gateway reads of a body: megabytes only from who is known."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from granian.rsgi import Scope

from authority.domain.members import Role
from authority.web.gateway import LARGEST_BODY, LARGEST_BY_PATH, Environ, Gateway
from tests.support.web import Web, one_web


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


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    yield from one_web(Path(tmp_path_factory.mktemp("gateway")))


@pytest.mark.parametrize("is_chunked", [False, True])
def test_of_a_large_body_nothing_is_read_before_it_is_known_who_sends_it(web: Web, is_chunked: bool) -> None:
    application: Any = web.client.application
    gateway = Gateway(application, 1, application.is_known)
    secret, part = web.secrets[Role.ADMINISTRATOR], b" " * 100_000
    table = json.dumps({"csv": "username\r\n", "dry_run": True}).encode()
    for path in LARGEST_BY_PATH:
        is_page = path.startswith("/console/")
        for name, is_known in (("", False), ("x", False), (secret, True)):
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
