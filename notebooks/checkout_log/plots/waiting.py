"""Pictures of denials: who was kept waiting, and when."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.style import GREY, RED, SKY, axes, dressed, key, nothing, seats_axis, time_axis

# More bars than these are too thin to read, so that longer times are taken together: so many days, and what they are called.
MOST_BARS = 120
WIDTHS = ((1, "a day"), (7, "a week"), (28, "four weeks"), (91, "thirteen weeks"), (364, "52 weeks"))
MONDAY = pd.Timestamp("2001-01-01")


def denial_episodes(frame: pd.DataFrame, *, timezone: str = "UTC", ax: Axes | None = None) -> Axes:
    """How many users were kept waiting in each day or week, those who then got the license and those who did not.

    frame: of `denials.episodes`. timezone: in which days are counted.
    """
    ax = dressed(axes(ax), "Denial episodes: users who were kept waiting", "", "episodes")
    if frame.empty:
        return nothing(ax, "nobody was denied for lack of seats")
    local = frame["first_at"].dt.tz_convert(timezone).dt.tz_localize(None).dt.normalize()
    days, unit = _width((local.max() - local.min()).days)
    # From a Monday on.
    begin = MONDAY + (local - MONDAY) // pd.Timedelta(days=days) * pd.Timedelta(days=days)
    counted = pd.crosstab(begin, frame["got_it"]).reindex(columns=[False, True], fill_value=0)
    middle = counted.index + pd.Timedelta(days=days) / 2
    ax.bar(middle, counted[False], width=days * 0.85, color=RED)
    ax.bar(middle, counted[True], width=days * 0.85, bottom=counted[False], color=SKY)
    key(ax, [("did not get it soon", RED), ("got it soon after", SKY)])
    ax.set_ylabel(f"episodes in {unit}", color=GREY)
    ax.set_xlim(local.min() - pd.Timedelta(days=days), local.max() + pd.Timedelta(days=2 * days))
    time_axis(ax, "UTC")  # The days are those of the wall already.
    seats_axis(ax)
    return ax


def _width(span_days: int) -> tuple[int, str]:
    """How many days a bar stands for, and what they are called."""
    return next((width for width in WIDTHS if span_days <= MOST_BARS * width[0]), WIDTHS[-1])
