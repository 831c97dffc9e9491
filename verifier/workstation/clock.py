"""Time on a machine that may lie: what was signed can not come from the future, so it is a floor under the clock."""

from __future__ import annotations

import time
from datetime import datetime

from verifier.core.steps import clock, timestamp
from verifier.errors import ClockTurnedBack


def effective(wall: int, floor: int, tolerance_seconds: int) -> int:
    """The time to judge by: the later of the machine's clock and the newest signed time seen here (seconds since 1970 UTC).

    A clock turned back gains nothing. Beyond the tolerance of the license it is refused with both times (ClockTurnedBack);
    within it an honest clock that is a little slow is not punished.
    """
    if wall < floor - tolerance_seconds:
        raise ClockTurnedBack(
            f"this machine says it is {clock(wall)}, but something signed at {clock(floor)} is installed here",
            clock_at=clock(wall),
            floor_at=clock(floor),
        )
    return max(wall, floor)


def wall_seconds(now: datetime | None) -> int:
    """The given time, or the machine's clock."""
    return int(time.time()) if now is None else timestamp(now)
