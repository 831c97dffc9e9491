"""What no borrow can do without, each by itself: signatures, SQL and the disk."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.bench.timing import per_call_microseconds
from tools.recording import CONTROL, Recorder
from tools.walk import walk_of_borrow

# What one borrow adds to SQLite's log of changes, roughly: four pages.
PAGES = b"x" * 4 * 4096
SYNCS = 100


def print_floor(folder: Path, bare_milliseconds: float) -> float:
    """Prints what no borrow can do without, and returns the milliseconds of it all.

    All is processor time, so that other work on the machine weighs little; those who queue for the disk share a wait for it.
    """
    private = Ed25519PrivateKey.generate()
    public, data = private.public_key(), b"x" * 900
    proof = private.sign(data)
    verification, signature = per_call_microseconds(
        [lambda: public.verify(proof, data), lambda: private.sign(data)], clock=time.process_time
    )
    count, statements = _sql_microseconds(folder / "walk")
    waited, waiting = _sync_milliseconds(folder / "synced")
    parts = {
        "a bare Flask route": bare_milliseconds,
        "two Ed25519 verifications": 2 * verification / 1e3,
        "one Ed25519 signature": signature / 1e3,
        f"its {count} SQL statements, on the driver alone": statements / 1e3,
        f"a wait for the disk, which lasts {waited:.2f} ms": waiting,
    }
    print("\nthe floor of a borrow")
    for label, milliseconds in (parts | {"together": sum(parts.values())}).items():
        print(f"  {label:44} {milliseconds:6.3f} ms")
    return sum(parts.values())


def _sql_microseconds(folder: Path) -> tuple[int, float]:
    """How many statements a borrow runs, and what the driver of SQLite alone takes for them, each time on the state before."""
    folder.mkdir()
    recorder = Recorder()
    with recorder.installed():
        statements = [text for text in walk_of_borrow(recorder, folder).statements if not text.startswith(CONTROL)]
    with closing(sqlite3.connect(folder / "before.db", isolation_level=None)) as connection:

        def run() -> None:
            connection.execute("BEGIN IMMEDIATE")
            for text in statements:
                connection.execute(text).fetchall()
            connection.execute("ROLLBACK")

        return len(statements), per_call_microseconds([run], rounds=20, each=20, clock=time.process_time)[0]


def _sync_milliseconds(path: Path) -> tuple[float, float]:
    """What appending some pages durably takes: milliseconds, and those of processor time."""
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    try:
        began, began_processor = time.perf_counter(), time.process_time()
        for _ in range(SYNCS):
            os.write(descriptor, PAGES)
            os.fsync(descriptor)
        return (time.perf_counter() - began) / SYNCS * 1e3, (time.process_time() - began_processor) / SYNCS * 1e3
    finally:
        os.close(descriptor)
