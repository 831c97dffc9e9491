"""What the page of `carnet-report` costs beside importing its libraries, and beside reading: processor time of processes of their own."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

LINES = 50_000
# Of the log that is large: its page is held against reading it.
LARGE_LINES = int(os.environ.get("CARNET_BENCH_LINES", "700_000"))
TURNS = 3
IMPORTS = (
    "import ibis.backends.duckdb, pandas, pyarrow.parquet, matplotlib.figure, matplotlib.dates, matplotlib.offsetbox, "
    "jinja2, markdown_it, rich.progress, sqlalchemy, scipy.special"
)
READING = f"{IMPORTS}, sys; from checkout_log import read; read(sys.argv[1])"
PAGE = "import sys; from checkout_log.report.command_line import main; sys.exit(main(sys.argv[1:]))"
# Names, and how many seats there are.
FEATURES = {
    "solver": 60, "mesher": 25, "viewer": 200, "post": 40, "cfd": 12, "crash": 6, "optimizer": 4, "translator": 30,
    "materials": 10, "parallel": 90, "report": 50, "teaching": 20,
}  # fmt: skip
USERS, ON_WORKDAYS, AT_WEEKENDS = 300, 420, 60
HOUR, DAY, FRIDAY = 3_600, 86_400, 4
BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


def bench_paging() -> None:
    """The page of a log of 50,000 lines, as a multiple of importing its libraries, and of a large one, of reading it."""
    with TemporaryDirectory() as folder:
        log, page = Path(folder) / "debug.log", str(Path(folder) / "page.html")
        log.write_text(server_log(LINES), encoding="utf-8")
        compiled = Path(folder) / "compiled"
        _processor_seconds([PAGE, str(log), "-o", page], compiled)
        turns = [
            (_processor_seconds([IMPORTS], compiled), _processor_seconds([PAGE, str(log), "-o", page], compiled))
            for _ in range(TURNS)
        ]
        imports, pages = (statistics.median(values) for values in zip(*turns, strict=True))
        print(
            f"  page {pages:.1f} s, imports {imports:.1f} s of processor time: {pages / imports:.2f} times (at most 4, aim 2.50)"
        )
        log.write_text(server_log(LARGE_LINES), encoding="utf-8")
        reading, large = (
            _processor_seconds([READING, str(log)], compiled),
            _processor_seconds([PAGE, str(log), "-o", page], compiled),
        )
        size = f"{log.stat().st_size / 1e6:.0f} MB"
        print(
            f"  {size}: page {large:.1f} s, reading {reading:.1f} s: {large / reading:.2f} times (aim at 500 MB: at most 1.50)"
        )


def server_log(lines: int) -> str:
    """A FlexNet log of about so many lines, as sites have them.

    Many short uses and some of days and weeks, working hours and weekends, features that are full and clients that ask again every
    minute, and sessions that the server takes back as idle.
    """
    random = Random(7)
    written: list[tuple[int, str]] = []
    ends: list[tuple[int, str, str]] = []
    in_use = dict.fromkeys(FEATURES, 0)
    for day in count():
        for at in sorted(_starts(random, day)):
            while ends and ends[0][0] <= at:
                _end(random, heappop(ends), in_use, written)
            _start(random, at, ends, in_use, written)
        written += [(day * DAY + hour * HOUR, f"(lmgrd) TIMESTAMP {_at(day * DAY):%m/%d/%Y}") for hour in (0, 6, 12, 18)]
        if len(written) >= lines:
            break
    return "".join(f"{_at(at):%H:%M:%S} {text}\n" for at, text in sorted(written))


def _at(second: int) -> datetime:
    return BEGIN + timedelta(seconds=second)


def _starts(random: Random, day: int) -> list[int]:
    """When users start something on this day, in seconds since the begin of the log."""
    uses = ON_WORKDAYS if day % 7 <= FRIDAY else AT_WEEKENDS
    return [day * DAY + round(random.triangular(7 * HOUR, 20 * HOUR, 10 * HOUR)) for _ in range(uses)]


def _start(
    random: Random, at: int, ends: list[tuple[int, str, str]], in_use: dict[str, int], written: list[tuple[int, str]]
) -> None:
    """A use, or a row of denials."""
    (feature,) = random.choices(list(FEATURES), weights=range(len(FEATURES), 0, -1))
    user = round(USERS * random.random() ** 2)
    who = f"user{user}@pc{user}"
    if in_use[feature] >= FEATURES[feature]:
        text = f'(v) DENIED: "{feature}" {who}  (Licensed number of users already reached. (-4,342))'
        written += [(at + 60 * again, text) for again in range(random.randint(1, 12))]
        return
    written.append((at, f'(v) OUT: "{feature}" {who}  '))
    in_use[feature] += 1
    # Half are over in 40 minutes, one of a hundred lasts for more than a day.
    heappush(ends, (at + 20 + round(min(20 * DAY, random.lognormvariate(7.8, 1.6))), feature, who))


def _end(random: Random, use: tuple[int, str, str], in_use: dict[str, int], written: list[tuple[int, str]]) -> None:
    """A use is over, one of twenty because the server took it back."""
    at, feature, who = use
    in_use[feature] -= 1
    idle = "(INACTIVE)" if random.random() < 1 / 20 else ""
    written.append((at, f'(v) IN: "{feature}" {who}  {idle}'))


def _processor_seconds(arguments: list[str], compiled: Path) -> float:
    """The processor time of a Python process of its own, which must end well.

    compiled: where Python keeps what it compiled, whatever it is told outside: to compile libraries anew takes longer than to import them.
    """
    keeps = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before = os.times()
    environment = keeps | {"PYTHONPYCACHEPREFIX": str(compiled)}
    subprocess.run([sys.executable, "-c", *arguments], check=True, capture_output=True, env=environment)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system
