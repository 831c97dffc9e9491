"""The authority's export: JSON lines, CSV or Parquet with the columns of `columns.EVENTS`.

The columns must be exactly these; a single row that breaks their rules is counted and left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checkout_log.columns import ARROW, BORROW, EVENT_KINDS, EVENTS, SESSION, SOURCES, TEXT, TIME, Column, names
from checkout_log.errors import ColumnsWrong, SourceUnreadable
from checkout_log.sources.part import EXPORT, Part
from checkout_log.sources.text import lines
from checkout_log.spreadsheets import fitted, records, restored
from checkout_log.store import REPEATED, ROWS_IN_A_BATCH, EventFile

MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHOICES = {"event": EVENT_KINDS, "mode": (SESSION, BORROW), "source": SOURCES}
NAMES = names(EVENTS)
# No license server gives a million seats at once, and no file has 2**53 lines: other numbers are damage.
MOST = {"quantity": 1_000_000, "line": 2**53}
MOST_DIGITS = 16
# In microseconds since 1970. A due time can be of the years 1 to 9999, which some write for "for ever". What happened did so
# from 1970 to 2199: one damaged row must not make a log of thousands of years, of which every quarter of an hour is counted.
TIMES = {"at": (0, 7_258_118_399_999_999), "until": (-62_135_596_800_000_000, 253_402_300_799_999_999)}
Row = tuple[object, ...]


class RowDamaged(ValueError):
    """One row breaks a rule of its columns."""


def read_lines(path: Path, target: Path, segment: int) -> Part:
    """The events of an export as JSON lines. Raises ColumnsWrong, SourceUnreadable."""
    return _read(path, _objects(path), target, segment)


def read_csv(path: Path, target: Path, segment: int) -> Part:
    """The events of an export as CSV; defused cells are restored. Raises ColumnsWrong, SourceUnreadable."""
    return _read(path, _records(path), target, segment)


def read_parquet(path: Path, target: Path, segment: int) -> Part:
    """The events of an export as Parquet, a batch at a time. Raises ColumnsWrong, SourceUnreadable."""
    part = Part(str(path), EXPORT)
    try:
        _check_types(path, pq.read_schema(path))
        # Texts that repeat are decoded once each.
        with EventFile(target) as events, pq.ParquetFile(path, read_dictionary=REPEATED) as stored:
            for batch in stored.iter_batches(ROWS_IN_A_BATCH, columns=NAMES):
                _add(batch, events, segment)
                part.lines += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise SourceUnreadable(f'"{path}" is a damaged Parquet file', hint="Export it again.") from error
    part.malformed = part.lines - events.tally.rows
    part.holds(events.tally)
    return part


def check_columns(columns: Iterable[str], path: Path) -> None:
    """Raises ColumnsWrong where these are not the columns of an export, in any order."""
    own = list(columns)
    missing, unknown = sorted(set(NAMES) - set(own)), sorted(set(own) - set(NAMES))
    if missing or unknown or len(own) != len(NAMES):
        wrong = [f"lacks {', '.join(missing)}"] if missing else []
        wrong += [f"has {', '.join(unknown)}, which no export has"] if unknown else []
        raise ColumnsWrong(
            f'"{path}" {" and ".join(wrong) or "has a column twice"}',
            hint="Export it again, or take columns off and rename them.",
        )


def _read(path: Path, records: Iterator[Mapping[str, Any] | None], target: Path, segment: int) -> Part:
    part = Part(str(path), EXPORT)
    with EventFile(target) as events:
        events.add_rows(_rows(records, part, segment))
    part.holds(events.tally)
    return part


def _rows(records: Iterator[Mapping[str, Any] | None], part: Part, segment: int) -> Iterator[Row]:
    for record in records:
        part.lines += 1
        try:
            yield (*_values(record), segment, 0, False)
        except RowDamaged:
            part.malformed += 1


def _values(record: Mapping[str, Any] | None) -> list[object]:
    if record is None or record.keys() != set(NAMES):
        raise RowDamaged
    return [_value(record[column.name], column) for column in EVENTS]


def _value(value: object, column: Column) -> object:
    if value is None and column.optional:
        return None
    if column.kind == TIME:
        return _within(_micros(value), column)
    if column.kind == TEXT:
        if isinstance(value, str) and (value or column.optional) and value in CHOICES.get(column.name, (value,)):
            return value or None
    elif isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST[column.name]:
        return value
    raise RowDamaged


def _micros(value: object) -> int:
    """Whole microseconds since 1970 of a time in text, which must say its zone."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise RowDamaged
    return (at - EPOCH) // MICROSECOND


