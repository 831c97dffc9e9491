"""Pictures of use from day to day: how it was, and how it may go on."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLACK,
    BLUE,
    ORANGE,
    RED,
    axes,
    between,
    dressed,
    key,
    level_line,
    moments,
    nothing,
    points_for_each,
    seats_axis,
    time_axis,
)

WEEK, NOON = pd.Timedelta(days=7), pd.Timedelta(hours=12)


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
    at = pd.Series(moments(rows["day"]), index=rows.index) + NOON
    has_bounds = between(ax, at, rows["lower"], rows["upper"])
    _observed(ax, rows)
    words = [("from lower to upper", ORANGE)] if has_bounds else []
    key(ax, [("peak of each day; bar: of each week", BLUE), *words, *_finish(ax, timezone, limit)])
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
    at = moments(known["day"] + NOON)
    wide = points_for_each(ax, len(known) + (0 if past is None else past["day"].nunique()))
    ax.vlines(at, known["lower"], known["upper"], color=ORANGE, alpha=0.45, linewidth=min(2.0, 0.9 * wide))
    ax.plot(at, known["expected"], color=BLACK, linewidth=0, marker="o", markersize=_dot(wide))
    if past is not None and len(past):
        _observed(ax, of_feature(past, product, feature).sort_values("day"))
    words = [("observed, each day and week", BLUE), ("expected on each day", BLACK), ("95 % of such days", ORANGE)]
    key(ax, [*words, *_finish(ax, timezone, limit)])
    return ax


def _observed(ax: Axes, rows: pd.DataFrame) -> None:
    """A dot for each day, and a bar for each week: a line from day to day would be a fence of weekends."""
    at = pd.Series(moments(rows["day"]), index=rows.index)
    size = _dot(points_for_each(ax, len(rows)))
    ax.plot(at + NOON, rows["peak"], color=BLUE, alpha=0.55, linewidth=0, marker="o", markersize=size)
    week = (rows["day"] - rows["day"].min()) // WEEK
    begin = at.groupby(week).min()
    over = pd.Series(moments(rows["day"] + pd.Timedelta(days=1)), index=rows.index).groupby(week).max()
    ax.hlines(rows["peak"].groupby(week).max(), begin, over, color=BLUE, linewidth=1.5)


def _dot(wide: float) -> float:
    """The size of the dot of a day that is so many points wide."""
    return min(2.6, max(1.3, 1.6 * wide))


def _finish(ax: Axes, timezone: str, limit: int | None) -> list[tuple[str, str]]:
    """Draws scales and the limit, and gives the words of it for the key."""
    ax.set_ylim(0, max(ax.dataLim.y1 * 1.08, (limit or 0) * 1.08, 1))
    time_axis(ax, timezone)
    seats_axis(ax)
    if limit is None:
        return []
    level_line(ax, limit)
    return [(f"limit {limit}", RED)]
