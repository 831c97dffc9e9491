"""What the measures should say: the same definitions once more, slow and obvious, on plain rows."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

SECOND = 1_000_000
QUARTER = 900 * SECOND
DAY = 86_400 * SECOND
NEVER = 2**62
OPENING, CLOSING = ("checkout", "upgrade"), ("checkin", "release", "end")


class Event(NamedTuple):
    """A row of the store, in its order."""

    at: int
    event: str
    mode: str
    handle: str | None
    product: str
    feature: str
    member: str | None
    group: str | None
    machine: str | None
    alias: str | None
    os_user: str | None
    quantity: int
    until: int | None
    reason: str | None
    source: str
    line: int
    segment: int
    era: int
    ambiguous: bool


class Span(NamedTuple):
    product: str
    begin: int
    end: int


class Era(NamedTuple):
    era: int
    product: str
    begin: int
    end: int | None


@dataclass
class RawLog:
    """A log before it was stored."""

    events: list[Event]
    spans: list[Span]
    eras: list[Era] = field(default_factory=list)
    timezone: str = "UTC"

    def end(self) -> int:
        return max(span.end for span in self.spans)

    def end_of(self, product: str) -> int:
        """When the log of this product ends."""
        return max(span.end for span in self.spans if span.product == product)

    @cached_property
    def of_product(self) -> dict[str, list[Event]]:
        """The events of each product."""
        events_of: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            events_of[event.product].append(event)
        return events_of

    @cached_property
    def uses(self) -> list[Use]:
        """Every use, also those never seen to start."""
        return list(_uses(self))


@dataclass(frozen=True)
class Use:
    """A use of a license; times in microseconds. `until` is its due time."""

    handle: str | None
    product: str
    feature: str
    mode: str
    member: str | None
    machine: str | None
    alias: str | None
    quantity: int
    start: int
    end: int
    until: int | None
    ended_by: str
    censored: bool
    cut: bool
    ambiguous: bool
    source: str
    era: int
    started: bool
    undated: bool
    last_at: int

    def holds(self, at: int) -> bool:
        """Whether it holds its seats at a moment: from its start up to its end, without it."""
        return self.start <= at < (NEVER if self.censored else self.end)


def _uses(raw_log: RawLog) -> list[Use]:
    exact: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    queued: dict[tuple[Any, ...], list[Event]] = defaultdict(list)
    for event in sorted(raw_log.events, key=lambda one: (one.at, one.segment, one.line)):
        if event.event == "denial":
            continue
        if event.handle is not None and event.source in ("authority", "simulator"):
            exact[event.source, event.product, event.feature, event.handle].append(event)
        else:
            key = (event.source, event.product, event.feature, event.handle, event.member, event.machine, event.era)
            queued[key].append(event)
    uses = [_of_handle(raw_log, events) for events in exact.values()]
    for events in queued.values():
        uses += _of_queue(raw_log, events)
    return uses


def _of_handle(raw_log: RawLog, events: list[Event]) -> Use:
    opening = [one for one in events if one.event in OPENING]
    closing = [one for one in events if one.event in CLOSING and one.quantity]
    held = max((one.quantity for one in events if one.event != "upgrade"), default=0)
    added = sum(one.quantity for one in events if one.event == "upgrade")
    return _use(
        raw_log,
        events,
        start=min((one.at for one in opening), default=None),
        closed_at=max((one.at for one in closing), default=None),
        quantity=held + added,
        mixed=False,
    )


def _of_queue(raw_log: RawLog, events: list[Event]) -> Iterator[Use]:
    """The oldest unit out is the first one in."""
    units: list[list[Event]] = []
    waiting: list[int] = []
    closed: dict[int, tuple[Event, bool]] = {}
    orphans: Counter[Event] = Counter()
    for event in events:
        for _unit in range(event.quantity if event.event in OPENING + CLOSING else 1):
            if event.event in OPENING:
                waiting.append(len(units))
                units.append([event])
            elif event.event in CLOSING and waiting:
                oldest = waiting.pop(0)
                is_mixed = any(units[other][0].at > units[oldest][0].at for other in waiting)
                units[oldest].append(event)
                closed[oldest] = (event, is_mixed)
            elif event.event in CLOSING:
                orphans[event] += 1
            elif waiting:
                # Starts are closed in order, so that the newest is open as long as any is.
                units[-1].append(event)
    together: dict[tuple[Event, Event | None], list[int]] = defaultdict(list)
    for number, unit in enumerate(units):
        together[unit[0], closed[number][0] if number in closed else None].append(number)
    for (opener, closer), numbers in together.items():
        rows = [event for number in numbers for event in units[number]]
        is_mixed = any(closed[number][1] for number in numbers if number in closed)
        closed_at = closer.at if closer else None
        yield _use(raw_log, rows, start=opener.at, closed_at=closed_at, quantity=len(numbers), mixed=is_mixed)
    for event, quantity in orphans.items():
        yield _use(raw_log, [event], start=None, closed_at=event.at, quantity=quantity, mixed=False)


def _greatest(values: Iterable[Any]) -> Any:
    return max((value for value in values if value is not None), default=None)


def _use(raw_log: RawLog, events: list[Event], *, start: int | None, closed_at: int | None, quantity: int, mixed: bool) -> Use:
    first = events[0]
    spans = [span for span in raw_log.spans if span.product == first.product]
    era_number = _greatest(one.era for one in events)
    era = next((one for one in raw_log.eras if one.era == era_number), None)
    begin = next(
        value
        for value in (start, era and era.begin, min((span.begin for span in spans), default=None), closed_at, 0)
        if value is not None
    )
    seen_until = max([begin, *(span.end for span in spans)])
    mode = "borrow" if any(one.mode == "borrow" for one in events) else "session"
    until = _greatest(one.until for one in events)
    is_revoked = any(one.event == "revocation" for one in events)
    if closed_at is not None:
        end, ended_by = closed_at, _closed_by(events)
    elif mode == "borrow" and until is not None and until <= seen_until:
        end, ended_by = until, "revocation" if is_revoked else "expiry"
    elif mode == "session" and era is not None and era.end is not None:
        end, ended_by = era.end, "restart"
    else:
        end, ended_by = seen_until, "open"
    undated = any(one.ambiguous for one in events) or end < begin
    return Use(
        handle=first.handle,
        product=first.product,
        feature=first.feature,
        mode=mode,
        member=_greatest(one.member for one in events),
        machine=_greatest(one.machine for one in events),
        alias=_greatest(one.alias for one in events),
        quantity=quantity,
        start=begin,
        end=max(begin, end),
        until=until,
        ended_by=ended_by,
        censored=ended_by == "open",
        cut=ended_by == "restart",
        ambiguous=undated or mixed,
        source=first.source,
        era=era_number,
        started=start is not None,
        undated=undated,
        last_at=max(one.at for one in events),
    )


def _closed_by(events: list[Event]) -> str:
    closed = set()
    for one in events:
        if one.event in ("release", "end"):
            closed.add(one.event)
        elif one.event == "checkin" and one.quantity:
            closed.add(one.reason if one.reason in ("idle", "shutdown") else "checkin")
    return next(word for word in ("release", "end", "idle", "shutdown", "checkin") if word in closed)


# How many seats are in use.


def weight(use: Use, series: str) -> int:
    """What a use counts for."""
    if series == "upper":
        return use.quantity
    is_certain = not (use.censored or use.cut or use.undated)
    return use.quantity if use.started and (series == "seats" or is_certain) else 0


def level(uses: Sequence[Use], at: int, series: str, grouping: str) -> int:
    """The seats in use at a moment."""
    holding = [use for use in uses if use.holds(at) and weight(use, series) > 0]
    if grouping == "handle":
        return sum(weight(use, series) for use in holding)
    if grouping == "member-machine":
        return len({(use.member or "", use.machine or "") for use in holding})
    return len({getattr(use, grouping) or "" for use in holding})


def joined(raw_log: RawLog, product: str) -> list[tuple[int, int]]:
    """The time that the log covers, in parts that do not overlap."""
    parts: list[tuple[int, int]] = []
    for span in sorted((span.begin, span.end) for span in raw_log.spans if span.product == product):
        if parts and span[0] <= parts[-1][1]:
            parts[-1] = (parts[-1][0], max(span[1], parts[-1][1]))
        else:
            parts.append(span)
    return parts


class Piece(NamedTuple):
    """A stretch of time in which nothing changes."""

    at: int
    until: int
    level: int


def pieces(raw_log: RawLog, uses: Sequence[Use], series: str, grouping: str, cuts: Iterable[int] = ()) -> list[Piece]:
    """The observed time of one feature in stretches, cut also at these times; the last moment of each part has no length."""
    result = []
    changes = {moment for use in uses for moment in (use.start, use.end)} | set(cuts)
    for begin, end in joined(raw_log, uses[0].product):
        moments = sorted({begin} | {moment for moment in changes if begin < moment <= end})
        for at, until in zip(moments, [*moments[1:], end], strict=True):
            result.append(Piece(at, until, level(uses, at, series, grouping)))
    return result


def by_feature(raw_log: RawLog) -> dict[tuple[str, str], list[Use]]:
    """The uses of each feature, in order."""
    features: dict[tuple[str, str], list[Use]] = defaultdict(list)
    for use in raw_log.uses:
        features[use.product, use.feature].append(use)
    return dict(sorted(features.items()))


def total(parts: Iterable[Piece], holds: Callable[[Piece], bool] = lambda _: True) -> int:
    return sum(part.until - part.at for part in parts if holds(part))


def enough_for(parts: Sequence[Piece], share: Fraction) -> int:
    """The fewest seats that were enough for this share of the time."""
    seats = 0
    while sum(part.until - part.at for part in parts if part.level <= seats) < share * total(parts):
        seats += 1
    return seats
