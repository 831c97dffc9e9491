"""Pictures. Each takes the frame of a measure, draws on `ax` or on a figure of its own, and returns the axes.

Colors are told apart by color-blind people, units stand at the axes, limits and uncertainty are drawn. `captions` has the sentence
that belongs to each.
"""

from checkout_log.plots.borrowed import borrow_ageing, what_if
from checkout_log.plots.days import forecast, use_over_time
from checkout_log.plots.groupings import peaks_by_grouping
from checkout_log.plots.holding import days_since_used, session_lengths
from checkout_log.plots.levels import efficiency, exceedance, heat_map, time_at_level
from checkout_log.plots.planning import enough_seats
from checkout_log.plots.stuck import confusion, stuck_by_cause
from checkout_log.plots.waiting import denial_episodes

__all__ = [
    "borrow_ageing",
    "confusion",
    "days_since_used",
    "denial_episodes",
    "efficiency",
    "enough_seats",
    "exceedance",
    "forecast",
    "heat_map",
    "peaks_by_grouping",
    "session_lengths",
    "stuck_by_cause",
    "time_at_level",
    "use_over_time",
    "what_if",
]
