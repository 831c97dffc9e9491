"""What the page of `carnet-report` costs beside importing its libraries: processor time of processes of their own, taking turns."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

LINES = 50_000
TURNS = 3
IMPORTS = (
    "import ibis.backends.duckdb, matplotlib.pyplot, IPython, nbformat, jinja2, markdown_it, rich, sqlalchemy, scipy.special"
)
PAGE = "import sys; from checkout_log.report.command_line import main; sys.exit(main(sys.argv[1:]))"


def bench_paging() -> None:
    """The page of a log of 50,000 lines, as a multiple of importing its libraries."""
    with TemporaryDirectory() as folder:
        log = Path(folder) / "debug.log"
        log.write_text(_text(LINES), encoding="utf-8")
        page = [PAGE, str(log), "-o", str(Path(folder) / "page.html")]
        taken = [(_processor_seconds([IMPORTS]), _processor_seconds(page)) for _ in range(TURNS)]
    imports, pages = (statistics.median(values) for values in zip(*taken, strict=True))
    print(f"  page {pages:.1f} s, imports {imports:.1f} s of processor time: {pages / imports:.2f} times")


def _text(lines: int) -> str:
    """A FlexNet log in which forty users take turns, day and night."""
    written: list[str] = []
    day = minute = 0
    while len(written) < lines:
        if minute % 360 == 0:
            written.append(f"{minute // 60:2d}:00:00 (lmgrd) TIMESTAMP {1 + day // 28 % 12}/{1 + day % 28}/{2020 + day // 336}")
        for user in range(minute % 5):
            verb = ("OUT", "IN")[(minute // 5 + user) % 2]
            feature = ("solver", "mesher", "viewer")[user % 3]
            written.append(f'{minute // 60:2d}:{minute % 60:02d}:{user:02d} (v) {verb}: "{feature}" user{user * 7}@pc{user}  ')
        minute += 1
        day, minute = (day + 1, 0) if minute == 24 * 60 else (day, minute)
    return "\n".join(written) + "\n"


def _processor_seconds(arguments: list[str]) -> float:
    """The processor time of a Python process of its own, which must end well."""
    before = os.times()
    subprocess.run([sys.executable, "-c", *arguments], check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
