"""A large organization on SQLite: what an administrator waits for, and whether a borrow gets dearer with the years."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from authority.domain.members import CONSOLE, Actor
from authority.services import access, borrow, endings, policies
from authority.services.context import Remembered
from authority.services.unit import Unit
from authority.storage import members
from authority.storage.db.database import Database
from authority.web.application import create_app
from tests.bench.timing import per_call_microseconds
from tests.support.authorities import Bench, make_bench
from tests.support.filling import CONCURRENT, GROUPS, NAMED, Filling, long_past, now_out, room_for
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

MEMBERS, OFFLINE = 11_000, 4_000
FEW, MANY = 1_000, 100_000
ROUNDS = 300


def bench_organization() -> None:
    """An organization of 11,000 members with 4,000 of them offline, on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        young, old = _organizations(Path(folder))
        _print_reads(old)
        for product, label in ((NAMED, "named"), (CONCURRENT, "concurrent")):
            _print_borrows(label, _Borrower(young, product), _Borrower(old, product))
        for made in (young, old):
            made.authority.database.close()


def _print_reads(made: Bench) -> None:
    secret, _ = access.create_api_key(Unit(made.authority, CONSOLE), "admin", "bench")
    client, headers = create_app(made.authority).test_client(), {"Authorization": f"Bearer {secret}"}

    def getting(path: str) -> Callable[[], int]:
        def get() -> int:
            answer = client.get(f"/api/v1{path}", headers=headers)
            assert answer.status_code == 200, answer.get_data()
            return len(answer.get_data())

        return get

    paths = {
        "who is offline, first page of 100": "/borrows?state=active",
        f"who is offline, all {OFFLINE:,} as CSV": "/borrows?state=active&format=csv",
        "policy explain": f"/policies/effective?member=member{MEMBERS - 1}&product={NAMED}",
        "availability": "/availability",
    }
    taken = per_call_microseconds([getting(path) for path in paths.values()], rounds=7, each=1)
    for label, microseconds in zip(paths, taken, strict=True):
        print(f"{label:<43} {microseconds / 1e3:8.1f} ms   (aim: under 1000)")


def _print_borrows(label: str, young: _Borrower, old: _Borrower) -> None:
    """A borrow of each in turn, so that a machine that slows down slows both."""
    taken = [(young.once(), old.once()) for _ in range(ROUNDS)]
    few, many = (statistics.median(times) * 1e3 for times in zip(*taken, strict=True))
    print(f"one {label + ' borrow, ' + format(FEW, ',') + ' past ones':<39} {few:8.2f} ms")
    print(f"the same, {MANY:,} past ones{'':<16} {many:8.2f} ms   {many / few:5.2f} x (aim: at most 1.30)")


class _Borrower:
    """A member who borrows and gives back; the time is that of the borrow alone."""

    def __init__(self, made: Bench, product: str) -> None:
        self._made, self._product = made, product
        self._laptop = SimulatedWorkstation(f"bench-{product}")
        with made.authority.database.read() as connection:
            member = members.by_username(connection, f"member{MEMBERS - 1}")
        assert member is not None
        self._actor = Actor(member.id, member.username, member.role)

    def once(self) -> float:
        authority, now = self._made.authority, self._made.clock()
        request = self._laptop.request(Wish(self._product, days=3), now)
        began = time.perf_counter()
        issued = borrow.issue(Unit(authority, self._actor), request)
        taken = time.perf_counter() - began
        endings.check_in(Unit(authority, self._actor), self._laptop.receipt_for(issued.file, now))
        return taken


def _organizations(folder: Path) -> tuple[Bench, Bench]:
    """One organization twice: with few borrows of the past, and with many."""
    young = make_bench(f"sqlite:///{folder}/young.db", folder / "home", change=room_for(MEMBERS))
    with young.authority.database.write() as connection:
        filling = Filling(young.authority, connection, MEMBERS)
        filling.add_members()
        filling.add_borrows(range(OFFLINE), now_out)
        filling.add_borrows(range(OFFLINE, OFFLINE + FEW), long_past)
    for group in range(GROUPS):
        policies.change(
            Unit(young.authority, CONSOLE),
            "group",
            f"group{group}",
            "",
            allowed=True,
            longest_days=10 + group,
            default_days=None,
        )
    young.authority.database.close()
    shutil.copy(folder / "young.db", folder / "old.db")
    database = Database(f"sqlite:///{folder}/old.db")
    old = replace(young, authority=replace(young.authority, database=database, remembered=Remembered()))
    with database.write() as connection:
        Filling(old.authority, connection, MEMBERS).add_borrows(range(OFFLINE + FEW, OFFLINE + MANY), long_past)
    return young, old
