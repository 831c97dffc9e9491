"""Which year, and in the small style which day, a line of an RLM log belongs to."""

from __future__ import annotations

from datetime import date, timedelta

from checkout_log.sources.common import DAY, FIRST_YEAR, LAST_YEAR
from checkout_log.sources.rlm.lines import Record, Unread

EPOCH = date(1970, 1, 1)


class Days:
    """Follows the days of a log from line to line, from a day that it says in full somewhere."""

    def __init__(self, known: date) -> None:
        self._day, self._second, self._silent = known, 0, False
        self.disagreeing = 0

    def local(self, record: Record) -> tuple[int, bool]:
        """Local seconds since 1970 of the record, and whether it shows that the lines before it were of an uncertain day.

        Raises Unread for a date that never was.
        """
        day = self._full(record) or self._followed(record.second)
        missed = record.month is not None and self._silent and day > self._followed(record.second)
        self.disagreeing += missed
        self._silent = record.month is None
        self._day, self._second = day, record.second
        return (day - EPOCH).days * DAY + record.second, missed

    def _followed(self, second: int) -> date:
        """The day of a time without a date: a step back of more than twelve hours is midnight."""
        return self._day + timedelta(days=1) if self._second - second > DAY // 2 else self._day

    def _full(self, record: Record) -> date | None:
        """The day of a line that says month and day: of the year that is nearest to the lines before it."""
        if record.month is None or record.day is None:
            return None
        years = [record.year] if record.year is not None else [self._day.year + more for more in (-1, 0, 1)]
        possible = [day for year in years if (day := possible_day(year, record.month, record.day)) is not None]
        if not possible:
            raise Unread
        return min(possible, key=lambda day: abs(day - self._day))


def possible_day(year: int, month: int, day: int) -> date | None:
    """The day of this date, if there is one in the years of license servers."""
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None
