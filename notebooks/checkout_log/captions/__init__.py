"""What pictures and tables show, as sentences in Markdown with the numbers in them, computed from the same frames.

A function here has the name of the picture in `plots` that it belongs to. Names that come from logs stand between backticks, in
which neither Markdown nor HTML means anything.
"""

from checkout_log.captions import actions, findings
from checkout_log.captions.borrowed import borrow_ageing, borrow_kept, borrowed_most, ran_out, still_held, what_if
from checkout_log.captions.importance import each, features_that_matter, left_out, overview
from checkout_log.captions.planning import enough_seats, forecast
from checkout_log.captions.reading import (
    certainty,
    endings,
    files,
    peaks_by_grouping,
    quality,
    reclaimed,
    reclaims,
    user_actions,
)
from checkout_log.captions.stuck import backtest, confusion, releasable, stuck_by_cause, thresholds, undecided
from checkout_log.captions.use import (
    average,
    busiest,
    days_since_used,
    efficiency,
    feature_to_show,
    heat_map,
    looked_at,
    peak,
    session_lengths,
    time_at_level,
    use_over_time,
)
from checkout_log.captions.waiting import denial_counts, denial_episodes, most_denied, other_denials
from checkout_log.captions.words import code, counted

__all__ = [
    "actions",
    "average",
    "backtest",
    "borrow_ageing",
    "borrow_kept",
    "borrowed_most",
    "busiest",
    "certainty",
    "code",
    "confusion",
    "counted",
    "days_since_used",
    "denial_counts",
    "denial_episodes",
    "each",
    "efficiency",
    "endings",
    "enough_seats",
    "feature_to_show",
    "features_that_matter",
    "files",
    "findings",
    "forecast",
    "heat_map",
    "left_out",
    "looked_at",
    "most_denied",
    "other_denials",
    "overview",
    "peak",
    "peaks_by_grouping",
    "quality",
    "ran_out",
    "reclaimed",
    "reclaims",
    "releasable",
    "session_lengths",
    "still_held",
    "stuck_by_cause",
    "thresholds",
    "time_at_level",
    "undecided",
    "use_over_time",
    "user_actions",
    "what_if",
]
