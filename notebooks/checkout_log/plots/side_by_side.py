"""Pictures of several features, a panel for each in the same form, so that they are compared at a glance.

Each takes the frame of a measure, and `features` with the columns `product`, `feature` and `limit` (the seats that there are, empty
where nobody says it) in the order of the panels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox
from matplotlib.ticker import MaxNLocator

from checkout_log.plots import days, levels, planning
from checkout_log.plots.features import told_apart
from checkout_log.plots.style import (
    BLUE,
    GREEN,
    GREY,
    INK,
    ORANGE,
    PURPLE,
    RED,
    WIDTH_INCHES,
    axes,
    dressed,
    key,
    nothing,
    shortened,
)

# In inches: of one panel's axes, between panels, and around all of them.
_HIGH, _BETWEEN, _BELOW = 1.25, 0.62, 0.45
_LEFT, _RIGHT, _GUTTER, _TOP = 0.55, 0.15, 0.65, 0.86
_HEAD, _MOST_LETTERS = 0.52, 44
_LIMIT = ("seats that there are", RED)


def use_over_time(frame: pd.DataFrame, features: pd.DataFrame, *, timezone: str = "UTC") -> Axes:
    """The most seats in use on each day. frame: of `daily.by_day`."""
    sure, span = bool((frame["lower"] == frame["upper"]).all()), days.span_of(frame)
    words = [(span.words, BLUE), *([] if sure else [("from lower to upper", ORANGE)]), _LIMIT]
    return _panels(days.use_over_time, frame, features, f"Most seats in use in each {span.name}", words, timezone=timezone)


def heat_map(frame: pd.DataFrame, features: pd.DataFrame, *, timezone: str = "") -> Axes:
    """Seats in use on average, by weekday and hour; the darkest cell of each panel is its own busiest hour. frame: of `usage.heat_map`."""
    zone = f" ({timezone})" if timezone else ""
    title, words = (
        f"Seats in use on average, by weekday and hour{zone}",
        [("the stronger the color, the more of this feature are in use", BLUE)],
    )
    bare = features.assign(limit=None)
    return _panels(levels.heat_map, frame, bare, title, words, value="average", has_numbers=False)


def exceedance(frame: pd.DataFrame, features: pd.DataFrame) -> Axes:
    """The share of time in which at least so many seats were in use. frame: of `usage.exceedance`."""
    words = [("of the time at least so many in use", BLUE), ("serve 95 %", GREEN), ("serve 99 %", PURPLE), _LIMIT]
    return _panels(levels.exceedance, frame, features, "How often so many seats were in use", words)


def enough_seats(frame: pd.DataFrame, features: pd.DataFrame) -> Axes:
    """For each number of seats the time in which more were in use, and the denials not met. frame: of `sizing.enough`."""
    words = [
        ("of the time more were in use", BLUE),
        ("of denial episodes not met", RED),
        ("seats that there are", GREY),
    ]
    return _panels(planning.enough_seats, frame, features, "How many seats are enough", words)


def forecast(frame: pd.DataFrame, past: pd.DataFrame, features: pd.DataFrame, *, timezone: str = "UTC") -> Axes:
    """The daily peaks to come behind those that were. frame: of `sizing.forecast`. past: of `daily.by_day`."""
    words = [("observed", BLUE), (days.expected(frame), INK), ("95 % of such days", ORANGE), _LIMIT]
    title = "Daily peaks to come, if things go on as they did"
    if len(frame) and frame["expected"].isna().all():
        return nothing(dressed(axes(None), title, "", ""), "too short a past")
    return _panels(days.forecast, frame, features, title, words, past=past, timezone=timezone)


def _panels(
    draw: Callable[..., Axes],
    frame: pd.DataFrame,
    features: pd.DataFrame,
    title: str,
    words: Sequence[tuple[str, str]],
    **more: Any,
) -> Axes:
    """A panel for each feature, two beside one another, under one title and one key. The first axes are those of the title."""
    if features.empty or frame.empty:
        return nothing(dressed(axes(None), title, "", ""), "nothing was in use")
    columns = min(2, len(features))
    rows = math.ceil(len(features) / columns)
    height = _TOP + rows * _HIGH + (rows - 1) * _BETWEEN + _BELOW
    figure = Figure(figsize=(WIDTH_INCHES, height))
    head = figure.add_axes((0, 1 - _HEAD / height, 1, 1e-3))
    head.set_axis_off()
    wide = (WIDTH_INCHES - _LEFT - _RIGHT - (columns - 1) * _GUTTER) / columns
    for place, (row, name) in enumerate(zip(features.itertuples(), told_apart(features), strict=True)):
        left = _LEFT + place % columns * (wide + _GUTTER)
        top = height - _TOP - place // columns * (_HIGH + _BETWEEN)
        ax = figure.add_axes((left / WIDTH_INCHES, (top - _HIGH) / height, wide / WIDTH_INCHES, _HIGH / height))
        limit = None if pd.isna(row.limit) else int(str(row.limit))
        more_of_it = more if limit is None else more | {"limit": limit}
        draw(frame, product=row.product, feature=row.feature, ax=ax, **more_of_it)
        _bare(ax, name)
    head.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, x=0, y=1)
    has_limit = bool(features["limit"].notna().any())
    key(head, [word for word in words if has_limit or "that there are" not in word[0]])
    return head


def _bare(ax: Axes, name: str) -> None:
    """The axes with the name of the feature alone: what all panels have in common is said once."""
    for box in [child for child in ax.get_children() if isinstance(child, AnchoredOffsetbox)]:
        box.remove()
    for text in list(ax.texts):
        if text.get_position()[0] > 1:
            text.remove()
    ax.set_title(
        shortened(name, _MOST_LETTERS), loc="left", fontsize=9, fontweight="bold", color=INK, parse_math=False, pad=4, x=0, y=1
    )
    ax.set_xlabel("")
    ax.set_ylabel("")
    ax.tick_params(labelsize=8)
    for axis in (ax.xaxis, ax.yaxis):
        # Where its name would stand, it has none: all numbers are measured to find that.
        axis.set_label_coords(0, 0)
        # In so little room few numbers are read, and each costs as much as a line.
        locator = axis.get_major_locator()
        if isinstance(locator, MaxNLocator):
            locator.set_params(nbins=4)
    ax.xaxis.get_offset_text().set(fontsize=8, color=GREY)
