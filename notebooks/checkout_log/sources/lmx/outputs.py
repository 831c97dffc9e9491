"""Files of outputs of `lmxendutil` as snapshots: one for each server that an output asks.

An output does not say when it was made. Where a line above it holds a date and a time and nothing else, that is its time; where such
lines stand below the outputs, theirs. Else it was not made before the latest time that it shows, nor before the output above it in
its file: what it lists was in use then, and more than that nobody knows (`snapshots.order`). One that shows no time and has none above
it cannot be placed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from checkout_log.sources.lmx import rows as grammar
from checkout_log.sources.part import Part
from checkout_log.sources.snapshots.model import UNKNOWN, UNLISTED, Key, Row, Snapshot, Total
from checkout_log.sources.snapshots.order import Look
from checkout_log.sources.text import lines

# A start this much after the output is the same minute on two clocks, or seconds that LM-X leaves out.
CLOCKS = timedelta(minutes=1)
NO_FEATURE = grammar.Feature(UNKNOWN, UNKNOWN)
NOT_SHARED = grammar.Sharing(is_shared=False, dup_group=None)


@dataclass(slots=True)
class Held:
    """A use in an output: the line, what it is of, who has it, and the times that follow it."""

    line: int
    feature: grammar.Feature
    use: grammar.Use
    start: datetime | None = None
    due: datetime | None = None


@dataclass(slots=True)
class Section:
    """What one server says in an output. is_open: times that come are of its last use."""

    line: int
    address: str
    totals: list[Total] = field(default_factory=list)
    features: list[grammar.Feature] = field(default_factory=list)
    uses: list[Held] = field(default_factory=list)
    is_open: bool = False


@dataclass(slots=True)
class Output:
    """An output, or what is there of it: its sections, and when it was made where a line says so."""

    at: datetime | None
    sections: list[Section] = field(default_factory=list)
    feature: grammar.Feature = NO_FEATURE
    sharing: grammar.Sharing = NOT_SHARED

    @property
    def latest(self) -> datetime | None:
        """The latest checkout that it shows."""
        return max((use.start for section in self.sections for use in section.uses if use.start is not None), default=None)

    def take(self, number: int, line: str, marks: Sequence[grammar.Mark]) -> bool:
        """Takes what a line with this number says; whether a feature or a use in it cannot be read."""
        for mark in marks:
            self._take(number, mark)
        is_feature = grammar.FEATURE_LIKE.match(line) is not None and not any(
            isinstance(mark, grammar.Feature) for mark in marks
        )
        if is_feature:
            # What follows is of a feature whose name cannot be read, and not of the one before.
            self.feature, self.sharing = NO_FEATURE, NOT_SHARED
        is_use = grammar.USE_LIKE.search(line) is not None and not any(isinstance(mark, grammar.Use) for mark in marks)
        if is_use and self.sections:
            # The times that follow are not of the use before.
            self.sections[-1].is_open = False
        return is_feature or is_use

    def _take(self, number: int, mark: grammar.Mark) -> None:
        if isinstance(mark, grammar.Server) or not self.sections:
            self.sections.append(Section(number, mark.address if isinstance(mark, grammar.Server) else ""))
        section = self.sections[-1]
        match mark:
            case grammar.Server():
                self.feature, self.sharing = NO_FEATURE, NOT_SHARED
            case grammar.Feature():
                self.feature, self.sharing, section.is_open = mark, NOT_SHARED, False
                section.features.append(mark)
            case grammar.Sharing():
                self.sharing = mark
            case grammar.Seats() if self.feature is not NO_FEATURE:
                total = Total(number, self.feature.vendor, self.feature.feature, mark.issued, mark.in_use, 0, *self.sharing)
                section.totals.append(total)
            case grammar.Use():
                section.uses.append(Held(number, self.feature, mark))
                section.is_open = True
            case grammar.Start() if section.is_open:
                section.uses[-1].start = section.uses[-1].start or mark.at
            case grammar.Due() if section.is_open:
                section.uses[-1].due = section.uses[-1].due or mark.at


def snapshots(part: Part, number: int) -> Iterator[Snapshot]:
    """The snapshots of one file, as they stand in it; what is read is counted in the part. Raises SourceUnreadable."""
    before: datetime | None = None
    for output in _outputs(part):
        at = output.at or max((time for time in (output.latest, before) if time is not None), default=None)
        if at is None:
            continue
        before = at
        for section in output.sections:
            yield _snapshot(section, part, number, at, is_dated=output.at is not None)


def looks(part: Part) -> list[Look]:
    """When the snapshots of a file were taken, as they stand in it. Raises SourceUnreadable."""
    own = snapshots(Part(part.file, part.kind), 0)
    return [Look(snapshot.at, snapshot.is_dated, snapshot.servers) for snapshot in own]


def _outputs(part: Part) -> Iterator[Output]:
    """The outputs of a file, each as a whole."""
    now: Output | None = None
    stamp: datetime | None = None
    is_stamp_first: bool | None = None
    for number, line in lines(Path(part.file)):
        part.lines += 1
        time = grammar.stamp(line)
        if time is not None:
            is_stamp_first = now is None if is_stamp_first is None else is_stamp_first
            if now is not None:
                now.at = now.at if is_stamp_first else time
                yield now
            now, stamp = None, time if is_stamp_first else None
            continue
        marks = list(grammar.marks(line))
        if now is not None and now.sections and _is_another(now, line, marks):
            yield now
            now, stamp = None, None
        if now is None and (marks or grammar.BANNER.match(line) is not None):
            now = Output(stamp)
        if now is not None:
            part.malformed += now.take(number, line, marks)
    if now is not None:
        yield now


def _is_another(now: Output, line: str, marks: Sequence[grammar.Mark]) -> bool:
    """Whether another output begins with this line: with its first line, or with a server that has spoken in this one."""
    asked = {section.address for section in now.sections}
    return grammar.BANNER.match(line) is not None or any(
        isinstance(mark, grammar.Server) and mark.address in asked for mark in marks
    )


def _snapshot(section: Section, part: Part, number: int, at: datetime, *, is_dated: bool) -> Snapshot:
    """What one server said at this local time. A use without a time cannot be read, and is counted in the part."""
    snapshot = Snapshot(number, section.line, at, section.address, totals=section.totals, is_dated=is_dated)
    snapshot.daemons += dict.fromkeys(feature.vendor for feature in section.features)
    snapshot.is_telling = bool(section.features)
    for held in section.uses:
        if held.start is None and held.due is None:
            part.malformed += 1
            continue
        is_ahead = held.start is not None and held.start > at + CLOCKS
        row = Row(
            held.use.member, held.use.machine, "", "", held.use.quantity, held.start or at, None,
            is_doubtful=held.start is None or is_ahead, is_ahead=is_ahead, due=held.due,
        )  # fmt: skip
        key = Key(held.feature.vendor, held.feature.feature, row.member, row.machine, "", "", held.start or UNLISTED)
        if key in snapshot.users:
            row = row._replace(quantity=row.quantity + snapshot.users[key][1].quantity)
        snapshot.users[key] = (held.line, row)
        snapshot.is_telling = True
    return snapshot.completed
