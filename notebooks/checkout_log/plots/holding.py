"""Pictures of how long licenses are held: lengths of sessions, borrows that are out, and licenses that nobody used for long."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from checkout_log.measuring.survival import Numbers, ended_by, survival
from checkout_log.plots.features import name_of, of_feature
from checkout_log.plots.style import (
    BLACK,
    BLUE,
    ENDS,
    GREEN,
    GREY,
    MOST_STEPS,
    ORANGE,
    PURPLE,
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
    shortened,
    thinned,
)

# Shorter than a minute is a minute, in hours.
_SHORTEST = 1 / 60
# Lengths go from minutes to months, so they stand on a scale of powers.
_LENGTHS = {
    1 / 60: "1 min",
    1 / 6: "10 min",
    1: "1 h",
    4: "4 h",
    10: "10 h",
    24: "1 day",
    96: "4 days",
    720: "30 days",
    8760: "1 year",
}
_LINES = (BLUE, RED, GREEN, PURPLE, ORANGE, BLACK)


def session_lengths(
    lasted: pd.DataFrame,
    *,
    product: str | None = None,
    feature: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The share of sessions still open after so long, by Kaplan and Meier, with its 95 % interval, and the median.

    lasted: of `usage.lasted`. A session that was not seen to end lasted at least so long: it counts until then.
    """
    rows, ax = of_feature(lasted[lasted["is_listed"]], product, feature), axes(ax)
    dressed(ax, f"{name_of(rows)}: how long sessions last", "time since the start", "share still open")
    if rows.empty:
        return nothing(ax, "there are no sessions")
    curve = survival(rows["hours"].clip(lower=_SHORTEST), rows["is_seen_to_end"], rows["sessions"])
    at = np.maximum(curve.times, _SHORTEST)
    seen = _told_apart(at)
    ax.fill_between(at[seen], curve.low[seen], curve.high[seen], step="post", color=SKY, alpha=0.45, linewidth=0)
    ax.step(at[seen], curve.share[seen], where="post", color=BLUE, linewidth=1.8)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(list(_LENGTHS)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: _LENGTHS.get(value, "")))
    ax.set_xlim(_SHORTEST, max(24.0, float(at[-1]) * 1.3))
    ax.set_ylim(0, 1.02)
    share_axis(ax)
    median = ended_by(curve.times, curve.share, 0.5)
    if np.isfinite(median):
        mark(ax, median, ORANGE)
        words = f"half last {median:.1f} h or less" if median >= 1 else f"half last {median * 60:.0f} min or less"
        key(ax, [(words, ORANGE), ("95 % interval", SKY)])
    return ax


def _told_apart(at: Numbers) -> npt.NDArray[np.bool_]:
    """Which of these times, in order, are drawn: the first, and of those that would lie in one place of the picture the last."""
    scale = np.log(at)
    places = (scale - scale[0]) * (MOST_STEPS / max(float(scale[-1] - scale[0]), 1e-9))
    seen = np.append(np.diff(places.astype(np.int64)) > 0, True)
    seen[0] = True
    return seen


def days_since_used(frame: pd.DataFrame, *, ax: Axes | None = None, days: int = 90) -> Axes:
    """How many members have not used a product for how long, one line for each of the products with most members.

    frame: of `usage.last_used`. days: a mark is drawn there.
    """
    ax = dressed(
        axes(ax, right=ENDS + 0.5), "Members who have not used a product for so long", "days since the last use", "members"
    )
    dated = frame.dropna(subset=["days_since", "member"])
    if dated.empty:
        return nothing(ax, "nobody used anything")
    latest = dated.groupby(["product", "member"])["days_since"].min()
    products = latest.groupby("product").size().sort_values(ascending=False).index[: len(_LINES)]
    labels = []
    for name, color in zip(products, _LINES, strict=False):
        since = np.sort(latest[name].to_numpy())
        curve = pd.DataFrame({"days": np.append(0, since), "members": np.arange(len(since), -1, -1)})
        shown = thinned(curve, MOST_STEPS // len(products))
        ax.step(shown["days"], shown["members"], where="post", color=color)
        labels.append((float((since > days).sum()), f"{shortened(str(name))}: {(since > days).sum()} of {len(since)}", color))
    ax.set_ylim(0, None)
    ax.set_xlim(0, max(days * 1.3, float(dated["days_since"].max()) * 1.02))
    mark(ax, days, GREY)
    key(ax, [(f"{days} days", GREY)])
    end_labels(ax, labels)
    seats_axis(ax)
    return ax
