"""Where this machine's days end: clocks that are set at midnight, twice, and by a whole day."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from verifier.workstation.clock import end_of_day

# zone, day, the first moment at which the day is over for good
ENDS = {
    "an ordinary day": ("Europe/Berlin", "2027-03-27", "2027-03-28T00:00:00+01:00"),
    "the day of 23 hours itself": ("Europe/Berlin", "2027-03-28", "2027-03-29T00:00:00+02:00"),
    "Cairo, forward at midnight": ("Africa/Cairo", "2027-04-29", "2027-04-30T01:00:00+03:00"),
    "Cairo, back at midnight": ("Africa/Cairo", "2027-10-28", "2027-10-29T00:00:00+02:00"),
    "Santiago, forward at midnight": ("America/Santiago", "2027-09-04", "2027-09-05T01:00:00-03:00"),
    "Santiago, back at midnight": ("America/Santiago", "2027-04-03", "2027-04-04T00:00:00-04:00"),
    "Beirut, forward at midnight": ("Asia/Beirut", "2027-03-27", "2027-03-28T01:00:00+03:00"),
    "Beirut, back at midnight": ("Asia/Beirut", "2027-10-30", "2027-10-31T00:00:00+02:00"),
    "Havana, forward at midnight": ("America/Havana", "2027-03-13", "2027-03-14T01:00:00-04:00"),
    "Havana, 00:00 comes twice": ("America/Havana", "2027-11-06", "2027-11-07T00:00:00-04:00"),
    "Azores, back from 01:00 to 00:00": ("Atlantic/Azores", "2027-10-30", "2027-10-31T00:00:00+00:00"),
    "Samoa, before the day that was left out": ("Pacific/Apia", "2011-12-29", "2011-12-31T00:00:00+14:00"),
    "Samoa, the day that was left out": ("Pacific/Apia", "2011-12-30", "2011-12-31T00:00:00+14:00"),
    "Kwajalein, before the day that was left out": ("Pacific/Kwajalein", "1993-08-20", "1993-08-22T00:00:00+12:00"),
    "Goose Bay, forward from 00:01": ("America/Goose_Bay", "2011-03-12", "2011-03-13T00:00:00-04:00"),
    "Goose Bay, back from 00:01 to 23:01": ("America/Goose_Bay", "2010-11-06", "2010-11-07T00:00:00-04:00"),
    "Lord Howe, half an hour": ("Australia/Lord_Howe", "2027-10-02", "2027-10-03T00:00:00+10:30"),
    "a gap with midnight inside": ("AAA0BBB,M3.5.0/23:30,M10.5.0", "2027-03-28", "2027-03-29T00:30:00+01:00"),
}


@pytest.fixture(autouse=True)
def zone_of_the_machine() -> Iterator[None]:
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def set_zone(name: str) -> None:
    os.environ["TZ"] = name
    time.tzset()


@pytest.mark.parametrize("case", ENDS)
def test_a_day_counts_to_its_last_moment_here(case: str) -> None:
    name, day, end = ENDS[case]
    set_zone(name)
    assert datetime.fromtimestamp(end_of_day(date.fromisoformat(day))).astimezone().isoformat() == end


@pytest.mark.parametrize("name", sorted({name for name, *_ in ENDS.values()}))
def test_every_day_of_a_year_ends_where_the_next_begins(name: str) -> None:
    set_zone(name)
    for number in range(366):
        day = date(2027, 1, 1) + timedelta(days=number)
        end = end_of_day(day)
        assert datetime.fromtimestamp(end - 1).astimezone().date() == day
        assert datetime.fromtimestamp(end).astimezone().date() == day + timedelta(days=1)
