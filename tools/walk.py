"""The walks of a borrow, a check-in and a check through the house: which functions run, in which files, and what they ask of the machine.

python -m tools.walk [borrow|check-in|check] [--full | --markdown | --json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sqlalchemy import event

import verifier
from authority.domain.members import CONSOLE
from authority.services import access, borrow
from authority.services.unit import Unit
from authority.web.application import create_app
from tests.support.authorities import Bench, TestClock, make_bench
from tests.support.workstations import SimulatedWorkstation
from tools.recording import Recorder, Walk
from verifier.core.claims import REQUEST_TYP
from verifier.core.times import timestamp
from verifier.workstation import carry, identity, install
from verifier.workstation.carry import Sender, Wish
from verifier.workstation.store import Store

PRODUCT = "arcgis-pro"


class CountingClock(TestClock):
    """The time now, and how often it was asked for."""

    def __init__(self) -> None:
        super().__init__(datetime.now(UTC))
        self.reads = 0

    def __call__(self) -> datetime:
        self.reads += 1
        return super().__call__()


def walk_of_borrow(recorder: Recorder, folder: Path) -> Walk:
    """A new borrow over the REST interface, on SQLite, after one of another member. Raises RuntimeError unless it is granted.

    The database as it was before the borrow is left in `before.db`: there its statements can be run again.
    """
    return _walk_over_rest(recorder, folder, is_return=False)


def walk_of_check_in(recorder: Recorder, folder: Path) -> Walk:
    """A check-in over the REST interface, on SQLite, after one of another member. Raises RuntimeError unless it is taken."""
    return _walk_over_rest(recorder, folder, is_return=True)


def _walk_over_rest(recorder: Recorder, folder: Path, *, is_return: bool) -> Walk:
    clock = CountingClock()
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "authority", clock=clock)
    client = create_app(bench.authority).test_client()
    for name, handler in (("checkout", recorder.take), ("checkin", recorder.give_back)):
        event.listen(bench.authority.database.engine, name, handler)
    first, second = (_Holder(bench, client, name) for name in ("ada", "grace"))
    first.borrow()
    act = second.borrow
    if is_return:
        first.check_in(first.receipt())
        second.borrow()
        act = partial(second.check_in, second.receipt())
    copy_database(folder / "authority.db", folder / "before.db")
    before = clock.reads
    with recorder.on(folder) as walk:
        act()
    walk.clock_reads += clock.reads - before
    bench.authority.database.close()
    return walk


def copy_database(source: Path, target: Path) -> None:
    """Copies a SQLite database that is in use."""
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


class _Holder:
    """A member with a laptop and a client of the REST interface."""

    def __init__(self, bench: Bench, client: Any, name: str) -> None:
        member = bench.member(name)
        secret, _ = access.create_api_key(Unit(bench.authority, CONSOLE), member.username, "walk")
        self._client, self._clock, self._headers = client, bench.clock, {"Authorization": f"Bearer {secret}"}
        self._laptop = SimulatedWorkstation(f"laptop-{name}")
        self._request = self._laptop.request(Wish(PRODUCT), bench.clock())
        self._borrowed = ""

    def borrow(self) -> None:
        """Borrows."""
        self._borrowed = self._post("/api/v1/borrows", {"request": self._request}, HTTPStatus.CREATED)

    def receipt(self) -> str:
        """The receipt that gives that borrow back."""
        return self._laptop.receipt_for(json.dumps(json.loads(self._borrowed)["file"]).encode(), self._clock())

    def check_in(self, receipt: str) -> None:
        """Checks a borrow in."""
        self._post("/api/v1/check-ins", {"receipt": receipt}, HTTPStatus.OK)

    def _post(self, path: str, body: dict[str, str], status: HTTPStatus) -> str:
        answer = self._client.post(path, json=body, headers=self._headers)
        if answer.status_code != status:
            raise RuntimeError(answer.text)
        return str(answer.text)


def walk_of_check(recorder: Recorder, folder: Path) -> Walk:
    """`verifier.check` of a borrow installed on this machine, with nothing remembered of it. Raises what it raises."""
    # Another process makes the borrow: what the verifier remembers within one process would shorten the walk.
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        home = pool.apply(install_borrow, (folder,))
    # Asked for here, so that importing it is no part of the walk.
    check = verifier.check
    with recorder.on(folder) as walk:
        check(PRODUCT, home=home)
    return walk


def install_borrow(folder: Path) -> Path:
    """Installs a borrow of this machine and user in a workstation's home in the folder, and returns that home."""
    bench = make_bench(f"sqlite:///{folder / 'authority.db'}", folder / "authority", clock=CountingClock())
    home = folder / "workstation"
    store = Store.open(home)
    install.install(store, bench.trust_file.encode())
    sender = Sender(identity.system().machine(), identity.system().user())
    asked = carry.request_claims(Wish(PRODUCT), sender, jti=carry.fresh_id(), now=timestamp(bench.clock()))
    request = store.machine_key().sign(REQUEST_TYP, asked)
    install.install(store, borrow.issue(Unit(bench.authority, bench.member("ada")), request).file)
    bench.authority.database.close()
    return home


