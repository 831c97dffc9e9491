"""What a log keeps, as a frame with the columns that only the store has."""

from __future__ import annotations

from datetime import UTC, datetime

import pandas as pd
import pyarrow.parquet as pq

from checkout_log.log import Log


def stored(log: Log) -> pd.DataFrame:
    """The events in the order of files and lines, times as whole microseconds since 1970 UTC."""
    rows: pd.DataFrame = pd.concat([pq.read_table(path).to_pandas() for path in log.stored.files])
    return rows.sort_values(["segment", "line"], ignore_index=True)


def table(frame: pd.DataFrame, *columns: str) -> list[list[object]]:
    """The rows of these columns, with None for what is empty."""
    cells = frame[list(columns)].astype(object)
    rows: list[list[object]] = cells.where(cells.notna(), None).to_numpy().tolist()
    return rows


def micros(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """A time in whole microseconds since 1970 UTC."""
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()) * 1_000_000
