"""Seats in use day by day: the most that were in use at any full hour of each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Stretch:
    """So many seats of a product that were taken within one hour and freed within another, both by hours since 1970 UTC."""

    product: str
    first: int
    last: int
    seats: int


def peaks(stretches: Iterable[Stretch], first_day: int, last_hour: int) -> Mapping[str, list[int]]:
    """By product, for each day from the first (by days since 1970 UTC) to that of the last hour, the most seats at a full hour of it.

    A seat counts at every full hour after it was taken, up to the last one before it was freed.
    """
    begin = first_day * HOURS_A_DAY
    hours = last_hour - begin + 1
    steps: dict[str, list[int]] = defaultdict(lambda: [0] * (hours + 1))
    for stretch in stretches:
        start, end = max(stretch.first + 1 - begin, 0), min(stretch.last + 1 - begin, hours)
        if start < end:
            steps[stretch.product][start] += stretch.seats
            steps[stretch.product][end] -= stretch.seats
    return {product: _by_day(list(accumulate(changes))[:hours]) for product, changes in steps.items()}


def _by_day(in_use: list[int]) -> list[int]:
    return [max(in_use[start : start + HOURS_A_DAY]) for start in range(0, len(in_use), HOURS_A_DAY)]
