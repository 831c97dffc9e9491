"""The use of each day, for pictures over time."""

from __future__ import annotations

import pandas as pd
from ibis import _

from checkout_log.columns import OF_FEATURE, TIME, WHOLE, Column, typed
from checkout_log.log import Log
from checkout_log.measuring import hours, levels
from checkout_log.measuring.questions import one_of

DAILY = (
    *OF_FEATURE,
    Column("day", TIME, False, "when the day begins in the time zone of the license server"),
    Column("peak", WHOLE, False, "most seats in use at one moment of the day"),
    Column("lower", WHOLE, False, "the least that this can have been"),
    Column("upper", WHOLE, False, "the most that this can have been"),
)
_MOST = (Column("pair", WHOLE, False, ""), Column("day", WHOLE, False, ""), *DAILY[3:])


def by_day(log: Log, license: str = "handle") -> pd.DataFrame:  # noqa: A002 - the word of the field
    """The peak of each day that the log covers, also in part, by feature: the columns DAILY. Raises QuestionInvalid."""
    grouping = one_of("license", license, levels.COUNTED)
    return log.once(("by day", grouping), lambda: _by_day(log, grouping)).copy()


def _by_day(log: Log, grouping: str) -> pd.DataFrame:
    calendar = hours.calendar(log, log.timezone)
    cells = hours.use_by_cell(log, grouping).join(log.engine.numbers(calendar, hours.CALENDAR), "cell")
    most = {name: _[f"{series}_most"].max() for name, series in zip(("peak", "lower", "upper"), levels.SERIES, strict=True)}
    used = log.engine.frame(cells.group_by("pair", "day").aggregate(**most), _MOST)
    observed = hours.observed_cells(log).merge(calendar, on="cell")[["product", "day"]].drop_duplicates()
    days = levels.features(log).merge(observed, on="product").merge(used, on=["pair", "day"], how="left").fillna(0)
    days["day"] = pd.to_datetime(days["day"], unit="us", utc=True)
    return typed(days.sort_values(["product", "feature", "day"]), DAILY)
