"""One FlexNet debug log becomes rows without dates: the uses of licenses, and what is needed to date them.

The days are counted from the first line on: a step back of more than twelve hours is midnight, and a step forward of nearly a
whole day is a line of before midnight that was written late. `clock` is this count in seconds; what day it began with is
found by `dating`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from checkout_log.sources import flexnet_lines as grammar
from checkout_log.sources.text import Block, blocks

DAY, HOUR, MINUTE = 86_400, 3_600, 60
# A thread may write its line so many seconds after another has written a later one.
LATE = 60
# Steps that are kept for judging the hour that comes twice: any step back, and steps forward of this size.
LONG_STEP = 25 * MINUTE

Numbers = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

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
    ]
)
FACTS = RAW.names[2:]
# A time with its blanks lost or doubled, as after an editor; the usual form is read by position.
LOOSE = r"^[\s\x{FEFF}]*(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d) \("
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
class Step:
    """Two lines after one another whose times are far apart or go back: the line of the second, and both clocks."""

    line: int
    before: int
    after: int


@dataclass(slots=True)
class Scan:
    """What one file says before it is dated. `rows` is an Arrow file with the schema RAW."""

    path: Path
    rows: Path
    lines: int = 0
    uses: int = 0
    malformed: int = 0
    first: Place | None = None
    last: Place | None = None
    marks: list[Placed] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    @property
    def host(self) -> str | None:
        """The name of the license server, where the log says it."""
        return next((placed.mark.host for placed in self.marks if placed.mark.host is not None), None)

    @property
    def products(self) -> set[str]:
        """The vendor daemons that wrote something that matters."""
        return ({placed.mark.daemon for placed in self.marks} | self.used).difference(grammar.MANAGERS)


def scan(path: Path, rows: Path, advance: Callable[[int], None]) -> Scan:
    """What this debug log says, with its uses written to `rows`; `advance` is told the bytes done. Raises SourceUnreadable."""
    found = Scan(path, rows)
    packed = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(rows), "wb") as sink, pa.ipc.new_file(sink, RAW, options=packed) as writer:
        for block in blocks(path):
            for batch in _read(block, found):
                writer.write_batch(batch)
            advance(block.size)
    return found


def _read(block: Block, scan: Scan) -> list[pa.RecordBatch]:
    """The rows of a block; the rest of what it says goes into the scan."""
    seconds = seconds_of_day(block)
    clocks = _clocks(block, seconds, scan)
    is_candidate = pc.match_substring_regex(block.lines, grammar.CANDIDATE).to_numpy(zero_copy_only=False)
    is_timed = seconds >= 0
    scan.lines += len(block.lines)
    scan.malformed += _unread(block, ~is_timed, is_candidate)
    chosen = is_candidate & is_timed
    bodies = pc.replace_substring_regex(block.lines.filter(pa.array(chosen)), r"^[^(]*", "")
    return _rows(bodies, block.numbers[chosen], clocks[chosen], scan)


def seconds_of_day(block: Block) -> npt.NDArray[np.int32]:
    """The time of each line in seconds since midnight; -1 where there is none, or no possible one."""
    places = np.minimum(block.starts[:, None] + np.arange(10), len(block.data) - 1)
    signs = block.data[places].astype(np.int32)
    digits = signs[:, [0, 1, 3, 4, 6, 7]] - ord("0")
    digits[:, 0] = np.where(signs[:, 0] == ord(" "), 0, digits[:, 0])
    hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (0, 2, 4))
    is_usual = np.all((digits >= 0) & (digits < len("0123456789")), axis=1) & _are_possible(hour, minute, second)
    for place, sign in ((2, ":"), (5, ":"), (8, " "), (9, "(")):
        is_usual &= signs[:, place] == ord(sign)
    found = np.where(is_usual, hour * HOUR + minute * MINUTE + second, -1)
    return _with_loose_times(block, found)


def _with_loose_times(block: Block, seconds: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    other = np.flatnonzero(seconds < 0)
    parts = pc.extract_regex(block.lines.take(pa.array(other)), LOOSE)
    has_time = parts.is_valid().to_numpy(zero_copy_only=False)
    hour, minute, second = (pc.cast(values, pa.int32()).to_numpy() for values in parts.drop_null().flatten())
    is_possible = _are_possible(hour, minute, second)
    seconds[other[has_time]] = np.where(is_possible, hour * HOUR + minute * MINUTE + second, -1)
    return seconds


def _are_possible(hour: npt.NDArray[np.int32], minute: npt.NDArray[np.int32], second: npt.NDArray[np.int32]) -> Flags:
    found: Flags = (hour < DAY // HOUR) & (minute < HOUR // MINUTE) & (second < MINUTE)
    return found


def _clocks(block: Block, seconds: npt.NDArray[np.int32], scan: Scan) -> Numbers:
    """The clock of each line; -1 where it has no time. Notes the first and last line and the steps worth knowing."""
    timed = np.flatnonzero(seconds >= 0)
    clocks = np.full(len(seconds), -1, dtype=np.int64)
    if not len(timed):
        return clocks
    times = seconds[timed].astype(np.int64)
    before = times[0] if scan.last is None else scan.last.clock % DAY
    steps = np.diff(times, prepend=before)
    days = np.cumsum((steps < -DAY // 2).astype(np.int64) - (steps > DAY - LATE))
    days += 0 if scan.last is None else scan.last.clock // DAY
    clocks[timed] = times + days * DAY
    numbers = block.numbers[timed]
    _note_steps(clocks[timed], numbers, scan)
    if scan.first is None:
        scan.first = Place(int(numbers[0]), int(clocks[timed[0]]))
    scan.last = Place(int(numbers[-1]), int(clocks[timed[-1]]))
    return clocks


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
    kinds = np.array([type(text) is grammar.Use for text in texts], dtype=bool)
    scan.malformed += int(np.count_nonzero(np.array([type(text) is grammar.Malformed for text in texts], dtype=bool)[codes]))
    marks = np.array([type(text) is grammar.Mark for text in texts], dtype=bool)
    for at in np.flatnonzero(marks[codes]):
        scan.marks.append(Placed(int(numbers[at]), int(clocks[at]), texts[codes[at]]))
    is_use = kinds[codes]
    if not is_use.any():
        return []
    scan.uses += int(np.count_nonzero(is_use))
    table = _table([text for text in texts if type(text) is grammar.Use], (np.cumsum(kinds) - 1)[codes[is_use]])
    scan.used |= set(table["product"].unique().to_pylist())
    arrays = [pa.array(numbers[is_use]), pa.array(clocks[is_use]), *table.columns]
    return [pa.RecordBatch.from_arrays(arrays, schema=RAW)]


def _table(uses: list[grammar.Use], codes: Numbers) -> pa.RecordBatch:
    columns = [pa.array(values, RAW.field(name).type) for name, values in zip(FACTS, zip(*uses, strict=True), strict=True)]
    return pa.RecordBatch.from_arrays(columns, FACTS).take(pa.array(codes))
