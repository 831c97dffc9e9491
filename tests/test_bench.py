"""What the bench measures with: its client sends what it is given and counts every answer, and a build proves that it was served."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from tests.bench import load
from tests.bench.builds import Build, processor_seconds, serving
from tests.bench.holders import WISH, laptop_of
from verifier.core.jose import strict_object
from verifier.core.keys import decode, encode


class _Echo(BaseHTTPRequestHandler):
    """Answers each POST with its own body, but for /close, which it does not answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/close":
            self.close_connection = True
            return
        self.send_response(201)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # In two pieces, as a large answer comes.
        self.wfile.write(body[:1])
        self.wfile.flush()
        self.wfile.write(body[1:])

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Echo) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("clients", [1, 7, 40])
def test_each_request_gets_its_own_answer(port: int, clients: int) -> None:
    requests = [load.post("/echo", {"number": number}) for number in range(25)]
    answers = load.drive([port], requests, clients, seconds=30).answers
    assert sorted(answer.request for answer in answers) == list(range(25))
    assert all(answer.status == 201 and answer.json() == {"number": answer.request} for answer in answers)
    assert all(answer.milliseconds > 0 for answer in answers)


def test_no_request_begins_after_the_time(port: int) -> None:
    """The first of each client are sent, and what is under way is waited for."""
    answers = load.drive([port], [load.post("/echo", {})] * 50, clients=3, seconds=0).answers
    assert [answer.request for answer in sorted(answers, key=lambda answer: answer.request)] == [0, 1, 2]


def test_an_answer_that_does_not_come_is_an_error(port: int) -> None:
    with pytest.raises(ConnectionError, match="closed a connection"):
        load.drive([port], [load.post("/close", {})], clients=1, seconds=30)


def test_a_build_that_was_not_served_is_found_out(tmp_path: Path) -> None:
    """A tree comes before what is installed, and only the one whose routes a server imported passes as served."""
    builds = [Build(name, tmp_path / name, tmp_path / "compiled") for name in ("one", "other")]
    for build in builds:
        for module in ("__init__", "web/__init__", "web/application"):
            path = build.tree / "authority" / f"{module}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"BUILD = {build.name!r}\n", encoding="utf-8")
    one, other = builds
    program = (
        "import time; from authority.web.application import BUILD; assert BUILD == 'one'\n"
        "while time.process_time() < 0.1: pass\n"
        "print('at http://127.0.0.1:1', flush=True); time.sleep(60)"
    )
    with serving([["-c", program]], tmp_path, one.environment()) as servers:
        assert servers.ports == [1]
        assert servers.processor_seconds() > 0
        one.check_served()
        with pytest.raises(AssertionError, match="did not run the code"):
            other.check_served()
    with pytest.raises(psutil.NoSuchProcess):
        processor_seconds(servers.started[0])


def test_what_is_asked_is_what_the_build_of_before_reads_too() -> None:
    """Its requests and receipts have these members and no others; it refuses any that it does not know."""
    laptop, now = laptop_of("ada"), datetime.now(UTC)
    token = f".{_encoded({'bid': 'A' * 22, 'jti': 'B' * 22})}."
    request, receipt = (
        strict_object(decode(compact.split(".")[1]))
        for compact in (laptop.request(WISH, now), laptop.receipt_for(json.dumps({"borrow": token}).encode(), now))
    )
    asked = {"jti", "iat", "ver", "organization", "product", "level", "extensions", "member", "machine", "user", "prev"}
    assert request.keys() == asked
    assert (request["extensions"], request["level"]) == ([], None)
    assert receipt.keys() == {"jti", "iat", "ver", "bid", "borrow", "machine", "user", "count"}


def _encoded(members: dict[str, str]) -> str:
    return encode(json.dumps(members).encode())
