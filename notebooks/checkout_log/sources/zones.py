"""The clock on the server's wall becomes UTC, also in the hour that comes twice and in the one that never comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from checkout_log.sources.common import DAY, LATE, MINUTE, Flags, Numbers

# In microseconds.
SECOND = 1_000_000
# Clocks are set at full quarters of an hour.
QUARTER = 15 * MINUTE
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Turn:
    """Two lines after one another, in local seconds since 1970, and the line number of the second."""

    line: int
    before: int
    after: int


def utc(local: Numbers, lines: Numbers, turns: Sequence[Turn], where: ZoneInfo) -> tuple[Numbers, Flags]:
    """Local seconds since 1970 as whole microseconds UTC, and which of them could have been an hour earlier or later.

    In the hour that comes twice the order of lines decides: what stands before the one step back in it came first. Without
    such a step it may have been either. A time that never came is taken as if the clock had not been set, and flagged.
    """
    first, second = _offsets(local, where)
    is_double, is_missing = first > second, first < second
    is_second, is_known = _pass(local, lines, is_double, turns, where)
    offsets = np.where(is_double & is_second, second, first)
    return (local - offsets) * SECOND, is_missing | (is_double & ~is_known)


class WallClock:
    """The clock of one zone for single times; what it knows of a quarter of an hour it keeps."""

    def __init__(self, where: ZoneInfo) -> None:
        self._where = where
        self._known: dict[int, tuple[int, int]] = {}

    def utc(self, local: int) -> tuple[int, bool]:
        """Local seconds since 1970 as whole microseconds UTC, and whether it could have been an hour earlier or later."""
        quarter = local // QUARTER
        if quarter not in self._known:
            wall = datetime(1970, 1, 1) + timedelta(seconds=quarter * QUARTER)  # noqa: DTZ001
            first, second = (_ahead(wall.replace(tzinfo=self._where, fold=fold)) for fold in (0, 1))
            self._known[quarter] = first, second
        first_ahead, second_ahead = self._known[quarter]
        return (local - first_ahead) * SECOND, first_ahead != second_ahead

    def can_be_behind(self, seconds: int, day: date | None) -> bool:
        """Whether this clock is so many seconds behind UTC at some time of the year of this day; unknown days are of any year."""
        months = [datetime(day.year, month, 15) for month in range(1, 13)] if day is not None else []  # noqa: DTZ001
        return not months or any(_ahead(at.replace(tzinfo=self._where)) == -seconds for at in months)


def _offsets(local: Numbers, where: ZoneInfo) -> tuple[Numbers, Numbers]:
    """The seconds that local time is ahead of UTC, at the first and at the second time that the clock shows this."""
    quarters, at = np.unique(local // QUARTER, return_inverse=True)
    naive = [datetime(1970, 1, 1) + timedelta(seconds=int(quarter) * QUARTER) for quarter in quarters]  # noqa: DTZ001
    ahead = [[_ahead(value.replace(tzinfo=where, fold=fold)) for value in naive] for fold in (0, 1)]
    first, second = np.array(ahead, dtype=np.int64)
    return first[at], second[at]


def _ahead(value: datetime) -> int:
    offset = value.utcoffset()
    return 0 if offset is None else round(offset.total_seconds())


def _pass(
    local: Numbers, lines: Numbers, is_double: Flags, turns: Sequence[Turn], where: ZoneInfo
) -> tuple[Flags, npt.NDArray[np.bool_]]:
    """For times that come twice: which are of the second time, and of which this is known."""
    is_second, is_known = np.zeros(len(local), dtype=bool), np.zeros(len(local), dtype=bool)
    for day in np.unique(local[is_double] // DAY):
        there = is_double & (local // DAY == day)
        back = _one_step_back([turn for turn in turns if turn.after // DAY == day], where)
        if back is not None:
            is_second[there] = lines[there] >= back.line
            is_known[there] = True
    return is_second, is_known


def _one_step_back(turns: Sequence[Turn], where: ZoneInfo) -> Turn | None:
    """The step from the first to the second of two equal hours, where it shows and nothing else could be meant."""
    inside = [turn for turn in turns if _is_double(turn.before, where) and _is_double(turn.after, where)]
    back = [turn for turn in inside if turn.before - turn.after > LATE]
    # A step forward of nearly the whole hour may be a line of the first hour that was written late.
    late = [turn for turn in inside if turn.after - turn.before > _doubled(turn.after, where) - 2 * LATE]
    return back[0] if len(back) == 1 and not late else None


def _is_double(local: int, where: ZoneInfo) -> bool:
    return _doubled(local, where) > 0


def _doubled(local: int, where: ZoneInfo) -> int:
    """How many seconds of local time come twice around this one; 0 where it comes once."""
    first, second = _offsets(np.array([local], dtype=np.int64), where)
    return int(first[0] - second[0])
