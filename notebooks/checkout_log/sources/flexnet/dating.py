"""Which day a line without a date belongs to.

Lines of a FlexNet log carry the time of day alone. Visible midnights are counted (`scanning`); stamps say what day it is.
Between two stamps that agree with the count, every day is certain. Where they do not agree, the log was silent for a day or
more, its clock was set, or pieces were joined in the wrong order, and no line in between tells where: those lines are dated
as well as can be, and flagged. So is what lies more than a day before the first stamp or after the last, where such a silence
would not show.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from checkout_log.sources.common import DAY, HOUR, LATE, MINUTE, Flags, Numbers
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.scanning import Placed, Scan, Step
from checkout_log.sources.flexnet.times import EPOCH

# A step back beyond what a clock does when summer ends, and short of midnight: a midnight after which little was written.
DOUBTFUL_BACK = 70 * MINUTE
# A server that runs writes a stamp at least this often.
STAMP_EVERY = 6 * HOUR
# So many stamps tell how often a server writes them, if it does so less often.
TELLING = 3


@dataclass(frozen=True, slots=True)
class Anchor:
    """Stamps in a row that agree: their lines, clocks and the day (since 1970) of which the clock's first midnight is the begin."""

    first_line: int
    last_line: int
    first_clock: int
    last_clock: int
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Silence:
    """Two lines after one another that are long apart, or go back: the line of the second, both clocks, and local seconds since 1970."""

    line: int
    before: int
    after: int
    local_before: int
    local_after: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """From this line on the clock began at this day (since 1970); `is_doubtful`: it may as well have been another day."""

    line: int
    offset: int
    is_doubtful: bool


@dataclass(frozen=True)
class Calendar:
    """The days of one file: its stretches, the anchors at both ends, and how many stamps disagreed with the lines before them."""

    stretches: tuple[Stretch, ...]
    first: Anchor
    last: Anchor
    disagreeing: int

    def local(self, lines: Numbers, clocks: Numbers) -> tuple[Numbers, Flags]:
        """The local time of lines in seconds since 1970, and which of them could have been on another day."""
        starts, offsets, is_doubtful = self._columns
        stretch = np.searchsorted(starts, lines, side="right") - 1
        far_before = (lines < self.first.first_line) & (self.first.first_clock - clocks > DAY)
        far_after = (lines > self.last.last_line) & (clocks - self.last.last_clock > DAY)
        return clocks + offsets[stretch] * DAY, is_doubtful[stretch] | far_before | far_after

    @cached_property
    def _columns(self) -> tuple[Numbers, Numbers, Flags]:
        lines, offsets, is_doubtful = zip(*((one.line, one.offset, one.is_doubtful) for one in self.stretches), strict=True)
        return np.array(lines, dtype=np.int64), np.array(offsets, dtype=np.int64), np.array(is_doubtful, dtype=bool)


def calendar(scan: Scan) -> Calendar | None:
    """The days of this file; None where nothing in it names one."""
    stamps = [placed for placed in scan.marks if placed.mark.day is not None]
    if not stamps:
        return None
    anchors, disagreeing = _without_odd(_agreeing(stamps))
    is_contradicted = len(anchors) > 1
    stretches = _before(anchors[0], scan, is_doubtful=is_contradicted and _is_shaky(anchors[0]))
    for before, after in pairwise(anchors):
        between = _between(before, after, scan)
        disagreeing += any(stretch.is_doubtful for stretch in between)
        stretches += between
    stretches += _after(anchors[-1], scan, is_doubtful=is_contradicted and _is_shaky(anchors[-1]))
    return Calendar(tuple(stretches), anchors[0], anchors[-1], disagreeing)


def continued(offset: int) -> Calendar:
    """The days of a file without stamps whose first midnight was this day, as its neighbor says: all of them doubtful."""
    edge = Anchor(0, 0, 0, 0, offset, 0)
    return Calendar((Stretch(0, offset, is_doubtful=True),), edge, edge, 0)


def silences(scan: Scan, days: Calendar) -> list[Silence]:
    """Where lines are long apart or go back, in the order of lines: also where nothing but the date tells it."""
    steps = {step.line: (step.before, step.after) for step in scan.steps}
    clocks = {placed.line: (placed.clock, placed.clock) for placed in scan.marks}
    inner = [stretch.line for stretch in days.stretches[1:] if stretch.line in clocks]
    steps = {line: clocks[line] for line in inner} | steps
    if not steps:
        return []
    lines = np.array(sorted(steps), dtype=np.int64)
    before, after = np.array([steps[line] for line in lines.tolist()], dtype=np.int64).T
    local_before, local_after = days.local(lines - 1, before)[0], days.local(lines, after)[0]
    columns = (lines, before, after, local_before, local_after)
    return [Silence(*values) for values in zip(*(column.tolist() for column in columns), strict=True)]


def gaps(marks: Sequence[Placed], silent: Sequence[Silence], days: Calendar) -> list[Silence]:
    """The silences in which a server that ran would have written a stamp, and that no stop of it explains."""
    stamps = [placed for placed in marks if placed.mark.day is not None]
    local, _ = days.local(*(np.array([getattr(one, name) for one in stamps], dtype=np.int64) for name in ("line", "clock")))
    intervals = np.diff(local)
    intervals = intervals[intervals > HOUR]
    if len(intervals) < TELLING:
        return []
    longest = max(STAMP_EVERY, int(np.median(intervals))) + HOUR
    long = [one for one in silent if one.local_after - one.local_before > longest]
    return [one for one in long if not _is_down(marks, one.line)]


