"""What time this machine says it is, and when its days end. Whether to believe it is the core's to judge (`verifier.core.steps`, step 6)."""

from __future__ import annotations

import math
import time
from datetime import date, datetime, timedelta

from verifier.core.reading import LAST_SECOND
from verifier.core.times import timestamp
from verifier.errors import ClockInDoubt


def wall_seconds(now: datetime | None = None) -> int:
    """Seconds since 1970 UTC of the given aware time, else of the machine's clock.

    Raises ClockInDoubt when the clock shows no time of the calendar, ValueError when the given time has no zone.
    """
    if now is not None:
        return timestamp(now)
    wall = int(time.time())
    if not 0 <= wall <= LAST_SECOND:
        raise ClockInDoubt(f"this machine's clock is {wall} seconds from 1970, which no calendar shows", clock_seconds=wall)
    return wall


def end_of_day(day: date) -> int:
    """Seconds since 1970 UTC of the end of a day in this machine's time zone: the second after which the day is over for good.

    Where clocks are set at midnight that is not always 24 hours after the beginning, nor a time called 00:00: before summer time
    the day may be followed by 01:00 of the next, before winter time its last hour may come twice. A day that the calendar of the
    zone leaves out ends where it would have begun. Raises OverflowError or ValueError for the last day that dates can have.
    """
    midnight = datetime.combine(day + timedelta(days=1), datetime.min.time())
    # PEP 495: a time that comes twice is the first and the second of its kind; one that never comes is read by the clock
    # before and the clock after the change, which enclose the change.
    begin, end = sorted(math.floor(midnight.replace(fold=fold).timestamp()) for fold in (0, 1))
    if _day_at(end - 1) <= day:
        return end
    before = begin - 1
    while end - before > 1:
        middle = (before + end) // 2
        before, end = (middle, end) if _day_at(middle) <= day else (before, middle)
    return end


def _day_at(seconds: int) -> date:
    return datetime.fromtimestamp(seconds).date()  # noqa: DTZ006 - the day on this machine's wall
