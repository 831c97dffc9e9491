"""How all pictures look: colors that color-blind people tell apart, labels at the lines, nothing that carries no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea
from matplotlib.ticker import FuncFormatter, MaxNLocator

# The palette of Okabe and Ito. Yellow is left out: it is too pale on white.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#767676"
INK = "#333333"
PALE = "#D9D9D9"
WIDTH_INCHES = 8.0
# What marks axes that have a sentence in the place of a picture.
WORDS_ALONE = "words alone"
# Fewer have no dates to stand at the axis.
FEWEST_DAYS = 2
# Labels nearer to one another than this share of the height are moved apart.
_LABEL_HEIGHT = 0.062
# Beyond this share of the width a label stands left of its line, where there is room.
_FAR_RIGHT = 0.7

Numbers = npt.NDArray[Any]


def axes(ax: Axes | None, *, height: float = 3.4) -> Axes:
    """The axes that were given, or those of a figure of their own, so many inches high; no state of pyplot is touched."""
    if ax is not None:
        return ax
    figure = Figure(figsize=(WIDTH_INCHES, height), layout="constrained")
    return figure.add_subplot()


def dressed(ax: Axes, title: str, x: str, y: str, *, grid: str = "y") -> Axes:
    """The axes with a title, named axes with their units, and a pale grid along the measured direction only."""
    # A name in a log may hold a dollar sign, which would begin a formula.
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", parse_math=False)
    ax.set_xlabel(x, color=GREY, parse_math=False)
    ax.set_ylabel(y, color=GREY, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(PALE)
    ax.tick_params(colors=GREY, length=3)
    if grid:
        ax.grid(visible=True, axis=grid, color=PALE, linewidth=0.6)  # type: ignore[arg-type]
        ax.set_axisbelow(True)
    return ax


def nothing(ax: Axes, why: str) -> Axes:
    """The axes with a sentence in the place of the picture."""
    ax.set_gid(WORDS_ALONE)
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=GREY, parse_math=False)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def moments(values: pd.Series) -> Numbers:
    """Aware times as matplotlib takes them: UTC without a zone."""
    wall_times: Numbers = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return wall_times


def time_axis(ax: Axes, timezone: str) -> None:
    """Dates along the bottom, in this time zone, and at least two days of them."""
    left, right = ax.dataLim.intervalx
    if right - left < FEWEST_DAYS:
        ax.set_xlim(left - FEWEST_DAYS / 2, right + FEWEST_DAYS / 2)
    where = ZoneInfo(timezone)
    locator = AutoDateLocator(tz=where)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=where))


def seats_axis(ax: Axes, *, along: str = "y") -> None:
    """Whole numbers only: there is no half seat."""
    axis = ax.yaxis if along == "y" else ax.xaxis
    axis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def share_axis(ax: Axes, *, along: str = "y") -> None:
    """Shares as percentages."""
    axis = ax.yaxis if along == "y" else ax.xaxis
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.4g} %"))


def limit_line(ax: Axes, seats: float, text: str) -> None:
    """The limit as a line across the picture, with its name on it."""
    ax.axhline(seats, color=RED, linewidth=1.2, linestyle=(0, (6, 3)), label="limit")
    ax.annotate(
        text, (0, seats), xycoords=("axes fraction", "data"), xytext=(4, 3), textcoords="offset points", color=RED, fontsize=9
    )


def mark(ax: Axes, x: float, text: str, color: str = RED, *, at: float = 0.97) -> None:
    """A line upwards at a value, with its meaning beside it, at this share of the height."""
    ax.axvline(x, color=color, linewidth=1.1, linestyle=(0, (6, 3)))
    left, right = ax.get_xlim()
    is_far = right > left and (x - left) / (right - left) > _FAR_RIGHT
    ax.annotate(
        text,
        (x, at),
        xycoords=("data", "axes fraction"),
        xytext=(-4 if is_far else 4, 0),
        textcoords="offset points",
        ha="right" if is_far else "left",
        va="top",
        color=color,
        fontsize=9,
    )


def end_labels(ax: Axes, labels: Sequence[tuple[float, str, str]]) -> None:
    """Names right of the last points, instead of a legend: (height in data, text, color), moved apart where they would meet."""
    low, high = ax.get_ylim()
    wanted = sorted(((y - low) / (high - low) if high > low else 0.5, text, color) for y, text, color in labels)
    heights: list[float] = []
    for height, _, _ in wanted:
        heights.append(max(height, heights[-1] + _LABEL_HEIGHT) if heights else height)
    over = max(0.0, heights[-1] - 1) if heights else 0.0
    for height, (_, text, color) in zip(heights, wanted, strict=True):
        ax.text(
            1.01, height - over, text, transform=ax.transAxes, color=color, fontsize=9, va="center", parse_math=False
        )  # fmt: skip


def key(ax: Axes, words: Sequence[tuple[str, str]]) -> None:
    """Words in the colors that they explain, in a row between title and picture, instead of a legend."""
    texts: list[Artist] = [
        TextArea(f"■ {word}", textprops={"color": color, "fontsize": 9, "parse_math": False}) for word, color in words
    ]
    row = HPacker(children=texts, pad=0, sep=14)
    ax.add_artist(
        AnchoredOffsetbox(
            "lower left", child=row, pad=0, borderpad=0.35, frameon=False, bbox_to_anchor=(0, 1), bbox_transform=ax.transAxes
        )
    )
    ax.set_title(ax.get_title(loc="left"), loc="left", fontsize=11, fontweight="bold", parse_math=False, pad=22)


def percent(share: float) -> str:
    """A share from 0 to 1 for people."""
    return f"{share * 100:.0f} %"


def shortened(text: str, most: int = 28) -> str:
    """A name short enough for an axis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
