"""Pictures of use from day to day: how it was, and how it may go on."""

from __future__ import annotations

from dataclasses import dataclass

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

NOON = pd.Timedelta(hours=12)
# More dots than these lie on one another.
MOST_DOTS = 800
# Of those to come, which have a line each.
MOST_TO_COME = 200


@dataclass(frozen=True, slots=True)
class Span:
    """So many days that are taken together in one dot, what they are called, and the same of a bar over several dots."""

    days: int
    name: str
    bar_days: int
    bar_name: str

    @property
    def words(self) -> str:
        """What a dot and a bar are."""
        return f"peak of each {self.name}; bar: of each {self.bar_name}"


SPANS = (
    Span(1, "day", 7, "week"),
    Span(7, "week", 91, "quarter of a year"),
    Span(28, "month of four weeks", 364, "year of 52 weeks"),
)


def span_of(frame: pd.DataFrame, most: int = MOST_DOTS) -> Span:
    """The shortest that gives no more than `most` dots. frame: of `daily.by_day`, or another with a `day`."""
    days = (frame["day"].max() - frame["day"].min()).days if len(frame) else 0
    return next((span for span in SPANS if days < most * span.days), SPANS[-1])


def expected(frame: pd.DataFrame) -> str:
    """What a dot of the days to come is, and the line through it. frame: of `sizing.forecast`."""
    span = span_of(frame, MOST_TO_COME)
    return "expected on each day" if span.days == 1 else f"highest that is expected in each {span.name}"


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
    rows, ax, span = of_feature(frame, product, feature).sort_values("day"), axes(ax), span_of(frame)
    dressed(ax, f"{name_of(rows)}: most seats in use in each {span.name}", "", "seats")
    if rows.empty:
        return nothing(ax, "nothing was observed")
    dots = _together(rows, span.days)
    has_bounds = between(ax, dots["middle"], dots["lower"], dots["upper"])
    _observed(ax, rows, span)
    words = [("from lower to upper", ORANGE)] if has_bounds else []
    key(ax, [(span.words, BLUE), *words, *_finish(ax, timezone, limit)])
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
    span, ahead = SPANS[0] if past is None else span_of(past), span_of(known, MOST_TO_COME)
    dots = _together(known.assign(peak=known["expected"]), ahead.days)
    wide = points_for_each(ax, len(known) + (0 if past is None else past["day"].nunique())) * ahead.days
    ax.vlines(dots["middle"], dots["lower"], dots["upper"], color=ORANGE, alpha=0.45, linewidth=min(2.0, 0.9 * wide))
    ax.plot(dots["middle"], dots["peak"], color=BLACK, linewidth=0, marker="o", markersize=_dot(wide))
    if past is not None and len(past):
        _observed(ax, of_feature(past, product, feature).sort_values("day"), span)
    words = [
        (f"observed, each {span.name} and {span.bar_name}", BLUE),
        (expected(known), BLACK),
        ("95 % of such days", ORANGE),
    ]
    key(ax, [*words, *_finish(ax, timezone, limit)])
    return ax


def _observed(ax: Axes, rows: pd.DataFrame, span: Span) -> None:
    """A dot for each day, and a bar for each week: a line from day to day would be a fence of weekends."""
    dots, bars = _together(rows, span.days), _together(rows, span.bar_days)
    size = _dot(points_for_each(ax, len(dots)))
    ax.plot(dots["middle"], dots["peak"], color=BLUE, alpha=0.55, linewidth=0, marker="o", markersize=size)
    ax.hlines(bars["peak"], bars["begin"], bars["over"], color=BLUE, linewidth=1.5)


def _together(rows: pd.DataFrame, days: int) -> pd.DataFrame:
    """So many days after one another as one row, with the most of each: `begin`, `middle`, `over` as matplotlib takes them, `peak`, `lower`, `upper`."""
    at = pd.Series(moments(rows["day"]), index=rows.index)
    # A day may have 23 hours.
    number = (rows["day"] - rows["day"].min() + NOON) // pd.Timedelta(days=days)
    grouped = rows.assign(begin=at, over=at + 2 * NOON).groupby(number)
    together = grouped.agg(
        begin=("begin", "min"), over=("over", "max"), peak=("peak", "max"), lower=("lower", "max"), upper=("upper", "max")
    )
    return together.assign(middle=together["begin"] + (together["over"] - together["begin"]) / 2)


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
