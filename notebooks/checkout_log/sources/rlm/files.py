"""RLM's logs as events: report logs of all three styles, and debug logs of ISV servers.

`product` is the ISV and `feature` the product, as vendor daemon and feature are with FlexNet. Times are the server's clock.

Each report log begins anew, with START. The server went on running if the new log says that it was switched to or lists
licenses in use; otherwise START is a new run. A license in use whose checkout was not seen is a checkout of uncertain time.
A roaming license is a borrow for the days it says. Denials after which the application tries again are none.

A report log says how far its clock is from UTC, and not when clocks are set: where that is not so in the zone that was given, it
is counted as disagreeing, and times are those of the zone that was given.

A debug log has no year at all: it is taken to be the last one in which its last line is not later than the file itself. Where the
file was written on in the days after that line nothing else is likely; else it may be a copy, and every event is flagged.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checkout_log.columns import DENIAL, EVENTS, names
from checkout_log.sources import overlaps, zones
from checkout_log.sources.common import HOUR, MINUTE
from checkout_log.sources.part import RLM_DEBUG, RLM_REPORT, Contents, Part, covered, joined
from checkout_log.sources.rlm import lines as grammar
from checkout_log.sources.rlm.days import possible_day
from checkout_log.sources.rlm.history import History, Reading
from checkout_log.sources.rlm.lines import Record, Unread
from checkout_log.sources.text import lines
from checkout_log.store import EventFile, Seats

# Lines of two files that tell of the same event are equal but for their number.
TELLING = [name for name in names(EVENTS) if name != "line"]
# Half a year: so far does no silence reach, and a date that goes back further is one of the next year.
HALF_A_YEAR = 180
# A server writes into its debug log every night: a file that was last changed so soon after its last line is the server's own.
OWN = timedelta(days=7)
# Number of the line, the ISV where the line itself names it, and what it says.
Entry = tuple[int, str | None, Record]


def read(
    paths: Sequence[tuple[Path, str]],
    folder: Path,
    where: ZoneInfo,
    first_segment: int,
    first_era: int,
    advance: Callable[[int], None],
) -> Contents:
    """What these logs say, each a path and its kind, with their events in one file in the folder. Raises SourceUnreadable."""
    known = [(_first_day(path, kind), path, kind) for path, kind in paths]
    history = History(zones.WallClock(where), itertools.count(first_era))
    written: list[tuple[Part, Path]] = []
    for at, ((day, is_certain), path, kind) in enumerate(sorted(known, key=lambda one: one[0][0] or date.max)):
        target, part = folder / f"rlm_{at}.parquet", Part(str(path), kind)
        with EventFile(target) as events:
            events.add_rows(_rows(part, day, history, first_segment + at, is_certain=is_certain))
        part.holds(events.tally)
        written.append((part, target))
        advance(path.stat().st_size)
    target = folder / "rlm.parquet"
    overlaps.one_file(written, target, TELLING)
    parts = [part for part, _ in written]
    eras = [row for site in history.sites.values() for row in site.server.rows()]
    seats = [
        Seats(f"{isv}@{host or ''}", isv, product, at, count, None, "rlm")
        for (host, isv, product, at), count in history.seats.items()
    ]
    return Contents([target], parts, eras, joined(covered(parts), HOUR * zones.SECOND), seats)


def _rows(part: Part, day: date | None, history: History, segment: int, *, is_certain: bool) -> Iterator[tuple[object, ...]]:
    """The events of one log, in the order of its lines."""
    reading = Reading(history, part, day, segment, is_certain=is_certain)
    minutes_west: set[int] = set()
    entries = _entries(part, minutes_west)
    for number, isv, record in _explained(entries) if part.kind == RLM_DEBUG else entries:
        try:
            yield from reading.take(isv, record, number)
        except Unread:
            part.malformed += 1
    yield from reading.rest(is_doubtful=False)
    part.disagreeing = reading.disagreeing + sum(not history.clock.can_be_behind(west * MINUTE, day) for west in minutes_west)


def _entries(part: Part, minutes_west: set[int]) -> Iterator[Entry]:
    """The lines of one log that say something; counts them, and notes how far they say that the clock is behind UTC."""
    for number, line in lines(Path(part.file)):
        part.lines += 1
        if part.kind == RLM_REPORT and (west := grammar.minutes_west(line.strip())) is not None:
            minutes_west.add(west)
        try:
            entry = _entry(line.strip(), part.kind)
        except Unread:
            part.malformed += 1
        else:
            if entry is not None:
                yield number, *entry


def _entry(line: str, kind: str) -> tuple[str | None, Record] | None:
    """The ISV, where the line itself names it, and the record in a line."""
    if kind == RLM_DEBUG:
        return grammar.debug(line)
    record = grammar.report(line)
    return None if record is None else (None, record)


def _explained(entries: Iterable[Entry]) -> Iterator[Entry]:
    """The lines of a debug log, each denial with the reason that stands in the line after it."""
    waiting: Entry | None = None
    for entry in entries:
        _, isv, record = entry
        if record.kind == grammar.DETAIL:
            if waiting is not None and isv in (None, waiting[1]):
                yield waiting[0], waiting[1], waiting[2]._replace(reason=record.reason)
                waiting = None
            if record.month is not None:
                yield entry[0], isv, record._replace(kind=grammar.STAMP)
            continue
        if waiting is not None:
            yield waiting
        waiting = entry if record.kind == DENIAL and record.reason is None else None
        if waiting is None:
            yield entry
    if waiting is not None:
        yield waiting


def _first_day(path: Path, kind: str) -> tuple[date | None, bool]:
    """The day of the first line of a log, as far as anything says its year, and whether that is certain."""
    return (_first_full_day(path), True) if kind == RLM_REPORT else _first_day_before(path, _changed_on(path))


def _first_full_day(path: Path) -> date | None:
    for _, line in lines(path):
        try:
            record = grammar.report(line.strip())
        except Unread:
            continue
        if record is not None and record.year is not None:
            return possible_day(record.year, record.month or 0, record.day or 0)
    return None


def _changed_on(path: Path) -> date:
    """The day after the file was last written, so that no zone makes its last line later."""
    return (datetime.fromtimestamp(path.stat().st_mtime, UTC) + timedelta(days=1)).date()


def _first_day_before(path: Path, changed: date) -> tuple[date | None, bool]:
    """The first day of a log without years that ends on or before a day, and whether it ends so soon before it that this is certain."""
    first: tuple[int, int] | None = None
    last, years = (0, 0), 0
    for _, line in lines(path):
        match = grammar.DEBUG_LINE.match(line.strip())
        if match is None:
            continue
        now = int(match["month"]), int(match["day"])
        first = first or now
        years += (last[0] - now[0]) * 30 + last[1] - now[1] > HALF_A_YEAR
        last = now
    if first is None:
        return None, False
    year = changed.year - (last > (changed.month, changed.day))
    ends = possible_day(year, *last)
    return possible_day(year - years, *first), ends is not None and changed - ends <= OWN
