"""Every measure, with what must be true of its figures in any log: bounds, and columns of which each is at most the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import pandas as pd

from checkout_log import borrows, certainty, daily, denials, sizing, stuck, usage
from checkout_log.log import Log
from checkout_log.measuring.levels import GROUPINGS


def around(figure: str) -> tuple[str, str, str]:
    """The columns of a figure between bounds of its own."""
    return (f"{figure}_lower", figure, f"{figure}_upper")


@dataclass(frozen=True)
class Measure:
    """A measure, columns of it in order, and whether a log with uses may have nothing of it."""

    name: str
    take: Callable[[Log], pd.DataFrame]
    ordered: tuple[tuple[str, ...], ...] = ()
    is_rare: bool = False

    def check(self, log: Log) -> pd.DataFrame:
        """Takes it, and holds its columns against their order where they are known."""
        rows = self.take(log)
        for columns in self.ordered:
            for left, right in pairwise(columns):
                is_wrong = rows[left] > rows[right]
                if rows[left].dtype == "float64":
                    # Shares and hours are no whole numbers, so the last digit may be off.
                    is_wrong &= rows[left] - rows[right] > 1e-9
                assert not is_wrong.any(), (left, right)
        return rows


def _of_grouping(name: str) -> Iterator[Measure]:
    yield Measure("peaks", lambda log: usage.peaks(log, name), (("lower", "peak", "upper"), ("p95", "p99", "peak")))
    yield Measure("time at level", lambda log: usage.time_at_level(log, name), is_rare=True)
    yield Measure("exceedance", lambda log: usage.exceedance(log, name), (("lower", "share", "upper"),))
    yield Measure("needed", lambda log: usage.needed(log, 0.9, name), (("lower", "seats", "upper"),))
    yield Measure("efficiency", lambda log: usage.efficiency(log, name), (("lower", "hours", "upper"),))
    between = (around("peak"), around("average"), ("average", "peak"))
    yield Measure("heat map", lambda log: usage.heat_map(log, license=name), between)
    yield Measure("by day", lambda log: daily.by_day(log, name), (("lower", "peak", "upper"),))
    ordered = (("lower", "exceeded", "upper"), ("unmet", "episodes"))
    yield Measure("enough", lambda log: sizing.enough(log, license=name), ordered)


def _others() -> Iterator[Measure]:
    quantiles = ("p25_hours", "median_hours", "p75_hours", "p95_hours")
    yield Measure("lengths", usage.lengths, (("lower", "median_hours", "upper"), quantiles, ("censored", "sessions")))
    yield Measure("last used", usage.last_used)
    yield Measure("user actions", usage.user_actions, (("actions", "checkouts"),))
    yield Measure("requests", usage.requests, (("used", "requests"),))
    yield Measure("certainty", certainty.of_sessions, (("open", "sessions"), ("cut", "sessions"), ("ambiguous", "sessions")))
    yield Measure("episodes", denials.episodes, (("first_at", "last_at"), ("machines", "lines")), is_rare=True)
    yield Measure("counts", denials.counts, (("lost", "episodes", "raw"), ("user_days", "raw")), is_rare=True)
    yield Measure("ageing", borrows.ageing, (("start", "last_sign_at"),), is_rare=True)
    bounds = (
        ("lower", "given_back", "upper"),
        around("peak_after"),
        ("peak_after", "peak_before"),
        ("given_back", "seat_days"),
    )
    yield Measure(
        "what if", lambda log: sizing.what_if(log, 1), (*bounds, ("used_beyond", "shortened", "borrows")), is_rare=True
    )
    ordered = (("lower", "expected", "upper"), around("trend"))
    yield Measure("forecast", lambda log: sizing.forecast(log, 30), ordered)
    yield Measure("stuck", stuck.find, is_rare=True)


BY_GROUPING = {name: {f"{measure.name}, {name}": measure for measure in _of_grouping(name)} for name in GROUPINGS}
# Every measure with what counts as one license by default, and those that depend on it in every way.
EACH = BY_GROUPING["handle"] | {measure.name: measure for measure in _others()}
EVERY = EACH | BY_GROUPING["machine"] | BY_GROUPING["member"]
