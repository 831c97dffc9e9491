"""A picture of each peak counted in three ways, which differ by what counts as one license."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.style import BLACK, BLUE, GREEN, GREY, NAMES, SKY, axes, dressed, key, nothing, seats_axis, shortened

GROUPINGS = {"handle": ("uses", BLUE), "machine": ("machines", SKY), "member": ("users", GREEN)}
_MOST_FEATURES = 6
_HEIGHT = 0.26


def peaks_by_grouping(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The peaks of the features with the highest ones: counted by uses, by machines, and by users; lines go from lower to upper.

    frame: of `usage.peaks` under each grouping, with its name as column `license`.
    """
    ax = axes(ax, height=4.2, left=NAMES)
    dressed(ax, "Peak, by what counts as one license", "seats in use at one moment", "", grid="x")
    if frame.empty:
        return nothing(ax, "nothing was in use")
    highest = frame.groupby(["product", "feature"])["peak"].max().sort_values(ascending=False).index[:_MOST_FEATURES]
    for place, name in enumerate(highest):
        rows = frame[(frame["product"] == name[0]) & (frame["feature"] == name[1])].set_index("license")
        for turn, (license_, (_, color)) in enumerate(GROUPINGS.items()):
            if license_ not in rows.index:
                continue
            row, y = rows.loc[license_], place + (turn - 1) * _HEIGHT
            ax.barh(y, row["peak"], height=_HEIGHT * 0.9, color=color)
            ax.hlines(y, row["lower"], row["upper"], color=BLACK, linewidth=1)
            text = f"{row['peak']}"
            ax.annotate(text, (row["upper"], y), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8, color=GREY)
    ax.set_yticks(range(len(highest)), [shortened(f"{feature} ({product})") for product, feature in highest], parse_math=False)
    ax.invert_yaxis()
    ax.tick_params(axis="y", length=0)
    seats_axis(ax, along="x")
    key(ax, [(f"counted by {word}", color) for word, color in GROUPINGS.values()])
    return ax
