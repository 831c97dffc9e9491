"""A line that loses, delays and repeats requests and answers: who sends again ends with exactly what was asked for, once.

The same work goes over a good line, and both organizations are compared: their lists, and every row of the log.
"""

from __future__ import annotations

import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from authority.domain.members import Role
from tests.support.authorities import make_bench
from tests.support.borrowing import workstation
from tests.support.web import API, Web, make_web
from verifier.workstation.carry import Wish

# Of each kind of fault one in twenty.
RATE = 0.05
PEOPLE = 24
MOST_TRIES = 20


class Lost(OSError):
    """No answer came."""


@dataclass
class FaultyLine:
    """Passes requests on, but for the faults that its random numbers choose."""

    chance: random.Random = field(default_factory=lambda: random.Random(20_260_302))
    rate: float = RATE
    faults: Counter[str] = field(default_factory=Counter)
    held: list[Callable[[], TestResponse]] = field(default_factory=list)

    def pass_on(self, send: Callable[[], TestResponse]) -> TestResponse:
        """The answer. Raises Lost when the request, or its answer, is lost or comes too late."""
        self._deliver_late()
        fault = self._fault()
        self.faults[fault] += 1
        if fault == "request lost":
            raise Lost
        if fault == "request late":
            self.held.append(send)
            raise Lost
        answer = send()
        if fault == "request twice":
            return send()
        if fault == "answer lost":
            raise Lost
        return answer

    def _fault(self) -> str:
        kinds = ("request lost", "request late", "request twice", "answer lost")
        number = self.chance.random()
        return next((kind for place, kind in enumerate(kinds) if number < self.rate * (place + 1)), "none")

    def _deliver_late(self) -> None:
        """What was held back arrives now and then, after what was sent later; nobody waits for its answer."""
        while self.held and self.chance.random() < 0.3:
            self.held.pop(self.chance.randrange(len(self.held)))()

    def settle(self) -> None:
        """All that is still on its way arrives."""
        for send in self.held:
            send()
        self.held.clear()


@dataclass
class Client:
    """A program that sends each request until it is answered, a POST with a key of its own."""

    web: Web
    line: FaultyLine

    def surely(self, method: str, path: str, body: Any = None, *, keyed: bool = True) -> Any:
        headers = {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" and keyed else {}

        def send() -> TestResponse:
            return self.web.send(method, API + path, Role.ADMINISTRATOR, json=body, headers=headers)

        for _ in range(MOST_TRIES):
            try:
                answer = self.line.pass_on(send)
            except Lost:
                continue
            assert answer.status_code < 300, (method, path, answer.get_data(as_text=True))
            return answer.get_json()
        raise AssertionError(f"{method} {path} was never answered")


def day(client: Client) -> Iterator[dict[str, Any]]:
    """What administrators and workstations do: members, licenses, rules, keys; borrows out and in."""
    clock = client.web.bench.clock
    for number in range(PEOPLE):
        name, machine = f"member{number}", workstation(f"laptop{number}")
        client.surely("POST", "/members", {"username": name, "user_type": "Creator"})
        license_ = {"username": name, "product": "arcgis-pro", "level": "Standard", "extensions": ["3DAnalyst"]}
        client.surely("POST", "/assignments", {"assignments": [license_]})
        # Signed requests have a number of their own: they need no key.
        request = {"request": machine.request(Wish("arcgis-pro", days=5), clock()), "member": name}
        issued = client.surely("POST", "/borrows", request, keyed=False)
        if number % 3 == 0:
            receipt = machine.receipt_for(json.dumps(issued["file"]).encode(), clock())
            client.surely("POST", "/check-ins", {"receipt": receipt}, keyed=False)
        if number % 3 == 1:
            release = {"reason": "lost", "accept_overlap": True}
            client.surely("POST", f"/borrows/{issued['borrow']['id']}/release", release)
            client.surely("POST", "/members/remove", {"usernames": [name]})
        if number % 4 == 0:
            yield client.surely("POST", "/api-keys", {"username": "member", "name": f"script {number}"})
        client.surely("PUT", "/policies", {"level": "group", "subject": f"crew{number}", "longest_days": 10 + number})


def outcome(web: Web) -> dict[str, Any]:
    """What an administrator sees afterwards, without the numbers that are drawn at random."""

    def items(path: str) -> list[dict[str, Any]]:
        page: list[dict[str, Any]] = web.get(path).get_json()["items"]
        return page

    rows = items("/events?limit=1000")
    shown = ("kind", "member", "product", "feature", "quantity", "reason", "actor")
    return {
        "members": [(row["username"], row["licenses"]) for row in items("/members")],
        "borrows": sorted((row["member"], row["state"]) for row in items("/borrows?limit=1000")),
        "rules": [(row["subject"], row["longest_days"]) for row in items("/policies")],
        "keys": sorted(row["name"] for row in items("/api-keys")),
        "log": Counter(
            tuple(row[name] for name in shown) for row in rows if row["kind"] not in ("policy-changed", "api-key-created")
        ),
        "keys made": sum(row["kind"] == "api-key-created" for row in rows),
    }


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Callable[[str, FaultyLine], Web]]:
    made: list[Web] = []

    def over(name: str, line: FaultyLine) -> Web:
        folder = tmp_path / name
        folder.mkdir()
        web = make_web(make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "home"))
        made.append(web)
        secrets = [key["api_key"] for key in day(Client(web, line))]
        # The secret that came at last is the one that works, though its first answer may have been lost.
        for secret in secrets:
            assert web.get("/me", None, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
        line.settle()
        return web

    yield over
    for web in made:
        web.bench.authority.database.close()


def test_who_sends_again_over_a_bad_line_ends_with_what_was_asked_for_once(work: Callable[[str, FaultyLine], Web]) -> None:
    line = FaultyLine()
    assert outcome(work("bad", line)) == outcome(work("good", FaultyLine(rate=0)))
    assert min(line.faults.values()) >= 3
    assert sum(line.faults.values()) - line.faults["none"] > 20
