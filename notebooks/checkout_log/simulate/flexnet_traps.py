"""What makes real FlexNet logs hard to read, on demand: late lines, lost stamps, odd line ends, files that were rotated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clocks import DAY, HOUR, MINUTE, SECOND, Clock

# A thread that was held up writes its line after others, so many seconds late at most.
_LATEST = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when (UTC), the daemon, the text; whether it is an event, or carries a date and nothing else."""

    at: int
    daemon: str
    text: str
    is_event: bool = False
    is_stamp: bool = False


@dataclass(frozen=True, slots=True)
class Traps:
    """Which traps a log has. None by default.

    late_lines: share of the events that are written up to five seconds late, behind younger lines.
    missing_stamps: share of the date stamps that are left out.
    untimed_lines: share of the events that are followed by a line without a time, a blank line, or a failed check-in.
    crlf, bom: Windows line ends; a byte order mark. encoding: of the text; letters it does not know become question marks.
    files: the log was rotated into so many; each but the first begins without a start line.
    overlap: so many lines at the end of each file stand at the begin of the next again.
    seed: of the chance that decides.
    """

    late_lines: float = 0.0
    missing_stamps: float = 0.0
    untimed_lines: float = 0.0
    crlf: bool = False
    bom: bool = False
    encoding: str = "utf-8"
    files: int = 1
    overlap: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises QuestionInvalid for shares outside 0 to 1, no file, or a negative overlap."""
        if not all(0 <= share <= 1 for share in (self.late_lines, self.missing_stamps, self.untimed_lines)):
            raise QuestionInvalid("a share of lines is not between 0 and 1", hint="0.01 is one line in a hundred.")
        if self.files < 1 or self.overlap < 0:
            raise QuestionInvalid(
                f"{self.files} files with an overlap of {self.overlap} lines make no log",
                hint="One file and none are the least.",
            )


def written(lines: Sequence[Line], path: Path, clock: Clock, traps: Traps, rng: np.random.Generator) -> list[Path]:
    """The files written, oldest first: the lines in order of time, with the traps in them."""
    texts = list(_texts(_in_order(lines, traps, rng), clock, traps, rng))
    cuts = [len(texts) * number // traps.files for number in range(traps.files + 1)]
    found = []
    for number, (first, last) in enumerate(pairwise(cuts)):
        place = path if traps.files == 1 else path.with_name(f"{path.stem}.{number + 1:02d}{path.suffix}")
        begin = max(0, first - traps.overlap) if number else 0
        ends = "\r\n" if traps.crlf else "\n"
        body = "".join(text + ends for text in texts[begin:last]).encode(traps.encoding, errors="replace")
        mark = b"\xef\xbb\xbf" if traps.bom and number == 0 else b""
        place.write_bytes(mark + body)
        found.append(place)
    return found


def _in_order(lines: Sequence[Line], traps: Traps, rng: np.random.Generator) -> Iterator[Line]:
    """The lines in the order in which they are written."""
    count = len(lines)
    at = np.array([line.at for line in lines], dtype=np.int64)
    is_event = np.array([line.is_event for line in lines], dtype=bool)
    is_stamp = np.array([line.is_stamp for line in lines], dtype=bool)
    late = is_event & (rng.random(count) < traps.late_lines)
    delay = np.where(late, rng.integers(1, _LATEST + 1, count), 0) * SECOND
    lost = is_stamp & (rng.random(count) < traps.missing_stamps)
    for number in np.argsort(at + delay, kind="stable").tolist():
        if not lost[number]:
            yield lines[number]


def _texts(lines: Iterator[Line], clock: Clock, traps: Traps, rng: np.random.Generator) -> Iterator[str]:
    kept = list(lines)
    walls = clock.wall(np.array([line.at for line in kept], dtype=np.int64)) % DAY
    odd = (rng.random(len(kept)) < traps.untimed_lines).tolist()
    for line, wall, is_odd in zip(kept, walls.tolist(), odd, strict=True):
        time = f"{wall // HOUR:2d}:{wall % HOUR // MINUTE:02d}:{wall % MINUTE // SECOND:02d}"
        yield f"{time} ({line.daemon}) {line.text}"
        if is_odd and line.is_event:
            yield from _oddities(time, line.daemon)


def _oddities(time: str, daemon: str) -> Iterator[str]:
    """Lines that are no events, with and without a time."""
    yield f'{time} ({daemon}) Checkin failed feature "SUITE": nobody nowhere /dev/pts/0'
    yield '\t" (0,353:10054 "")"'
    yield ""
