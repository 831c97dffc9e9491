"""Pictures for planning: how many seats are enough."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLUE,
    ENDS,
    GREY,
    MOST_BARS,
    RED,
    SKY,
    axes,
    dressed,
    end_labels,
    key,
    mark,
    nothing,
    seats_axis,
    share_axis,
    thinned,
)


def enough_seats(
    frame: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    limit: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """For each number of seats, the share of time in which more were in use, and the share of denial episodes not met.

    frame: of `sizing.enough`; the band goes from its lower to its upper shares. limit: the seats that there are.
    """
    rows, ax = of_feature(frame, product, feature).sort_values("seats"), axes(ax, right=ENDS)
    dressed(ax, f"{name_of(rows)}: how many seats are enough", "if there were so many seats", "share")
    rows = rows.dropna(subset=["exceeded"])
    if rows.empty:
        return nothing(ax, "nothing was in use")
    rows = thinned(rows)
    ax.fill_between(rows["seats"], rows["lower"], rows["upper"], color=SKY, alpha=0.4, linewidth=0)
    ax.plot(rows["seats"], rows["exceeded"], color=BLUE, marker="o" if len(rows) <= MOST_BARS else None, markersize=3)
    labels = [(float(rows["exceeded"].iloc[-1]), "of the time more\nwere in use", BLUE)]
    episodes = int(rows["episodes"].iloc[0])
    if episodes:
        unmet = rows["unmet"] / episodes
        ax.plot(rows["seats"], unmet, color=RED, marker="o" if len(rows) <= MOST_BARS else None, markersize=3)
        labels.append((float(unmet.iloc[-1]) + 0.16, f"of {episodes:,} denial\nepisodes not met", RED))
    ax.set_ylim(0, 1.02)
    ax.set_xlim(float(rows["seats"].min()) - 0.5, max(float(rows["seats"].max()), float(limit or 0)) + 0.5)
    share_axis(ax)
    seats_axis(ax, along="x")
    if limit is not None:
        mark(ax, limit, GREY)
        key(ax, [(f"limit {limit}", GREY)])
    end_labels(ax, labels)
    return ax
