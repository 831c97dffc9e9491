"""The seat limit holds exactly: by threads and by processes, on both databases."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from authority.domain.members import Actor
from authority.domain.refusals import AlreadyBorrowed, PoolExhausted
from authority.services import borrow, endings
from authority.services.unit import Unit
from tests.support.authorities import Bench, TestClock, make_bench
from tests.support.borrowing import at_once, codes, issued_to, seats_held, workstation
from tests.support.database_contents import log_rows
from verifier.workstation.carry import Wish

ROOT = Path(__file__).parents[2]
SEATS, MEMBERS = 10, 40
CYCLES = 150


@pytest.fixture
def shared_bench(database_url: str, tmp_path: Path) -> Iterator[Bench]:
    """An authority that other processes can open too: its clock began at this machine's time."""
    own = make_bench(database_url, tmp_path / "home", clock=TestClock(datetime.now(UTC)))
    yield own
    own.authority.database.close()


def borrowing(bench: Bench, actor: Actor, machine: str, product: str) -> Callable[[], object]:
    request = workstation(machine).request(Wish(product, days=3), bench.clock())
    return lambda: borrow.issue(Unit(bench.authority, actor), request)


def test_forty_threads_get_exactly_ten_seats(bench: Bench) -> None:
    actors = [bench.member(f"m{number}") for number in range(MEMBERS)]
    answers = at_once([borrowing(bench, actor, f"w-{actor.username}", "arcgis-desktop") for actor in actors])
    assert codes(answers) == {"done": SEATS, "pool-exhausted": MEMBERS - SEATS}
    assert seats_held(bench, "arcgis-desktop", "Advanced") == SEATS
    assert len(log_rows(bench.authority.database, "checkout")) == SEATS
    assert len(log_rows(bench.authority.database, "denial")) == MEMBERS - SEATS


def test_twenty_machines_get_one_named_license(bench: Bench) -> None:
    ada = bench.member("ada")
    answers = at_once([borrowing(bench, ada, f"w{number}", "arcgis-pro") for number in range(20)])
    assert codes(answers) == {"done": 1, "already-borrowed": 19}
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1


def test_the_last_seat_goes_to_one_of_forty(bench: Bench) -> None:
    for number in range(SEATS - 1):
        issued_to(bench, bench.member(f"early{number}"), workstation(f"e{number}"), product="arcgis-desktop")
    actors = [bench.member(f"m{number}") for number in range(MEMBERS)]
    answers = at_once([borrowing(bench, actor, f"w-{actor.username}", "arcgis-desktop") for actor in actors])
    assert codes(answers) == {"done": 1, "pool-exhausted": MEMBERS - 1}
    assert seats_held(bench, "arcgis-desktop", "Advanced") == SEATS


