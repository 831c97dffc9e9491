"""The one sentence that each notebook ends with."""

from __future__ import annotations

import pandas as pd

from checkout_log.captions.use import HOURS_OF_A_WEEK, busiest_hour, peak, seats_that_serve
from checkout_log.captions.waiting import none_shown
from checkout_log.captions.words import MOMENT_DAYS, are, bounds, capitalized, code, counted, percent
from checkout_log.plots.levels import WEEKDAYS
from checkout_log.plots.stuck import STRONG


def of_flexnet(quality: pd.DataFrame, peaks: pd.DataFrame, counts: pd.DataFrame) -> str:
    """What a FlexNet log comes to. Of `Log.quality`, `usage.peaks` under each grouping, and `denials.counts`."""
    events, doubtful = int(quality["events"].sum()), int(quality[["ambiguous", "undated", "malformed"]].sum().sum())
    if peaks.empty:
        return "The log shows no use."
    top = peaks.sort_values("peak", ascending=False, kind="stable").iloc[0]
    rows = peaks[(peaks["product"] == top["product"]) & (peaks["feature"] == top["feature"])]["peak"]
    raw, episodes = (int(counts[name].sum()) for name in ("raw", "episodes"))
    of_grouping = "depending on what counts as one license"
    peak = (
        f"{rows.min()} to {rows.max()}, {of_grouping}"
        if rows.min() < rows.max()
        else f"{rows.max()}, whatever counts as one license"
    )
    waited = f"{counted(raw, 'line')} of denials for lack of seats {'comes' if raw == 1 else 'come'} from {counted(episodes, 'episode')} of waiting"
    waited = waited if raw else none_shown(quality).removesuffix(".")
    waited = waited if raw else f"{waited[0].lower()}{waited[1:]}"
    doubt = f" ({counted(doubtful, 'line')} could not be read, or not dated for sure)" if doubtful else ""
    return capitalized(f"{counted(events, 'event')}{doubt}: the peak of {code(top['feature'])} is {peak}, and {waited}.")


def of_stuck(stuck_uses: pd.DataFrame, ready: pd.DataFrame) -> str:
    """What stuck licenses come to. Of `stuck.find` and `release_table.releasable`."""
    if stuck_uses.empty:
        return "No license looks stuck."
    product, count = stuck_uses["product"].value_counts().index[0], int(stuck_uses["product"].value_counts().iloc[0])
    oldest = stuck_uses["since"].min()
    strong = int((stuck_uses["confidence"] >= STRONG).sum())
    most = f"most of them, {count}, " if count < len(stuck_uses) else "all " if count > 1 else ""
    return capitalized(
        f"{counted(len(stuck_uses), 'license')} {'looks' if len(stuck_uses) == 1 else 'look'} stuck ({strong} with strong evidence), "
        f"{most}of {code(product)}; the oldest since {oldest:%Y-%m-%d}, and {counted(len(ready), 'borrow')} can be "
        "released at once."
    )


def of_use(rows: pd.DataFrame, week: pd.DataFrame, limit: int | None = None, timezone: str = "UTC") -> str:
    """What use comes to. Of `usage.peaks` and `usage.heat_map`, for one feature."""
    if rows.empty or week.empty or not week["peak"].max():
        return "The log shows no use."
    row = rows.iloc[0]
    if row["observed_days"] < MOMENT_DAYS:
        return peak(rows, limit)
    text = f"{seats_that_serve(row, limit)}, while the peak is {row['peak']}{bounds(row['peak'], row['lower'], row['upper'])}"
    if len(week) < HOURS_OF_A_WEEK:
        return capitalized(f"{text}; the log is too short to say when it is busiest.")
    top = busiest_hour(week)
    return capitalized(
        f"{text}; it is busiest on {WEEKDAYS[int(top['weekday'])]} at {top['hour']} o'clock ({timezone}) with {top['average']:.1f} "
        "seats on average."
    )


def of_denials(
    counts: pd.DataFrame, enough: pd.DataFrame, limit: int | None = None, quality: pd.DataFrame | None = None
) -> str:
    """What denials come to. Of `denials.counts`, `sizing.enough` for one feature, and `Log.quality`."""
    raw, episodes, lost = (int(counts[name].sum()) for name in ("raw", "episodes", "lost"))
    if not raw:
        return none_shown(quality)
    text = (
        f"{counted(raw, 'line')} of denials were {counted(episodes, 'episode')}, {lost:,} of them without a license soon after"
    )
    waited = enough[enough["episodes"] > 0]
    if waited.empty:
        return capitalized(f"{text}.")
    of_all = int(waited["episodes"].iloc[0])
    seats = int(waited.loc[waited["unmet"] <= of_all * 0.05, "seats"].min())
    name, waits = code(waited["feature"].iloc[0]), counted(of_all, "episode")
    if limit is not None and seats <= limit:
        return capitalized(
            f"{text}; {counted(limit, 'seat')} of {name} {are(limit)} there, as many as 95 % of its {waits} take: see what is reserved, and "
            "for whom it is limited."
        )
    has = "" if limit is None else f" instead of {limit}"
    return capitalized(f"{text}; {seats} seats{has} of {name} would have met 95 % of its {waits}.")


def of_borrows(ageing: pd.DataFrame, what_if: pd.DataFrame, days: int) -> str:
    """What borrows come to. Of `borrows.ageing`, and of `sizing.what_if` with `longest_days`, for one feature."""
    if ageing.empty:
        return "The log shows no borrows."
    out, overdue = int(ageing["is_out"].sum()), int(ageing["is_overdue"].sum())
    text = f"{counted(out, 'borrow')} {are(out)} out, {overdue:,} {are(overdue)} past the due time and not returned"
    rows = what_if[what_if["longest_days"] == days]
    if rows.empty:
        return capitalized(f"{text}.")
    row = rows.iloc[0]
    share = row["given_back"] / row["seat_days"] if row["seat_days"] else 0.0
    return capitalized(
        f"{text}; a longest borrow of {counted(days, 'day')} would give back {percent(share)} of the seat-days of {code(row['feature'])} and "
        f"cut off {row['used_beyond']:,} of {counted(int(row['borrows']), 'borrow')} while they were still in use."
    )
