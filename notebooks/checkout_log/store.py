"""Where events go while a log is read: parquet files in a folder of their own, a batch at a time."""

from __future__ import annotations

import shutil
import weakref
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Any, NamedTuple, Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checkout_log.columns import stored_schema

# So many rows are held in memory at once: some 20 MiB.
ROWS_IN_A_BATCH = 65_536
# How columns are packed. Texts that repeat are numbered; numbers that grow from row to row are written as their differences;
# to try either with the others takes longer than all else.
REPEATED = ["event", "mode", "product", "feature", "member", "group", "machine", "alias", "os_user", "reason", "source"]
DIFFERENCES = dict.fromkeys(("at", "line"), "DELTA_BINARY_PACKED")


class Folder:
    """A temporary folder that goes away with the last one who holds it."""

    def __init__(self) -> None:
        self.path = Path(mkdtemp(prefix="checkout_log_"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True)
class Stored:
    """What reading leaves: parquet files of events (`columns.stored_schema`), and small frames about them.

    eras: `era`, `product`, `begin`, `end` (whole microseconds since 1970 UTC; `end` empty while it runs): each run of a license
        server. Events whose source has no runs are of era 0, which is not in the frame.
    spans: `product`, `begin`, `end` (whole microseconds): the time that the logs cover, in which no event means no use.
    quality: one row for each file; its columns stand in `quality.QUALITY`.
    is_case_folded: names of users and machines that differ in case alone are one.
    seats: what is said of seats, as `frame_of_seats` has it. options: who may have which of them, as `frame_of_options` has it.
    known_until: events after this time (whole microseconds) are not of this log; None: all are.
    since: what was over before this time (whole microseconds) is not counted; None: all is.
    features, groups: events of others are not of this log; None: all are.
    departments: the group of each member, by user name in any case, whatever the source says; None: as the source says.
    """

    files: tuple[Path, ...]
    eras: pd.DataFrame
    spans: pd.DataFrame
    seats: pd.DataFrame
    quality: pd.DataFrame
    timezone: str
    is_case_folded: bool = False
    folder: Folder | None = None
    known_until: int | None = None
    since: int | None = None
    features: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    departments: Mapping[str, str] | None = None
    options: pd.DataFrame = field(default_factory=lambda: frame_of_options([]))

    def until(self, moment: int) -> Stored:
        """What was known at a time (whole microseconds): no later event, run or span, and a run that ended later was still on."""
        eras = self.eras[self.eras["begin"] <= moment]
        spans = self.spans[self.spans["begin"] <= moment]
        return replace(
            self,
            eras=eras.assign(end=eras["end"].mask(eras["end"] > moment)).reset_index(drop=True),
            spans=spans.assign(end=spans["end"].clip(upper=moment).clip(lower=spans["begin"] + 1)).reset_index(drop=True),
            seats=self.seats[self.seats["at"] <= moment].reset_index(drop=True),
            options=self.options[self.options["at"] <= moment].reset_index(drop=True),
            known_until=moment,
        )


class Seats(NamedTuple):
    """What a source says of the seats of one feature: since when (whole microseconds), how many, and how many of them are in use.

    server: who has them, as the source calls it. issued, in_use: None where it does not say it.
    """

    server: str
    product: str
    feature: str
    at: int
    issued: int | None
    in_use: int | None
    source: str


def frame_of_seats(seats: Iterable[Seats]) -> pd.DataFrame:
    """One row for each, in order of time."""
    frame = pd.DataFrame(sorted(seats, key=lambda one: one.at), columns=list(Seats._fields))
    kinds = dict.fromkeys(("server", "product", "feature", "source"), "string")
    return frame.astype(kinds | {"at": "int64", "issued": "Int64", "in_use": "Int64"})


class Option(NamedTuple):
    """What a license file or an options file says of a feature, beside how many seats there are.

    product: empty where the file does not say whose it is. feature: empty where it is true of all. option: one of
    `seats.OPTION_KINDS`. number: seats, hours or seconds. kind, name: of whom it is true, such as a group; members: how many they are, where
    that is known. at: since when, in whole microseconds; 0: since ever.
    """

    product: str | None
    feature: str | None
    option: str
    number: int | None
    kind: str | None
    name: str | None
    members: int | None
    at: int
    source: str


def frame_of_options(options: Iterable[Option]) -> pd.DataFrame:
    """One row for each, in order of time."""
    frame = pd.DataFrame(sorted(options, key=lambda one: one.at), columns=list(Option._fields))
    kinds = dict.fromkeys(("product", "feature", "option", "kind", "name", "source"), "string")
    return frame.astype(kinds | {"at": "int64", "number": "Int64", "members": "Int64"})


@dataclass(slots=True)
class Tally:
    """What was written: how many events, how many of them with an uncertain time, about which products, and when.

    begin, end: the first and last time in whole microseconds since 1970 UTC, None while there is no event.
    """

    rows: int = 0
    ambiguous: int = 0
    products: frozenset[str] = frozenset()
    begin: int | None = None
    end: int | None = None

    def count(self, batch: pa.RecordBatch) -> None:
        """Counts these rows too."""
        times = pc.min_max(batch["at"]).as_py()
        self.rows += batch.num_rows
        self.ambiguous += pc.sum(batch["ambiguous"]).as_py()
        self.products |= set(batch["product"].unique().to_pylist())
        self.begin = times["min"] if self.begin is None else min(self.begin, times["min"])
        self.end = times["max"] if self.end is None else max(self.end, times["max"])


class EventFile:
    """One parquet file of events, open for writing. What is written is counted in `tally`, which may be replaced at any time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.tally = Tally()
        self._schema = stored_schema()
        self._writer = pq.ParquetWriter(
            path, self._schema, compression="snappy", use_dictionary=REPEATED, column_encoding=DIFFERENCES
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()

    def add(self, columns: Mapping[str, Any], rows: int) -> None:
        """Writes so many rows. A column is an array or one value for all rows; what is not given is empty."""
        arrays = [_array(columns.get(field.name), field, rows) for field in self._schema]
        self.add_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def add_rows(self, rows: Iterable[tuple[object, ...]]) -> None:
        """Writes rows, each with the values of `stored_schema()` in order."""
        remaining = iter(rows)
        while batch := list(islice(remaining, ROWS_IN_A_BATCH)):
            columns = zip(*batch, strict=True)
            arrays = [pa.array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
            self.add_batch(pa.RecordBatch.from_arrays(arrays, schema=self._schema))

    def add_batch(self, batch: pa.RecordBatch) -> None:
        """Writes rows of the stored schema."""
        if not batch.num_rows:
            return
        self._writer.write_batch(batch)
        self.tally.count(batch)


def write(path: Path, rows: Iterable[tuple[object, ...]]) -> int:
    """Writes rows, each with the values of `stored_schema()` in order, into one parquet file. How many there were."""
    with EventFile(path) as events:
        events.add_rows(rows)
    return events.tally.rows


def _array(values: Any, field: pa.Field, rows: int) -> pa.Array:
    if isinstance(values, pa.Array | pa.ChunkedArray):
        return values
    if hasattr(values, "__array__"):
        return pa.array(values, field.type)
    return pa.repeat(pa.scalar(values, field.type), rows)
