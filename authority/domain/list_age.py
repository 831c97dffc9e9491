"""Strict mode: how old a status list may be on a workstation, in seconds, and how often one must be carried there."""

from __future__ import annotations

from authority.domain.plurals import counted

HOUR, DAY = 3_600, 86_400
# The authority publishes a list each hour at most, and none that somebody carries is younger than its way.
LEAST_AGE = HOUR
# A list that is older than a year says nothing that the end of the borrow does not.
MOST_AGE = 366 * DAY


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
