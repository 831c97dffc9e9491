"""Pictures of use from day to day: how it was, and how it may go on."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLACK,
    BLUE,
    ORANGE,
    axes,
    dressed,
    key,
    limit_line,
    moments,
    nothing,
    seats_axis,
    time_axis,
)

WEEK = pd.Timedelta(days=7)


def use_over_time(
    frame: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    timezone: str = "UTC",
    ax: Axes | None = None,
) -> Axes:
    """The most seats in use on each day, with the limit. frame: of `daily.by_day`; lines go from its lower to its upper peaks.

    limit: the seats that there are. timezone: in which days are counted.
    """
    rows, ax = of_feature(frame, product, feature).sort_values("day"), axes(ax)
    dressed(ax, f"{name_of(rows)}: most seats in use on each day", "", "seats")
    if rows.empty:
        return nothing(ax, "nothing was observed")
    at = moments(rows["day"])
    ax.vlines(at, rows["lower"], rows["upper"], color=ORANGE, linewidth=1.6)
    _observed(ax, rows)
    _finish(ax, timezone, limit)
    key(ax, [("peak of each day; bar: of each week", BLUE), ("from lower to upper", ORANGE)])
    return ax


def forecast(
    frame: pd.DataFrame,
    past: pd.DataFrame | None = None,
    *,
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    timezone: str = "UTC",
    ax: Axes | None = None,
) -> Axes:
    """The daily peaks to come with their 95 % interval, behind those that were.

    frame: of `sizing.forecast`. past: of `daily.by_day`. limit: the seats that there are.
    """
    rows, ax = of_feature(frame, product, feature).sort_values("day"), axes(ax)
    dressed(ax, f"{name_of(rows)}: daily peaks to come, if things go on as they did", "", "seats")
    known = rows.dropna(subset=["expected"])
    if known.empty:
        return nothing(ax, str(rows["basis"].iloc[0]) if len(rows) else "nothing was in use")
    at = moments(known["day"])
    ax.vlines(at, known["lower"], known["upper"], color=ORANGE, alpha=0.35, linewidth=2)
    ax.plot(at, known["expected"], color=BLACK, linewidth=0, marker="o", markersize=2.4)
    if past is not None and len(past):
        _observed(ax, of_feature(past, product, feature).sort_values("day"))
    _finish(ax, timezone, limit)
    key(ax, [("observed, each day and week", BLUE), ("expected on each day", BLACK), ("95 % of such days", ORANGE)])
    return ax


def _observed(ax: Axes, rows: pd.DataFrame) -> None:
    """A dot for each day, and a bar for each week: a line from day to day would be a fence of weekends."""
    at = pd.Series(moments(rows["day"]), index=rows.index)
    ax.plot(at, rows["peak"], color=BLUE, alpha=0.55, linewidth=0, marker="o", markersize=2.4)
    week = (rows["day"] - rows["day"].min()) // WEEK
    begin = at.groupby(week).min()
    ax.hlines(rows["peak"].groupby(week).max(), begin, begin + WEEK, color=BLUE, linewidth=1.5)


def _finish(ax: Axes, timezone: str, limit: int | None) -> None:
    top = ax.get_ylim()[1]
    ax.set_ylim(0, max(top, (limit or 0) * 1.15, 1))
    time_axis(ax, timezone)
    seats_axis(ax)
    if limit is not None:
        limit_line(ax, limit, f"limit {limit}")
