"""How licenses are used: peaks, time at each level, heat maps, how long and by whom.

`license` says what counts as one license, which is the vendor's choice (FlexNet calls it duplicate grouping):

- "handle": every use with its quantity.
- "machine": all uses on one machine together (DUP_GROUP=H), whoever the members are.
- "member": all uses of one member together (DUP_GROUP=U), on whatever machines.

`lower` and `upper` bound a figure: `lower` counts only sessions that were seen to end, at certain dates; `upper` also what was
never seen to start. Measures raise QuestionInvalid for arguments that make no sense.
"""

from checkout_log.usage.activity import LAST_USED, REQUESTED, USER_ACTIONS, last_used, requests, user_actions
from checkout_log.usage.durations import LASTED, LENGTHS, lasted, lengths, members_taken_back
from checkout_log.usage.seats import (
    EFFICIENCY,
    EXCEEDANCE,
    HEAT_MAP,
    NEEDED,
    PEAKS,
    TIME_AT_LEVEL,
    efficiency,
    exceedance,
    heat_map,
    needed,
    peaks,
    time_at_level,
)

__all__ = [
    "EFFICIENCY",
    "EXCEEDANCE",
    "HEAT_MAP",
    "LASTED",
    "LAST_USED",
    "LENGTHS",
    "NEEDED",
    "PEAKS",
    "REQUESTED",
    "TIME_AT_LEVEL",
    "USER_ACTIONS",
    "efficiency",
    "exceedance",
    "heat_map",
    "last_used",
    "lasted",
    "lengths",
    "members_taken_back",
    "needed",
    "peaks",
    "requests",
    "time_at_level",
    "user_actions",
]
