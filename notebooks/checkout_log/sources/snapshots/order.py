"""The snapshots of many files in the order of their times, without holding more than a few at once.

Of those whose time is only the earliest that it can be of, nobody knows how long after one another they came: the last of them tells
what its servers gave out at that time, where no snapshot with a time of its own does. The uses in all others are counted as undated.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from checkout_log.sources.part import Part
from checkout_log.sources.snapshots.model import Snapshot


class Look(NamedTuple):
    """When a snapshot was taken, in local time. The servers that it asked count where the time is only the earliest that it can be."""

    at: datetime
    is_dated: bool = True
    servers: str = ""


class Form(NamedTuple):
    """How a kind of outputs is read: its name, the snapshots of a file with this number, as they stand in it, and their looks."""

    kind: str
    snapshots: Callable[[Part, int], Iterator[Snapshot]]
    looks: Callable[[Part], list[Look]]


def in_order(parts: Sequence[Part], form: Form) -> Iterator[Snapshot]:
    """The snapshots of these files, the earliest first; what is read is counted in the parts. Raises SourceUnreadable."""
    looks = [form.looks(part) for part in parts]
    left_out = _left_out(looks)
    times = [[look.at for at, look in enumerate(own) if (number, at) not in left_out] for number, own in enumerate(looks)]
    waiting = [(own[0], number) for number, own in enumerate(times) if own]
    heapq.heapify(waiting)
    reading: dict[int, Iterator[Snapshot]] = {}
    ahead: dict[int, Snapshot] = {}
    for number, own in enumerate(times):
        if not own:
            # There is nothing in it to put in order, and still it is counted.
            list(_of_file(parts[number], number, form, left_out))
    while waiting:
        _, number = heapq.heappop(waiting)
        if number not in reading:
            shown = _of_file(parts[number], number, form, left_out)
            # A file whose snapshots are out of order is read as a whole.
            reading[number] = shown if times[number] == sorted(times[number]) else iter(sorted(shown, key=lambda one: one.at))
            ahead[number] = next(reading[number])
        yield ahead.pop(number)
        following = next(reading[number], None)
        if following is not None:
            ahead[number] = following
            heapq.heappush(waiting, (following.at, number))


def _left_out(looks: Sequence[Sequence[Look]]) -> set[tuple[int, int]]:
    """The snapshots, by the numbers of their files and their places in them, that cannot be put between others."""
    undated: dict[str, list[tuple[datetime, int, int]]] = {}
    dated = {look.servers for own in looks for look in own if look.is_dated}
    for number, own in enumerate(looks):
        for at, look in enumerate(own):
            if not look.is_dated:
                undated.setdefault(look.servers, []).append((look.at, number, at))
    return {
        (number, at)
        for servers, places in undated.items()
        for _, number, at in sorted(places)[: None if servers in dated else -1]
    }


def _of_file(part: Part, number: int, form: Form, left_out: Collection[tuple[int, int]]) -> Iterator[Snapshot]:
    """The snapshots of a file but for those that are left out, whose uses are counted."""
    for at, snapshot in enumerate(form.snapshots(part, number)):
        if (number, at) in left_out:
            part.undated += len(snapshot.users)
        else:
            yield snapshot