@contextmanager
def racer(bench: Bench, wishes: list[dict[str, str]], file: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that waits with its requests in hand."""
    file.write_text(json.dumps(wishes), encoding="utf-8")
    url = bench.authority.database.url.render_as_string(hide_password=False)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.racer", str(bench.home), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"CARNET_AUTHORITY_DATABASE_URL": url},
    )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def raced(bench: Bench, wishes: list[dict[str, str]], processes: int, folder: Path) -> Counter[str]:
    """What all processes were told, each given its share of the wishes; a borrow counts as done."""
    counts: Counter[str] = Counter()
    with ExitStack() as stack:
        shares = [wishes[start::processes] for start in range(processes)]
        running = [
            stack.enter_context(racer(bench, share, folder / f"wishes{number}.json")) for number, share in enumerate(shares)
        ]
        for process in running:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in running:
            assert process.stdout is not None
            outcomes: list[str] = json.loads(process.stdout.readline())
            counts.update("done" if len(outcome) == 22 else outcome for outcome in outcomes)
    return counts


def test_processes_together_get_exactly_ten_seats(shared_bench: Bench, tmp_path: Path) -> None:
    """Four processes of ten threads on SQLite, two of twenty on PostgreSQL."""
    bench = shared_bench
    for number in range(MEMBERS):
        bench.member(f"m{number}")
    wishes = [
        {"member": f"m{number}", "request": workstation(f"w{number}").request(Wish("arcgis-desktop", days=3), bench.clock())}
        for number in range(MEMBERS)
    ]
    counts = raced(bench, wishes, 4 if bench.authority.database.is_sqlite else 2, tmp_path)
    assert counts == {"done": SEATS, "pool-exhausted": MEMBERS - SEATS}
    assert seats_held(bench, "arcgis-desktop", "Advanced") == SEATS


def test_processes_together_give_one_named_license_once(shared_bench: Bench, tmp_path: Path) -> None:
    bench = shared_bench
    bench.member("ada")
    wishes = [
        {"member": "ada", "request": workstation(f"w{number}").request(Wish("arcgis-pro", days=3), bench.clock())}
        for number in range(20)
    ]
    assert raced(bench, wishes, 2, tmp_path) == {"done": 1, "already-borrowed": 19}
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1


def test_one_request_sent_to_two_processes_at_once_is_one_borrow(shared_bench: Bench, tmp_path: Path) -> None:
    bench = shared_bench
    bench.member("ada")
    request = workstation("laptop").request(Wish("arcgis-pro", days=3), bench.clock())
    counts = raced(bench, [{"member": "ada", "request": request}] * 20, 2, tmp_path)
    assert counts == {"done": 20}
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1
    assert len(log_rows(bench.authority.database, "checkout")) == 1


def cycle(bench: Bench, actor: Actor, borrow_ids: list[str]) -> None:
    """Borrows and checks in again and again, until all together did it often enough."""
    laptop, chance = workstation(f"w-{actor.username}"), random.Random(actor.username)
    while len(borrow_ids) < CYCLES:
        try:
            issued = issued_to(bench, actor, laptop, product="arcgis-desktop", days=1)
        except PoolExhausted:
            continue
        time.sleep(chance.random() * 0.02)
        endings.check_in(Unit(bench.authority, actor), laptop.receipt_for(issued.file, bench.clock()))
        borrow_ids.append(issued.borrow.id)


def test_borrowing_and_returning_never_goes_past_the_seats_at_any_moment(bench: Bench) -> None:
    actors = [bench.member(f"m{number}") for number in range(20)]
    borrow_ids, samples = list[str](), list[int]()
    threads = [threading.Thread(target=cycle, args=(bench, actor, borrow_ids)) for actor in actors]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        samples.append(seats_held(bench, "arcgis-desktop", "Advanced"))
    for thread in threads:
        thread.join()
    assert max(samples) <= SEATS, f"{max(samples)} seats were in use at once"
    assert max(samples) > 1
    assert seats_held(bench, "arcgis-desktop", "Advanced") == 0
    assert highest_in_the_log(bench) <= SEATS


def highest_in_the_log(bench: Bench) -> int:
    """The most seats in use at any point of the log, read in its order."""
    moves = [(row["id"], 1) for row in log_rows(bench.authority.database, "checkout")]
    moves += [(row["id"], -1) for row in log_rows(bench.authority.database, "checkin")]
    in_use = highest = 0
    for _, step in sorted(moves):
        in_use += step
        highest = max(highest, in_use)
    assert in_use == 0
    return highest


def test_every_extension_has_seats_of_its_own(database_url: str, tmp_path: Path) -> None:
    def change(specification: dict[str, object]) -> None:
        products = specification["products"]
        assert isinstance(products, list)
        products[2] = products[2] | {"extensions": {"3DAnalyst": 2}}

    bench = make_bench(database_url, tmp_path / "home", change=change)
    actors = [bench.member(f"m{number}") for number in range(12)]

    def asking(actor: Actor) -> Callable[[], object]:
        return lambda: issued_to(
            bench, actor, workstation(f"w-{actor.username}"), product="arcgis-desktop", extensions=("3DAnalyst",)
        )

    answers = at_once([asking(actor) for actor in actors])
    assert codes(answers) == {"done": 2, "pool-exhausted": 10}
    assert all(item.evidence["feature"] == "3DAnalyst" for item in answers if isinstance(item, PoolExhausted))
    assert not any(isinstance(item, AlreadyBorrowed) for item in answers)
    assert [seats_held(bench, "arcgis-desktop", name) for name in ("Advanced", "3DAnalyst")] == [2, 2]
    bench.authority.database.close()
