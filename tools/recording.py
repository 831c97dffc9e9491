"""What Python runs of the project while something is done, and what that asks of the machine: functions, files, SQL, signatures."""

from __future__ import annotations

import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

ROOT = Path(__file__).parents[1]
ROOMS = tuple(str(ROOT / room) + "/" for room in ("authority", "verifier"))
CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")
CLOCKS = (time.time, time.time_ns, datetime.now)


@dataclass(frozen=True, slots=True)
class Step:
    """A call of one of the project's functions: how many of them it is within, its file and its name."""

    depth: int
    file: str
    function: str


@dataclass
class Walk:
    """Everything that one request, or one check, did; `connections` counts a connection each time that somebody takes it up."""

    steps: list[Step] = field(default_factory=list)
    statements: list[str] = field(default_factory=list)
    connections: int = 0
    clock_reads: int = 0
    verified: Counter[str] = field(default_factory=Counter)
    opened: Counter[str] = field(default_factory=Counter)

    def figures(self) -> dict[str, int]:
        """The figures by name."""
        files = [step.file for step in self.steps]
        return {
            "files": len(set(files)),
            "functions": len({(step.file, step.function) for step in self.steps}),
            "calls": len(files),
            "changes of file": sum(left != right for left, right in pairwise(files)),
            "SQL executions": len(self.statements),
            "SQL statements": sum(not text.startswith(CONTROL) for text in self.statements),
            "connections": self.connections,
            "clock reads": self.clock_reads,
            "signatures verified": self.verified.total(),
            "machine key opened": sum(count for name, count in self.opened.items() if name.startswith("machine")),
            "status list verified": self.verified["statuslist+jwt"],
        }


class Recorder:
    """Fills a Walk while it is on. What the driver of the database runs is seen there, whoever asks for it."""

    def __init__(self) -> None:
        self.walk: Walk | None = None
        self._taken: set[int] = set()
        # Python has no way to take such a hook back: it does nothing while no walk is recorded.
        sys.addaudithook(self._audit)

    @contextmanager
    def on(self, folder: Path) -> Iterator[Walk]:
        """Records this thread; of the files that are opened those in the folder."""
        self.walk, self._folder = Walk(), str(folder)
        sys.setprofile(self._profile)
        try:
            yield self.walk
        finally:
            sys.setprofile(None)
            self.walk = None

    @contextmanager
    def installed(self) -> Iterator[None]:
        """While it is, each new connection of SQLite's driver tells what it runs."""
        connect = sqlite3.connect

        def watched(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*arguments, **options)
            connection.set_trace_callback(self._statement_of(connection))
            return connection

        # Both names are in use: the one of the package, and the one of the module within it.
        with patch.object(sqlite3, "connect", watched), patch.object(sqlite3.dbapi2, "connect", watched):
            yield

    def take(self, *arguments: Any) -> None:
        """A connection was taken from the pool."""
        self._taken.add(id(arguments[0]))
        if self.walk is not None:
            self.walk.connections += 1

    def give_back(self, *arguments: Any) -> None:
        """A connection was given back to the pool."""
        self._taken.discard(id(arguments[0]))

    def _statement_of(self, connection: sqlite3.Connection) -> Callable[[str], None]:
        number = id(connection)

        def trace(text: str) -> None:
            if self.walk is None:
                return
            self.walk.statements.append(text)
            # A connection that is kept beside the pool is taken up with each transaction on it.
            if number not in self._taken and text.startswith("BEGIN"):
                self.walk.connections += 1

        return trace

    def _audit(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "open" and self.walk is not None and str(arguments[0]).startswith(self._folder):
            self.walk.opened[Path(str(arguments[0])).name] += 1

    def _profile(self, frame: FrameType, kind: str, argument: Any) -> None:
        if self.walk is None:
            return
        if kind == "call" and is_step(frame):
            file = str(Path(frame.f_code.co_filename).relative_to(ROOT))
            self.walk.steps.append(Step(sum(map(is_step, outer(frame))), file, frame.f_code.co_qualname))
        elif kind == "c_call" and argument.__name__ == "verify" and isinstance(argument.__self__, Ed25519PublicKey):
            self.walk.verified[_kind_of_token(frame)] += 1
        elif kind == "c_call" and argument in CLOCKS and frame.f_code.co_filename.startswith(ROOMS):
            self.walk.clock_reads += 1


def is_step(frame: FrameType) -> bool:
    """Whether this is a call of one of the project's functions, and no comprehension within one."""
    return frame.f_code.co_filename.startswith(ROOMS) and not frame.f_code.co_name.startswith("<")


def outer(frame: FrameType) -> Iterator[FrameType]:
    """The calls that this one is within."""
    while frame.f_back is not None:
        frame = frame.f_back
        yield frame


def _kind_of_token(frame: FrameType) -> str:
    """The `typ` that the nearest function of the verifier expects of the token whose signature is verified."""
    for call in filter(is_step, (frame, *outer(frame))):
        for value in call.f_locals.values():
            if isinstance(value, str) and value.endswith("+jwt"):
                return value
    return "another"
