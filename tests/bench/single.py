"""A borrow and a check-in without the server: one after the other in one process, beside a loop of plain Python."""

from __future__ import annotations

import io
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from authority.domain.members import CONSOLE
from authority.services import access
from authority.services.unit import Unit
from authority.web.application import create_app
from tests.bench.holders import WISH, laptop_of
from tests.support.authorities import Bench, TestClock, make_bench
from tests.support.filling import room_for

MEMBERS, ROUNDS, STEPS = 200, 10, 4000
# So many of the first rounds warm up: statements are compiled, keys and lists are remembered.
WARMING = 2


def bench_single() -> None:
    """A borrow and a check-in through the whole application without a server, in one thread, each answer on the disk."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clock = TestClock(datetime.now(UTC))
        bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home", clock=clock, change=room_for(MEMBERS))
        call = _caller(bench)
        holders = [_Holder(bench, number) for number in range(MEMBERS)]
        taken: dict[str, list[float]] = {"borrow": [], "check-in": []}
        for number in range(ROUNDS):
            for action, request in (("borrow", _Holder.request), ("check-in", _Holder.receipt)):
                environs = [request(holder, bench) for holder in holders]
                loop, milliseconds, answers = _measured(call, environs)
                for holder, answer in zip(holders, answers, strict=True):
                    holder.take(answer)
                if number >= WARMING:
                    taken[action].append(milliseconds)
                    taken.setdefault("loop", []).append(loop)
        bench.authority.database.close()
    loop = statistics.median(taken.pop("loop"))
    print(f"a loop of plain Python {loop:6.3f} ms")
    for action, each in taken.items():
        median = statistics.median(each)
        print(f"{action:22} {median:6.3f} ms of processor time, {median / loop:5.2f} x the loop")


def _plain_python() -> int:
    """What takes as long whatever else the machine does: the unit."""
    total = 0
    for number in range(STEPS):
        total += number % 7
    return total


def _measured(call: Callable[[dict[str, Any]], bytes], environs: list[dict[str, Any]]) -> tuple[float, float, list[bytes]]:
    """The processor time of the loop and of one call in milliseconds, in turn, and what was answered."""
    loop = act = 0.0
    answers = []
    for environ in environs:
        begin = time.process_time()
        _plain_python()
        middle = time.process_time()
        answers.append(call(environ))
        loop, act = loop + middle - begin, act + time.process_time() - middle
    return loop / len(environs) * 1e3, act / len(environs) * 1e3, answers


def _caller(bench: Bench) -> Callable[[dict[str, Any]], bytes]:
    """What gives a request to the application as the server does, and returns the body of an answer that is good."""
    application = create_app(bench.authority)

    def start(status: str, headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
        assert status.startswith("20"), (status, headers)
        return bytes

    def call(environ: dict[str, Any]) -> bytes:
        parts = application(environ, start)
        try:
            return b"".join(parts)
        finally:
            if (close := getattr(parts, "close", None)) is not None:
                close()

    return call


class _Holder:
    """A member with a laptop."""

    def __init__(self, bench: Bench, number: int) -> None:
        member = bench.member(f"holder{number}")
        self._secret, _ = access.create_api_key(Unit(bench.authority, CONSOLE), member.username, "bench")
        self._laptop = laptop_of(member.username)
        self._file = b""

    def request(self, bench: Bench) -> dict[str, Any]:
        """A borrow that is asked for now."""
        return self._environ("/api/v1/borrows", {"request": self._laptop.request(WISH, bench.clock())})

    def receipt(self, bench: Bench) -> dict[str, Any]:
        """A check-in of that borrow."""
        return self._environ("/api/v1/check-ins", {"receipt": self._laptop.receipt_for(self._file, bench.clock())})

    def take(self, answer: bytes) -> None:
        """Keeps the file of a borrow."""
        self._file = json.dumps(json.loads(answer).get("file")).encode()

    def _environ(self, path: str, body: Any) -> dict[str, Any]:
        """A POST as `authority.web.gateway` makes it of what came in."""
        data = json.dumps(body, separators=(",", ":")).encode()
        return {
            "SCRIPT_NAME": "",
            "wsgi.version": (1, 0),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(data),
            "REQUEST_METHOD": "POST",
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_AUTHORIZATION": f"Bearer {self._secret}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(data)),
        }
