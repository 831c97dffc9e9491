"""A FlexNet debug log with its days: lines and clocks become UTC."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from checkout_log.sources import zones
from checkout_log.sources.common import Flags, Numbers
from checkout_log.sources.flexnet import dating
from checkout_log.sources.flexnet.scanning import Scan
from checkout_log.sources.named_zones import Taken


@dataclass(frozen=True)
class Dated:
    """A file with its days.

    zone: that its clock shows. begin, end: whole microseconds UTC of its first and last line. local_begin, local_end: the same as local seconds since 1970.
    """

    scan: Scan
    days: dating.Calendar
    zone: Taken
    turns: tuple[zones.Turn, ...]
    begin: int
    end: int
    local_begin: int
    local_end: int

    def utc(self, lines: Numbers, clocks: Numbers) -> tuple[Numbers, Flags]:
        """Whole microseconds UTC of these lines, and which of them are uncertain."""
        local, is_other_day = self.days.local(lines, clocks)
        utc, is_other_hour = _utc(self.scan, local, lines, self.turns, self.zone)
        return utc, is_other_day | is_other_hour

    def utc_of(self, line: int, clock: int) -> int:
        """Whole microseconds UTC of one line."""
        return int(self.utc(np.array([line]), np.array([clock]))[0][0])

    def rows(self) -> Iterator[pa.RecordBatch]:
        """Its uses, in batches with the schema `flexnet.RAW`."""
        with pa.OSFile(str(self.scan.rows)) as source:
            reader = pa.ipc.open_file(source)
            for at in range(reader.num_record_batches):
                yield reader.get_batch(at)


def dated(scan: Scan, days: dating.Calendar, zone: Taken) -> Dated:
    """A file that has lines with a time, with these days and in this zone."""
    turns, (lines, clocks) = _turns(scan, days), _edges(scan)
    local, _ = days.local(lines, clocks)
    times, _ = _utc(scan, local, lines, turns, zone)
    return Dated(scan, days, zone, turns, int(times.min()), int(times.max()), int(local.min()), int(local.max()))


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


def _edges(scan: Scan) -> tuple[Numbers, Numbers]:
    """Lines and clocks among which the first and last of the file are: in pieces joined wrongly it need not be the outer ones."""
    places = [placed for placed in (scan.first, *scan.marks, scan.last) if placed is not None]
    return np.array([placed.line for placed in places]), np.array([placed.clock for placed in places])
