"""What time this machine says it is. Whether to believe it is the core's to judge (`verifier.core.steps`, step 6)."""

from __future__ import annotations

import time
from datetime import datetime

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
