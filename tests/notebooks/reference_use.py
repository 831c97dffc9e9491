"""What the measures of use should say, row by row: the second part of the slow reference."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

from tests.notebooks.reference import (
    DAY,
    QUARTER,
    SECOND,
    Piece,
    RawLog,
    Use,
    by_feature,
    enough_for,
    joined,
    pieces,
    total,
)

HOUR = 3_600 * SECOND
SERIES = ("seats", "lower", "upper")
Row = dict[str, Any]


def when(micros: int | None) -> datetime | None:
    """The time as frames show it."""
    return None if micros is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def peaks(raw_log: RawLog, grouping: str) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        parts = {name: pieces(raw_log, uses, name, grouping) for name in SERIES}
        most = {name: max(part.level for part in parts[name]) for name in SERIES}
        at = min(part.at for part in parts["seats"] if part.level == most["seats"])
        yield {
            "product": product,
            "feature": feature,
            "peak": most["seats"],
            "peak_at": when(at) if most["seats"] else None,
            "p95": enough_for(parts["seats"], Fraction(95, 100)),
            "p99": enough_for(parts["seats"], Fraction(99, 100)),
            "lower": most["lower"],
            "upper": most["upper"],
            "observed_days": total(parts["seats"]) / DAY,
        }


def time_at_level(raw_log: RawLog, grouping: str) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        parts = pieces(raw_log, uses, "seats", grouping)
        for number in sorted({part.level for part in parts}):
            micros = sum(part.until - part.at for part in parts if part.level == number)
            if micros:
                share_of = micros / total(parts)
                yield {"product": product, "feature": feature, "level": number, "hours": micros / HOUR, "share": share_of}


def exceedance(raw_log: RawLog, grouping: str) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        parts = {name: pieces(raw_log, uses, name, grouping) for name in SERIES}
        for number in range(1, max(part.level for part in parts["upper"]) + 1):
            longer = {name: sum(part.until - part.at for part in parts[name] if part.level >= number) for name in SERIES}
            observed = total(parts["seats"])
            yield {"product": product, "feature": feature, "level": number} | {
                word: share(longer[name], observed) for word, name in zip(("share", "lower", "upper"), SERIES, strict=True)
            }


def needed(raw_log: RawLog, grouping: str, wanted: Fraction) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        counts = {name: enough_for(pieces(raw_log, uses, name, grouping), wanted) for name in SERIES}
        figures = {"seats": counts["seats"], "lower": counts["lower"], "upper": counts["upper"]}
        yield {"product": product, "feature": feature, "share": float(wanted), **figures}


def efficiency(raw_log: RawLog, grouping: str) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        parts = {name: pieces(raw_log, uses, name, grouping) for name in SERIES}
        for number in range(1, max(part.level for part in parts["upper"]) + 1):
            longer = {name: sum(part.until - part.at for part in parts[name] if part.level >= number) for name in SERIES}
            yield {
                "product": product,
                "feature": feature,
                "seat": number,
                "hours": longer["seats"] / HOUR,
                "share": share(longer["seats"], total(parts["seats"])),
                "lower": longer["lower"] / HOUR,
                "upper": longer["upper"] / HOUR,
            }


def slots(
    raw_log: RawLog, uses: Sequence[Use], grouping: str, zone: str, slot: Callable[[datetime], Any]
) -> list[tuple[Any, dict[str, list[Piece]]]]:
    """The observed time of one feature by a slot of local time, in quarters of an hour."""
    where, spans = ZoneInfo(zone), joined(raw_log, uses[0].product)
    ticks = range(spans[0][0] // QUARTER * QUARTER, spans[-1][1] + QUARTER, QUARTER)
    filled: dict[Any, dict[str, list[Piece]]] = defaultdict(lambda: {name: [] for name in SERIES})
    for name in SERIES:
        for part in pieces(raw_log, uses, name, grouping, ticks):
            filled[slot(datetime.fromtimestamp(part.at // SECOND, where))][name].append(part)
    return sorted(filled.items())


def by_day(raw_log: RawLog, grouping: str) -> Iterator[Row]:
    where = ZoneInfo(raw_log.timezone)
    for (product, feature), uses in by_feature(raw_log).items():
        for day, parts in slots(raw_log, uses, grouping, raw_log.timezone, datetime.date):
            most = {name: max(part.level for part in parts[name]) for name in SERIES}
            begin = datetime.combine(day, time(), where).astimezone(UTC)
            row = {"product": product, "feature": feature, "day": begin, "peak": most["seats"]}
            yield row | {"lower": most["lower"], "upper": most["upper"]}


def heat_map(raw_log: RawLog, grouping: str, zone: str) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        for (weekday, hour), parts in slots(raw_log, uses, grouping, zone, lambda local: (local.weekday(), local.hour)):
            observed = total(parts["seats"])
            most = {name: max(part.level for part in parts[name]) for name in SERIES}
            if not observed and not most["upper"]:
                continue
            used = {name: sum(part.level * (part.until - part.at) for part in parts[name]) for name in SERIES}
            row = {"product": product, "feature": feature, "weekday": weekday, "hour": hour}
            row |= {f"peak{end}": most[name] for name, end in zip(SERIES, ("", "_lower", "_upper"), strict=True)}
            row |= {
                f"average{end}": share(used[name], observed) for name, end in zip(SERIES, ("", "_lower", "_upper"), strict=True)
            }
            yield row | {"observed_hours": observed / HOUR}


def certainty(raw_log: RawLog) -> Iterator[Row]:
    for product in sorted({use.product for use in raw_log.uses}):
        uses = [use for use in raw_log.uses if use.product == product]
        started = [use for use in uses if use.started]
        yield {
            "product": product,
            "sessions": len(started),
            "orphan": len(uses) - len(started),
            "cut": sum(use.cut for use in started),
            "open": sum(use.censored for use in started),
            "ambiguous": sum(use.ambiguous for use in started),
        }


def _quantile(lasted: Sequence[tuple[int, bool]], wanted: Fraction) -> int | None:
    """The time by which this share had ended, by Kaplan and Meier; None where it never comes to that."""
    surviving = Fraction(1)
    for seconds in sorted({length for length, _ in lasted}):
        at_risk = sum(1 for length, _ in lasted if length >= seconds)
        ended = sum(1 for length, is_closed in lasted if length == seconds and is_closed)
        surviving *= 1 - Fraction(ended, at_risk)
        if surviving <= 1 - wanted:
            return seconds
    return None


def lengths(raw_log: RawLog) -> Iterator[Row]:
    for (product, feature), uses in by_feature(raw_log).items():
        # What lmstat counts and does not list is nobody's, and has no length.
        of_somebody = [use for use in uses if use.started and (use.source != "lmstat" or use.member or use.machine)]
        lasted = [((use.end - use.start) // SECOND, not (use.censored or use.cut)) for use in of_somebody]
        if not lasted:
            continue
        closed = [length for length, is_closed in lasted if is_closed]
        quantiles = {
            name: _quantile(lasted, Fraction(percent, 100))
            for name, percent in (("p25_hours", 25), ("median_hours", 50), ("p75_hours", 75), ("p95_hours", 95))
        }
        yield {
            "product": product,
            "feature": feature,
            "sessions": len(lasted),
            "censored": len(lasted) - len(closed),
            **{name: None if seconds is None else seconds / 3_600 for name, seconds in quantiles.items()},
            "naive_median_hours": median(closed) / 3_600 if closed else None,
        }
