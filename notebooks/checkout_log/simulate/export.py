"""The authority's export of the checkout log: lines of JSON, CSV for spreadsheets, or parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from checkout_log.columns import ARROW, CHECKIN, CHECKOUT, DENIAL, END, EVENTS, SESSION, TIME, names
from checkout_log.simulate.rows import plain
from checkout_log.simulate.truth import Truth
from checkout_log.spreadsheets import defused

# How the authority says that its holder ended something, and that time did.
CHECKED_IN, BY_TIME = "checked-in", "time"
# What the export's parquet file holds: the events' columns, times as timestamps of microseconds in UTC.
SCHEMA = pa.schema([pa.field(column.name, ARROW[column.kind], nullable=column.optional) for column in EVENTS])


def write_jsonl(truth: Truth, path: Path | str, products: Sequence[str] | None = None) -> list[Path]:
    """The file written: one JSON object for each event, times in RFC 3339 with microseconds and Z, nothing as null.

    products: only these; all by default, as if the authority had served them.
    """
    with Path(path).open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in _rows(truth, products))
    return [Path(path)]


def write_csv(truth: Truth, path: Path | str, products: Sequence[str] | None = None) -> list[Path]:
    """The file written: RFC 4180 in UTF-8 with a header; nothing is an empty cell, and no cell is run by a spreadsheet."""
    with Path(path).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(names(EVENTS))
        for row in _rows(truth, products):
            writer.writerow([defused(value) for value in row.values()])
    return [Path(path)]


def write_parquet(truth: Truth, path: Path | str, products: Sequence[str] | None = None) -> list[Path]:
    """The file written: the same rows with the types of `SCHEMA`."""
    frame = _exported(truth, products)
    pq.write_table(pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False), path, compression="zstd")
    return [Path(path)]


def _exported(truth: Truth, products: Sequence[str] | None) -> pd.DataFrame:
    """The events of these products, as rows of the authority: in its words, and in the order in which it writes them."""
    frame = truth.events
    if products is not None:
        frame = frame[frame["product"].isin([truth.organization.product(name).name for name in products])]
    is_checked_in = frame["event"].eq(CHECKIN) & frame["reason"].isna()
    frame = _as_written(frame.assign(reason=frame["reason"].mask(is_checked_in, CHECKED_IN)))
    return frame.assign(source=pd.Series("authority", frame.index, dtype="string"), line=range(1, len(frame) + 1))


def _as_written(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in the order in which they were written.

    Nobody is there when time ends a session: it is written, with the time of its end, before the next start of the member, or
    when the log is exported.
    """
    is_late = frame["event"].eq(END) & frame["reason"].eq(BY_TIME)
    asked = frame.loc[frame["mode"].eq(SESSION) & frame["event"].isin([CHECKOUT, DENIAL]), ["at", "member"]]
    looked = pd.merge_asof(
        frame.loc[is_late, ["at", "member"]], asked.assign(written_at=asked["at"]), on="at", by="member", direction="forward"
    )
    written_at = frame["at"].mask(is_late)
    written_at[is_late] = looked["written_at"].to_numpy()
    return frame.assign(written_at=written_at, is_prompt=~is_late).sort_values(
        ["written_at", "is_prompt"], kind="stable", ignore_index=True
    )[names(EVENTS)]


def _rows(truth: Truth, products: Sequence[str] | None) -> Iterator[dict[str, Any]]:
    frame = _exported(truth, products)
    columns = [_texts(frame[column.name]) if column.kind == TIME else plain(frame[column.name]) for column in EVENTS]
    for row in zip(*columns, strict=True):
        yield dict(zip(names(EVENTS), row, strict=True))


def _texts(times: pd.Series) -> list[str | None]:
    found = np.datetime_as_string(times.dt.tz_convert(None).to_numpy(dtype="datetime64[us]"), unit="us").tolist()
    return [None if text == "NaT" else f"{text}Z" for text in found]
