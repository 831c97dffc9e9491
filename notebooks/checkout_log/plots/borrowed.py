"""Pictures of borrows: what is out and until when, and what a shorter longest borrow would give back."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLACK,
    BLUE,
    NAMES,
    PALE,
    RED,
    SKY,
    axes,
    dressed,
    key,
    nothing,
    seats_axis,
    shortened,
    thinned,
)

# More lines than these cannot be told apart, and more numbers beside one another cannot be read.
MOST_BORROWS = 30
MOST_LENGTHS = 24


def borrow_ageing(frame: pd.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Every borrow that is out or overdue, a line each: since when, until when it is due, and what is overdue.

    frame: of `borrows.ageing`. The longest overdue come first, then the longest out; at most MOST_BORROWS.
    """
    held = frame[frame["is_out"] | frame["is_overdue"]]
    late = -held["days_left"].where(held["is_overdue"])
    order = held.assign(late=late).sort_values(["late", "days_out"], ascending=False, na_position="last")
    rows = order.head(MOST_BORROWS).reset_index(drop=True)
    ax = axes(ax, height=1.4 + 0.19 * max(6, len(rows)), left=NAMES + 0.2)
    shown = f" ({len(rows)} of {len(held)} borrows are shown)" if len(held) > len(rows) else ""
    dressed(ax, "Borrows that hold a seat", f"days from now{shown}", "", grid="x")
    if rows.empty:
        return nothing(ax, "no borrow is out")
    left = rows["days_left"].fillna(0.0)
    # An overdue seat is still held, so its line goes on from the due time until now.
    begin = -rows["days_out"].where(rows["is_out"], rows["days_out"] - left)
    ax.hlines(rows.index, begin, left.clip(upper=0), color=BLUE, linewidth=4)
    ax.hlines(rows.index, 0, left.clip(lower=0), color=SKY, linewidth=4)
    overdue = rows[rows["is_overdue"]]
    ax.hlines(overdue.index, left[overdue.index], 0, color=RED, linewidth=4)
    ax.axvline(0, color=BLACK, linewidth=1)
    ax.set_yticks(rows.index, [_name(row) for _, row in rows.iterrows()], fontsize=7.5, parse_math=False)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    key(ax, [("out", BLUE), ("still due to run", SKY), ("past its due time, not returned", RED)])
    return ax


def what_if(
    frame: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """What a shorter longest borrow would give back in seat-days, with bounds, and how many borrows it would cut off.

    At most MOST_LENGTHS of the lengths are drawn, at even distances, the shortest and the longest among them.

    frame: of `sizing.what_if` for several lengths, with the length as column `longest_days`.
    """
    rows, ax = thinned(of_feature(frame, product, feature).sort_values("longest_days"), MOST_LENGTHS), axes(ax)
    dressed(ax, f"{name_of(rows)}: what a shorter longest borrow gives back", "longest borrow in days", "seat-days given back")
    if rows.empty:
        return nothing(ax, "nothing was borrowed")
    ax.fill_between(rows["longest_days"], rows["lower"], rows["upper"], color=SKY, alpha=0.35, linewidth=0)
    ax.plot(rows["longest_days"], rows["given_back"], color=BLUE, marker="o", markersize=4)
    for row in rows.itertuples():
        ax.annotate(
            f"{row.used_beyond}",
            (float(row.longest_days), float(row.given_back)),
            xytext=(0, 7),
            textcoords="offset points",
            ha="center",
            color=RED,
            fontsize=9,
        )
    held = float(rows["seat_days"].iloc[0])
    key(
        ax,
        [(f"of {held:,.0f} seat-days borrowed; band: bounds", BLUE), ("borrows that were still in use and would be cut", RED)],
    )
    ax.set_ylim(0, max(1.0, float(rows["upper"].max()) * 1.15))
    ax.set_xlim(0, float(rows["longest_days"].max()) * 1.05)
    ax.spines["left"].set_color(PALE)
    seats_axis(ax, along="x")
    return ax


def _name(row: pd.Series) -> str:
    who, where = (row[name] if pd.notna(row[name]) else "?" for name in ("member", "alias"))
    return shortened(f"{who}, {where}: {row['product']}" if where != "?" else f"{who}: {row['product']}", 40)