def _within(at: int, column: Column) -> int:
    least, most = TIMES[column.name]
    if not least <= at <= most:
        raise RowDamaged
    return at


def _objects(path: Path) -> Iterator[Mapping[str, Any] | None]:
    """Each line's object, None where it is none. The first decides which columns there are."""
    is_first = True
    for _, line in lines(path):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if is_first and isinstance(value, dict):
            check_columns(value, path)
            is_first = False
        yield value if isinstance(value, dict) else None


def _records(path: Path) -> Iterator[Mapping[str, Any] | None]:
    """Each row under the header as texts, numbers and empty cells (None), None where it has too few or too many."""
    rows = records((line for _, line in lines(path)), NAMES)
    header = [name.strip() for name in next(rows, None) or []]
    check_columns([name for name in header if name], path)
    nameless = [at for at, name in enumerate(header) if not name]
    for row in rows:
        cells = [] if row is None else fitted(row, len(header))
        is_good = len(cells) == len(header) and not any(cells[at].strip() for at in nameless)
        yield {name: _cell(name, cell) for name, cell in zip(header, cells, strict=True) if name} if is_good else None


def _cell(name: str, cell: str) -> object:
    if name in MOST:
        # What is no number, or one with more digits than any has, stays text, and breaks the rule of its column.
        return int(cell) if cell.isascii() and cell.isdecimal() and len(cell) <= MOST_DIGITS else cell
    return restored(cell) or None


def _check_types(path: Path, schema: pa.Schema) -> None:
    check_columns(schema.names, path)
    for column in EVENTS:
        kind = schema.field(column.name).type
        fits = {
            TIME: pa.types.is_timestamp(kind) and kind.tz is not None,
            TEXT: pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_dictionary(kind),
        }.get(column.kind, pa.types.is_integer(kind))
        if not fits and not (column.optional and pa.types.is_null(kind)):
            raise ColumnsWrong(f'"{column.name}" of "{path}" holds {kind}', hint="Export it again: times say their zone.")


def _add(batch: pa.RecordBatch, events: EventFile, segment: int) -> None:
    columns: dict[str, Any] = {}
    good = np.ones(batch.num_rows, dtype=bool)
    for column in EVENTS:
        values = batch[column.name].cast(pa.timestamp("us", "UTC") if column.kind == TIME else ARROW[column.kind], safe=False)
        values = values.cast(pa.int64()) if column.kind == TIME else values
        good &= _is_good(values, column)
        columns[column.name] = values
    if not good.all():
        columns = {name: values.filter(pa.array(good)) for name, values in columns.items()}
    events.add(columns | {"segment": segment, "era": 0, "ambiguous": False}, int(np.count_nonzero(good)))


def _is_good(values: pa.Array, column: Column) -> Any:
    """Which values a column may hold; times are whole microseconds."""
    least, most = TIMES.get(column.name, (0, MOST.get(column.name)))
    if column.name in CHOICES:
        is_good = pc.is_in(values, pa.array(CHOICES[column.name]))
    elif column.kind == TEXT:
        is_good = pc.or_(pc.not_equal(values, ""), pa.scalar(column.optional))
    else:
        is_good = pc.and_(pc.greater_equal(values, least), pc.less_equal(values, most))
    return pc.fill_null(is_good, fill_value=column.optional).to_numpy(zero_copy_only=False)
