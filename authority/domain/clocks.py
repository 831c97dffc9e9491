"""How far clocks may differ before one of them is called wrong."""

from __future__ import annotations

from datetime import timedelta

# Servers of one authority keep their clocks by the network.
BETWEEN_SERVERS = timedelta(minutes=5)
# Workstations and vendors may be offline, and set their clocks by hand.
FROM_OUTSIDE = timedelta(hours=24)
# What comes before every advice about something that has ended, or has not begun, by the clock of this server alone.
CHECK_CLOCK = "Is this server's clock right? If not, set it right."