def _is_down(marks: Sequence[Placed], line: int) -> bool:
    """Whether the last that was said of the server before this line is that it stops."""
    last = next((placed.mark.kind for placed in reversed(marks) if placed.line < line), None)
    return last in (grammar.STOP, grammar.STOP_ALL)


def _agreeing(stamps: Sequence[Placed]) -> list[Anchor]:
    """Stamps as anchors, those that follow one another and agree taken together."""
    anchors: list[Anchor] = []
    for placed in stamps:
        own = Anchor(placed.line, placed.line, placed.clock, placed.clock, _offset(placed), 1)
        if anchors and anchors[-1].offset == own.offset:
            own = _together(anchors.pop(), own)
        anchors.append(own)
    return anchors


def _together(first: Anchor, last: Anchor) -> Anchor:
    return Anchor(first.first_line, last.last_line, first.first_clock, last.last_clock, first.offset, first.count + last.count)


def _offset(placed: Placed) -> int:
    """The day (since 1970) of the clock's first midnight, as a stamp says it."""
    day = placed.mark.day
    if day is None:
        raise ValueError("a mark without a day is no stamp")
    since_1970 = day.toordinal() - EPOCH
    if placed.mark.second is None:
        return since_1970 - placed.clock // DAY
    # The line may be written on the other side of midnight: the nearest day is meant.
    return (since_1970 * DAY + placed.mark.second - placed.clock + DAY // 2) // DAY


def _without_odd(anchors: list[Anchor]) -> tuple[list[Anchor], int]:
    """The anchors without single stamps that contradict those on both sides, which agree; how many those were."""
    agreeing: list[Anchor] = []
    odd = 0
    for at, anchor in enumerate(anchors):
        if agreeing and anchor.count == 1 and at + 1 < len(anchors) and agreeing[-1].offset == anchors[at + 1].offset:
            odd += 1
        elif agreeing and agreeing[-1].offset == anchor.offset:
            agreeing.append(_together(agreeing.pop(), anchor))
        else:
            agreeing.append(anchor)
    return agreeing, odd


def _is_shaky(anchor: Anchor) -> bool:
    """Whether it is a single stamp at midnight: its date may have been taken a moment before or after its time."""
    return anchor.count == 1 and (anchor.first_clock + LATE) % DAY < 2 * LATE


def _midnights(scan: Scan, after: int, until: int) -> list[Step]:
    """The steps back by hours between two lines: no late line goes back so far."""
    steps = [step for step in scan.steps if after < step.line <= until]
    return [step for step in steps if -DAY // 2 <= step.after - step.before < -DOUBTFUL_BACK]


def _before(first: Anchor, scan: Scan, *, is_doubtful: bool) -> list[Stretch]:
    """The stretches up to the first stamp, filled backwards."""
    midnights = _midnights(scan, 0, first.first_line)
    starts = [0, *(step.line for step in midnights)]
    days = [first.offset - len(midnights) + at for at in range(len(starts))]
    stretches = [Stretch(line, day, is_doubtful or day != first.offset) for line, day in zip(starts, days, strict=True)]
    return [*stretches, Stretch(first.first_line, first.offset, is_doubtful=False)]


def _after(last: Anchor, scan: Scan, *, is_doubtful: bool) -> list[Stretch]:
    """The stretches after the last stamp, in which a step back by hours seems to be a midnight, and no stamp says so."""
    midnights = _midnights(scan, last.last_line, scan.lines)
    stretches = [Stretch(step.line, last.offset + at, is_doubtful=True) for at, step in enumerate(midnights, 1)]
    return [Stretch(last.last_line + 1, last.offset, is_doubtful), *stretches]


def _between(before: Anchor, after: Anchor, scan: Scan) -> list[Stretch]:
    """The stretches from one anchor to the next that disagrees with it."""
    missing = after.offset - before.offset
    midnights = _midnights(scan, before.last_line, after.first_line)
    if missing == len(midnights):
        # As many days are missing as times went back by hours: those were the midnights, and no other explains it.
        return [Stretch(step.line, before.offset + at, is_doubtful=False) for at, step in enumerate(midnights, 1)]
    turn = _likeliest_turn(before, after, scan)
    stretches = [Stretch(before.last_line + 1, before.offset, is_doubtful=True)]
    if turn < after.first_line:
        stretches.append(Stretch(turn, after.offset, is_doubtful=True))
    return [*stretches, Stretch(after.first_line, after.offset, is_doubtful=False)]


def _likeliest_turn(before: Anchor, after: Anchor, scan: Scan) -> int:
    """The line before which the days are missing: where a server started, else after the longest silence that shows."""
    starts = [
        placed.line
        for placed in scan.marks
        if placed.mark.kind in (grammar.BANNER, grammar.START) and before.last_line < placed.line < after.first_line
    ]
    if starts:
        return starts[0]
    steps = [step for step in scan.steps if before.last_line < step.line <= after.first_line]
    return max(steps, key=lambda step: (step.after - step.before) % DAY, default=Step(after.first_line, 0, 0)).line
