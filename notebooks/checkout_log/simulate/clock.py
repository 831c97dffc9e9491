"""Times of the simulator: whole microseconds since 1970, UTC or as the clock on the wall of one place shows them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import numpy as np
import numpy.typing as npt
import pandas as pd

from checkout_log import timezones

Whole = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
SECOND = 1_000_000
FRIDAY, _SATURDAY = 4, 5
MINUTE, HOUR, DAY = 60 * SECOND, 3600 * SECOND, 86_400 * SECOND


class Clock:
    """The clock on the wall of one place, with its daylight saving time."""

    def __init__(self, timezone: str) -> None:
        """Raises QuestionInvalid for a zone that nobody knows."""
        self.zone = timezones.named(timezone)

    def utc(self, wall: Whole) -> Whole:
        """These times of the wall as UTC. An hour that is left out counts as the next, one that comes twice as the second."""
        return self._by_day(wall, self._exact_utc)

    def wall(self, utc: Whole) -> Whole:
        """These UTC times as the wall shows them."""
        return self._by_day(utc, self._exact_wall)

    def _by_day(self, times: Whole, exact: Callable[[Whole], Whole]) -> Whole:
        """What `exact` says, asked only for the ends of each day and for all of a day on which the clock is moved.

        Asking for hundreds of thousands of times takes seconds.
        """
        days, which = np.unique(times // DAY, return_inverse=True)
        moved = exact(days * DAY) - days * DAY
        is_odd = (moved != exact((days + 1) * DAY) - (days + 1) * DAY)[which]
        shifted: Whole = times + moved[which]
        shifted[is_odd] = exact(times[is_odd])
        return shifted

    def _exact_utc(self, wall: Whole) -> Whole:
        naive = pd.DatetimeIndex(wall.astype("datetime64[us]"))
        aware = naive.tz_localize(self.zone, ambiguous=np.zeros(len(naive), dtype=bool), nonexistent="shift_forward")
        return np.asarray(aware.tz_convert("UTC").as_unit("us").asi8, dtype=np.int64)

    def _exact_wall(self, utc: Whole) -> Whole:
        aware = pd.DatetimeIndex(utc.astype("datetime64[us]")).tz_localize("UTC").tz_convert(self.zone)
        return np.asarray(aware.tz_localize(None).as_unit("us").asi8, dtype=np.int64)

    def utc_of(self, wall: int) -> int:
        """One time of the wall as UTC."""
        return int(self.utc(np.array([wall], dtype=np.int64))[0])

    def moment(self, utc: int) -> datetime:
        """One UTC time as the wall shows it, as a naive datetime."""
        return datetime.fromtimestamp(utc // SECOND, self.zone).replace(tzinfo=None, microsecond=utc % SECOND)

    def wall_of(self, utc: int) -> int:
        """One UTC time as the wall shows it."""
        return wall_of(self.moment(utc))

    def zone_name(self, utc: int) -> str:
        """What the zone is called at this UTC time, such as CET or CEST."""
        return datetime.fromtimestamp(utc // SECOND, self.zone).strftime("%Z")

    def minutes_west(self, utc: int) -> int:
        """By how many minutes the wall is behind UTC."""
        return (utc - self.wall_of(utc)) // MINUTE


def wall_of(moment: date | datetime) -> int:
    """A date, or a naive time of the wall, as whole microseconds."""
    return int(np.datetime64(moment, "us").astype(np.int64))


def weekday(wall: Whole) -> Whole:
    """0 for Monday to 6 for Sunday. The first day of 1970 was a Thursday."""
    return (wall // DAY + 3) % 7


def is_weekday(wall: Whole) -> Mask:
    """Whether it is Monday to Friday."""
    return weekday(wall) < _SATURDAY
