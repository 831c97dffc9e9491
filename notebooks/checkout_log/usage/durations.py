"""How long licenses are kept: the median and other quantiles, in which sessions that were not seen to end are not lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from ibis import _

from checkout_log.columns import FLAG, NUMBER, OF_FEATURE, WHOLE, Column, typed
from checkout_log.log import Log
from checkout_log.measuring import levels
from checkout_log.measuring.questions import SECOND
from checkout_log.measuring.survival import ended_by, survival
from checkout_log.pairing import facts

LENGTHS = (
    *OF_FEATURE,
    Column("sessions", WHOLE, False, "sessions and borrows that were seen to start"),
    Column("censored", WHOLE, False, "those of them that the log or a restart cut off"),
    Column("p25_hours", NUMBER, True, "a quarter lasts no longer; empty where too few were seen to end"),
    Column("median_hours", NUMBER, True, "half last no longer"),
    Column("lower", NUMBER, True, "the least that the median can be, with 95 % confidence, in hours"),
    Column("upper", NUMBER, True, "the most that the median can be, with 95 % confidence, in hours; empty: no limit"),
    Column("p75_hours", NUMBER, True, "three quarters last no longer"),
    Column("p95_hours", NUMBER, True, "95 % last no longer"),
    Column(
        "naive_median_hours", NUMBER, True, "median of those seen to end, which is too short: long ones are open more often"
    ),
)
_COUNTED = (
    Column("pair", WHOLE, False, ""),
    Column("seconds", WHOLE, False, ""),
    Column("is_censored", FLAG, False, ""),
    Column("sessions", WHOLE, False, ""),
)
SECONDS_IN_AN_HOUR = 3_600


def lengths(log: Log) -> pd.DataFrame:
    """How long sessions and borrows last, by Kaplan and Meier, in hours, one row for each feature: the columns LENGTHS.

    A session that is open at the end of the log, or that a restart cut, lasted at least so long: it is censored, not dropped.
    Each counts once, whatever its quantity; lengths are counted in whole seconds.
    """
    seconds = ((_.end - _.start) / SECOND).floor().cast("int64")
    known = log.engine.numbers(levels.features(log), levels.FEATURES)
    rows = (
        log.paired.filter(~facts.is_of_nobody())
        .mutate(seconds=seconds, is_censored=_.censored | _.cut)
        .join(known, ["product", "feature"])
    )
    counted = rows.group_by("pair", "seconds", "is_censored").aggregate(sessions=_.count())
    lasted = log.engine.frame(counted, _COUNTED).groupby("pair")
    figures = pd.DataFrame({pair: _lengths(own) for pair, own in lasted}, index=[column.name for column in LENGTHS[2:]]).T
    return typed(levels.features(log).set_index("pair").join(figures, how="inner"), LENGTHS)


def _lengths(lasted: pd.DataFrame) -> dict[str, float]:
    is_closed, count = ~lasted["is_censored"], lasted["sessions"]
    curve = survival(lasted["seconds"], is_closed, count)
    quantiles = {"p25_hours": 0.25, "median_hours": 0.5, "p75_hours": 0.75, "p95_hours": 0.95}
    figures = {name: _hours(ended_by(curve.times, curve.share, share)) for name, share in quantiles.items()}
    figures |= {name: _hours(ended_by(curve.times, side, 0.5)) for name, side in (("lower", curve.low), ("upper", curve.high))}
    figures["naive_median_hours"] = _naive_median(lasted[is_closed])
    return figures | {"sessions": int(count.sum()), "censored": int(count[~is_closed].sum())}


def _naive_median(closed: pd.DataFrame) -> float:
    if closed.empty:
        return np.nan
    in_order = closed.sort_values("seconds")
    so_far, total = in_order["sessions"].cumsum(), in_order["sessions"].sum()
    middle = [in_order["seconds"].iloc[int(so_far.searchsorted(rank))] for rank in ((total + 1) // 2, total // 2 + 1)]
    return _hours(sum(middle) / 2)


def _hours(seconds: float) -> float:
    return float(seconds) / SECONDS_IN_AN_HOUR
