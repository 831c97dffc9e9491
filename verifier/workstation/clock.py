"""What time this machine says it is, for how long it has run, and when its days end.

Whether to believe it is the core's to judge (`verifier.core.clock`; `verifier.core.steps`, step 6).
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from datetime import date, datetime, timedelta
from pathlib import Path

from verifier.core.clock import Reading
from verifier.core.times import LAST_SECOND, counted, timestamp
from verifier.errors import ClockInDoubt


def wall_seconds(now: datetime | None = None) -> int:
    """Seconds since 1970 UTC of the given aware time, else of the machine's clock.

    Raises ClockInDoubt when the clock shows no time of the calendar, ValueError when the given time has no zone.
    """
    if now is not None:
        return timestamp(now)
    try:
        wall = int(time.time())
    except OverflowError as error:
        # Python counts nanoseconds in 64 bits.
        raise ClockInDoubt("this machine's clock is beyond the year 2261, which no license reaches") from error
    if not 0 <= wall <= LAST_SECOND:
        raise ClockInDoubt(
            f"this machine's clock is {counted(wall, 'second')} from 1970, which no calendar shows", clock_seconds=wall
        )
    return wall


def reading(now: datetime | None = None) -> Reading:
    """The machine's clock, which start of the machine this is, and for how many seconds it has run.

    Of a time that is given nothing else is known. Raises ClockInDoubt and ValueError as `wall_seconds` does.
    """
    return Reading(wall_seconds(now)) if now is not None else Reading(wall_seconds(), _boot(), _ticks())


if sys.platform == "win32":
    import ctypes
    import winreg

    # Windows counts its starts here for its own prefetching; where it does not, the count of seconds tells most of them apart.
    STARTS = r"SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management\PrefetchParameters"

    def _boot() -> str | None:
        with contextlib.suppress(OSError), winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, STARTS) as key:
            return str(winreg.QueryValueEx(key, "BootId")[0])
        return None

    def _ticks() -> int | None:
        # Not time.monotonic(): from Python 3.13 on it asks another counter, which stands still while the machine sleeps.
        count = ctypes.WinDLL("kernel32").GetTickCount64
        count.restype = ctypes.c_ulonglong
        return int(count()) // 1000

else:
    BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
    # Both go on while the machine sleeps: on Linux the first, on macOS the second.
    COUNT = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)

    def _boot() -> str | None:
        with contextlib.suppress(OSError):
            return BOOT_ID.read_bytes().decode("ascii", "replace").strip()[:64] or None
        return None

    def _ticks() -> int | None:
        return int(time.clock_gettime(COUNT))


def end_of_day(day: date) -> int:
    """Seconds since 1970 UTC of the end of a day in this machine's time zone: the second after which the day is over for good.

    Where clocks are set at midnight that is not always 24 hours after the beginning, nor a time called 00:00: before summer time
    the day may be followed by 01:00 of the next, before winter time its last hour may come twice. A day that the calendar of the
    zone leaves out ends where it would have begun. Raises OverflowError or ValueError for a day so late that this system cannot tell
    its end: the last that dates can have, and on Windows each after the year 3000.
    """
    try:
        return _end_of_day(day)
    except OSError as error:
        raise OverflowError(f"this system has no local time on {day}") from error


def _end_of_day(day: date) -> int:
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
