"""Measures on Spark give the frames that they give on DuckDB, and both what the reference says."""

from __future__ import annotations

import pandas as pd
import pytest

from checkout_log import sizing
from checkout_log.columns import names
from checkout_log.engine import Engine
from checkout_log.log import Log
from checkout_log.pairing import PAIRS
from tests.notebooks import agreement
from tests.notebooks.agreement import Case
from tests.notebooks.comparing import assert_same, in_order
from tests.notebooks.random_logs import many, open_log
from tests.notebooks.reference import RawLog

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1_200),
    # What Spark and its bridge to Java warn of is theirs.
    pytest.mark.filterwarnings("ignore"),
]

CASES = (*agreement.of_usage("handle"), *agreement.ACTIVITY, *agreement.DENIALS, *agreement.BORROWS, *agreement.SIZING)


@pytest.fixture(scope="module")
def of() -> RawLog:
    """Many random logs in one: each query on Spark takes a second, however little it reads."""
    return many(seed=9, count=80)


@pytest.fixture(scope="module")
def on_duckdb(of: RawLog) -> Log:
    return open_log(of)


@pytest.fixture(scope="module")
def on_spark(on_duckdb: Log, spark: Engine) -> Log:
    return on_duckdb.on(spark)


def test_pairs_are_the_same(on_duckdb: Log, on_spark: Log) -> None:
    left, right = (in_order(log.engine.frame(log.pairs, PAIRS), names(PAIRS)) for log in (on_duckdb, on_spark))
    pd.testing.assert_frame_equal(left, right)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_measures_agree_with_the_reference_and_with_duckdb(case: Case, of: RawLog, on_duckdb: Log, on_spark: Log) -> None:
    frame = case.measure(on_spark)
    assert_same(frame, case.reference(of), case.columns, case.by)
    left, right = in_order(case.measure(on_duckdb), case.by), in_order(frame, case.by)
    pd.testing.assert_frame_equal(left, right, check_exact=False, rtol=1e-12)


@pytest.mark.parametrize("grouping", ["machine", "member"])
def test_peaks_of_machines_and_members_agree_with_the_reference(grouping: str, of: RawLog, on_spark: Log) -> None:
    for case in agreement.of_usage(grouping):
        case.check(of, on_spark)


def test_forecasts_are_the_same(on_duckdb: Log, on_spark: Log) -> None:
    left, right = (sizing.forecast(log, days=9) for log in (on_duckdb, on_spark))
    pd.testing.assert_frame_equal(left, right)
