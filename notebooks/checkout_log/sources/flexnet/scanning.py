"""One FlexNet debug log becomes rows without dates: the uses of licenses, and what is needed to date them.

The days are counted from the first line on: a step back of more than twelve hours is midnight, and a step forward of nearly a
whole day is a line of before midnight that was written late. A line that says its date is of that day. `clock` is this count
in seconds; what day it began with is found by `dating`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checkout_log.sources.common import DAY, LATE, MINUTE, Flags, Numbers
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.times import EPOCH, UNSAID, Times, times
from checkout_log.sources.named_zones import NamedAt
from checkout_log.sources.text import Block, blocks

# Steps that are kept for judging the hour that comes twice: any step back, and steps forward of this size.
LONG_STEP = 25 * MINUTE

RAW = pa.schema(
    [
        ("line", pa.int64()),
        ("clock", pa.int64()),
        ("event", pa.string()),
        ("product", pa.string()),
        ("feature", pa.string()),
        ("member", pa.string()),
        ("machine", pa.string()),
        ("quantity", pa.int64()),
        ("reason", pa.string()),
        ("handle", pa.string()),
        ("issued", pa.int64()),
    ]
)
FACTS = RAW.names[2:]
TIME_LIKE = r"^[\s\x{FEFF}]*\d+:\d+:\d+\s*\("
CONTROL = r"[\x00-\x08\x0e-\x1f\x{FFFD}]"


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the file: the line, and its clock in seconds since the midnight before the first line."""

    line: int
    clock: int


@dataclass(frozen=True, slots=True)
class Placed(Place):
    """A mark with its place."""

    mark: grammar.Mark


@dataclass(frozen=True, slots=True)
class Stated(Place):
    """An option with its place."""

    setting: grammar.Setting


@dataclass(frozen=True, slots=True)
class Step:
    """Two lines after one another whose times are far apart or go back: the line of the second, and both clocks."""

    line: int
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """From this line on the clock is so many seconds ahead of UTC, as the lines say themselves."""

    line: int
    seconds: int


@dataclass(slots=True)
class Scan:
    """What one file says before it is dated. `rows` are Arrow files with the schema RAW, one after the other.

    first_said, last_said: the first and the last line that says its day, as stamps. first_day: the day (since 1970) of the clock's first midnight, where lines say their date. has_handles, has_seats: some uses say it.
    parents: the vendor daemon that each forked one belongs to.
    """

    path: Path
    rows: list[Path] = field(default_factory=list)
    lines: int = 0
    uses: int = 0
    malformed: int = 0
    first: Place | None = None
    last: Place | None = None
    marks: list[Placed] = field(default_factory=list)
    settings: list[Stated] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    ahead: list[Ahead] = field(default_factory=list)
    first_day: int | None = None
    first_said: Placed | None = None
    last_said: Placed | None = None
    used: set[str] = field(default_factory=set)
    has_handles: bool = False
    has_seats: bool = False
    parents: dict[str, str] = field(default_factory=dict)

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows, in order; those of a forked daemon are its parent's."""
        for path in self.rows:
            with pa.OSFile(str(path)) as source:
                reader = pa.ipc.open_file(source)
                for at in range(reader.num_record_batches):
                    yield _with_parents(reader.get_batch(at), self.parents)

    @property
    def host(self) -> str | None:
        """The name of the license server, where the log says it."""
        return next((placed.mark.host for placed in self.marks if placed.mark.host is not None), None)

    @property
    def zone_names(self) -> list[NamedAt]:
        """What stamps call the server's time zone, in order; none where lines say by themselves how far it is ahead of UTC."""
        return [] if self.ahead else [named for placed in self.marks if (named := _named(placed.mark)) is not None]

    @property
    def products(self) -> set[str]:
        """The vendor daemons that wrote something that matters; a forked one is its parent."""
        return {self.parents.get(name, name) for name in self.daemons}

    @property
    def daemons(self) -> set[str]:
        """The vendor daemons that wrote something that matters, under their own names."""
        return ({placed.mark.daemon for placed in self.marks} | self.used).difference(grammar.MANAGERS)


