"""Forecasts of daily peaks: honest where the past is short, and right as often as they say where it is long enough."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from statsmodels.api import OLS

from checkout_log import sizing
from checkout_log.log import Log
from checkout_log.sizing import regression
from checkout_log.sizing.forecasts import daily_peaks
from tests.notebooks.random_logs import event, open_log
from tests.notebooks.reference import SECOND, Event, RawLog, Span

BERLIN = ZoneInfo("Europe/Berlin")
# A Monday. Berlin's clocks change on 31 March 2024.
FIRST = datetime(2024, 1, 8, tzinfo=BERLIN)
WEEK = (8, 9, 9, 8, 6, 1, 1)


def micros(day: int, hours: float = 0) -> int:
    """The time so many days after FIRST and so many hours after midnight, as the server's clock shows it."""
    local = datetime.combine(FIRST.date() + timedelta(days=day), time(), BERLIN)
    return int(local.astimezone(UTC).timestamp() * SECOND) + int(hours * 3_600) * SECOND


def busy(peaks: Sequence[int], product: str = "P") -> RawLog:
    """A log of whole days on each of which so many sessions were open at noon."""
    usual = event(0, product=product, handle=None, source="authority", mode="session")
    events: list[Event] = []
    for day, seats in enumerate(peaks):
        for number in range(seats):
            handle = f"{product} {day} {number}"
            for kind, hours in (("checkout", 12 + number / 100), ("checkin", 13 + number / 100)):
                events.append(usual._replace(at=micros(day, hours), event=kind, handle=handle, line=len(events) + 1))
    return RawLog(events, [Span(product, micros(0), micros(len(peaks)))], [], "Europe/Berlin")


def of_all(logs: Sequence[RawLog]) -> Log:
    return open_log(
        RawLog([one for part in logs for one in part.events], [s for part in logs for s in part.spans], [], "Europe/Berlin")
    )


def draw(random: np.random.Generator, days: range, growth: float = 0.0) -> list[int]:
    """Peaks of days as they could be: more on weekdays, now and then more or less, and more from week to week."""
    return [max(1, round(20 + WEEK[day % 7] + growth * day + random.normal(0, 3))) for day in days]


@pytest.mark.parametrize("lags", [0, 7])
def test_the_line_is_that_of_statsmodels(lags: int) -> None:
    days = np.arange(90)
    design = np.column_stack([days % 7 == weekday for weekday in range(7)] + [days] * bool(lags)).astype(float)
    figures = np.array(draw(np.random.default_rng(3), range(90), growth=0.1), dtype=float)
    options = {"cov_type": "HAC", "cov_kwds": {"maxlags": lags}, "use_t": True} if lags else {}
    model = OLS(figures, design).fit(**options)
    expected = model.get_prediction(design[:9]).summary_frame(alpha=0.05)[["mean", "obs_ci_lower", "obs_ci_upper"]]
    line = regression.fitted(figures, design, lags)
    assert np.allclose(np.column_stack(line.ahead(design[:9], 0.95)), expected)
    assert np.allclose(line.bounds(design.shape[1] - 1, 0.95), model.conf_int()[-1])


def test_peaks_of_days_are_those_there_were_also_when_clocks_change() -> None:
    peaks = [1 + day % 5 for day in range(100)]
    rows = daily_peaks(open_log(busy(peaks)), "handle")
    assert rows["peak"].tolist() == peaks
    lengths = rows["day"].diff().dropna() // pd.Timedelta(hours=1)
    assert lengths.value_counts().to_dict() == {24: 98, 23: 1}


def test_a_day_that_the_log_covers_in_part_is_no_past() -> None:
    whole = busy([3] * 20)
    cut = RawLog(
        whole.events, [Span("P", micros(0, 1), micros(9, 14)), Span("P", micros(10, 2), micros(20) - 1)], [], "Europe/Berlin"
    )
    days = daily_peaks(open_log(cut), "handle")["day"]
    assert [(day.date() - FIRST.date()).days for day in days] == [*range(1, 9), *range(11, 19)]


def test_a_short_past_gives_no_figures_and_says_why() -> None:
    rows = sizing.forecast(open_log(busy([5] * 13)), days=30)
    assert len(rows) == 30
    assert rows[["expected", "lower", "upper", "trend", "trend_lower", "trend_upper"]].isna().all(axis=None)
    assert set(rows["basis"]) == {"too short a past: 13 whole days, and at least 14 are needed"}


def test_some_weeks_show_the_pattern_of_the_week_and_no_trend() -> None:
    rows = sizing.forecast(open_log(busy([WEEK[day % 7] for day in range(28)])), days=7)
    assert rows["expected"].round(6).tolist() == list(WEEK)
    assert rows["trend"].isna().all()
    assert rows["basis"].str.contains("too few days for a trend").all()
    assert rows["day"].dt.tz_convert(BERLIN).dt.weekday.tolist() == list(range(7))


def test_nothing_is_said_of_days_farther_ahead_than_the_past_reaches_back() -> None:
    rows = sizing.forecast(open_log(busy([WEEK[day % 7] for day in range(21)])), days=30)
    assert rows["expected"].notna().tolist() == [True] * 21 + [False] * 9
    assert rows["basis"].str.startswith("farther ahead than the 21 whole days").tolist() == [False] * 21 + [True] * 9


def test_a_weekday_that_was_never_seen_has_no_figures() -> None:
    days = [day for day in range(21) if day % 7 != 6]
    whole = busy([WEEK[day % 7] for day in range(21)])
    spans = [Span("P", micros(day), micros(day + 1)) for day in days] + [Span("P", micros(20), micros(20, 1))]
    rows = sizing.forecast(open_log(RawLog(whole.events, spans, [], "Europe/Berlin")), days=8)
    assert rows["expected"].notna().tolist() == [False] + [True] * 6 + [False]


def test_a_steady_growth_is_the_trend() -> None:
    rows = sizing.forecast(open_log(busy([10 + day // 7 for day in range(70)])), days=14)
    assert (rows["trend_lower"] <= rows["trend"]).all()
    assert (rows["trend"] <= rows["trend_upper"]).all()
    assert rows["trend"].to_numpy() == pytest.approx(30 / 7)
    assert rows["expected"].round(6).tolist() == [20] * 7 + [21] * 7


def test_products_with_a_long_and_a_short_past_stand_side_by_side() -> None:
    long, short = busy([WEEK[day % 7] for day in range(60)], "A"), busy([3, 4], "B")
    rows = sizing.forecast(of_all([short, long]), days=3).set_index("product")
    assert rows.loc["A", "expected"].notna().all()
    assert rows.loc["B", "expected"].isna().all()


@pytest.mark.parametrize("growth", [0.0, 0.1])
def test_of_the_days_that_came_nearly_all_lie_in_the_interval(growth: float) -> None:
    """The interval is one of 95 %: of many days of many sites, so many lie in it, and neither all nor far fewer."""
    random, past, ahead = np.random.default_rng(7), range(70), range(70, 84)
    logs, came = [], {}
    for number in range(25):
        product = f"P{number:02}"
        logs.append(busy(draw(random, past, growth), product))
        came[product] = draw(random, ahead, growth)
    rows = sizing.forecast(of_all(logs), days=len(ahead))
    assert (rows["lower"] <= rows["expected"]).all()
    assert (rows["expected"] <= rows["upper"]).all()
    real = np.concatenate([came[product] for product in rows["product"].unique()])
    assert 0.92 <= ((rows["lower"] <= real) & (real <= rows["upper"])).mean() <= 0.98
