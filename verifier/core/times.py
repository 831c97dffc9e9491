"""Times: whole seconds since 1970 UTC in tokens, aware times at the door, RFC 3339 in sentences."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

from verifier.errors import Malformed

# Times are counted from here: the C library of Windows, which `datetime.fromtimestamp` asks, ends with the year 3000.
EPOCH = datetime.fromtimestamp(0, UTC)
SECONDS_PER_DAY = 86_400
SECONDS_PER_HOUR = 3600
# The first and the last second of the calendar, beyond which no time can be shown: the years 1 and 9999.
FIRST_SECOND = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1)
LAST_SECOND = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(seconds=1)


def timestamp(at: datetime) -> int:
    """Whole seconds since 1970 UTC of an aware time.

    Raises ValueError for a naive one, which could mean any moment, and for one that is beyond the calendar in UTC.
    """
    if at.tzinfo is None:
        raise ValueError(f"the time {at.isoformat()} has no time zone")
    seconds = (at - EPOCH) // timedelta(seconds=1)
    if not FIRST_SECOND <= seconds <= LAST_SECOND:
        raise ValueError(f"the time {at.isoformat()} is beyond the calendar in UTC")
    return seconds


def instant(seconds: int) -> datetime:
    """The aware UTC time of so many seconds since 1970. Raises Malformed before 1970, and beyond the year 9999.

    Milliseconds in place of seconds lie beyond it.
    """
    if not 0 <= seconds <= LAST_SECOND:
        raise Malformed(f"the time {seconds} lies beyond the calendar: times are seconds since 1970")
    return EPOCH + timedelta(seconds=seconds)


def rfc3339(at: datetime) -> str:
    """`2026-03-01T12:00:00Z` for an aware time."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z"


def rfc3339_of(seconds: int) -> str:
    """`2026-03-01T12:00:00Z` for seconds since 1970 UTC that lie within the calendar, as those of every claim that was read do."""
    return rfc3339(EPOCH + timedelta(seconds=seconds))


def seconds_of(text: object) -> int | None:
    """Whole seconds since 1970 UTC of a time as RFC 3339 has it, with its zone; None for everything else, and for a time before 1970."""
    try:
        seconds = timestamp(datetime.fromisoformat(text)) if isinstance(text, str) else -1
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= 0 else None


def counted(number: int, unit: str) -> str:
    """A number with its unit: `1 day`, `7 days`."""
    return f"{number} {unit}{'' if number == 1 else 's'}"


def lasting(seconds: int) -> str:
    """A length of time in its two largest units: `40 seconds`, `3 hours 1 minute`, `2 days`."""
    parts, rest = [], seconds
    for unit, length in (("day", SECONDS_PER_DAY), ("hour", 3600), ("minute", 60), ("second", 1)):
        number, rest = divmod(rest, length)
        if number:
            parts.append(counted(number, unit))
    return " ".join(parts[:2]) or counted(0, "second")


def time_left(seconds: int) -> str:
    """How long something is still good, for people: begun days, and on the last day whole hours, then whole minutes."""
    if seconds >= SECONDS_PER_DAY:
        return in_days(math.ceil(seconds / SECONDS_PER_DAY))
    if seconds >= SECONDS_PER_HOUR:
        return counted(seconds // SECONDS_PER_HOUR, "hour")
    return counted(seconds // 60, "minute") if seconds >= 60 else "less than a minute"  # noqa: PLR2004 - seconds in a minute


def in_days(number: int) -> str:
    """`1 day`, `7 days`."""
    return counted(number, "day")
