"""Pictures of denials: who was kept waiting, and when."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.style import GREY, RED, SKY, axes, dressed, key, nothing, seats_axis, time_axis

# More days than these make bars too thin to read, so that weeks are shown.
MOST_DAYS = 120


def denial_episodes(frame: pd.DataFrame, *, timezone: str = "UTC", ax: Axes | None = None) -> Axes:
    """How many users were kept waiting in each day or week, those who then got the license and those who did not.

    frame: of `denials.episodes`. timezone: in which days are counted.
    """
    ax = dressed(axes(ax), "Denial episodes: users who were kept waiting", "", "episodes")
    if frame.empty:
        return nothing(ax, "nobody was denied for lack of seats")
    local = frame["first_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    is_long = (local.max() - local.min()).days > MOST_DAYS
    begin = local - pd.to_timedelta(local.dt.weekday, unit="D") if is_long else local
    counted = pd.crosstab(begin, frame["got_it"]).reindex(columns=[False, True], fill_value=0)
    days = 7 if is_long else 1
    middle = counted.index + pd.Timedelta(days=days) / 2
    ax.bar(middle, counted[False], width=days * 0.85, color=RED)
    ax.bar(middle, counted[True], width=days * 0.85, bottom=counted[False], color=SKY)
    key(ax, [("did not get it soon", RED), ("got it soon after", SKY)])
    ax.set_ylabel("episodes in a week" if is_long else "episodes in a day", color=GREY)
    ax.set_xlim(local.min() - pd.Timedelta(days=days), local.max() + pd.Timedelta(days=2 * days))
    time_axis(ax, "UTC")  # The days are those of the wall already.
    seats_axis(ax)
    return ax
