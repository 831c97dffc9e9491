"""Strict mode: how old a status list may be on a workstation, in seconds, and how often one must be carried there."""

from __future__ import annotations

from authority.domain.plurals import counted

HOUR, DAY = 3_600, 86_400
# The authority publishes a list each hour at most, and none that somebody carries is younger than its way.
LEAST_AGE = HOUR
# A list that is older than a year says nothing that the end of the borrow does not.
MOST_AGE = 366 * DAY


# Seconds of what an age can be written in.
UNITS = {"d": DAY, "h": HOUR}


def seconds_of(text: str) -> int:
    """The age in seconds that is written as `7d`, `36h`, or `none`, which is 0. Raises ValueError that says how to write it."""
    number, unit = text[:-1], text[-1:]
    if text == "none":
        return 0
    if unit not in UNITS or not number.isascii() or not number.isdigit():
        raise ValueError(f'"{text}" is no age: write days (7d), hours (36h), or none')
    return int(number) * UNITS[unit]


def written(seconds: int) -> str:
    """The age as `seconds_of` takes it; of an hour that has begun nothing is left out: it is counted as a whole one."""
    if seconds == 0:
        return "none"
    return f"{seconds // DAY}d" if seconds % DAY == 0 else f"{-(-seconds // HOUR)}h"


def words(seconds: int) -> str:
    """`status list of at most 7 days`; `no status list demanded` for 0."""
    return f"status list of at most {length(seconds)}" if seconds else "no status list demanded"


def length(seconds: int) -> str:
    """`7 days`, `1 day 12 hours`, `1 hour`: whole hours, what is left of an hour not counted."""
    counts = ((seconds // DAY, "day"), (seconds % DAY // HOUR, "hour"))
    return " ".join(counted(count, unit) for count, unit in counts if count) or "less than 1 hour"


def advice(age: int | None) -> str | None:
    """How often a status list must be carried to the workstation, None where no list is demanded."""
    if age is None:
        return None
    return f"it asks there for a {words(age)}: carry a new one every {length(age // 2)}, so that one that comes late is in time"
