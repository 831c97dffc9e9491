"""Lines a second of this library's reader and of the way that published scripts read FlexNet logs, on the same file."""

from __future__ import annotations

import itertools
import random
import re
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from checkout_log.reading import read
from tests.bench.timing import in_own_process
from tests.support.server_log import ServerLog

MEGABYTES, LARGE = 20, 200
ZONE = ZoneInfo("Europe/Madrid")
BEGIN, STAMPED = datetime(2020, 1, 1, tzinfo=ZONE), timedelta(hours=4)
STAMPS_A_DAY = timedelta(days=1) // STAMPED

PUBLISHED = {
    "stamp": re.compile(r"^\s*(\d+:\d+:\d+) \((\S+)\) TIMESTAMP (\d+/\d+/\d+)"),
    "OUT": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) OUT: "([^"]+)" (.+)@(\S+)'),
    "IN": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) IN: "([^"]+)" (.+)@(\S+)'),
    "DENIED": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) DENIED: "([^"]+)" (.+)@(\S+)'),
    "UNSUPPORTED": re.compile(r'^\s*(\d+:\d+:\d+) \((\S+)\) UNSUPPORTED: "([^"]+)" (.+)@(\S+)'),
    "start": re.compile(r"^\s*(\d+:\d+:\d+) \((\S+)\) Server started on (\S+)"),
}


def bench_parsing() -> None:
    """A FlexNet debug log read: this library against regular expressions line by line, as published scripts do it."""
    with TemporaryDirectory() as folder:
        path = written(Path(folder) / "debug.log", MEGABYTES)
        large = written(Path(folder) / "large.log", LARGE)
        rates = []
        for name, way in (("regular expressions", published), ("checkout_log", ours)):
            taken, lines = in_own_process(way, path), _lines(path)
            rates.append(lines / taken.seconds)
            print(
                f"{name:20} {MEGABYTES:4} MB {lines:11,} lines {rates[-1]:10,.0f} lines/s {taken.megabytes:6.0f} MB of memory"
            )
        taken, lines = in_own_process(ours, large), _lines(large)
    rate = lines / taken.seconds
    print(f"{'checkout_log':20} {LARGE:4} MB {lines:11,} lines {rate:10,.0f} lines/s {taken.megabytes:6.0f} MB of memory")
    print(f"{'':35} {rates[1] / rates[0]:5.2f} x as fast (aim: at least 2)")


def published(path: Path) -> int:
    """How many events the published way finds: a dictionary for each line that one of several expressions fits."""
    rows: list[dict[str, object]] = []
    day = "1/1/1970"
    with path.open(encoding="utf-8", errors="replace") as stream:
        for line in stream:
            for verb, form in PUBLISHED.items():
                match = form.search(line)
                if match is None:
                    continue
                if verb == "stamp":
                    day = match[3]
                elif verb != "start":
                    at = datetime.strptime(f"{day} {match[1]}", "%m/%d/%Y %H:%M:%S")  # noqa: DTZ007 - as it is done
                    rows.append(
                        {"at": at, "event": verb, "product": match[2], "feature": match[3], "user": match[4], "host": match[5]}
                    )
                break
    return len(rows)


def ours(path: Path) -> int:
    """How many events this library finds; everything that `read` does is in the time."""
    return int(read(path, timezone=ZONE.key).quality()["events"].sum())


def written(path: Path, megabytes: float) -> Path:
    """A log of this size: a server with a thousand users, stamps and summaries between, and every day like the first."""
    log, chance = ServerLog(ZONE), random.Random(7)
    blocks = [_uses(BEGIN + STAMPED * number, chance) for number in range(STAMPS_A_DAY)]
    log.start(BEGIN)
    with path.open("w", encoding="utf-8") as stream:
        for number in itertools.count():
            at = BEGIN + STAMPED * number
            log.stamp(at)
            log.summary(at)
            stream.write(log.text() + blocks[number % STAMPS_A_DAY])
            log.lines.clear()
            if stream.tell() >= megabytes * 1e6:
                return path
    return path


def _uses(at: datetime, chance: random.Random) -> str:
    """What is taken and given back until the next stamp."""
    log, until = ServerLog(ZONE), at + STAMPED
    while (at := at + timedelta(seconds=chance.randrange(40))) < until:
        number = chance.randrange(1000)
        log.say(at, f'{chance.choice(("OUT", "IN"))}: "F{number % 37}" user{number}@pc{number % 911}  ')
    return log.text()


def _lines(path: Path) -> int:
    with path.open("rb") as stream:
        return sum(1 for _ in stream)
