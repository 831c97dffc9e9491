"""Sentences on how many seats there are, and how many of them are needed."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from checkout_log.captions.words import code, counted

MOST = 3
# Of a shorter time nobody gives back a seat.
FEWEST_DAYS = 7


def seats(utilization: pd.DataFrame, issued: pd.DataFrame) -> list[str]:
    """What to give back, what is full, and what was lost; none where nobody says how many seats there are.

    utilization, issued: of `checkout_log.seats`.
    """
    return [*_free(utilization), *_full(utilization), *_lost(utilization, issued)]


def _free(utilization: pd.DataFrame) -> Iterator[str]:
    free = utilization[(utilization["never_used"] > 0) & (utilization["observed_days"] >= FEWEST_DAYS)]
    for row in free.sort_values("never_used", ascending=False).head(MOST).itertuples():
        name, days = f"{code(row.feature)} of {code(row.product)}", counted(round(row.observed_days), "day")
        if row.peak:
            yield f"{name}: in {days} even the peak of {row.peak:,} left {row.never_used:,} of {row.fewest:,} seats free."
        else:
            yield f"{name}: in {days} none of {counted(row.fewest, 'seat')} was in use."


def _full(utilization: pd.DataFrame) -> Iterator[str]:
    full = utilization[(utilization["fewest"] > 0) & (utilization["peak"] >= utilization["fewest"])]
    for row in full.sort_values("peak", ascending=False).head(MOST).itertuples():
        yield f"{code(row.feature)} of {code(row.product)}: {row.peak:,} in use at once, with {counted(row.fewest, 'seat')} at the fewest."


def _lost(utilization: pd.DataFrame, issued: pd.DataFrame) -> Iterator[str]:
    known = set(zip(utilization["product"], utilization["feature"], strict=True))
    lost = issued[(issued["change"] < 0) & issued["since"].notna()]
    rows = [row for row in lost.itertuples() if (row.product, row.feature) in known]
    for row in sorted(rows, key=lambda row: row.since, reverse=True)[:MOST]:
        yield (
            f"{code(row.feature)} of {code(row.product)}: {counted(-row.change, 'seat')} fewer from {row.since:%Y-%m-%d} on, "
            f"{row.seats:,} in all."
        )
