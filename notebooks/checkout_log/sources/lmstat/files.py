"""Outputs of `lmstat -a`, one or many, as events.

A snapshot lists who holds what since when; what changed from one to the next are the events (`changes`). Of a vendor daemon that
was down or did not answer a snapshot says nothing: nobody is gone because of it.

`linger` marks a borrow, and counts from the start. When the license server starts again the start is set anew and the count
no longer tells when the borrow is due: a borrow that was seen before keeps the due time it had, another has none.

A start that is later than its snapshot says that there are two clocks: the event is flagged, and counted as disagreeing.

The server also says how many licenses of a feature are issued and in use. Where more are in use than it lists and reserves, the
rest is a use of nobody, of uncertain time; where the total is another than what is listed, this is counted as disagreeing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from checkout_log.columns import BORROW, CHECKOUT, SESSION
from checkout_log.errors import SourceNotRecognized
from checkout_log.sources import zones
from checkout_log.sources.lmstat.changes import Change, Server, changes, seconds
from checkout_log.sources.lmstat.snapshots import Snapshot, in_order
from checkout_log.sources.part import LMSTAT, Contents, Part, joined
from checkout_log.sources.text import lines
from checkout_log.store import EventFile, Seats

# How a line begins in which lmstat says that it was not answered.
FAILED = re.compile(r"\s*(?:Error|Cannot)\b")


def read(paths: Sequence[Path], folder: Path, where: ZoneInfo, first_segment: int, advance: Callable[[int], None]) -> Contents:
    """What these snapshots say, with their events in one file in the folder. Raises SourceUnreadable."""
    parts = [Part(str(path), LMSTAT) for path in paths]
    servers: dict[str, Server] = {}
    seats: list[Seats] = []
    target = folder / "lmstat.parquet"
    with EventFile(target) as events:
        events.add_rows(_rows(parts, servers, seats, where, first_segment))
    for path in paths:
        advance(path.stat().st_size)
    spans = [(product, one.begin, one.end) for one in servers.values() for product in one.products if one.begin is not None]
    return Contents([target], parts, [], joined(spans, 0), seats)


def _rows(
    parts: Sequence[Part], servers: dict[str, Server], seats: list[Seats], where: ZoneInfo, first_segment: int
) -> Iterator[tuple[object, ...]]:
    clock = zones.WallClock(where)
    for snapshot in in_order(parts):
        server, part = servers.setdefault(snapshot.servers, Server()), parts[snapshot.file]
        now, is_double = clock.utc(seconds(snapshot.at))
        for change in changes(server, snapshot, now, clock):
            part.rows += 1
            part.ambiguous += change.is_ambiguous or is_double
            part.disagreeing += change.event == CHECKOUT and change.held.row.is_ahead
            yield _row(change, first_segment + snapshot.file, is_double=is_double)
        part.disagreeing += snapshot.disagreeing
        seats += _seats(server, snapshot, now)
        server.products |= snapshot.products
        part.server, part.products = part.server or snapshot.servers or None, part.products | snapshot.products
        if snapshot.is_telling:
            server.begin, server.end = now if server.begin is None else server.begin, max(now, server.end)
            part.begin, part.end = now if part.begin is None else min(part.begin, now), max(part.end or now, now)


def nothing_listed(path: Path) -> SourceNotRecognized:
    """What to say of an output that lists no feature: the server's words, where it said why. Raises SourceUnreadable."""
    words = next((line.strip() for _, line in lines(path) if FAILED.match(line) is not None), None)
    return SourceNotRecognized(
        f'"{path}" is an output of lmstat that lists no features' + (f": {words.rstrip('.')}" if words else ""),
        hint="Give one of lmstat -a that was made while the license server answered.",
    )


def _seats(server: Server, snapshot: Snapshot, now: int) -> Iterator[Seats]:
    """What this snapshot says of seats that the one before it did not."""
    for total in snapshot.totals:
        said = total.issued, total.in_use - total.reserved
        if server.totals.get((total.product, total.feature)) != said:
            server.totals[total.product, total.feature] = said
            yield Seats(snapshot.servers, total.product, total.feature, now, *said, LMSTAT)


def _row(change: Change, segment: int, *, is_double: bool) -> tuple[object, ...]:
    product, feature, member, machine, *_ = change.key
    mode = BORROW if change.held.row.linger is not None else SESSION
    who = (change.held.handle or None, product, feature, member or None, None, machine or None, None, None)
    ends = (change.quantity, change.held.until, change.reason, LMSTAT, change.line)
    return (change.at, change.event, mode, *who, *ends, segment, 0, change.is_ambiguous or is_double)
