"""The authority over HTTP: borrow and check in, again and again, beside a bare Flask route on the same server."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from authority.domain.members import CONSOLE
from authority.services import access
from tests.support.authorities import Bench, make_bench
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

CLIENTS = (1, 16, 64)
SECONDS = 4.0


@dataclass
class Load:
    """What the clients saw."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float


def bench_serving() -> None:
    """Cycles of borrow and check-in: each request authenticated and signed, each answer committed and verified."""
    with tempfile.TemporaryDirectory() as folder:
        made = make_bench(f"sqlite:///{folder}/authority.db", Path(folder) / "home", change=_many_members)
        made.clock.at = datetime.now(UTC)
        holders = [_Holder(made, number) for number in range(max(CLIENTS))]
        made.authority.database.close()
        with _server("authority.web.application:serve", Path(folder) / "home", f"sqlite:///{folder}/authority.db") as port:
            ours = [_load(port, [holder.cycle for holder in holders[:clients]]) for clients in CLIENTS]
        with _server("tests.bench.bare:create", Path(folder) / "home", "") as port:
            bare = [_load(port, [_bare_cycle] * clients) for clients in CLIENTS]
    for clients, mine, floor in zip(CLIENTS, ours, bare, strict=True):
        ratio = mine.requests_per_second / floor.requests_per_second
        aim = " (aim: at least 0.20)" if clients == 16 else ""
        print(
            f"{clients:3} clients: {mine.requests_per_second:6.0f} requests/s, p50 {mine.p50_ms:6.1f} ms, p99 {mine.p99_ms:6.1f} ms;"
            f" bare Flask {floor.requests_per_second:6.0f} requests/s, p50 {floor.p50_ms:5.1f} ms   {ratio:5.2f} of it{aim}"
        )


def _many_members(specification: dict[str, object]) -> None:
    specification["members"] = {"total": 1000, "types": {}}
    for product in specification["products"]:  # type: ignore[attr-defined]
        product["seats"] = dict.fromkeys(product["levels"], 1000)


class _Holder:
    """A member with a laptop who borrows and checks in."""

    def __init__(self, made: Bench, number: int) -> None:
        member = made.member(f"holder{number}")
        self.secret, _ = access.create_api_key(made.authority, CONSOLE, member.username, "bench")
        self.laptop = SimulatedWorkstation(f"laptop{number}")
        self.requests = iter([self.laptop.request(Wish("arcgis-pro"), made.clock()) for _ in range(6000)])

    def cycle(self, send: Callable[[str, str, str], bytes]) -> int:
        body = json.dumps({"request": next(self.requests)})
        answer = json.loads(send("/api/v1/borrows", body, self.secret))
        receipt = self.laptop.receipt_for(json.dumps(answer["file"]).encode(), datetime.now(UTC))
        send("/api/v1/check-ins", json.dumps({"receipt": receipt}), self.secret)
        return 2


def _bare_cycle(send: Callable[[str, str, str], bytes]) -> int:
    send("/bare", json.dumps({"request": "x" * 900}), "nobody")
    return 1


def _load(port: int, cycles: list[Callable[[Callable[[str, str, str], bytes]], int]]) -> Load:
    latencies: list[float] = []
    done = [0] * len(cycles)
    stop = time.monotonic() + SECONDS

    def client(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)

        def send(path: str, body: str, secret: str) -> bytes:
            began = time.perf_counter()
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            data = response.read()
            assert response.status in (200, 201), data
            latencies.append((time.perf_counter() - began) * 1e3)
            return data

        while time.monotonic() < stop:
            done[number] += cycles[number](send)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(len(cycles))]
    began = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    quantiles = statistics.quantiles(latencies, n=100)
    return Load(sum(done) / (time.monotonic() - began), quantiles[49], quantiles[98])


@contextmanager
def _server(target: str, home: Path, url: str) -> Iterator[int]:
    """The same server with the same threads for both."""
    environment = os.environ | {"CARNET_AUTHORITY_HOME": str(home)} | ({"CARNET_AUTHORITY_DATABASE_URL": url} if url else {})
    command = [sys.executable, "-m", "tests.bench.bare", target]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield int(server.stdout.readline().rsplit(":", 1)[1])
        finally:
            server.terminate()
