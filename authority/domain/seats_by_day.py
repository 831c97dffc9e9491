"""Seats in use day by day: the most that were in use at once on each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import sub

DAY = 86_400_000_000


@dataclass(slots=True)
class _Seats:
    """When seats of a product were taken and when they were freed."""

    taken: list[int] = field(default_factory=list)
    freed: list[int] = field(default_factory=list)


def peaks(uses: Iterable[tuple[str, int, int]], first_day: int, now: int) -> Mapping[str, list[int]]:
    """By product, for each day from the first (by days since 1970 UTC) to that of `now`, the most seats in use at once.

    Each use has its product, when it began, and when its seat was free, as `now` in microseconds since 1970 UTC. A seat is in use
    from the very moment when it is taken up to the one at which it is free; what begins after `now` does not count.
    """
    by_product: dict[str, _Seats] = defaultdict(_Seats)
    for product, taken, freed in uses:
        seats = by_product[product]
        seats.taken.append(taken)
        seats.freed.append(freed)
    days = range(first_day, now // DAY + 1)
    return {product: _by_day(sorted(seats.taken), sorted(seats.freed), days, now) for product, seats in by_product.items()}


def _by_day(taken: Sequence[int], freed: Sequence[int], days: range, now: int) -> list[int]:
    """The highest number is reached where a day begins, or at a moment when a seat is taken."""
    numbers = []
    for day in days:
        midnight = day * DAY
        first, last = bisect_right(taken, midnight), bisect_left(taken, min(midnight + DAY, now + 1))
        freed_by_then = map(bisect_right, repeat(freed), taken[first:last])
        in_use = map(sub, range(first + 1, last + 1), freed_by_then)
        numbers.append(max(first - bisect_right(freed, midnight), max(in_use, default=0)))
    return numbers