def _with_parents(batch: pa.RecordBatch, parents: Mapping[str, str]) -> pa.RecordBatch:
    if not parents:
        return batch
    coded = batch["product"].dictionary_encode()
    names = pa.array([parents.get(name, name) for name in coded.dictionary.to_pylist()], pa.string())
    return batch.set_column(batch.schema.get_field_index("product"), "product", names.take(coded.indices))


def _named(mark: grammar.Mark) -> NamedAt | None:
    if mark.zone is None or mark.day is None or mark.second is None:
        return None
    return NamedAt(mark.zone, datetime.combine(mark.day, datetime.min.time()) + timedelta(seconds=mark.second))


def scan(path: Path, rows: Path, advance: Callable[[int], None]) -> Scan:
    """What this debug log says, with its uses written to `rows`; `advance` is told the bytes done. Raises SourceUnreadable."""
    scan_of_file = Scan(path)
    with RowFile(rows, scan_of_file) as writer:
        for block in blocks(path):
            writer.take(block)
            advance(block.size)
    return finished(scan_of_file)


class RowFile:
    """A file of the rows of a scan, open for writing; it is one of the scan's when it is closed."""

    def __init__(self, path: Path, scan: Scan) -> None:
        self._path, self._scan = path, scan
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, RAW, options=pa.ipc.IpcWriteOptions(compression="lz4"))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._writer.close()
        self._sink.close()
        self._scan.rows.append(self._path)

    def take(self, block: Block) -> None:
        """Scans a block, the next of its file."""
        for batch in _read(block, self._scan):
            self._writer.write_batch(batch)


def finished(scan: Scan) -> Scan:
    """The scan itself, when all lines were read: with the days that lines say as stamps, and its marks in the order of lines."""
    said = [placed for placed in (scan.first_said, scan.last_said) if placed is not None]
    scan.marks = sorted([*said, *scan.marks], key=lambda placed: placed.line)
    return scan


def _read(block: Block, scan: Scan) -> list[pa.RecordBatch]:
    """The rows of a block; the rest of what it says goes into the scan."""
    clock_times = times(block)
    clocks = _clocks(block, clock_times, scan)
    is_candidate = pc.match_substring_regex(block.lines, grammar.CANDIDATE).to_numpy(zero_copy_only=False)
    is_timed = clock_times.seconds >= 0
    scan.lines += len(block.lines)
    scan.malformed += _unread(block, ~is_timed, is_candidate)
    is_event = is_candidate & is_timed
    bodies = pc.replace_substring_regex(block.lines.filter(pa.array(is_event)), r"^[^(]*", "")
    return _rows(bodies, block.numbers[is_event], clocks[is_event], scan)


