"""When the lines of a FlexNet debug log were written, as they say it themselves.

The usual line begins with a time of day alone, which is read by its position. Others are read by a pattern: times whose blanks
an editor lost, a clock of twelve hours, lines that a system log or a container put its own beginning before, and lines with
their date and perhaps their zone, as `lmgrd -datestamp` writes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from checkout_log.sources.common import DAY, FIRST_YEAR, HOUR, LAST_YEAR, MINUTE, Flags, Numbers
from checkout_log.sources.text import Block

HALF_A_DAY = 12
# Of a line that does not say it.
UNSAID = -(2**62)
EPOCH = date(1970, 1, 1).toordinal()
LENGTH_OF_DATE = 3

Seconds = npt.NDArray[np.int32]

# These patterns are read by RE2, for all lines, and by Python, to recognize a log.
# What a system log, a container or several containers put before each line.
BEFORE = (
    r"(?:[A-Z][a-z]{2} +\d{1,2} \d\d:\d\d:\d\d \S+ \S+: |[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ \S+ \S+: "
    r"|\d{4}-\d\d-\d\dT\S+ (?:std(?:out|err) [FP] |\S+ \S+: )?|\S+ +\| )?"
)
OPENS = "[ \t\r\v\f\ufeff]{0,40}"
CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,]\d+)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
DATED = r"(?:(?P<date>\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{1,2}/\d{1,2}/\d{4})[T ]\s*)?"
ZONE = r" ?(?P<zone>Z|[+-]\d\d:?\d\d)?"
LOOSE = rf"^{OPENS}{BEFORE}{OPENS}{DATED}{CLOCK}{ZONE}\s*\("


@dataclass(frozen=True, slots=True)
class Times:
    """What each line of a block says.

    seconds: since midnight; -1 for none or an impossible time. days: since 1970, ahead: seconds that the clock is ahead of UTC,
    both None where no line says its date, and UNSAID for a line that does not.
    """

    seconds: Seconds
    days: Numbers | None = None
    ahead: Numbers | None = None


def times(block: Block) -> Times:
    """When the lines of this block were written."""
    places = np.minimum(block.starts[:, None] + np.arange(10), len(block.data) - 1)
    signs = block.data[places].astype(np.int32)
    digits = signs[:, [0, 1, 3, 4, 6, 7]] - ord("0")
    digits[:, 0] = np.where(signs[:, 0] == ord(" "), 0, digits[:, 0])
    hour, minute, second = (digits[:, at] * 10 + digits[:, at + 1] for at in (0, 2, 4))
    is_usual = np.all((digits >= 0) & (digits < len("0123456789")), axis=1) & _are_possible(hour, minute, second)
    for place, sign in ((2, ":"), (5, ":"), (8, " "), (9, "(")):
        is_usual &= signs[:, place] == ord(sign)
    return _with_loose(block, np.where(is_usual, hour * HOUR + minute * MINUTE + second, -1))


def _with_loose(block: Block, seconds: Seconds) -> Times:
    """The times of a block completed by those that stand in other forms than the usual one."""
    other = np.flatnonzero(seconds < 0)
    parts = pc.extract_regex(block.lines.take(pa.array(other)), LOOSE)
    other = other[parts.is_valid().to_numpy(zero_copy_only=False)]
    fields = {name: parts.drop_null().field(name) for name in ("hour", "minute", "second", "half", "date", "zone")}
    hour, minute, second = (pc.cast(fields[name], pa.int32()).to_numpy() for name in ("hour", "minute", "second"))
    half = pc.utf8_lower(fields["half"])
    hour = np.where(_is(half, ""), hour, hour % HALF_A_DAY + HALF_A_DAY * _is(half, "p"))
    days = _each(fields["date"], _day)
    is_good = _are_possible(hour, minute, second) & ((days != UNSAID) | _is(fields["date"], ""))
    seconds[other] = np.where(is_good, hour * HOUR + minute * MINUTE + second, -1)
    if not (is_good & (days != UNSAID)).any():
        return Times(seconds)
    return Times(seconds, _spread(days, other, seconds), _spread(_each(fields["zone"], _ahead), other, seconds))


def _is(texts: pa.StringArray, text: str) -> Flags:
    is_equal: Flags = pc.equal(texts, text).to_numpy(zero_copy_only=False)
    return is_equal


def _each(texts: pa.StringArray, meaning: Callable[[str], int]) -> Numbers:
    """What these texts mean; the same text comes often, and each is read once."""
    coded = texts.dictionary_encode()
    values = np.array([meaning(text) for text in coded.dictionary.to_pylist()], dtype=np.int64)
    numbers: Numbers = values[coded.indices.to_numpy()]
    return numbers


def _spread(values: Numbers, places: Numbers, seconds: Seconds) -> Numbers:
    spread = np.full(len(seconds), UNSAID, dtype=np.int64)
    spread[places] = values
    return spread


def _day(text: str) -> int:
    """The day since 1970 of `yyyy-mm-dd`, `yyyy/mm/dd` or, as FlexNet writes dates, `mm/dd/yyyy`; UNSAID where there is none."""
    parts = [int(part) for part in text.replace("-", "/").split("/") if part]
    if len(parts) != LENGTH_OF_DATE:
        return UNSAID
    year, month, day = parts if parts[0] >= FIRST_YEAR else (parts[2], parts[0], parts[1])
    try:
        return date(year, month, day).toordinal() - EPOCH if FIRST_YEAR <= year <= LAST_YEAR else UNSAID
    except ValueError:
        return UNSAID


def _ahead(text: str) -> int:
    """The seconds ahead of UTC that `Z` or `+hh:mm` says; UNSAID where nothing is said."""
    if not text:
        return UNSAID
    digits = text[1:].replace(":", "") or "0000"
    return (-1 if text[0] == "-" else 1) * (int(digits[:2]) * HOUR + int(digits[2:]) * MINUTE)


def _are_possible(hour: Seconds, minute: Seconds, second: Seconds) -> Flags:
    is_possible: Flags = (hour < DAY // HOUR) & (minute < HOUR // MINUTE) & (second < MINUTE)
    return is_possible
