"""The arguments of measures: what they may be, and what is said when they make no sense."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd

from checkout_log import timezones
from checkout_log.columns import TEXT, TIME, WHOLE, Column
from checkout_log.errors import QuestionInvalid
from checkout_log.log import Log

SECOND = 1_000_000
HOUR, DAY = 3_600 * SECOND, 86_400 * SECOND
# No site has more seats; a hundred years of days can still be counted in microseconds and shown as dates.
MOST, MOST_DAYS = 2**31, 36_500
# The time that is asked about, up to which events are known, and the time of each product that its uses are judged at.
NOWS = (Column("moment", WHOLE, False, ""), Column("product", TEXT, False, ""), Column("now", TIME, False, ""))


def one_of(name: str, value: object, known: Iterable[str]) -> str:
    """The value, which must be one of these words. Raises QuestionInvalid."""
    words = list(known)
    if value not in words:
        raise QuestionInvalid(f"{name} is {value!r}", hint=f"It is one of {', '.join(words)}.")
    return str(value)


def share(value: float) -> Fraction:
    """A share of time, above 0 and at most 1, as the exact number that was written. Raises QuestionInvalid."""
    try:
        fraction = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        fraction = Fraction(0)
    if not 0 < fraction <= 1:
        raise QuestionInvalid(f"share is {value!r}", hint="It is above 0 and at most 1: 0.95 for 95 %.")
    return fraction


def duration(name: str, value: object) -> int:
    """A length of time such as "5min", in whole microseconds. Raises QuestionInvalid unless it is a second or more."""
    try:
        # Of a number nobody can say whether seconds were meant; pandas would take it for nanoseconds.
        length = pd.Timedelta(value if isinstance(value, str | timedelta | np.timedelta64) else 0)
    except ValueError:
        length = pd.Timedelta(0)
    if not length >= pd.Timedelta(seconds=1):
        raise QuestionInvalid(
            f"{name} is {value!r}", hint='It is a second or more: a length of time such as "5min" or timedelta(minutes=5).'
        )
    return int(length.value) // 1_000


def whole(name: str, value: object, *, least: int = 1, most: int = MOST) -> int:
    """A whole number of at least `least` and at most `most`, numpy's own too. Raises QuestionInvalid."""
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not least <= value <= most:
        raise QuestionInvalid(f"{name} is {value!r}", hint=f"It is a whole number from {least} to {most}.")
    return int(value)


def zone(log: Log, value: str | None) -> str:
    """The name of a time zone, by default the license server's. Raises QuestionInvalid for an unknown one."""
    name = log.timezone if value is None else value
    timezones.named(name)
    return name


def moment(log: Log, value: object) -> int:
    """An aware time as whole microseconds since 1970 UTC, by default the end of the log. Raises QuestionInvalid for a naive one."""
    if value is None:
        # Not this computer's clock: a log read years later would have nobody active.
        return int(log.stored.spans["end"].max()) if len(log.stored.spans) else 0
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise QuestionInvalid(f"now is {value!r}, without a time zone", hint="Give an aware time: datetime.now(UTC).")
    since = value - datetime(1970, 1, 1, tzinfo=UTC)
    return since // timedelta(microseconds=1)


def nows(log: Log, value: object) -> pd.DataFrame:
    """What time each product is asked about: `moment`, `product`, `now` (whole microseconds since 1970 UTC). Raises QuestionInvalid.

    By default the end of the product's own log: that another server's log goes on says nothing about it.
    """
    ends = log.stored.spans.groupby("product", as_index=False).agg(now=("end", "max")).assign(moment=moment(log, value))
    return ends if value is None else ends.assign(now=ends["moment"])


def nows_at(log: Log, moments: Iterable[int]) -> pd.DataFrame:
    """The products that were observed by each of these times (whole microseconds since 1970 UTC), asked about then, as `nows` has it."""
    begins = log.stored.spans.groupby("product", as_index=False).agg(begin=("begin", "min"))
    frames = [begins[begins["begin"] <= at].assign(moment=at, now=at) for at in moments]
    return pd.concat(frames, ignore_index=True) if frames else begins.assign(moment=0, now=0).iloc[:0]
