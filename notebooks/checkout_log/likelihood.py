"""How likely it is that a use was left and will not be given back by its client: measured, and corrected by a site's own past."""

from __future__ import annotations

from dataclasses import dataclass

# How each sign turned out when logs were asked at 24 times and held against what came after (`scoring.backtest`): of so many uses
# that showed it, so many were not given back by their client. Of the simulator's seeds 1 to 5 but for lengths of other servers,
# which are of real logs of Autodesk and MATLAB servers. `docs/analytics.md` has the table.
OVERDUE_LATELY, OVERDUE_LONG = "overdue, lately", "overdue, for long"
DISABLED, SILENT, SILENT_SESSION = "disabled", "silent", "silent, in a session"
SAME_ALIAS, REFUSED, NEW_MACHINE = "alias elsewhere", "refused elsewhere", "member on a new machine"
OVER_LONG, FAR_OVER_LONG = "over-long", "far over-long"
LONG_GRANTED, LONGEST_GRANTED = "long, at an authority", "longer than any before, at an authority"
LONG_CONNECTED = "long, at another server"
MEASURED: dict[str, tuple[int, int]] = {
    OVERDUE_LATELY: (10, 11),
    OVERDUE_LONG: (10, 10),
    DISABLED: (10, 10),
    SILENT: (25, 25),
    SILENT_SESSION: (0, 0),
    SAME_ALIAS: (8, 8),
    REFUSED: (5, 5),
    NEW_MACHINE: (1, 2),
    OVER_LONG: (3, 43),
    FAR_OVER_LONG: (30, 30),
    LONG_GRANTED: (4, 29),
    LONGEST_GRANTED: (5, 6),
    LONG_CONNECTED: (1, 18),
}
# What was measured elsewhere counts for so many uses of the site itself: a handful of its own outweighs it.
WEIGHT = 5


@dataclass(frozen=True, slots=True)
class Past:
    """What became of uses of one kind that are over: how many they were, and how many their client gave back."""

    ended: int = 0
    returned: int = 0


def confidence(sign: str, past: Past | None = None) -> float:
    """How likely a use with this sign is not given back by its client, from 0 to 1.

    Without a past, what was measured, with one case of each kind added (Laplace), so that nothing is certain. past: uses of this site
    that were like this one.
    """
    right, count = MEASURED[sign]
    measured = (right + 1) / (count + 2)
    if past is None:
        return measured
    return (past.ended - past.returned + WEIGHT * measured) / (past.ended + WEIGHT)