def _clocks(block: Block, clock_times: Times, scan: Scan) -> Numbers:
    """The clock of each line; -1 where it has no time. Notes the first and last line and the steps worth knowing."""
    timed = np.flatnonzero(clock_times.seconds >= 0)
    clocks = np.full(len(clock_times.seconds), -1, dtype=np.int64)
    if not len(timed):
        return clocks
    seconds = clock_times.seconds[timed].astype(np.int64)
    before = seconds[0] if scan.last is None else scan.last.clock % DAY
    steps = np.diff(seconds, prepend=before)
    days = np.cumsum((steps < -DAY // 2).astype(np.int64) - (steps > DAY - LATE))
    days += 0 if scan.last is None else scan.last.clock // DAY
    numbers = block.numbers[timed]
    if clock_times.days is not None and clock_times.ahead is not None:
        days = _said(days, clock_times.days[timed], scan)
        _note_days(days, seconds, numbers, clock_times.days[timed] != UNSAID, scan)
        _note_ahead(clock_times.ahead[timed], numbers, scan)
    clocks[timed] = seconds + days * DAY
    _note_steps(clocks[timed], numbers, scan)
    if scan.first is None:
        scan.first = Place(int(numbers[0]), int(clocks[timed[0]]))
    scan.last = Place(int(numbers[-1]), int(clocks[timed[-1]]))
    return clocks


def _said(counted: Numbers, said: Numbers, scan: Scan) -> Numbers:
    """The days of lines as they say them; the others count on from the last one that says its day."""
    is_said = said != UNSAID
    first = int(np.flatnonzero(is_said)[0])
    if scan.first_day is None:
        scan.first_day = int(said[first] - counted[first])
    last = np.maximum.accumulate(np.where(is_said, np.arange(len(said)), -1))
    late = np.where(is_said, said - scan.first_day - counted, 0)
    return counted + np.where(last >= 0, late[last], 0)


def _note_days(days: Numbers, seconds: Numbers, numbers: Numbers, is_said: Flags, scan: Scan) -> None:
    """Notes the first and the last line that says its day: between them every line has its day."""
    first, last = (_stamp(int(at), days, seconds, numbers, scan) for at in np.flatnonzero(is_said)[[0, -1]])
    scan.first_said, scan.last_said = scan.first_said or first, last


def _stamp(at: int, days: Numbers, seconds: Numbers, numbers: Numbers, scan: Scan) -> Placed:
    """The day that a line says as a stamp."""
    day = date.fromordinal(EPOCH + (scan.first_day or 0) + int(days[at]))
    return Placed(int(numbers[at]), int(seconds[at] + days[at] * DAY), grammar.Mark(grammar.STAMP, grammar.MANAGERS[0], day))


def _note_ahead(ahead: Numbers, numbers: Numbers, scan: Scan) -> None:
    known = np.flatnonzero(ahead != UNSAID)
    before = scan.ahead[-1].seconds if scan.ahead else UNSAID
    for at in known[np.diff(ahead[known], prepend=before) != 0]:
        scan.ahead.append(Ahead(int(numbers[at]), int(ahead[at])))


def _note_steps(clocks: Numbers, numbers: Numbers, scan: Scan) -> None:
    before = np.concatenate(([clocks[0] if scan.last is None else scan.last.clock], clocks[:-1]))
    steps = clocks - before
    for at in np.flatnonzero((steps < -LATE) | (steps > LONG_STEP)):
        scan.steps.append(Step(int(numbers[at]), int(before[at]), int(clocks[at])))


def _unread(block: Block, is_untimed: Flags, is_candidate: Flags) -> int:
    """How many lines without a time are damaged: a use or a time that cannot be read, or bytes that are no text."""
    untimed = block.lines.filter(pa.array(is_untimed))
    is_damaged = pc.or_(pc.match_substring_regex(untimed, TIME_LIKE), pc.match_substring_regex(untimed, CONTROL))
    return int(np.count_nonzero(is_damaged.to_numpy(zero_copy_only=False) | is_candidate[is_untimed]))


def _rows(bodies: pa.StringArray, numbers: Numbers, clocks: Numbers, scan: Scan) -> list[pa.RecordBatch]:
    """The uses among these lines. The same text comes often, and each is read once."""
    coded = bodies.dictionary_encode()
    texts = [grammar.read(text) for text in coded.dictionary.to_pylist()]
    codes = coded.indices.to_numpy()
    kinds = _of_kind(texts, grammar.Use)
    scan.malformed += int(np.count_nonzero(_of_kind(texts, grammar.Malformed)[codes]))
    for at in np.flatnonzero(_of_kind(texts, grammar.Mark)[codes]):
        scan.marks.append(Placed(int(numbers[at]), int(clocks[at]), texts[codes[at]]))
    for at in np.flatnonzero(_of_kind(texts, grammar.Setting)[codes]):
        scan.settings.append(Stated(int(numbers[at]), int(clocks[at]), texts[codes[at]]))
    is_use = kinds[codes]
    if not is_use.any():
        return []
    scan.uses += int(np.count_nonzero(is_use))
    table = _table([text for text in texts if type(text) is grammar.Use], (np.cumsum(kinds) - 1)[codes[is_use]])
    scan.used |= set(table["product"].unique().to_pylist())
    scan.has_handles |= table["handle"].null_count < table.num_rows
    scan.has_seats |= table["issued"].null_count < table.num_rows
    arrays = [pa.array(numbers[is_use]), pa.array(clocks[is_use]), *table.columns]
    return [pa.RecordBatch.from_arrays(arrays, schema=RAW)]


def _of_kind(texts: list[Any], kind: type) -> Flags:
    return np.array([type(text) is kind for text in texts], dtype=bool)


def _table(uses: list[grammar.Use], codes: Numbers) -> pa.RecordBatch:
    columns = [pa.array(values, RAW.field(name).type) for name, values in zip(FACTS, zip(*uses, strict=True), strict=True)]
    return pa.RecordBatch.from_arrays(columns, FACTS).take(pa.array(codes))
