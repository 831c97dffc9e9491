"""A FlexNet debug log with its days: lines and clocks become UTC.

A file may hold several: rotated ones that were joined in another order, or one of them twice. Then each piece counts as a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pyarrow as pa

from checkout_log.sources import zones
from checkout_log.sources.common import Flags, Numbers
from checkout_log.sources.flexnet import dating
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.scanning import Place, Placed, Scan
from checkout_log.sources.named_zones import Taken

# Lines that go back more often than this are of several servers, one between the other, and not of files that were joined.
MOST_PIECES = 100
# Greater than the number of any line.
_BEYOND = 2**62


@dataclass(frozen=True)
class Dated:
    """A file with its days, or a piece of one.

    zone: that its clock shows. lines: the first line, and the first that is of another piece. begin, end: whole microseconds UTC of
    its first and last line. local_begin, local_end: the same as local seconds since 1970.
    """

    scan: Scan
    days: dating.Calendar
    zone: Taken
    turns: tuple[zones.Turn, ...]
    lines: tuple[int, int]
    begin: int
    end: int
    local_begin: int
    local_end: int

    @property
    def is_first(self) -> bool:
        """Whether it is the whole file, or its first piece."""
        return not self.lines[0]

    @property
    def marks(self) -> list[Placed]:
        """What its lines say about the server. That a forked daemon starts or stops says nothing of its parent."""
        first, beyond = self.lines
        own = (placed for placed in self.scan.marks if first <= placed.line < beyond)
        return [one for one in own if one.mark.daemon not in self.scan.parents or one.mark.kind == grammar.STAMP]

    def utc(self, lines: Numbers, clocks: Numbers) -> tuple[Numbers, Flags]:
        """Whole microseconds UTC of these lines, and which of them are uncertain."""
        local, is_other_day = self.days.local(lines, clocks)
        utc, is_other_hour = _utc(self.scan, local, lines, self.turns, self.zone)
        return utc, is_other_day | is_other_hour

    def utc_of(self, line: int, clock: int) -> int:
        """Whole microseconds UTC of one line."""
        return int(self.utc(np.array([line]), np.array([clock]))[0][0])

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Its uses, in batches with the schema `scanning.RAW`."""
        first, beyond = self.lines
        for batch in self.scan.batches():
            begin, end = np.searchsorted(batch["line"].to_numpy(), (first, beyond))
            if begin < end:
                yield batch.slice(begin, end - begin)

    @cached_property
    def uses(self) -> int:
        """How many rows it has."""
        return sum(batch.num_rows for batch in self.rows())

    @property
    def silences(self) -> list[dating.Silence]:
        """Where its lines are long apart, or go back."""
        first, beyond = self.lines
        return [one for one in dating.silences(self.scan, self.days) if first < one.line < beyond]

    def observed(self) -> list[tuple[int, int]]:
        """The times that it covers, in whole microseconds UTC: without the gaps in it, of which nobody knows what happened."""
        edges = [self.begin]
        for gap in dating.gaps(self.marks, self.silences, self.days):
            edges += [self.utc_of(gap.line - 1, gap.before), self.utc_of(gap.line, gap.after)]
        edges.append(self.end)
        return [(begin, end) for begin, end in zip(edges[::2], edges[1::2], strict=True) if begin <= end]


def dated(scan: Scan, days: dating.Calendar, zone: Taken) -> Dated:
    """A file that has lines with a time, with these days and in this zone."""
    return _piece(scan, days, zone, _turns(scan, days), (0, _BEYOND))


def pieces(one: Dated) -> list[Dated]:
    """The pieces of a file, each with lines in the order of time: several where files were joined in another order, or twice."""
    starts = [silence.line for silence in one.silences if silence.local_after - silence.local_before < -dating.DOUBTFUL_BACK]
    if not starts or len(starts) > MOST_PIECES:
        return [one]
    edges = [0, *starts, _BEYOND]
    return [_piece(one.scan, one.days, one.zone, one.turns, lines) for lines in pairwise(edges)]


def _piece(scan: Scan, days: dating.Calendar, zone: Taken, turns: tuple[zones.Turn, ...], within: tuple[int, int]) -> Dated:
    lines, clocks = _edges(scan, days, within)
    local, _ = days.local(lines, clocks)
    times, _ = _utc(scan, local, lines, turns, zone)
    ends = int(times.min()), int(times.max()), int(local.min()), int(local.max())
    return Dated(scan, days, zone, turns, within, *ends)


def _utc(scan: Scan, local: Numbers, lines: Numbers, turns: tuple[zones.Turn, ...], zone: Taken) -> tuple[Numbers, Flags]:
    """Whole microseconds UTC of local times: by the zone that the lines say, and where they say none, by the server's."""
    if not scan.ahead:
        utc, is_other_hour = zones.utc(local, lines, turns, zone.where)
        return utc, is_other_hour | zone.is_uncertain
    starts = np.array([one.line for one in scan.ahead], dtype=np.int64)
    ahead = np.array([one.seconds for one in scan.ahead], dtype=np.int64)
    last = np.maximum(np.searchsorted(starts, lines, side="right") - 1, 0)
    return (local - ahead[last]) * zones.SECOND, np.zeros(len(lines), dtype=bool)


def _turns(scan: Scan, days: dating.Calendar) -> tuple[zones.Turn, ...]:
    lines = np.array([step.line for step in scan.steps], dtype=np.int64)
    before, _ = days.local(lines - 1, np.array([step.before for step in scan.steps], dtype=np.int64))
    after, _ = days.local(lines, np.array([step.after for step in scan.steps], dtype=np.int64))
    return tuple(map(zones.Turn, lines.tolist(), before.tolist(), after.tolist()))


def _edges(scan: Scan, days: dating.Calendar, within: tuple[int, int]) -> tuple[Numbers, Numbers]:
    """Lines and clocks among which the first and last of these lines are: where times go back it need not be the outer ones."""
    ends = [
        Place(one.line - at, clock) for one in dating.silences(scan, days) for at, clock in ((1, one.before), (0, one.after))
    ]
    places = [place for place in (scan.first, *scan.marks, scan.last, *ends) if place is not None]
    inside = [place for place in places if within[0] <= place.line < within[1]]
    return np.array([place.line for place in inside]), np.array([place.clock for place in inside])
