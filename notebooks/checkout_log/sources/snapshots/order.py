"""The snapshots of many files in the order of their times, without holding more than a few at once."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from checkout_log.sources.part import Part
from checkout_log.sources.snapshots.model import Snapshot


class Form(NamedTuple):
    """How a kind of outputs is read: its name, the snapshots of a file with this number, as they stand in it, and their times."""

    kind: str
    snapshots: Callable[[Part, int], Iterator[Snapshot]]
    times: Callable[[Part], list[datetime]]


def in_order(parts: Sequence[Part], form: Form) -> Iterator[Snapshot]:
    """The snapshots of these files, the earliest first; what is read is counted in the parts. Raises SourceUnreadable.

    One whose time is only the earliest that it can be of comes after the one before it of the same servers, be it by a second: what
    the one before shows was in use then, and not given back in the same moment.
    """
    last: dict[str, datetime] = {}
    for snapshot in _merged(parts, form):
        before = last.get(snapshot.servers)
        if before is not None and not snapshot.is_dated and snapshot.at <= before:
            snapshot.at = before + timedelta(seconds=1)
        last[snapshot.servers] = snapshot.at
        yield snapshot


def _merged(parts: Sequence[Part], form: Form) -> Iterator[Snapshot]:
    """The snapshots of these files in the order of the times that they have."""
    times = [form.times(part) for part in parts]
    waiting = [(own[0], number) for number, own in enumerate(times) if own]
    heapq.heapify(waiting)
    reading: dict[int, Iterator[Snapshot]] = {}
    ahead: dict[int, Snapshot] = {}
    while waiting:
        _, number = heapq.heappop(waiting)
        if number not in reading:
            looks = form.snapshots(parts[number], number)
            # A file whose snapshots are out of order is read as a whole.
            reading[number] = looks if times[number] == sorted(times[number]) else iter(sorted(looks, key=lambda one: one.at))
            ahead[number] = next(reading[number])
        yield ahead.pop(number)
        following = next(reading[number], None)
        if following is not None:
            ahead[number] = following
            heapq.heappush(waiting, (following.at, number))
