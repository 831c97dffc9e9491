"""How long licenses are kept: the median and other quantiles, in which sessions that were not seen to end are not lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import FLAG, NUMBER, OF_FEATURE, TEXT, WHOLE, Column, typed
from checkout_log.log import Log
from checkout_log.measuring import levels
from checkout_log.measuring.questions import HOUR, SECOND
from checkout_log.measuring.survival import ended_by, survival
from checkout_log.pairing import facts

LASTED = (
    *OF_FEATURE,
    Column("mode", TEXT, False, "session or borrow"),
    Column("ended_by", TEXT, False, 'how they ended; "open" when the log ended first'),
    Column("is_seen_to_end", FLAG, False, "false: the log or a restart cut them off, so that they lasted at least so long"),
    Column("is_listed", FLAG, False, "false: the source says how many there are, and neither whose nor since when"),
    Column("hours", NUMBER, False, "from their start to their end"),
    Column("sessions", WHOLE, False, "so many of them"),
)

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
_COUNTED = (Column("pair", WHOLE, False, ""), *LASTED[2:6], Column("micros", WHOLE, False, ""), LASTED[-1])
_MEMBERS = (Column("members", WHOLE, False, ""),)
SECONDS_IN_AN_HOUR = 3_600


def lasted(log: Log) -> pd.DataFrame:
    """How many sessions and borrows of each feature lasted how long, and how they ended: the columns LASTED.

    Those that are alike in all of it are one row: a log has many more sessions than lengths of them.
    """
    counted = _counted(log).join(levels.features(log).set_index("pair"), on="pair")
    return typed(counted.assign(hours=counted["micros"] / HOUR), LASTED)


def members_taken_back(log: Log) -> int:
    """How many members had a session that the server took back as idle."""
    idle = log.paired.filter((_.ended_by == "idle") & _.member.notnull()).aggregate(members=_.member.nunique())
    return int(log.engine.frame(idle, _MEMBERS)["members"].iloc[0])


def _counted(log: Log) -> pd.DataFrame:
    return log.once(("lasted",), lambda: log.engine.frame(_by_length(log), _COUNTED))


def _by_length(log: Log) -> Table:
    known = log.engine.numbers(levels.features(log), levels.FEATURES)
    ways = {"is_seen_to_end": ~(_.censored | _.cut), "is_listed": ~facts.is_of_nobody(), "micros": _.end - _.start}
    rows = log.paired.mutate(**ways).join(known, ["product", "feature"])
    return rows.group_by(*(column.name for column in _COUNTED[:-1])).aggregate(sessions=_.count())


def lengths(log: Log) -> pd.DataFrame:
    """How long sessions and borrows last, by Kaplan and Meier, in hours, one row for each feature: the columns LENGTHS.

    A session that is open at the end of the log, or that a restart cut, lasted at least so long: it is censored, not dropped.
    Each counts once, whatever its quantity; lengths are counted in whole seconds.
    """
    counted = _counted(log)
    whole = counted[counted["is_listed"]].assign(seconds=counted["micros"] // SECOND).groupby("pair")
    figures = pd.DataFrame({pair: _lengths(own) for pair, own in whole}, index=[column.name for column in LENGTHS[2:]]).T
    return typed(levels.features(log).set_index("pair").join(figures, how="inner"), LENGTHS)


def _lengths(own: pd.DataFrame) -> dict[str, float]:
    is_closed, count = own["is_seen_to_end"], own["sessions"]
    curve = survival(own["seconds"], is_closed, count)
    quantiles = {"p25_hours": 0.25, "median_hours": 0.5, "p75_hours": 0.75, "p95_hours": 0.95}
    figures = {name: _hours(ended_by(curve.times, curve.share, share)) for name, share in quantiles.items()}
    figures |= {name: _hours(ended_by(curve.times, side, 0.5)) for name, side in (("lower", curve.low), ("upper", curve.high))}
    figures["naive_median_hours"] = _naive_median(own[is_closed])
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
