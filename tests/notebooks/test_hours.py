"""Days as they are counted where the license server stands, also where its clocks are set at midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from checkout_log.measuring import hours

# zone, day, its first moment
BEGINNINGS = {
    "Cairo, forward at midnight": ("Africa/Cairo", "2027-04-30", "2027-04-30T01:00:00+03:00"),
    "Cairo, back at midnight": ("Africa/Cairo", "2027-10-29", "2027-10-29T00:00:00+02:00"),
    "Santiago, forward at midnight": ("America/Santiago", "2027-09-05", "2027-09-05T01:00:00-03:00"),
    "Beirut, forward at midnight": ("Asia/Beirut", "2027-03-28", "2027-03-28T01:00:00+03:00"),
    "Beirut, back at midnight": ("Asia/Beirut", "2027-10-31", "2027-10-31T00:00:00+02:00"),
    "Havana, 00:00 comes twice": ("America/Havana", "2027-11-07", "2027-11-07T00:00:00-04:00"),
    "Azores, back from 01:00 to 00:00": ("Atlantic/Azores", "2027-10-31", "2027-10-31T00:00:00+00:00"),
    "Samoa, after the day that was left out": ("Pacific/Apia", "2011-12-31", "2011-12-31T00:00:00+14:00"),
}


@pytest.mark.parametrize("case", BEGINNINGS)
def test_a_day_begins_with_its_first_moment(case: str) -> None:
    zone, day, first = BEGINNINGS[case]
    [begin] = hours.beginning(pd.Series([pd.Timestamp(day)]), ZoneInfo(zone))
    assert begin.isoformat() == first


@pytest.mark.parametrize("zone", sorted({zone for zone, *_ in BEGINNINGS.values()}))
def test_every_day_of_a_year_begins_where_the_one_before_ends(zone: str) -> None:
    where = ZoneInfo(zone)
    days = [date(2027, 1, 1) + timedelta(days=number) for number in range(365)]
    begins = hours.beginning(pd.Series([pd.Timestamp(day) for day in days]), where)
    for day, begin in zip(days, begins, strict=True):
        second = int(begin.timestamp())
        assert datetime.fromtimestamp(second, where).date() == day
        assert datetime.fromtimestamp(second - 1, where).date() == day - timedelta(days=1)
