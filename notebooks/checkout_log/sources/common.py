"""What the readers of all kinds of logs share: units of time, limits on what can be true, and words."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import numpy.typing as npt

# In seconds.
DAY, HOUR, MINUTE = 86_400, 3_600, 60
# A thread may write its line so many seconds after another has written a later one.
LATE = 60
# License servers are younger than 1988. A date outside of these years is damage.
FIRST_YEAR, LAST_YEAR = 1988, 2199
# No server gives a million licenses at once: a longer number is damage.
MOST_LICENSES = 1_000_000

# Reason of a request that waits in the queue, and of check-ins that were not the user's.
QUEUED = "queued"
IDLE, SHUTDOWN = "idle", "shutdown"

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def wall_time(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    """This time on the wall of a server, without a zone; None for one that no calendar and no clock shows."""
    try:
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the clock on the server's wall
    except ValueError:
        return None


def written_time(year: int, month: int, day: int, hour: int, minute: int, second: int) -> datetime | None:
    """A time that a server wrote, as `wall_time` has it; None where the year is damage too."""
    return wall_time(year, month, day, hour, minute, second) if FIRST_YEAR <= year <= LAST_YEAR else None
