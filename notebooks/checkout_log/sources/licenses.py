"""License files of FlexNet, as far as they say how many seats there are and what counts as one.

`FEATURE|INCREMENT feature vendor version expires count key ...`, with a backslash where a line goes on. Of several FEATURE lines of one
feature the first counts; INCREMENT lines add up. `count` is `uncounted` or 0 where nothing is counted. START= and the day of expiry say
from when to when a line counts; days are those of the server's zone. DUP_GROUP= says which checkouts share a license (`measuring.duplicates`), and
BORROW[=hours] that they may be borrowed, and for how long at most.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from checkout_log.sources import zones
from checkout_log.sources.common import FIRST_YEAR, LAST_YEAR, MOST_LICENSES
from checkout_log.sources.part import LICENSES, Contents, Part
from checkout_log.sources.text import lines, number
from checkout_log.store import Option, Seats

SIGN = re.compile(r"^[ \t]{0,40}(?:FEATURE|INCREMENT)(?:[ \t]+\S+){4}[ \t]+(?:\d+|uncounted)\b", re.MULTILINE)
LINE = re.compile(
    r"(?P<kind>FEATURE|INCREMENT)\s+(?P<feature>\S+)\s+(?P<vendor>\S+)\s+\S+\s+(?P<expires>\S+)\s+(?P<count>\d+|uncounted)\b(?P<rest>.*)"
)
START = re.compile(r"\bSTART=(\S+)")
DAY = re.compile(r"(\d{1,2})-([a-z]{3})-(\d{1,4})", re.IGNORECASE)
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
GROUPED = re.compile(r"\bDUP_GROUP=\"?([A-Za-z]+)")
BORROWED = re.compile(r"\bBORROW\b(?:=(\d+))?")
# What BORROW alone means.
USUAL_BORROW_HOURS = 168
SOURCE = "license-file"
SINCE_EVER = 0


class Line(NamedTuple):
    """So many seats of a feature, from a day to another; None: since ever, for ever."""

    product: str
    feature: str
    seats: int
    first: date | None
    last: date | None
    dup_group: str | None
    borrow_hours: int | None


def read(paths: Sequence[Path], where: ZoneInfo) -> Contents:
    """What these license files say; there are no events in them. Raises SourceUnreadable."""
    contents = Contents(parts=[Part(str(path), LICENSES) for path in paths])
    clock = zones.WallClock(where)
    for part in contents.parts:
        counted = list(_lines(part))
        contents.seats += _seats(counted, clock, Path(part.file).name)
        contents.options += dict.fromkeys(option for line in counted for option in _options(line))
    return contents


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
            yield _line(match)
        if match["kind"] == "FEATURE":
            first_lines.add(key)


def _line(match: re.Match[str]) -> Line:
    rest = match["rest"]
    started, grouped, borrowed = START.search(rest), GROUPED.search(rest), BORROWED.search(rest)
    hours = number(borrowed[1] or str(USUAL_BORROW_HOURS), MOST_LICENSES) if borrowed else None
    first, last = _day(started[1]) if started else None, _day(match["expires"])
    return Line(match["vendor"], match["feature"], int(match["count"]), first, last, grouped[1] if grouped else None, hours)


def _options(line: Line) -> Iterator[Option]:
    if line.dup_group is not None:
        yield Option(line.product, line.feature, "dup-group", None, None, line.dup_group, None, SINCE_EVER, SOURCE)
    if line.borrow_hours is not None:
        yield Option(line.product, line.feature, "borrow", line.borrow_hours, None, None, None, SINCE_EVER, SOURCE)


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


def _seats(counted: Iterable[Line], clock: zones.WallClock, server: str) -> Iterator[Seats]:
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
