"""Pictures of how many seats were in use for how long: time at a level, exceedance, efficiency, and the hours of the week."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    RED,
    SKY,
    axes,
    dressed,
    mark,
    nothing,
    seats_axis,
    share_axis,
)

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
# Averages from here on need no fraction; cells darker than this share of the darkest need white letters.
TWO_DIGITS, DARK = 10, 0.6
SERVED = ((0.95, "95 %"), (0.99, "99 %"))
_WHAT = {"peak": "most seats in use at one moment", "average": "seats in use on average"}


def exceedance(
    frame: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The share of time in which at least so many seats were in use, with the seats that serve 95 % and 99 % of the time.

    frame: of `usage.exceedance`; the band goes from its lower to its upper shares. limit: the seats that there are.
    """
    rows, ax = of_feature(frame, product, feature), axes(ax)
    dressed(ax, f"{name_of(rows)}: how often so many seats were in use", "seats", "share of the observed time")
    if not rows["share"].sum():
        return nothing(ax, "nothing was in use for any time")
    ax.fill_between(rows["level"], rows["lower"], rows["upper"], step="mid", color=SKY, alpha=0.4, linewidth=0)
    ax.step(rows["level"], rows["share"], where="mid", color=BLUE, linewidth=1.8)
    ax.set_ylim(0, max(0.02, float(rows["upper"].max()) * 1.05))
    ax.set_xlim(0, _widest(rows["level"], limit))
    share_axis(ax)
    seats_axis(ax, along="x")
    for at, (share, word) in zip((0.97, 0.84), SERVED, strict=True):
        seats = _needed(rows, share)
        mark(ax, seats, f"{seats} serve {word} of the time", GREEN, at=at)
    if limit is not None:
        mark(ax, limit, f"limit {limit}", at=0.71)
    return ax


def time_at_level(
    frame: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The share of time in which exactly so many seats were in use. frame: of `usage.time_at_level`."""
    rows, ax = of_feature(frame, product, feature), axes(ax)
    dressed(ax, f"{name_of(rows)}: time with exactly so many seats in use", "seats in use", "share of the observed time")
    if rows.empty:
        return nothing(ax, "nothing was observed")
    ax.bar(rows["level"], rows["share"], width=0.85, color=BLUE)
    ax.set_xlim(-0.6, _widest(rows["level"], limit))
    share_axis(ax)
    seats_axis(ax, along="x")
    if limit is not None:
        mark(ax, limit, f"limit {limit}")
    return ax


def efficiency(
    frame: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """How long the first, second, ... seat was in use. frame: of `usage.efficiency`; thin lines go from lower to upper hours."""
    rows, ax = of_feature(frame, product, feature), axes(ax)
    dressed(ax, f"{name_of(rows)}: how long each seat was in use", "seat, in the order in which they are taken", "hours in use")
    if rows.empty:
        return nothing(ax, "nothing was in use")
    ax.bar(rows["seat"], rows["hours"], width=0.85, color=BLUE)
    ax.vlines(rows["seat"], rows["lower"], rows["upper"], color=ORANGE, linewidth=1.4)
    ax.set_xlim(0.4, _widest(rows["seat"], limit))
    seats_axis(ax, along="x")
    if limit is not None:
        mark(ax, limit, f"limit {limit}")
    return ax


def heat_map(
    frame: pd.DataFrame,
    *,
    value: str = "peak",
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    timezone: str = "",
    ax: Axes | None = None,
) -> Axes:
    """The use by weekday and hour, the number in each cell; cells that reached the limit have a frame.

    frame: of `usage.heat_map`. value: "peak" or "average". timezone: the zone in which its hours are counted.
    """
    rows, ax = of_feature(frame, product, feature), axes(ax)
    zone = f", {timezone}" if timezone else ""
    dressed(ax, f"{name_of(rows)}: {_WHAT[value]}", f"hour of the day{zone}", "", grid="")
    if rows.empty:
        return nothing(ax, "nothing was observed")
    cells = rows.pivot_table(index="weekday", columns="hour", values=value).reindex(index=range(7), columns=range(HOURS))
    most = float(cells.max().max()) or 1.0
    # Pale to dark of one color: more is darker, also in print.
    ax.pcolormesh(cells.to_numpy(dtype=float), cmap="Blues", vmin=0, vmax=most * 1.15, edgecolors="white", linewidth=0.6)
    for day, hour, number in zip(rows["weekday"], rows["hour"], rows[value], strict=True):
        text = f"{number:.0f}" if value == "peak" or most >= TWO_DIGITS else f"{number:.1f}"
        ink = "white" if number > most * DARK else INK
        ax.text(hour + 0.5, day + 0.5, text, ha="center", va="center", fontsize=7.5, color=ink)
        if limit is not None and number >= limit:
            ax.add_patch(Rectangle((hour + 0.05, day + 0.05), 0.9, 0.9, fill=False, edgecolor=RED, linewidth=1.6))
    _week(ax)
    if limit is not None:
        ax.set_title(f"framed: the limit of {limit}", loc="right", fontsize=9, color=RED)
    return ax


def _week(ax: Axes) -> None:
    ax.set_yticks([day + 0.5 for day in range(7)], WEEKDAYS)
    ax.set_xticks([hour + 0.5 for hour in range(HOURS)], [str(hour) for hour in range(HOURS)])
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)


def _widest(levels: pd.Series, limit: int | None) -> float:
    return max(float(levels.max()), float(limit or 0)) * 1.04 + 0.6


def _needed(rows: pd.DataFrame, share: float) -> int:
    """The fewest seats that served this share of the time."""
    short = rows.loc[rows["share"] > 1 - share + 1e-12, "level"]
    return int(short.max()) if len(short) else 0
