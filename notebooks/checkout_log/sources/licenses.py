"""License files of FlexNet, as far as they say how many seats there are.

`FEATURE|INCREMENT feature vendor version expires count key ...`, with a backslash where a line goes on. Of several FEATURE lines of one
feature the first counts; INCREMENT lines add up. `count` is `uncounted` or 0 where nothing is counted. START= and the day of expiry say
from when to when a line counts; days are those of the server's zone.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from checkout_log.sources import zones
from checkout_log.sources.common import FIRST_YEAR, LAST_YEAR, MOST_LICENSES
from checkout_log.sources.part import LICENSES, Contents, Part
from checkout_log.sources.text import lines, number
from checkout_log.store import Seats

SIGN = re.compile(r"^[ \t]{0,40}(?:FEATURE|INCREMENT)(?:[ \t]+\S+){4}[ \t]+(?:\d+|uncounted)\b", re.MULTILINE)
LINE = re.compile(
    r"(?P<kind>FEATURE|INCREMENT)\s+(?P<feature>\S+)\s+(?P<vendor>\S+)\s+\S+\s+(?P<expires>\S+)\s+(?P<count>\d+|uncounted)\b(?P<rest>.*)"
)
START = re.compile(r"\bSTART=(\S+)")
DAY = re.compile(r"(\d{1,2})-([a-z]{3})-(\d{1,4})", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SOURCE = "license-file"
SINCE_EVER = 0


class Line(NamedTuple):
    """So many seats of a feature, from a day to another; None: since ever, for ever."""

    product: str
    feature: str
    seats: int
    first: date | None
    last: date | None


def read(paths: Sequence[Path], where: ZoneInfo) -> Contents:
    """What these license files say; there are no events in them. Raises SourceUnreadable."""
    parts = [Part(str(path), LICENSES) for path in paths]
    clock = zones.WallClock(where)
    seats = [one for part in parts for one in _seats(_lines(part), clock, Path(part.file).name)]
    return Contents([], parts, [], [], seats)


def _lines(part: Part) -> Iterator[Line]:
    """The lines of a license file that count seats."""
    text, first_lines = "", set()
    for _, line in lines(Path(part.file)):
        part.lines += 1
        text += line.strip().removesuffix("\\") + " "
        if line.rstrip().endswith("\\"):
            continue
        match = LINE.match(text.strip())
        text = ""
        if match is None or match["count"] == "uncounted" or not number(match["count"], MOST_LICENSES):
            continue
        key = match["vendor"], match["feature"]
        if match["kind"] == "INCREMENT" or key not in first_lines:
            started = START.search(match["rest"])
            yield Line(*key, int(match["count"]), _day(started[1]) if started else None, _day(match["expires"]))
        if match["kind"] == "FEATURE":
            first_lines.add(key)


def _day(text: str) -> date | None:
    """The day of `30-dec-2025`; None for `permanent` and for the year 0, which mean for ever."""
    match = DAY.fullmatch(text)
    if match is None or match[2].lower() not in MONTHS:
        return None
    try:
        day = date(int(match[3]), MONTHS.index(match[2].lower()) + 1, int(match[1]))
    except ValueError:
        return None
    return day if FIRST_YEAR <= day.year <= LAST_YEAR else None


def _seats(counted: Iterator[Line], clock: zones.WallClock, server: str) -> Iterator[Seats]:
    """How many seats of each feature there are from each time on at which their number changes."""
    changes: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for line in counted:
        own = changes[line.product, line.feature]
        own[SINCE_EVER if line.first is None else _begin(line.first, clock)] += line.seats
        if line.last is not None:
            own[_begin(line.last + timedelta(days=1), clock)] -= line.seats
    for (product, feature), own in changes.items():
        seats = 0
        for at in sorted(own):
            seats += own[at]
            yield Seats(server, product, feature, at, seats, None, SOURCE)


def _begin(day: date, clock: zones.WallClock) -> int:
    """When a day begins, in whole microseconds since 1970 UTC."""
    return clock.utc((datetime(day.year, day.month, day.day) - datetime(1970, 1, 1)) // timedelta(seconds=1))[0]  # noqa: DTZ001
