"""The server is killed under load, again and again: what it answered is kept, and nothing is half done."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, select

from authority.domain.members import CONSOLE
from authority.services import members
from authority.services.context import Authority
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.storage.db import schema
from authority.storage.db.tables import borrows, events, holds, tokens
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.borrowing import claims_of, workstation
from tests.support.servers import Server, command, running_server
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

ROUNDS, THREADS, SEATS = 20, 8, 10
SEED = 20260302
# After how many answers a server is killed: from the least to the most.
ANSWERS = 20, 60
PATIENCE_SECONDS = 60.0


@dataclass
class Client:
    """One thread's machines and members, and what the server answered it. A receipt without an answer is sent again first."""

    number: int
    laptops: dict[str, SimulatedWorkstation]
    borrowed: set[tuple[str, str]] = field(default_factory=set)
    returned: set[str] = field(default_factory=set)
    unanswered: dict[str, str] = field(default_factory=dict)
    refused: int = 0
    strange: list[str] = field(default_factory=list)

    def work(self, server: Server, secret: str, halt: threading.Event) -> None:
        """Borrows and checks in until the server is gone."""
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE_SECONDS)
        chance = random.Random(self.number)
        try:
            while not halt.is_set():
                name = chance.choice(sorted(self.laptops))
                self._borrow_and_return(server, connection, secret, name, keep=chance.random() < 0.3)
        except (OSError, http.client.HTTPException):
            pass  # the server was killed
        finally:
            connection.close()

    def _borrow_and_return(
        self, server: Server, connection: http.client.HTTPConnection, secret: str, name: str, *, keep: bool
    ) -> None:
        if name in self.unanswered:
            self._return(server, connection, secret, name)
        laptop, now = self.laptops[name], datetime.now(UTC)
        product = "arcgis-pro" if name.startswith("named") else "arcgis-desktop"
        body = {"request": laptop.request(Wish(product, days=1), now), "member": name}
        status, answer = server.request(connection, "POST", "/api/v1/borrows", secret, body)
        if status != 201:
            self._note(status, answer)
            return
        file = json.dumps(answer["file"]).encode()
        self.borrowed.add((answer["borrow"]["id"], claims_of(file)["jti"]))
        if keep:
            return
        self.unanswered[name] = laptop.receipt_for(file, datetime.now(UTC))
        self._return(server, connection, secret, name)

    def _return(self, server: Server, connection: http.client.HTTPConnection, secret: str, name: str) -> None:
        body = {"receipt": self.unanswered[name]}
        status, answer = server.request(connection, "POST", "/api/v1/check-ins", secret, body)
        del self.unanswered[name]
        if status == 200:
            self.returned.add(answer["borrow"]["id"])
        else:
            self._note(status, answer)

    def _note(self, status: int, answer: dict[str, str]) -> None:
        if (status, answer["code"]) == (409, "pool-exhausted"):
            self.refused += 1
        else:
            self.strange.append(f"{status} {answer['code']}: {answer['detail']}")


def answers_of(clients: list[Client]) -> int:
    return sum(len(client.borrowed) + len(client.returned) + client.refused for client in clients)


def one_round(home: Path, secret: str, clients: list[Client], answers: int) -> None:
    """Starts the server, loads it, and kills it under load after so many answers, however long they take."""
    halt, before = threading.Event(), answers_of(clients)
    with running_server(home) as server:
        threads = [threading.Thread(target=client.work, args=(server, secret, halt)) for client in clients]
        for thread in threads:
            thread.start()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while answers_of(clients) < before + answers:
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.002)
        server.kill()
        halt.set()
        for thread in threads:
            thread.join()
        assert server.group() == []


def check_kept(connection: Connection, clients: list[Client]) -> None:
    """Every answer that was given is in the database, with its rows in the log."""
    rows = {(row.borrow_id, row.jti) for row in connection.execute(select(tokens))}
    ended = set(connection.execute(select(borrows.c.id).where(borrows.c.ended_by == "checked-in")).scalars())
    logged_in = set(connection.execute(select(events.c.handle).where(events.c.kind == "checkin")).scalars())
    for client in clients:
        assert client.strange == []
        assert client.borrowed <= rows
        assert client.returned <= ended
        assert client.returned <= logged_in


def check_whole(connection: Connection, now: datetime) -> None:
    """Nothing is half done: borrow, token, seats and log rows are there together or not at all."""
    known = set(connection.execute(select(borrows.c.id)).scalars())
    with_token = list(connection.execute(select(tokens.c.borrow_id)).scalars())
    out = list(connection.execute(select(events.c.handle).where(events.c.kind.in_(["checkout", "renewal"]))).scalars())
    first = list(connection.execute(select(events.c.handle).where(events.c.kind == "checkout")).scalars())
    held = set(connection.execute(select(holds.c.handle)).scalars())
    assert known == set(with_token) == held
    assert sorted(out) == sorted(with_token)
    assert sorted(first) == sorted(known)
    back = list(connection.execute(select(events.c.handle).where(events.c.kind == "checkin")).scalars())
    ended = list(connection.execute(select(borrows.c.id).where(borrows.c.ended_by.is_not(None))).scalars())
    assert sorted(back) == sorted(ended)
    in_use = select(func.count()).where(holds.c.product == "arcgis-desktop", holds.c.free_at > now)
    assert connection.execute(in_use).scalar_one() <= SEATS


def clients_of(authority: Authority) -> list[Client]:
    """For each thread one named license and two machines that want one of the ten seats."""
    clients = []
    for number in range(THREADS):
        names = [f"named{number}", f"floating{number}a", f"floating{number}b"]
        for name in names:
            members.add(Unit(authority, CONSOLE), NewMember(name, user_type="GIS Professional"))
        clients.append(Client(number, {name: workstation(name) for name in names}))
    return clients


@pytest.mark.slow
@pytest.mark.timeout(900)  # each round waits for answers, which a busy machine gives slowly
def test_twenty_kills_under_load_lose_nothing_and_leave_nothing_half_done(tmp_path: Path) -> None:
    home, chance = tmp_path / "home", random.Random(SEED)
    made = command("init", "--org", "Field Survey", "--home", str(home), "--json")
    secret = json.loads(made.stdout)["admin"]["api_key"]
    authority = open_authority(load({}, str(home)))
    clients = clients_of(authority)
    for _ in range(ROUNDS):
        one_round(home, secret, clients, chance.randint(*ANSWERS))
        schema.check(authority.database)
        with authority.database.read() as connection:
            check_kept(connection, clients)
            check_whole(connection, authority.now())
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    authority.database.close()
    borrowed, returned = sum(len(client.borrowed) for client in clients), sum(len(client.returned) for client in clients)
    print(f"{borrowed} borrows and {returned} check-ins answered over {ROUNDS} kills")
    assert borrowed > ROUNDS * 5
    assert returned > ROUNDS * 2
    assert sum(client.refused for client in clients) > 0
