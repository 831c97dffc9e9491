"""Files of `lmstat -a` outputs as snapshots, in the order of their times and without holding more than a few at once."""

from __future__ import annotations

import heapq
from collections import defaultdict
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
# In the place of the start of what the server counts and does not list: nobody says since when.
UNLISTED = datetime(1, 1, 1)  # noqa: DTZ001 - local, as all starts


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
class Total:
    """What the server says of a feature in all: the line, the vendor daemon, and its licenses; those reserved count as in use."""

    line: int
    product: str
    feature: str
    issued: int = 0
    in_use: int = 0
    reserved: int = 0


@dataclass(slots=True)
class Snapshot:
    """One output: number and line of its file, its local time, the servers it asked, and its vendor daemons.

    users: who holds or waits for what, with line and row, by what tells them apart. is_telling: it lists features.
    section: the vendor daemons whose features come next: each is named above its own features, or all are above those of all.
    totals: of each feature, one that stands twice for one vendor daemon has its licenses in two pools.
    disagreeing: of how many features the total is another than what is listed.
    """

    file: int
    line: int
    at: datetime
    servers: str = ""
    daemons: list[str] = field(default_factory=list)
    section: list[str] = field(default_factory=list)
    is_in_section: bool = False
    is_telling: bool = False
    users: dict[Key, tuple[int, grammar.Row]] = field(default_factory=dict)
    totals: list[Total] = field(default_factory=list)
    disagreeing: int = 0

    @property
    def products(self) -> frozenset[str]:
        """The vendor daemons that it tells of."""
        return frozenset({*self.daemons, *(key.product for key in self.users)}) if self.is_telling else frozenset()

    @property
    def completed(self) -> Snapshot:
        """Itself, with one total for each feature, and a use of nobody for what the server says is in use and does not list."""
        self.totals = _joined(self.totals)
        in_use: dict[tuple[str, str], int] = defaultdict(int)
        for key, (_, row) in self.users.items():
            in_use[key.product, key.feature] += row.quantity if key.start is not None else 0
        for total in self.totals:
            missing = total.in_use - total.reserved - in_use[total.product, total.feature]
            self.disagreeing += missing != 0
            if missing > 0:
                row = grammar.Row("", "", "", "", missing, self.at, None, is_doubtful=True, is_ahead=False)
                self.users[Key(total.product, total.feature, "", "", "", "", UNLISTED)] = (total.line, row)
        return self


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
                yield now.completed
            now, feature, product = Snapshot(number, line_number, at), UNKNOWN, UNKNOWN
        elif now is not None:
            if (match := grammar.FEATURE.match(line)) is not None:
                feature, product = match[1], now.section[0] if now.section else UNKNOWN
                _count(now, product, feature, line_number, line)
            elif (match := grammar.VENDOR.match(line)) is not None:
                product = match[1]
                if now.totals and now.totals[-1].feature == feature:
                    now.totals[-1].product = product
            elif grammar.ROW_LIKE.search(line) is not None:
                part.malformed += not _take(now, product, feature, line_number, line)
            else:
                _head(now, line, feature)
    if now is not None:
        yield now.completed


def _count(now: Snapshot, product: str, feature: str, number: int, line: str) -> None:
    """Takes the total of a feature."""
    now.is_telling = now.is_in_section = True
    match = grammar.TOTAL.search(line)
    if match is not None:
        now.totals.append(Total(number, product, feature, int(match[1]), int(match[2])))


def _joined(totals: Sequence[Total]) -> list[Total]:
    """One total for each feature of each vendor daemon: the sum of those of its pools."""
    joined: dict[tuple[str, str], Total] = {}
    for total in totals:
        whole = joined.setdefault((total.product, total.feature), Total(total.line, total.product, total.feature))
        whole.issued += total.issued
        whole.in_use += total.in_use
        whole.reserved += total.reserved
    return list(joined.values())


def _head(now: Snapshot, line: str, feature: str) -> None:
    """Takes what a line says that is about no user: servers and vendor daemons, and what is reserved of a feature."""
    if (match := grammar.SERVERS.match(line)) is not None:
        now.servers = match[1]
    elif (match := grammar.DAEMON.fullmatch(line.rstrip())) is not None:
        now.daemons.append(match[1])
        now.section = [match[1]] if now.is_in_section else [*now.section, match[1]]
        now.is_in_section = False
    elif (match := grammar.RESERVED.match(line)) is not None and now.totals and now.totals[-1].feature == feature:
        now.totals[-1].reserved += int(match[1])


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
