"""How many seats there must be where nobody says it: while denials come, all are in use.

Where denials of one license each came again and again while exactly N were in use, N are the seats that those users could have. Which of
the ways of counting is the vendor's shows in the same way: under it the number is the same each time, and never exceeded.
A number may change once or several times: then the denials before and after agree among themselves.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log import denials
from checkout_log.columns import TIME, WHOLE, Column
from checkout_log.log import Log
from checkout_log.measuring import levels
from checkout_log.measuring.shares import wilson

# So many episodes it takes before a number can be told, and so large a share of them must agree.
FEWEST, LEAST_SHARE = 5, 0.8
# The narrowest way of counting last: of several that fit alike, the first is taken.
WAYS = ("handle", levels.MEMBER_MACHINE, "machine", "member")
_STEPS = (
    Column("pair", WHOLE, False, ""),
    Column("at", WHOLE, False, "whole microseconds since 1970 UTC"),
    Column("until", WHOLE, False, "whole microseconds since 1970 UTC"),
    Column("seats", WHOLE, False, ""),
)
_EPISODES = (
    Column("pair", WHOLE, False, ""),
    Column("first_at", TIME, False, ""),
)

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Full:
    """Denials that came while the same number was in use.

    since: the first of them, in whole microseconds; None for the first number of a feature. episodes: how many, agreeing: how many of them came at
    this very number. license: how uses are counted for it.
    """

    product: str
    feature: str
    since: int | None
    seats: int
    episodes: int
    agreeing: int
    license: str

    @property
    def certainty(self) -> float:
        """The least share that agrees, at 95 % (Wilson)."""
        return wilson(self.agreeing, self.episodes)[0]


def levels_by_denials(log: Log, known: pd.DataFrame) -> list[Full]:
    """What the denials of each feature tell that is not among the known ones (`product`, `feature`)."""
    asked = _asked(log, known)
    if asked.empty:
        return []
    by_way = {way: dict(_runs(log, way, asked)) for way in WAYS}
    # Who has several licenses at once does not share them as users of one each do.
    single = set(log.engine.frame(_single(levels.uses(log)), _EPISODES[:1])["pair"])
    features = levels.features(log).set_index("pair")
    rows: list[Full] = []
    for pair in asked["pair"].unique():
        ways = WAYS if pair in single else WAYS[:1]
        best = max(ways, key=lambda way: sum(run[2] for run in by_way[way].get(pair, ())))
        product, feature = features.loc[pair, ["product", "feature"]]
        rows += [
            Full(str(product), str(feature), since if number else None, seats, count, agreeing, best)
            for number, (since, count, agreeing, seats) in enumerate(by_way[best].get(pair, ()))
        ]
    return rows


def _single(uses: Table) -> Table:
    """The features of which every use is of one license."""
    return uses.group_by("pair").aggregate(most=_.upper.max()).filter(_.most == 1)


def _asked(log: Log, known: pd.DataFrame) -> pd.DataFrame:
    """The episodes of one license each that came for lack of seats, of features that were denied often enough."""
    micros = pd.Timedelta(denials.GAP) // pd.Timedelta(microseconds=1)
    pairs = levels.features(log).merge(known, on=["product", "feature"], how="left", indicator=True)
    pairs = pairs[pairs["_merge"] == "left_only"][["pair", "product", "feature"]]
    if pairs.empty:
        return pd.DataFrame({"pair": [], "first_at": []})
    waits = denials.episodes_of(log, micros).filter(_.quantity == 1)
    waits = waits.join(log.engine.numbers(pairs, levels.FEATURES), ["product", "feature"])
    frame = log.engine.frame(waits, _EPISODES).sort_values(["pair", "first_at"], ignore_index=True)
    return frame[frame.groupby("pair")["pair"].transform("size") >= FEWEST].reset_index(drop=True)


def _runs(log: Log, way: str, asked: pd.DataFrame) -> Iterator[tuple[int, list[tuple[int, int, int, int]]]]:
    """The runs of episodes of each feature that agree: since when, how many, how many at the very number, and the number."""
    pairs = log.engine.numbers(asked[["pair"]].drop_duplicates(), levels.FEATURES[:1])
    steps = log.engine.frame(levels.kept_steps(log, way).semi_join(pairs, "pair"), _STEPS)
    for pair, waits in asked.groupby("pair"):
        own = steps[steps["pair"] == pair].sort_values("at")
        at, until, seats = (own[name].to_numpy() for name in ("at", "until", "seats"))
        times = waits["first_at"].astype("int64").to_numpy()
        in_use = np.maximum(_level(at, until, seats, times), _level(at, until, seats, times - 1))
        runs = []
        for first, last in _segments(in_use):
            number, agreeing = _usual(in_use[first:last])
            inside = (until > times[first]) & (at <= times[last - 1])
            most = int(seats[inside].max()) if inside.any() else 0
            if number and most <= number:
                runs.append((int(times[first]), last - first, agreeing, number))
        yield int(str(pair)), runs


def _level(at: Numbers, until: Numbers, seats: Numbers, times: Numbers) -> Numbers:
    """How many were in use at these times."""
    place = np.searchsorted(at, times, side="right") - 1
    is_inside = (place >= 0) & (times < until[place])
    return np.where(is_inside, seats[place], 0)


def _usual(in_use: Numbers) -> tuple[int, int]:
    """The number that comes most often, the larger of several, and how often it comes."""
    values, counts = np.unique(in_use, return_counts=True)
    best = len(values) - 1 - int(np.argmax(counts[::-1]))
    return int(values[best]), int(counts[best])


def _segments(in_use: Numbers, first: int = 0) -> Iterator[tuple[int, int]]:
    """Stretches of episodes that agree among themselves: all of them, or those on both sides of the best place to cut."""
    count = len(in_use)
    if count < FEWEST:
        return
    if _usual(in_use)[1] >= LEAST_SHARE * count:
        yield first, first + count
        return
    values = np.unique(in_use)
    before = np.cumsum(in_use[:, None] == values[None, :], axis=0)
    left, right = before.max(axis=1), (before[-1] - before).max(axis=1)
    places = np.arange(1, count + 1)
    is_possible = (places >= FEWEST) & (count - places >= FEWEST)
    if is_possible.any():
        cut = int(np.argmax(np.where(is_possible, left + right, -1))) + 1
        yield from _segments(in_use[:cut], first)
        yield from _segments(in_use[cut:], first + cut)
