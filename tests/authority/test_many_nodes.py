"""Three nodes over one PostgreSQL behind a proxy: one is killed, the database restarts, a replica that lagged takes over.

No answer that was given is lost, no seat is given twice, and `doctor --reconcile` finds every borrow that the replica did not have.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from authority.domain.members import CONSOLE
from authority.domain.refusals import DatabaseBehind
from authority.services import members, reconciling
from authority.services.context import Authority
from authority.services.members import NewMember
from authority.services.unit import Unit
from authority.storage.db.tables import holds, tokens
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.borrowing import claims_of, workstation
from tests.support.clusters import Cluster, Proxy, primary
from tests.support.servers import Server, command, running_server
from verifier.workstation.carry import Wish

NODES, PEOPLE, SEATS = 3, 14, 10
PRODUCT = "arcgis-desktop"
TRIES = 400


@dataclass
class Answers:
    """What the nodes answered: the ids of tokens, and by code who was refused."""

    jtis: set[str] = field(default_factory=set)
    refused: list[str] = field(default_factory=list)
    count: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))


@dataclass
class House:
    """Three homes with the same keys, one database, and who borrows."""

    homes: list[Path]
    url: str
    secret: str

    def ask(self, servers: Sequence[Server], name: str, answers: Answers, first: int) -> None:
        """Sends one request until somebody answers it, to one node after the other: the same request gets the same file."""
        body = {"request": workstation(name).request(Wish(PRODUCT, days=1), datetime.now(UTC)), "member": name}
        for number in range(first, first + TRIES):
            status, answer = ask(servers[number % len(servers)], self.secret, body)
            if status in (200, 201):
                answers.jtis.add(claims_of(json.dumps(answer["file"]).encode())["jti"])
            elif status == 409:
                answers.refused.append(answer["code"])
            else:
                threading.Event().wait(0.05)
                continue
            answers.count.release()
            return
        raise AssertionError(f"nobody answered {name}: {status} {answer}")

    def run(self, number: int, *arguments: str) -> Any:
        """A command on one node, whatever its status."""
        ended = command("--json", *arguments, "--home", str(self.homes[number]), CARNET_AUTHORITY_DATABASE_URL=self.url)
        assert ended.stdout, ended.stderr
        return json.loads(ended.stdout)

    def others(self, number: int) -> list[str]:
        """The options that name the homes of the other nodes."""
        return [word for place, home in enumerate(self.homes) if place != number for word in ("--node", str(home))]

    @contextlib.contextmanager
    def node(self, number: int) -> Iterator[Authority]:
        """The authority of one node, in this process."""
        authority = open_authority(load({"CARNET_AUTHORITY_DATABASE_URL": self.url}, str(self.homes[number])))
        with contextlib.closing(authority.database):
            yield authority

    def lost(self, number: int) -> set[str]:
        """The tokens that one node gave out and the database does not know."""
        with self.node(number) as authority:
            return {orphan.token.jti for orphan in reconciling.compare(Unit(authority, CONSOLE)).orphans}

    def counted(self) -> tuple[set[str], int]:
        """The tokens in the database, and the seats that are taken."""
        with self.node(0) as authority:
            return counted(authority)


def counted(authority: Authority) -> tuple[set[str], int]:
    """The tokens in the database, and the seats that are taken."""
    is_taken = (holds.c.product == PRODUCT, holds.c.free_at > authority.now())
    seats = select(func.count(func.distinct(holds.c.handle))).where(*is_taken)
    with authority.database.read() as connection:
        return set(connection.execute(select(tokens.c.jti)).scalars()), connection.execute(seats).scalar_one()


def ask(server: Server, secret: str, body: dict[str, Any]) -> tuple[int, Any]:
    """One answer of a node; 503 when there is none."""
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        try:
            return server.request(connection, "POST", "/api/v1/borrows", secret, body)
        except (OSError, http.client.HTTPException):
            return 503, None


@contextlib.contextmanager
def house(cluster: Cluster, folder: Path) -> Iterator[tuple[House, Proxy]]:
    proxy = Proxy(cluster)
    with contextlib.closing(proxy):
        homes = [folder / f"node{number}" for number in range(NODES)]
        settings = {"CARNET_AUTHORITY_DATABASE_URL": proxy.url}
        made = command("init", "--org", "Field Survey", "--home", str(homes[0]), "--json", **settings)
        secret = json.loads(made.stdout)["admin"]["api_key"]
        for home in homes[1:]:
            shutil.copytree(homes[0], home)
        authority = open_authority(load(settings, str(homes[0])))
        for number in range(PEOPLE):
            members.add(Unit(authority, CONSOLE), NewMember(f"person{number}", user_type="GIS Professional"))
        authority.database.close()
        yield House(homes, proxy.url, secret), proxy


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("postgres")
def test_t26_nodes_and_databases_come_and_go_and_no_answer_is_lost(tmp_path: Path) -> None:
    answers, people = Answers(), [f"person{number}" for number in range(PEOPLE)]
    with primary() as (first, folder), house(first, tmp_path) as (place, proxy), contextlib.ExitStack() as stack:
        servers = [stack.enter_context(running_server(home, CARNET_AUTHORITY_DATABASE_URL=proxy.url)) for home in place.homes]
        with ThreadPoolExecutor(4) as pool:
            asked = [pool.submit(place.ask, servers, name, answers, number) for number, name in enumerate(people[:6])]
            for _ in range(2):
                answers.count.acquire()
            servers[0].kill()
            answers.count.acquire()
            first.stop()
            first.start()
            for future in asked:
                future.result()
        assert answers.refused == []
        assert place.counted() == (answers.jtis, 6)

        second = first.replicated(folder / "two")
        second.wait_for(f"SELECT pg_last_wal_replay_lsn() >= '{first.execute('SELECT pg_current_wal_lsn()')[0][0]}'::pg_lsn")
        second.cut_off()
        before = set(answers.jtis)
        for number, name in enumerate(people[6:9]):
            place.ask(servers[1:], name, answers, number)
        first.stop()
        second.promote()
        proxy.lead_to(second)
        assert place.counted() == (before, 6)

        orphans = {row["jti"] for row in place.run(1, "doctor", "--reconcile", *place.others(1))["orphans"]}
        assert orphans == answers.jtis - before
        # One node alone finds what it gave out itself, and would not start.
        assert place.lost(1) | place.lost(2) == orphans
        assert place.lost(1) < orphans
        with place.node(2) as authority, pytest.raises(DatabaseBehind):
            reconciling.check_nothing_lost(Unit(authority, CONSOLE))
        assert place.run(1, "catch-up", *place.others(1))["taken_in"] == 3
        assert [place.lost(number) for number in range(NODES)] == [set()] * NODES
        assert place.counted() == (answers.jtis, 9)

        # The others get the seat that is left, and no more; a node that was killed serves again.
        again = stack.enter_context(running_server(place.homes[0], CARNET_AUTHORITY_DATABASE_URL=proxy.url))
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda item: place.ask([again, *servers[1:]], item[1], answers, item[0]), enumerate(people[9:])))
        assert answers.refused == ["pool-exhausted"] * (PEOPLE - SEATS)
        assert place.counted() == (answers.jtis, SEATS)
