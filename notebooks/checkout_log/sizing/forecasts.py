"""The daily peaks to come, as far as the past can tell: a trend, the pattern of the week, and an interval."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from ibis import _

from checkout_log.columns import NUMBER, OF_FEATURE, TEXT, TIME, WHOLE, Column, names, typed
from checkout_log.log import Log
from checkout_log.measuring import hours, levels
from checkout_log.measuring.questions import MOST_DAYS, one_of, whole
from checkout_log.sizing.regression import fitted

# Every weekday twice; eight weeks, before a trend can be told from chance.
FEWEST_DAYS, DAYS_OF_A_TREND = 14, 56
LEVEL = 0.95
TREND = "trend"

FORECAST = (
    *OF_FEATURE,
    Column("day", TIME, False, "when the day begins in the time zone of the license server"),
    Column("expected", NUMBER, True, "the peak expected on that day, in seats; empty where the past cannot tell"),
    Column("lower", NUMBER, True, "the peak of that day is not lower, with 95 % confidence"),
    Column("upper", NUMBER, True, "the peak of that day is not higher, with 95 % confidence"),
    Column("trend", NUMBER, True, "by how many seats daily peaks change in 30 days"),
    Column("trend_lower", NUMBER, True, "the least that this can be, with 95 % confidence"),
    Column("trend_upper", NUMBER, True, "the most that this can be, with 95 % confidence"),
    Column("observed_days", WHOLE, False, "whole days in the log"),
    Column("highest", NUMBER, True, "the highest peak of a whole day in the log"),
    Column("basis", TEXT, False, "what the figures rest on, or why there are none"),
)
_DAILY = (Column("pair", WHOLE, False, ""), Column("day", WHOLE, False, ""), Column("peak", WHOLE, False, ""))


def forecast(
    log: Log,
    days: int = 90,
    license: str = "handle",  # noqa: A002 - the word of the field
    *,
    product: str | None = None,
    feature: str | None = None,
) -> pd.DataFrame:
    """The daily peaks of so many days after the log, a row for each feature and day: the columns FORECAST.

    product, feature: of which alone; None: of all.

    A line through the daily peaks of whole days, with a step for each weekday. The interval is for a single day: it is that of the
    line, and as wide as it takes for 95 % of the past days to lie in theirs. It says what follows if things go on as they did. With a short past there are no figures, and `basis` says why; nor are there any
    for days farther ahead than the log reaches back. Raises QuestionInvalid.
    """
    wanted = whole("days", days, most=MOST_DAYS)
    grouping = one_of("license", license, levels.COUNTED)
    # Whoever asks for one feature after the other pays for them once.
    past = log.once(("daily peaks", grouping), lambda: daily_peaks(log, grouping))
    ends = levels.observed(log).groupby("product")["end"].max()
    parts = []
    features = levels.features(log)
    for name, value in (("product", product), ("feature", feature)):
        features = features if value is None else features[features[name] == value]
    for named in features.itertuples():
        own = past[(past["product"] == named.product) & (past["feature"] == named.feature)].set_index("day")["peak"]
        # The last day is not over yet, so it is the first to come.
        today = pd.Timestamp(ends[named.product], unit="us", tz=ZoneInfo(log.timezone)).tz_localize(None).normalize()
        dates = pd.Series(pd.date_range(today, periods=wanted))
        days_ahead = _forecast(own, dates).assign(day=hours.beginning(dates, ZoneInfo(log.timezone)))
        parts.append(typed(days_ahead.assign(product=named.product, feature=named.feature), FORECAST))
    return pd.concat(parts, ignore_index=True) if parts else typed(pd.DataFrame(columns=names(FORECAST)), FORECAST)


def daily_peaks(log: Log, grouping: str) -> pd.DataFrame:
    """The most seats in use on each whole day that the log covers: `product`, `feature`, `day` (aware, local), `peak`."""
    calendar = hours.calendar(log, log.timezone)
    cells = hours.use_by_cell(log, grouping).join(log.engine.numbers(calendar, hours.CALENDAR), "cell")
    used = log.engine.frame(cells.group_by("pair", "day").aggregate(peak=_.seats_most.max()), _DAILY)
    observed = (
        hours.observed_cells(log).merge(calendar, on="cell").groupby(["product", "day"], as_index=False)["observed"].sum()
    )
    local = pd.to_datetime(observed["day"], unit="us", utc=True).dt.tz_convert(ZoneInfo(log.timezone))
    length = (_next_day(local) - local) // pd.Timedelta(microseconds=1)
    observed = observed.assign(local=local)[observed["observed"] == length]
    every = levels.features(log).merge(observed, on="product").merge(used, on=["pair", "day"], how="left").fillna({"peak": 0})
    return every.drop(columns="day").rename(columns={"local": "day"})[["product", "feature", "day", "peak"]]


def _next_day(local: pd.Series) -> pd.Series:
    """The beginnings of the days after these, which are 23 or 25 hours later when the clocks change."""
    return hours.beginning(local.dt.tz_localize(None).dt.normalize() + pd.Timedelta(days=1), local.dt.tz)


def _forecast(past: pd.Series, dates: pd.Series) -> pd.DataFrame:
    """The figures of one feature for these dates, from its daily peaks."""
    frame = pd.DataFrame(index=dates.index, columns=names(FORECAST)).assign(observed_days=len(past), highest=past.max())
    if len(past) < FEWEST_DAYS:
        return frame.assign(basis=f"too short a past: {len(past)} whole days, and at least {FEWEST_DAYS} are needed")
    has_trend = len(past) >= DAYS_OF_A_TREND
    within = dates[: len(past)]
    figures = _fitted(past, within, has_trend=has_trend)
    pattern = "the trend and the pattern of the week" if has_trend else "the pattern of the week; too few days for a trend"
    frame["basis"] = f"farther ahead than the {len(past)} whole days in the log reach back"
    frame.loc[within.index, "basis"] = f"{len(past)} whole days: {pattern}"
    return frame.assign(**{name: figures[name].reindex(frame.index) for name in figures})


def _fitted(past: pd.Series, dates: pd.Series, *, has_trend: bool) -> pd.DataFrame:
    """The figures of FORECAST for these dates."""
    known = pd.Series(past.index.tz_localize(None).normalize())
    first = known.iloc[0]
    design, ahead = (_design(days, first, has_trend=has_trend) for days in (known, dates))
    columns = design.columns[design.any()]
    # Peaks of days near each other are alike, which makes a trend look surer than it is.
    line = fitted(past.to_numpy(dtype="float64"), design[columns].to_numpy(dtype="float64"), lags=7 if has_trend else 0)
    expected, lower, upper = line.ahead(ahead[columns].to_numpy(dtype="float64"), LEVEL)
    # Peaks are no bell curve: a pool that a batch job fills once a week lies far outside of one.
    rest = past.to_numpy(dtype="float64") - design[columns].to_numpy(dtype="float64") @ line.coefficients
    least = float(np.quantile(rest, (1 - LEVEL) / 2, method="lower"))
    most = float(np.quantile(rest, (1 + LEVEL) / 2, method="higher"))
    figures = {"expected": expected, "lower": np.minimum(lower, expected + least), "upper": np.maximum(upper, expected + most)}
    figures = pd.DataFrame(figures, index=dates.index).clip(lower=0)
    # Of a weekday that the log never saw nothing is known.
    figures = figures.where(ahead[[name for name in columns if name != TREND]].any(axis=1))
    if has_trend:
        at = list(columns).index(TREND)
        figures[["trend", "trend_lower", "trend_upper"]] = np.array([line.coefficients[at], *line.bounds(at, LEVEL)]) * 30
    return figures


def _design(days: pd.Series, first: pd.Timestamp, *, has_trend: bool) -> pd.DataFrame:
    """A column for each weekday, and the number of the day for a trend."""
    columns = {f"weekday {number}": (days.dt.weekday == number).astype(float) for number in range(7)}
    return pd.DataFrame(columns | ({TREND: (days - first).dt.days.astype(float)} if has_trend else {}))
