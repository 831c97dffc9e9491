"""Sealing the log and verifying it, beside reading its rows: all three go once through the same rows."""

from __future__ import annotations

import io
import tempfile
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from authority.services import log, log_files, log_verification, seals
from tests.support.authorities import make_bench
from tests.support.sealed_logs import unit, write_rows

ROWS = 20_000


def bench_sealing() -> None:
    """Sealing and verifying the log, as multiples of reading it"""
    with tempfile.TemporaryDirectory() as folder:
        bench = make_bench(f"sqlite:///{Path(folder) / 'authority.db'}", Path(folder) / "home")
        try:
            write_rows(bench, ROWS)
            reading = _seconds(lambda: deque(log.checkout_log(unit(bench)), maxlen=0))
            sealing = _seconds(lambda: seals.seal(unit(bench)))
            verifying = _seconds(lambda: log_verification.verify(unit(bench)))
            lines = "".join(log_files.lines(unit(bench))).encode()
            by_file = _seconds(lambda: log_files.verify_file(io.BytesIO(lines), None))
        finally:
            bench.authority.database.close()
    print(f"  reading {ROWS} rows            1.0  ({ROWS / reading:,.0f} rows/s)")
    for label, seconds in {"sealing": sealing, "verifying": verifying, "verifying an export": by_file}.items():
        print(f"  {label:28} {seconds / reading:5.1f}  ({ROWS / seconds:,.0f} rows/s)")


def _seconds(run: Callable[[], object]) -> float:
    """Processor time, so that other work on the machine weighs little."""
    began = time.process_time()
    run()
    return time.process_time() - began
