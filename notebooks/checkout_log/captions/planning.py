"""Sentences for planning: how many seats are enough, and how use may go on."""

from __future__ import annotations

import pandas as pd

from checkout_log.captions.words import are, capitalized, code, counted, percent

RARE = 0.01


def enough_seats(rows: pd.DataFrame, limit: int | None = None) -> str:
    """How many seats would have been enough. rows: of `sizing.enough`, for one feature."""
    known = rows.dropna(subset=["exceeded"]).sort_values("seats")
    if known.empty:
        return "Nothing was in use."
    episodes = int(known["episodes"].iloc[0])
    for_time = _first(known, known["exceeded"] < RARE)
    text = f"{counted(for_time, 'seat')} of {code(known['feature'].iloc[0])} would have been exceeded for less than {percent(RARE)} of the time"
    if episodes:
        most, all_ = (_first(known, known["unmet"] <= share * episodes) for share in (0.05, 0.0))
        text += f"; to meet 95 % of {counted(episodes, 'denial episode')} it takes {most}, and {all_} to meet all"
    else:
        text += ", and the log shows no denial of it for lack of seats"
    return capitalized(f"{text}." if limit is None else f"{text}. There {are(limit)} {limit:,}.")


def forecast(rows: pd.DataFrame, limit: int | None = None) -> str:
    """How daily peaks may go on, and whether there is a trend. rows: of `sizing.forecast`, for one feature."""
    known = rows.dropna(subset=["expected"])
    if known.empty:
        return capitalized(f"no forecast: {rows['basis'].iloc[0]}.") if len(rows) else "Nothing was in use."
    first = known.iloc[0]
    top = known.loc[known["expected"].idxmax()]
    days = counted(int(first["observed_days"]), "whole day")
    text = (
        f"The highest peak of {days} was {first['highest']:.0f}. If things go on as they did, days like the busiest of the next "
        f"{len(known)} peak at {top['expected']:.1f} seats on average, and most of them between {top['lower']:.1f} and {top['upper']:.1f}"
    )
    if pd.notna(first["trend"]):
        is_flat = first["trend_lower"] <= 0 <= first["trend_upper"]
        text += (
            f"; the trend is {first['trend']:+.2f} seats in 30 days ({first['trend_lower']:+.2f} to {first['trend_upper']:+.2f})"
            + (", which may be none" if is_flat else "")
        )
    above = (
        ""
        if limit is None or known["upper"].max() <= limit
        else f" More than the {counted(limit, 'seat')} that there {are(limit)} would be denials."
    )
    return f"{text}.{above}"


def _first(rows: pd.DataFrame, is_met: pd.Series) -> int:
    return int(rows.loc[is_met, "seats"].min()) if is_met.any() else int(rows["seats"].max())
