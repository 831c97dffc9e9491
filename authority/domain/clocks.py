"""How far clocks may differ before one of them is called wrong."""

from __future__ import annotations

from datetime import datetime, timedelta

# Servers of one authority keep their clocks by the network.
BETWEEN_SERVERS = timedelta(minutes=5)
# Workstations and vendors may be offline, and set their clocks by hand.
FROM_OUTSIDE = timedelta(hours=24)


def is_to_come(at: datetime, now: datetime, tolerance: timedelta = BETWEEN_SERVERS) -> bool:
    """True for the time of something that is there already, and lies further ahead of `now` than clocks differ."""
    return at > now + tolerance
