"""Pictures of how many seats were in use for how long: time at a level, exceedance, efficiency, and the hours of the week."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle

from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLUE,
    GREEN,
    INK,
    ORANGE,
    PURPLE,
    RED,
    SKY,
    WHITE,
    axes,
    bars,
    between,
    dressed,
    key,
    mark,
    nothing,
    seats_axis,
    share_axis,
    thinned,
)

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
# Averages from here on need no fraction; cells darker than this share of the darkest need letters of the ground.
TWO_DIGITS, DARK = 10, 0.75
# The ground shines through, whatever it is.
_SHADES = LinearSegmentedColormap.from_list("shades", [(0.0, (*to_rgb(BLUE), 0.04)), (1.0, (*to_rgb(BLUE), 1.0))])
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
    shown = thinned(rows)
    ax.fill_between(shown["level"], shown["lower"], shown["upper"], step="mid", color=SKY, alpha=0.4, linewidth=0)
    ax.step(shown["level"], shown["share"], where="mid", color=BLUE, linewidth=1.8)
    ax.set_ylim(0, max(0.02, float(rows["upper"].max()) * 1.05))
    ax.set_xlim(0, _widest(rows["level"], limit))
    share_axis(ax)
    seats_axis(ax, along="x")
    words = []
    for (share, word), color in zip(SERVED, (GREEN, PURPLE), strict=True):
        seats = _needed(rows, share)
        mark(ax, seats, color)
        words.append((f"{seats} {'serves' if seats == 1 else 'serve'} {word} of the time", color))
    key(ax, [*words, *_limit(ax, limit)])
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
    bars(ax, rows["level"], rows["share"])
    ax.set_xlim(-0.6, _widest(rows["level"], limit))
    share_axis(ax)
    seats_axis(ax, along="x")
    key(ax, _limit(ax, limit))
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
    bars(ax, rows["seat"], rows["hours"])
    has_bounds = between(ax, rows["seat"], rows["lower"], rows["upper"])
    ax.set_xlim(0.4, _widest(rows["seat"], limit))
    seats_axis(ax, along="x")
    words = [("hours in use", BLUE), ("from lower to upper", ORANGE)] if has_bounds else []
    key(ax, [*words, *_limit(ax, limit)])
    return ax


def heat_map(
    frame: pd.DataFrame,
    *,
    value: str = "peak",
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    timezone: str = "",
    has_numbers: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """The use by weekday and hour, the number in each cell; cells that reached the limit have a frame.

    frame: of `usage.heat_map`. value: "peak" or "average". timezone: the zone in which its hours are counted. has_numbers: False for
    the shades alone.
    """
    rows, ax = of_feature(frame, product, feature), axes(ax)
    zone = f", {timezone}" if timezone else ""
    dressed(ax, f"{name_of(rows)}: {_WHAT[value]}", f"hour of the day{zone}", "", grid="")
    if rows.empty:
        return nothing(ax, "nothing was observed")
    cells = rows.pivot_table(index="weekday", columns="hour", values=value).reindex(index=range(7), columns=range(HOURS))
    most = float(cells.max().max()) or 1.0
    # Pale to full of one color: more is darker, also in print.
    shares = cells.to_numpy(dtype=float) / most
    ax.pcolormesh(shares, cmap=_SHADES, vmin=0, vmax=1, edgecolors=WHITE, linewidth=0.8)
    if has_numbers:
        _numbers(ax, rows, value, most)
    if limit is not None:
        full = rows[rows[value] >= limit]
        for day, hour in zip(full["weekday"], full["hour"], strict=True):
            ax.add_patch(Rectangle((hour + 0.06, day + 0.06), 0.88, 0.88, fill=False, edgecolor=RED, linewidth=1.6))
        if len(full):
            key(ax, [(f"the limit of {limit} was reached", RED)])
    _week(ax, every=1 if has_numbers else 6)
    return ax


def _numbers(ax: Axes, rows: pd.DataFrame, value: str, most: float) -> None:
    """The number of each cell in it, but none where nothing was in use."""
    for day, hour, number in zip(rows["weekday"], rows["hour"], rows[value], strict=True):
        if number:
            text = f"{number:.0f}" if value == "peak" or most >= TWO_DIGITS else f"{number:.1f}"
            ink = WHITE if number > most * DARK else INK
            ax.text(hour + 0.5, day + 0.5, text, ha="center", va="center", fontsize=7.5, color=ink)


def _limit(ax: Axes, limit: int | None) -> list[tuple[str, str]]:
    """Draws the seats that there are, and gives the words for the key."""
    if limit is None:
        return []
    mark(ax, limit)
    return [(f"limit {limit}", RED)]


def _week(ax: Axes, every: int) -> None:
    """Names of the days, and the hours that are multiples of `every`."""
    ax.set_yticks([day + 0.5 for day in range(7)], WEEKDAYS)
    shown = range(0, HOURS, every)
    ax.set_xticks([hour + 0.5 for hour in shown], [str(hour) for hour in shown])
    ax.set_xlim(0, HOURS)
    ax.invert_yaxis()
    ax.tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)


def _widest(levels: pd.Series, limit: int | None) -> float:
    return max(float(levels.max()), float(limit or 0)) * 1.04 + 0.6


def _needed(rows: pd.DataFrame, share: float) -> int:
    """The fewest seats that served this share of the time."""
    short = rows.loc[rows["share"] > 1 - share + 1e-12, "level"]
    return int(short.max()) if len(short) else 0
