"""How all pictures look: colors that color-blind people tell apart, labels at the lines, nothing that carries no number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredOffsetbox, HPacker, TextArea
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import ScaledTranslation

# The palette of Okabe and Ito. Yellow is left out: it is too pale on white.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PURPLE, GREY = "#0072B2", "#D55E00", "#CC79A7", "#767676"
INK, PALE, FAINT, WHITE = "#333333", "#D9D9D9", "#F4F4F4", "#FFFFFF"
WIDTH_INCHES = 8.0
# Around the picture, in inches, the same for all, so that axes stand below one another.
LEFT, RIGHT, TOP, BOTTOM = 0.75, 0.25, 0.62, 0.55
# Where names stand at the left side.
NAMES = 2.3
# Where names stand at the ends of lines.
ENDS = 1.9
SMALL = 9
DASHES = (0, (6, 3))
# More bars are not told apart.
MOST_BARS = 90
# A curve of more steps than these has some that are finer than a point of the picture.
MOST_STEPS = 600
# Of bars each shows its height as long as there is any room for it.
MOST_OUTLINED = 1_500
# What marks axes that have a sentence in the place of a picture.
WORDS_ALONE = "words alone"
# Fewer have no dates to stand at the axis.
FEWEST_DAYS = 2
# Labels nearer to one another than this share of the height are moved apart.
_LABEL_HEIGHT = 0.062

Numbers = npt.NDArray[Any]


def axes(ax: Axes | None, *, height: float = 3.4, left: float = LEFT, right: float = RIGHT, bottom: float = BOTTOM) -> Axes:
    """The axes that were given, or those of a figure of their own; no state of pyplot is touched.

    height of the figure, and left, right, bottom around the axes: in inches. To try out what fits would draw everything twice.
    """
    if ax is not None:
        return ax
    figure = Figure(figsize=(WIDTH_INCHES, height))
    wide, high = WIDTH_INCHES - left - right, height - TOP - bottom
    return figure.add_axes((left / WIDTH_INCHES, bottom / height, wide / WIDTH_INCHES, high / height))


def dressed(ax: Axes, title: str, x: str, y: str, *, grid: str = "y") -> Axes:
    """The axes with a title, named axes with their units, and a pale grid along the measured direction only."""
    _entitle(ax, title, pad=8)
    ax.set_xlabel(x, color=GREY, fontsize=SMALL, parse_math=False)
    ax.set_ylabel(y, color=GREY, fontsize=SMALL, parse_math=False)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(PALE)
    ax.tick_params(colors=GREY, length=3, labelsize=SMALL, color=PALE)
    if grid:
        ax.grid(visible=True, axis=grid, color=PALE, linewidth=0.6)  # type: ignore[arg-type]
        ax.set_axisbelow(True)
    return ax


def _entitle(ax: Axes, title: str, pad: float) -> None:
    # A name in a log may hold a dollar sign, which would begin a formula. Where y is not said, all texts are measured to find it.
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold", color=INK, parse_math=False, pad=pad, x=_edge(ax), y=1)


def _edge(ax: Axes) -> float:
    """The left edge of the figure, where axes that have it for themselves begin with their words: as a share of their width."""
    figure, place = ax.get_figure(), ax.get_position()
    return -place.x0 / place.width if figure is not None and len(figure.axes) == 1 else 0.0


def nothing(ax: Axes, why: str) -> Axes:
    """The axes with a sentence in the place of the picture."""
    ax.set_gid(WORDS_ALONE)
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=GREY, fontsize=SMALL, parse_math=False)
    ax.set_xticks([])
    ax.set_yticks([])
    return ax


def points_for_each(ax: Axes, count: int) -> float:
    """How wide each of so many things beside one another can be, in points."""
    figure = ax.get_figure(root=True)
    inches = WIDTH_INCHES if figure is None else figure.get_figwidth()
    return ax.get_position().width * inches * 72 / max(1, count)


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
    ax.xaxis.get_offset_text().set(fontsize=SMALL, color=GREY)


def seats_axis(ax: Axes, *, along: str = "y") -> None:
    """Whole numbers only: there is no half seat."""
    axis = ax.yaxis if along == "y" else ax.xaxis
    axis.set_major_locator(MaxNLocator(integer=True, nbins=8))


def share_axis(ax: Axes, *, along: str = "y") -> None:
    """Shares as percentages."""
    axis = ax.yaxis if along == "y" else ax.xaxis
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{share * 100:.4g} %"))


def level_line(ax: Axes, seats: float, color: str = RED) -> None:
    """A line across the picture at a number of seats; `key` says what it means, where no line runs through the words."""
    ax.axhline(seats, color=color, linewidth=1.2, linestyle=DASHES)


def mark(ax: Axes, x: float, color: str = RED) -> None:
    """A line upwards at a value; `key` says what it means."""
    ax.axvline(x, color=color, linewidth=1.2, linestyle=DASHES)


def bars(ax: Axes, places: pd.Series, heights: pd.Series, color: str = BLUE) -> None:
    """A bar at each whole number; many of them are one outline, since gaps too fine to be seen make patterns of their own."""
    if len(places) <= MOST_BARS:
        ax.bar(places, heights, width=0.85, color=color)
        return
    dense = heights.set_axis(places).reindex(range(int(places.min()), int(places.max()) + 1), fill_value=0.0)
    begins = _parts(len(dense), MOST_OUTLINED)
    edges = np.append(begins, len(dense)) + (int(places.min()) - 0.5)
    ax.stairs(np.maximum.reduceat(dense.to_numpy(dtype=float), begins), edges, fill=True, color=color, linewidth=0)


def between(ax: Axes, places: pd.Series, low: pd.Series, high: pd.Series) -> bool:
    """Draws from lower to upper values: a thin line at each place, or a band where there are many. False where all are certain."""
    differs = low != high
    if not differs.any():
        return False
    if len(places) > MOST_BARS:
        begins = _parts(len(places), MOST_STEPS)
        lowest, highest = np.minimum.reduceat(low.to_numpy(), begins), np.maximum.reduceat(high.to_numpy(), begins)
        ax.fill_between(places.to_numpy()[begins], lowest, highest, step="mid", color=ORANGE, alpha=0.45, linewidth=0)
    else:
        ax.vlines(places[differs], low[differs], high[differs], color=ORANGE, linewidth=1.6)
    return True


def thinned(rows: pd.DataFrame, most: int = MOST_STEPS) -> pd.DataFrame:
    """Of the rows of a curve that never turns, `most`, at even distances and with both ends, so that it loses no peak."""
    return rows if len(rows) <= most else rows.iloc[np.unique(np.linspace(0, len(rows) - 1, most).astype(int))]


def _parts(count: int, most: int) -> npt.NDArray[np.int64]:
    """Where the parts begin into which so many things beside one another are put: each thing its own, or `most` parts."""
    return np.arange(0, count, -(-count // most))


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
            1.01, height - over, text, transform=ax.transAxes, color=color, fontsize=SMALL, va="center", parse_math=False
        )  # fmt: skip


def key(ax: Axes, words: Sequence[tuple[str, str]]) -> None:
    """Words in the colors that they explain, in a row between title and picture, instead of a legend."""
    if not words:
        return
    texts: list[Artist] = [
        TextArea(f"■ {word}", textprops={"color": color, "fontsize": SMALL, "parse_math": False}) for word, color in words
    ]
    figure = ax.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes that are drawn on have one
    row = HPacker(children=texts, pad=0, sep=14)
    ax.add_artist(
        AnchoredOffsetbox(
            "lower left",
            child=row,
            pad=0,
            borderpad=0,
            frameon=False,
            bbox_to_anchor=(_edge(ax), 1, 0, 0.0),
            bbox_transform=ax.transAxes + ScaledTranslation(0, 6 / 72, figure.dpi_scale_trans),
        )
    )
    _entitle(ax, ax.get_title(loc="left"), pad=24)


def percent(share: float) -> str:
    """A share from 0 to 1 for people."""
    return f"{share * 100:.0f} %"


def shortened(text: str, most: int = 28) -> str:
    """A name short enough for an axis."""
    return text if len(text) <= most else f"{text[: most - 1]}…"