WALKS: dict[str, Callable[[Recorder, Path], Walk]] = {
    "borrow": walk_of_borrow,
    "check-in": walk_of_check_in,
    "check": walk_of_check,
}


def take_walk(name: str) -> Walk:
    """The walk of this name, taken in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder()
        with recorder.installed():
            return WALKS[name](recorder, Path(folder))


def path_of(walk: Walk) -> Iterator[str]:
    """Every call in order, each a step further in than the call that it is within."""
    for step in walk.steps:
        yield f"{'  ' * step.depth}{step.function}  ({step.file})"


def table_of(walks: dict[str, Walk]) -> Iterator[str]:
    """A table of the figures in Markdown, and one of the files of each walk in the order in which it comes to them."""
    columns = {name: walk.figures() for name, walk in walks.items()}
    yield f"| | {' | '.join(walks)} |"
    yield f"|---|{'--:|' * len(walks)}"
    for figure in next(iter(columns.values())):
        yield f"| {figure} | {' | '.join(str(figures[figure]) for figures in columns.values())} |"
    for name, walk in walks.items():
        yield from ("", f"| {name}: file | functions, in the order of their first call |", "|---|---|")
        files: dict[str, dict[str, None]] = {}
        for step in walk.steps:
            files.setdefault(step.file, {})[f"`{step.function.replace('.<locals>', '')}`"] = None
        yield from (f"| `{file}` | {', '.join(functions)} |" for file, functions in files.items())


def main() -> None:
    """Prints what is asked for, by default the figures of all walks."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.walk", description="Follows a borrow, a check-in or a check through the code."
    )
    parser.add_argument("name", nargs="?", choices=list(WALKS), help="default: all")
    parser.add_argument("--full", action="store_true", help="print every call, in order")
    parser.add_argument("--markdown", action="store_true", help="print tables for the documentation")
    parser.add_argument("--json", action="store_true", help="print the figures alone, for programs")
    arguments = parser.parse_args()
    walks = {name: take_walk(name) for name in ([arguments.name] if arguments.name else WALKS)}
    if arguments.json:
        print(json.dumps({name: walk.figures() for name, walk in walks.items()}))
    elif arguments.markdown:
        print(*table_of(walks), sep="\n")
    else:
        for name, walk in walks.items():
            print(f"\n{name}", *(path_of(walk) if arguments.full else ()), sep="\n")
            print(*(f"{figure:22} {value:5}" for figure, value in walk.figures().items()), sep="\n")
            print(*(f"  {kind:30} verified {count} x" for kind, count in walk.verified.items()), sep="\n")
            print(*(f"  {file:30} opened {count} x" for file, count in walk.opened.items()), sep="\n")


if __name__ == "__main__":
    main()
