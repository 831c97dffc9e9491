"""What logs call their time zone (CET, EST, "Pacific Daylight Time"), and whether that is the zone that was given.

A name is short for several zones: CST is Chicago's, Havana's and Shanghai's. What counts is what its clocks show at the time at
which the log uses the name. Names in other languages than English say nothing here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

UTC_OF_WINDOWS = "Coordinated Universal Time"
MONTHS = 12


@dataclass(frozen=True, slots=True)
class NamedAt:
    """What a log calls its zone, and the time on its clock when it does."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """The zone that a log is read with. disagreeing: how many names in it are of another zone than was given.

    is_uncertain: they are, and nobody can say of which: every time may be hours off. is_named: the log itself names the zone.
    """

    where: ZoneInfo
    disagreeing: int = 0
    is_uncertain: bool = False
    is_named: bool = False


def taken(stamps: Iterable[NamedAt], usual: ZoneInfo) -> Taken:
    """The zone of a log with these stamps: the given one where it fits them, else the one that they mean, if it is a single one.

    Names mean one zone where all that fit show the same time at the stamps; when clocks are set is then as in most places that fit
    and set them.
    """
    meanings = {stamp: zones for stamp in _edges(stamps) if (zones := _fitting(stamp))}
    odd = {stamp.name for stamp, zones in meanings.items() if not _ahead(usual, stamp.at) & _all_ahead(zones, stamp.at)}
    if not odd:
        return Taken(usual, is_named=bool(meanings))
    fitting = frozenset.intersection(*meanings.values())
    shown = {tuple(_ahead(zone, stamp.at) for stamp in meanings) for zone in fitting}
    if len(shown) != 1:
        return Taken(usual, len(odd), is_uncertain=True)
    return Taken(_most_usual(sorted(fitting, key=str), [stamp.at for stamp in meanings]), len(odd), is_named=True)


def _edges(stamps: Iterable[NamedAt]) -> list[NamedAt]:
    """The first and the last stamp with each name: a server writes thousands."""
    by_name: dict[str, list[NamedAt]] = {}
    for stamp in stamps:
        by_name.setdefault(stamp.name, []).append(stamp)
    return [edge for own in by_name.values() for edge in dict.fromkeys((own[0], own[-1]))]


def _fitting(stamp: NamedAt) -> frozenset[ZoneInfo]:
    """The zones whose clocks have this name at this time; none where nobody knows the name."""
    key = _of_windows(stamp.name)
    if key is not None:
        return frozenset({ZoneInfo(key)})
    times = [stamp.at.replace(fold=fold) for fold in (0, 1)]
    return frozenset(zone for zone in _zones() if stamp.name in {zone.tzname(at) for at in times})


@cache
def _zones() -> tuple[ZoneInfo, ...]:
    return tuple(ZoneInfo(key) for key in sorted(available_timezones()))


def _of_windows(name: str) -> str | None:
    """The key of the zone that Windows calls so, in winter or in summer."""
    if " " not in name:
        return None
    if name == UTC_OF_WINDOWS:
        return "UTC"
    winter = name.replace(" Daylight Time", " Standard Time").replace(" Summer Time", " Standard Time")
    return _keys_of_windows().get(winter)


def _keys_of_windows() -> Mapping[str, str]:
    """The key of each zone of Windows, by its name: the mapping of the Unicode CLDR, loaded for logs that name another zone alone."""
    from babel.core import get_global

    keys: Mapping[str, str] = get_global("windows_zone_mapping")
    return keys


def _ahead(zone: ZoneInfo, at: datetime) -> frozenset[timedelta | None]:
    """By how much the zone's clock is ahead of UTC when it shows this, once or twice."""
    return frozenset(zone.utcoffset(at.replace(fold=fold)) for fold in (0, 1))


def _all_ahead(zones: Iterable[ZoneInfo], at: datetime) -> frozenset[timedelta | None]:
    return frozenset().union(*(_ahead(zone, at) for zone in zones))


def _most_usual(zones: Sequence[ZoneInfo], times: Sequence[datetime]) -> ZoneInfo:
    """One of the zones that show what most of them do over the years of these times, of those that set their clocks first.

    Of several with the same clock it is one that people know: of those after which Windows names a zone one of the country with the most
    of these zones, and of its zones the one with the shortest name there.
    """
    from babel.core import get_global

    countries = get_global("zone_territories")
    zones_of = Counter(countries.get(zone.key) for zone in zones)
    lengths: dict[str, int] = {}
    for name, key in _keys_of_windows().items():
        lengths[key] = min(len(name), lengths.get(key, len(name)))
    firsts = [datetime(year, month + 1, 15) for year in {at.year for at in times} for month in range(MONTHS)]  # noqa: DTZ001
    years = {zone: tuple(zone.utcoffset(at) for at in firsts) for zone in zones}
    counts = Counter(years.values())
    return max(
        zones,
        key=lambda zone: (
            len(set(years[zone])) > 1,
            counts[years[zone]],
            zone.key in lengths and zone.key in countries,
            zones_of[countries.get(zone.key)],
            -lengths.get(zone.key, 0),
        ),
    )
