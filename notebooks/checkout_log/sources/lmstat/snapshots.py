"""Files of `lmstat -a` outputs as snapshots, in the order of their times and without holding more than a few at once."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from checkout_log.sources.lmstat import rows as grammar
from checkout_log.sources.part import Part
from checkout_log.sources.text import lines

# Feature or vendor daemon that no line names.
UNKNOWN = "unknown"


class Key(NamedTuple):
    """What tells one use in a snapshot from another; `start` is local, None for somebody who waits."""

    product: str
    feature: str
    member: str
    machine: str
    display: str
    handle: str
    start: datetime | None


@dataclass(slots=True)
class Snapshot:
    """One output: number and line of its file, its local time, the servers it asked, and its vendor daemons.

    users: who holds or waits for what, with line and row, by what tells them apart. is_telling: it lists features.
    """

    file: int
    line: int
    at: datetime
    servers: str = ""
    daemons: list[str] = field(default_factory=list)
    is_telling: bool = False
    users: dict[Key, tuple[int, grammar.Row]] = field(default_factory=dict)

    @property
    def products(self) -> frozenset[str]:
        """The vendor daemons that it tells of."""
        return frozenset({*self.daemons, *(key.product for key in self.users)}) if self.is_telling else frozenset()


def in_order(parts: Sequence[Part]) -> Iterator[Snapshot]:
    """The snapshots of these files, the earliest first; what is read is counted in the parts. Raises SourceUnreadable."""
    times = [_times(part) for part in parts]
    waiting = [(own[0], number) for number, own in enumerate(times) if own]
    heapq.heapify(waiting)
    reading: dict[int, Iterator[Snapshot]] = {}
    ahead: dict[int, Snapshot] = {}
    while waiting:
        _, number = heapq.heappop(waiting)
        if number not in reading:
            looks = snapshots(parts[number], number)
            # A file whose snapshots are out of order is read as a whole.
            reading[number] = looks if times[number] == sorted(times[number]) else iter(sorted(looks, key=lambda one: one.at))
            ahead[number] = next(reading[number])
        yield ahead.pop(number)
        following = next(reading[number], None)
        if following is not None:
            ahead[number] = following
            heapq.heappush(waiting, (following.at, number))


def _times(part: Part) -> list[datetime]:
    stated = (grammar.snapshot_time(line) for _, line in lines(Path(part.file)))
    return [at for at in stated if at is not None]


def snapshots(part: Part, number: int) -> Iterator[Snapshot]:
    """The snapshots of one file, as they stand in it."""
    now: Snapshot | None = None
    feature = product = UNKNOWN
    for line_number, line in lines(Path(part.file)):
        part.lines += 1
        at = grammar.snapshot_time(line)
        if at is not None:
            if now is not None:
                yield now
            now, feature, product = Snapshot(number, line_number, at), UNKNOWN, UNKNOWN
        elif now is not None:
            if (match := grammar.FEATURE.match(line)) is not None:
                feature, product = match[1], now.daemons[0] if now.daemons else UNKNOWN
                now.is_telling = True
            elif (match := grammar.VENDOR.match(line)) is not None:
                product = match[1]
            elif grammar.ROW_LIKE.search(line) is not None:
                part.malformed += not _take(now, product, feature, line_number, line)
            else:
                _head(now, line)
    if now is not None:
        yield now


def _head(now: Snapshot, line: str) -> None:
    """Takes what the head of a snapshot says about servers and vendor daemons."""
    if (match := grammar.SERVERS.match(line)) is not None:
        now.servers = match[1]
    elif (match := grammar.DAEMON.fullmatch(line.rstrip())) is not None:
        now.daemons.append(match[1])


def _take(now: Snapshot, product: str, feature: str, number: int, line: str) -> bool:
    """Takes the user in this line; whether it could be read."""
    row = grammar.row(line, now.at)
    if row is None:
        return False
    key = Key(product, feature, row.member, row.machine, row.display, row.handle, row.start)
    if key in now.users:
        row = row._replace(quantity=row.quantity + now.users[key][1].quantity)
    now.users[key] = (number, row)
    now.is_telling = True
    return True
