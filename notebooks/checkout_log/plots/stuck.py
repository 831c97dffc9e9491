"""Pictures of stuck licenses: how many by which cause, and how well they are told from the rest."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.columns import CAUSES
from checkout_log.plots.style import (
    BLACK,
    BLUE,
    FAINT,
    GREEN,
    GREY,
    ORANGE,
    PALE,
    SKY,
    WHITE,
    axes,
    dressed,
    key,
    nothing,
    percent,
    seats_axis,
)

# From here on the evidence is strong: of ten such uses nine were not given back. Below it, somebody has to look.
STRONG = 0.9


def stuck_by_cause(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """How many licenses are stuck by which cause, strong evidence and weak apart. frame: of `stuck.find`."""
    ax = dressed(
        axes(ax, height=1.5 + 0.3 * max(1, frame["cause"].nunique()), left=1.6),
        "Stuck licenses by cause",
        "licenses held (sessions and borrows)",
        "",
        grid="x",
    )
    if frame.empty:
        return nothing(ax, "nothing is stuck")
    is_strong = frame["confidence"] >= STRONG
    causes = [cause for cause in reversed(CAUSES) if (frame["cause"] == cause).any()]
    strong = [int((is_strong & (frame["cause"] == cause)).sum()) for cause in causes]
    weak = [int((~is_strong & (frame["cause"] == cause)).sum()) for cause in causes]
    ax.barh(causes, strong, color=BLUE, height=0.65)
    ax.barh(causes, weak, left=strong, color=SKY, height=0.65)
    for place, (sure, unsure) in enumerate(zip(strong, weak, strict=True)):
        ax.annotate(
            f"{sure + unsure}", (sure + unsure, place), xytext=(4, 0), textcoords="offset points", va="center", color=GREY
        )  # fmt: skip
    key(ax, [("strong evidence", BLUE), (f"confidence below {percent(STRONG)}", SKY)])
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, 1.06 * max(sure + unsure for sure, unsure in zip(strong, weak, strict=True)))
    seats_axis(ax, along="x")
    return ax


def confusion(table: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What was planted against what was found: the number of cases in each cell; green is right, orange is wrong.

    table: of `scoring.confusion`, one row for each planted kind, one column for each found one.
    """
    ax = dressed(
        axes(ax, height=0.42 * len(table) + 1.6, left=1.6, bottom=0.85),
        "Planted (rows) and found (columns)",
        "found as",
        "planted as",
        grid="",
    )
    if table.empty:
        return nothing(ax, "nothing was planted")
    for row, (planted, counts) in enumerate(table.iterrows()):
        for column, (named, count) in enumerate(counts.items()):
            if pd.isna(count):
                continue
            shade = _shade(str(planted), str(named), int(count))
            ax.fill_between([column + 0.03, column + 0.97], row + 0.03, row + 0.97, color=shade, linewidth=0)
            ink = WHITE if shade == GREEN else (BLACK if count else GREY)
            ax.text(column + 0.5, row + 0.5, f"{int(count)}", ha="center", va="center", color=ink)
    ax.set_xticks(
        [place + 0.5 for place in range(len(table.columns))], [str(name).replace("-", "-\n", 1) for name in table.columns]
    )
    ax.set_yticks([place + 0.5 for place in range(len(table))], [str(name) for name in table.index])
    ax.set_xlim(0, len(table.columns))
    ax.set_ylim(len(table), 0)
    ax.tick_params(length=0)
    ax.spines[["left", "bottom"]].set_visible(False)
    return ax


def _shade(planted: str, named: str, count: int) -> str:
    if count == 0:
        return FAINT
    is_right = planted == named if planted in CAUSES else named not in CAUSES
    return GREEN if is_right else (ORANGE if named in CAUSES or planted in CAUSES else PALE)
