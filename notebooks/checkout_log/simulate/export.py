"""The authority's export of the checkout log: of a simulated organization as lines of JSON, CSV or parquet, and millions of rows to measure speed."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checkout_log.columns import ARROW, BORROW, CHECKIN, CHECKOUT, DENIAL, END, EVENTS, SESSION, TIME, names
from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import DAY, HOUR, Whole
from checkout_log.simulate.events import POOL_EXHAUSTED
from checkout_log.simulate.truth import Truth, plain
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
    columns = [_rfc3339(frame[column.name]) if column.kind == TIME else plain(frame[column.name]) for column in EVENTS]
    for row in zip(*columns, strict=True):
        yield dict(zip(names(EVENTS), row, strict=True))


def _rfc3339(times: pd.Series) -> list[str | None]:
    texts = np.datetime_as_string(times.dt.tz_convert(None).to_numpy(dtype="datetime64[us]"), unit="us").tolist()
    return [None if text == "NaT" else f"{text}Z" for text in texts]


# Monday, 1 January 2024, 0:00 UTC; the events spread over a year from then on.
_BEGIN = 1_704_067_200_000_000
_YEAR = 365 * DAY
_STARTS_IN_A_BATCH = 250_000
_MEMBERS, _MACHINES, _GROUPS = 10_000, 12_500, 40
_FEATURES = [
    (f"product-{number:02d}", name) for number in range(12) for name in ("Basic", "Standard", "Advanced", "Analysis", "Network")
]
# How busy each hour of a week is, from Monday 0:00.
_WEEK = np.concatenate(
    [np.tile(np.interp(np.arange(24), [0, 6, 9, 12, 13, 16, 19, 23], [3, 4, 60, 40, 35, 60, 12, 4]), 5), np.full(48, 3.0)]
)
_DENIED, _BORROWED = 0.04, 0.05
_GIVEN_BACK, _TAKEN, _REFUSED = 0, 1, 2
# The two hexadecimal digits of every byte.
_DIGITS = np.frombuffer(bytes(range(256)).hex().encode(), dtype=np.uint16)
# An odd factor makes of every number another of 64 bits, and of no two the same.
_MIX = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows as arrays. `kind`: 0 check-in, 1 checkout, 2 denial. `until`: due time of a borrow, 0 without."""

    at: Whole
    kind: Whole
    number: Whole
    member: Whole
    feature: Whole
    until: Whole

    def taken(self, rows: npt.NDArray[np.generic]) -> _Rows:
        """Some of the rows, by a mask or by numbers."""
        return _Rows(self.at[rows], self.kind[rows], self.number[rows], self.member[rows], self.feature[rows], self.until[rows])

    def with_more(self, other: _Rows) -> _Rows:
        """These rows, then the others."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in self.__slots__)
        return _Rows(*(np.concatenate(pair) for pair in pairs))


def events_table(rows: int, seed: int, path: Path | str) -> Path:
    """The parquet file written: so many events of one year in order of time, with the columns and types of the authority's export.

    Checkouts and check-ins of 10,000 members on 60 features pair by their handle; what is open when the rows are full stays open.
    Some are borrows, some are refused; nobody counts seats. Raises QuestionInvalid for less than one row.
    """
    if rows < 1:
        raise QuestionInvalid(f"{rows} rows make no table", hint="Ask for one or more.")
    rng = np.random.default_rng(seed)
    starts = min(_STARTS_IN_A_BATCH, rows // 2 + 1)
    # Two rows for each start, and fewer for those that are refused.
    span = max(HOUR, int(_YEAR * starts * (2 - _DENIED) / rows))
    pending, written, begin, number = _nothing(), 0, _BEGIN, 0
    with pq.ParquetWriter(path, SCHEMA, compression="zstd", compression_level=1) as writer:
        while written < rows:
            opened, closed = _uses(rng, begin, span, starts, number)
            pending = pending.with_more(closed)
            is_due = pending.at < begin + span
            batch = opened.with_more(pending.taken(is_due))
            pending = pending.taken(~is_due)
            batch = batch.taken(np.lexsort((batch.kind, batch.at))[: rows - written])
            writer.write_batch(_batch(batch, written))
            written, begin, number = written + len(batch.at), begin + span, number + starts
    return Path(path)


def _nothing() -> _Rows:
    none = np.zeros(0, dtype=np.int64)
    return _Rows(none, none, none, none, none, none)


def _uses(rng: np.random.Generator, begin: int, span: int, count: int, first: int) -> tuple[_Rows, _Rows]:
    """What begins in a span of time (checkouts and denials), and the check-ins that follow."""
    at = begin + _moments(rng, begin, span, count)
    is_denied, is_borrow = rng.random(count) < _DENIED, rng.random(count) < _BORROWED
    length = np.where(
        is_borrow, rng.integers(2 * DAY, 30 * DAY, count), (rng.lognormal(0.4, 1.0, count) * HOUR).astype(np.int64) + 1
    )
    until = np.where(is_borrow, at + length + DAY, 0)
    # Few members and features are busy, most are not.
    member = (rng.random(count) ** 1.7 * _MEMBERS).astype(np.int64)
    feature = (rng.random(count) ** 1.7 * len(_FEATURES)).astype(np.int64)
    opened = _Rows(at, np.where(is_denied, _REFUSED, _TAKEN), first + np.arange(count), member, feature, until)
    granted = opened.taken(~is_denied)
    closed = _Rows(
        granted.at + length[~is_denied],
        np.zeros(len(granted.at), np.int64),
        granted.number,
        granted.member,
        granted.feature,
        granted.until,
    )
    return opened, closed


def _moments(rng: np.random.Generator, begin: int, span: int, count: int) -> Whole:
    """Times within a span, more of them in busy hours."""
    hours = np.arange(max(1, span // HOUR))
    weights = _WEEK[(hours + (begin - _BEGIN) // HOUR) % len(_WEEK)]
    edges = np.concatenate([[0.0], np.cumsum(weights / weights.sum())])
    return np.interp(rng.random(count), edges, np.linspace(0, span, len(edges))).astype(np.int64)


def _batch(rows: _Rows, written: int) -> pa.RecordBatch:
    """Rows as a batch of the export."""
    count = len(rows.at)
    is_denied, is_borrow = rows.kind == _REFUSED, rows.until > 0
    machine = rows.member % (_MACHINES - _MEMBERS) * (rows.number % 2) + rows.member
    none = np.zeros(count, dtype=np.int64)
    columns = {
        "at": _times(rows.at, none > 0),
        "event": _texts([CHECKIN, CHECKOUT, DENIAL], rows.kind),
        "mode": _texts([SESSION, BORROW], is_borrow.astype(np.int64)),
        "handle": _handles(rows.number, is_denied),
        "product": _texts([product for product, _ in _FEATURES], rows.feature),
        "feature": _texts([name for _, name in _FEATURES], rows.feature),
        "member": _texts([f"member{number:05d}" for number in range(_MEMBERS)], rows.member),
        "group": _texts([f"group-{number:02d}" for number in range(_GROUPS)], rows.member % _GROUPS),
        "machine": _texts([f"{number * 2_654_435_761 % 2**32:08x}" for number in range(_MACHINES)], machine),
        "alias": _texts([f"pc {number}" for number in range(_MACHINES)], machine),
        "os_user": _texts([f"user{number:05d}" for number in range(_MEMBERS)], rows.member),
        "quantity": pa.array(none + 1),
        "until": _times(rows.until, ~is_borrow),
        "reason": _texts([CHECKED_IN, "", POOL_EXHAUSTED], rows.kind, rows.kind == _TAKEN),
        "source": _texts(["authority"], none),
        "line": pa.array(written + 1 + np.arange(count)),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=SCHEMA)


def _times(values: Whole, is_empty: npt.NDArray[np.bool_]) -> pa.Array:
    return pa.array(values, mask=is_empty).cast(SCHEMA.field("at").type)


def _texts(values: list[str], numbers: Whole, is_empty: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    return pc.take(pa.array(values), pa.array(numbers, mask=is_empty))


def _handles(numbers: Whole, is_empty: npt.NDArray[np.bool_]) -> pa.Array:
    """A text of 16 hexadecimal digits for each number, made without one Python object for each."""
    mixed = (numbers.astype(np.uint64) + np.uint64(1)) * _MIX
    digits = _DIGITS[mixed.view(np.uint8)]
    offsets = np.arange(len(numbers) + 1, dtype=np.int32) * 16
    plain = pa.StringArray.from_buffers(len(numbers), pa.py_buffer(offsets), pa.py_buffer(digits))
    return pc.if_else(pa.array(~is_empty), plain, pa.scalar(None, pa.string()))
