"""The table of millions of events for measurements: right types, in order, pairs that match."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checkout_log import simulate
from checkout_log.columns import EVENTS, checked, names
from checkout_log.errors import QuestionInvalid

ROWS = 100_000


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> pa.Table:
    return pq.read_table(simulate.events_table(ROWS, 7, tmp_path_factory.mktemp("table") / "events.parquet"))


def test_it_has_so_many_rows_with_the_types_of_the_export(table: pa.Table) -> None:
    assert table.num_rows == ROWS
    assert table.schema.names == names(EVENTS)
    assert table.schema.field("at").type == pa.timestamp("us", tz="UTC")
    frame = table.to_pandas(types_mapper=lambda kind: pd.StringDtype() if pa.types.is_string(kind) else None)
    checked(frame, EVENTS)


def test_rows_are_in_order_of_time_over_a_year(table: pa.Table) -> None:
    frame = table.select(["at", "line"]).to_pandas()
    assert frame["at"].is_monotonic_increasing
    assert frame["line"].tolist() == list(range(1, ROWS + 1))
    assert pd.Timedelta(days=300) < frame["at"].iloc[-1] - frame["at"].iloc[0] < pd.Timedelta(days=430)


def test_checkins_close_checkouts_and_denials_have_no_handle(table: pa.Table) -> None:
    frame = table.to_pandas()
    opened = frame[frame["event"] == "checkout"].set_index("handle")
    closed = frame[frame["event"] == "checkin"].set_index("handle")
    assert opened.index.is_unique
    assert closed.index.is_unique
    both = closed.join(opened, rsuffix="_out", how="left")
    assert (both["at"] > both["at_out"]).all()
    assert (both["machine"] == both["machine_out"]).all()
    assert (both["feature"] == both["feature_out"]).all()
    assert 0.9 < len(closed) / len(opened) <= 1
    denials = frame[frame["event"] == "denial"]
    assert denials["handle"].isna().all()
    assert denials["reason"].eq("pool-exhausted").all()
    assert closed["reason"].eq("checked-in").all()
    assert opened["reason"].isna().all()
    assert 0.01 < len(denials) / ROWS < 0.05
    assert frame[frame["mode"] == "borrow"]["until"].notna().all()
    assert frame[frame["mode"] == "session"]["until"].isna().all()


def test_offices_are_busier_by_day(table: pa.Table) -> None:
    at = table["at"].to_pandas()
    counts = at.groupby([at.dt.weekday, at.dt.hour]).size()
    assert counts[1, 10] > 4 * counts[6, 3]


@pytest.mark.parametrize("rows", [1, 2, 3, 10, 1001])
def test_any_number_of_rows_can_be_asked_for(rows: int, tmp_path: Path) -> None:
    assert pq.read_metadata(simulate.events_table(rows, 1, tmp_path / "few.parquet")).num_rows == rows


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (simulate.events_table(5000, seed, tmp_path / name) for seed, name in ((1, "a"), (1, "b"), (2, "c")))
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_more_than_one_batch_is_one_table(tmp_path: Path) -> None:
    path = simulate.events_table(1_200_000, 3, tmp_path / "many.parquet")
    rows = pq.read_table(path, columns=["at", "line", "handle"])
    assert rows.num_rows == 1_200_000
    assert rows["at"].to_pandas().is_monotonic_increasing


def test_no_rows_are_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionInvalid):
        simulate.events_table(0, 1, tmp_path / "none.parquet")
