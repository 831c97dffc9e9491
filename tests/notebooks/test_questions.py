"""A question that makes no sense is refused in a sentence, before anything is computed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from checkout_log import borrows, daily, denials, sizing, stuck, usage
from checkout_log.errors import QuestionInvalid
from checkout_log.log import Log
from tests.notebooks.random_logs import event, many, open_log, raw_log

Measure = Callable[..., pd.DataFrame]
Values = Sequence[Any]
LICENSES: Values = (None, "", "seat", "Handle", 5, ("handle",), ["handle"], b"handle")
SHARES: Values = (None, 0, -0.1, 1.1, "x", "1/0", "95%", float("nan"), float("inf"), True, [])
ZONES: Values = ("", "Atlantis/Capital", "../etc", "UTC\0", 5, b"UTC", [])
MOMENTS: Values = ("2024-01-01", datetime(2024, 1, 1), date(2024, 1, 1), 5, pd.NaT, pd.Timestamp("2024-01-01"), [])  # noqa: DTZ001
GAPS: Values = (None, "", "five", "0s", "-5min", "1ns", "5", "1000000 days", 0, 5, 300, 5.0, True, float("nan"), pd.NaT, [], {})
LENGTHS_OF_TIME: Values = (timedelta(0), timedelta(days=-1), timedelta.max, timedelta(milliseconds=999))
DAYS: Values = (None, 0, -1, 1.5, 3.0, "3", True, float("nan"), 36_501, 10**12, 10**30, [], np.float64(3))
SEATS: Values = (5, "12", b"12", [], [-1], [1.5], ["3"], [None], [True], [3, None], [10**30], [[]])
BY: Values = (None, 5, "", "members", "source", [], {}, ["member", "member"], ["member", "x"], [["product"]], [None])

QUESTIONS: Sequence[tuple[Measure, str, Values]] = (
    (usage.peaks, "license", LICENSES),
    (usage.time_at_level, "license", LICENSES),
    (usage.exceedance, "license", LICENSES),
    (usage.needed, "license", LICENSES),
    (usage.needed, "share", SHARES),
    (usage.efficiency, "license", LICENSES),
    (usage.heat_map, "license", LICENSES),
    (usage.heat_map, "timezone", ZONES),
    (usage.last_used, "now", MOMENTS),
    (usage.requests, "by", BY),
    (daily.by_day, "license", LICENSES),
    (denials.episodes, "gap", (*GAPS, *LENGTHS_OF_TIME)),
    (denials.episodes, "by", (None, "user", "feature", 5, ["member"])),
    (denials.counts, "gap", (*GAPS, *LENGTHS_OF_TIME)),
    (borrows.ageing, "now", MOMENTS),
    (stuck.find, "now", MOMENTS),
    (sizing.enough, "license", LICENSES),
    (sizing.enough, "gap", (*GAPS, *LENGTHS_OF_TIME)),
    (sizing.enough, "seats", SEATS),
    (sizing.forecast, "license", LICENSES),
    (sizing.forecast, "days", DAYS),
    (sizing.what_if, "longest_days", DAYS),
)


@pytest.fixture(scope="module")
def log() -> Log:
    return open_log(many(seed=4, count=3))


@pytest.mark.parametrize(
    ("measure", "name", "values"), QUESTIONS, ids=[f"{measure.__name__} {name}" for measure, name, _ in QUESTIONS]
)
def test_it_is_refused_before_anything_is_computed(measure: Measure, name: str, values: Values, log: Log) -> None:
    for value in values:
        fresh = log.on(log.engine)
        with pytest.raises(QuestionInvalid, match=r"\[question-invalid\]") as caught:
            measure(fresh, **{name: value})
        assert caught.value.hint.endswith(".")
        shown = [value, *(value if isinstance(value, list) else [])]
        assert any(repr(one) in caught.value.message for one in shown)
        assert vars(fresh).keys() == {"stored", "engine", "source", "_results"}
        assert not fresh._results


def test_answers_after_a_refused_question_are_the_same(log: Log) -> None:
    before = usage.peaks(log)
    with pytest.raises(QuestionInvalid):
        usage.peaks(log, "seat")
    pd.testing.assert_frame_equal(usage.peaks(log), before)


def test_numbers_of_other_libraries_are_numbers(log: Log) -> None:
    same: Sequence[tuple[Measure, Any, Any]] = (
        (sizing.enough, np.arange(1, 4), [1, 2, 3]),
        (sizing.enough, pd.Series([3, 1]), [1, 3]),
        (sizing.what_if, np.int64(2), 2),
        (denials.episodes, np.timedelta64(5, "m"), timedelta(minutes=5)),
        (usage.requests, pd.Index(["member"]), "member"),
    )
    for measure, theirs, ours in same:
        pd.testing.assert_frame_equal(measure(log, theirs), measure(log, ours))


@pytest.mark.parametrize("measure", [usage.last_used, borrows.ageing, stuck.find])
def test_one_moment_is_the_same_in_every_zone(measure: Measure) -> None:
    """In summer and in winter: a zone has another distance to UTC now than it had in 1970."""
    begun = [event(0, mode="borrow", handle=f"b{day}", source="rlm", until=day * 86_400 + 60) for day in range(1, 200)]
    of = open_log(raw_log(begun, seconds=300 * 86_400))
    for at in (datetime(2024, 7, 1, 10, tzinfo=UTC), datetime(2024, 12, 1, 10, tzinfo=UTC)):
        frame = measure(of, at)
        assert len(frame)
        pd.testing.assert_frame_equal(measure(of, at.astimezone(ZoneInfo("Europe/Berlin"))), frame)
        pd.testing.assert_frame_equal(measure(of, pd.Timestamp(at).tz_convert("America/New_York")), frame)


def test_before_the_log_began_there_was_nothing(log: Log) -> None:
    for measure in (usage.last_used, borrows.ageing, stuck.find):
        assert measure(log, datetime(1990, 1, 1, tzinfo=UTC)).empty
