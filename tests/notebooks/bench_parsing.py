"""Lines a second of this library's reader and of the way that published scripts read FlexNet logs, on the same file.

python -m tests.notebooks.bench_parsing [--megabytes N] [LOG]

Without a log it writes one. The published way: a dictionary for each line that one of several regular expressions fits, tried
one after the other, the time made by `datetime.strptime`, the date from the last stamp. Peak memory is of a process of its own.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import resource
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from checkout_log.reading import read
from tests.support.server_log import ServerLog

PUBLISHED = {
    "stamp": re.compile(r"^\s*(\d+:\d+:\d+) \((\S+)\) TIMESTAMP (\d+/\d+/\d+)"),
    "OUT": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) OUT: "([^"]+)" (.+)@(\S+)'),
    "IN": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) IN: "([^"]+)" (.+)@(\S+)'),
    "DENIED": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) DENIED: "([^"]+)" (.+)@(\S+)'),
    "UNSUPPORTED": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) UNSUPPORTED: "([^"]+)" (.+)@(\S+)'),
    "start": re.compile(r"^\s*(\d+:\d+:\d+) \((\S+)\) Server started on (\S+)"),
}


def published(path: Path) -> int:
    """How many events the published way finds."""
    rows: list[dict[str, object]] = []
    day = "1/1/1970"
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            for verb, form in PUBLISHED.items():
                found = form.search(line)
                if found is None:
                    continue
                if verb == "stamp":
                    day = found[3]
                elif verb != "start":
                    at = datetime.strptime(f"{day} {found[1]}", "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007 - as it is done
                    rows.append(
                        {"at": at, "event": verb, "product": found[2], "feature": found[3], "user": found[4], "host": found[5]}
                    )
                break
    return len(rows)


def ours(path: Path) -> int:
    """How many events this library finds; everything that `read` does is in the time."""
    return int(read(path, timezone="Europe/Madrid").quality()["events"].sum())


def written(path: Path, megabytes: float) -> Path:
    """A log of this size: a server with a thousand users, stamps, and summaries between."""
    chance, log = random.Random(7), ServerLog(ZoneInfo("Europe/Madrid"))
    at = datetime(2020, 1, 1, tzinfo=UTC)
    log.start(at)
    next_stamp = at + timedelta(hours=4)
    with path.open("w", encoding="utf-8") as stream:
        while stream.tell() < megabytes * 1e6:
            for _ in range(5_000):
                at += timedelta(seconds=chance.randrange(40))
                if at >= next_stamp:
                    log.stamp(at)
                    log.summary(at)
                    next_stamp += timedelta(hours=4)
                number = chance.randrange(1000)
                verb, feature = chance.choice(("OUT", "IN")), f"F{number % 37}"
                log.say(at, f'{verb}: "{feature}" user{number}@pc{number % 911}  ')
            stream.write(log.text())
            log.lines.clear()
    return path


def measured(way: Callable[[Path], int], path: Path) -> tuple[int, float, float, float]:
    """Events, seconds, seconds of processor time and peak megabytes of one way in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found: tuple[int, float, float, float] = pool.apply(_run, (way, path))
    return found


def _run(way: Callable[[Path], int], path: Path) -> tuple[int, float, float, float]:
    begin, begin_cpu = time.perf_counter(), time.process_time()
    events = way(path)
    seconds, cpu = time.perf_counter() - begin, time.process_time() - begin_cpu
    return events, seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measures both ways and prints a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("log", nargs="?", type=Path)
    parser.add_argument("--megabytes", type=float, default=20)
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        path = asked.log or written(Path(folder) / "debug.log", asked.megabytes)
        lines = sum(1 for _ in path.open("rb"))
        print(f"{path.stat().st_size / 1e6:.0f} MB, {lines:,} lines")
        for name, way in (("published", published), ("checkout_log", ours)):
            events, seconds, cpu, megabytes = measured(way, path)
            rates = f"{lines / seconds:>10,.0f} lines/s  {lines / cpu:>10,.0f} lines/s of processor time"
            print(f"{name:12} {events:>10,} events  {seconds:6.2f} s  {rates}  {megabytes:5.0f} MB at most")


if __name__ == "__main__":
    main()
