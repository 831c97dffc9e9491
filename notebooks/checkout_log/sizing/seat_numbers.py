"""How much of the use and of the denials each number of seats would have met."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log import denials
from checkout_log.columns import NUMBER, OF_FEATURE, WHOLE, Column, typed
from checkout_log.errors import QuestionInvalid
from checkout_log.log import Log
from checkout_log.measuring import levels
from checkout_log.measuring.questions import duration, one_of, whole

ENOUGH = (
    *OF_FEATURE,
    Column("seats", WHOLE, False, "if there were so many seats"),
    Column(
        "exceeded",
        NUMBER,
        True,
        "share of the observed time in which more were in use, 0 to 1; empty where no time was observed",
    ),
    Column("lower", NUMBER, True, "the least that this share can have been"),
    Column("upper", NUMBER, True, "the most that this share can have been"),
    Column("episodes", WHOLE, False, "denial episodes that happened"),
    Column("unmet", WHOLE, False, "those of them that so many seats would not have met"),
)
_WANTED = (Column("pair", WHOLE, False, ""), Column("demand", WHOLE, False, ""))


def enough(
    log: Log,
    seats: Iterable[int] | None = None,
    license: str = "handle",  # noqa: A002 - the word of the field
    gap: str | timedelta = denials.GAP,
) -> pd.DataFrame:
    """For each number of seats how much of the use and of the denials it would have met, by feature: the columns ENOUGH.

    By default every number from 1 to what would have met all. An episode asks for its seats beside those in use and those
    that others wait for when it begins. Features that were denied and never used have no row. Raises QuestionInvalid.
    """
    grouping, micros, asked = one_of("license", license, levels.COUNTED), duration("gap", gap), _numbers(seats)
    return log.once(("enough", grouping, str(micros), str(asked)), lambda: _all_enough(log, grouping, micros, asked)).copy()


def _all_enough(log: Log, grouping: str, micros: int, asked: list[int] | None) -> pd.DataFrame:
    longer = levels.at_least(log, grouping)
    wanted = _wanted(log, grouping, micros)
    parts = [
        _enough(named, longer[longer["pair"] == named.pair], wanted.loc[wanted["pair"] == named.pair, "demand"], asked)
        for named in levels.features(log).itertuples()
    ]
    return typed(pd.concat(parts) if parts else pd.DataFrame(columns=[column.name for column in ENOUGH]), ENOUGH)


def demanded(log: Log, license: str = "handle", gap: str | timedelta = denials.GAP) -> pd.DataFrame:  # noqa: A002
    """For each feature that was denied: `product`, `feature`, `episodes`, and `demand`, the seats that would have met them all.

    Raises QuestionInvalid.
    """
    grouping, micros = one_of("license", license, levels.COUNTED), duration("gap", gap)
    wanted = _wanted(log, grouping, micros).groupby("pair")["demand"].agg(["size", "max"])
    return levels.features(log).merge(wanted, on="pair").rename(columns={"size": "episodes", "max": "demand"})


def _numbers(seats: object) -> list[int] | None:
    """The numbers of seats that are asked for, in order."""
    if seats is None:
        return None
    numbers: set[int] = set()
    if isinstance(seats, Iterable) and not isinstance(seats, str | bytes):
        numbers = {whole("seats", number, least=0) for number in seats}
    if not numbers:
        raise QuestionInvalid(f"seats is {seats!r}", hint="Name numbers of seats, such as [10] or range(10, 21).")
    return sorted(numbers)


def _enough(named: tuple[Any, ...], longer: pd.DataFrame, demand: pd.Series, asked: list[int] | None) -> pd.DataFrame:
    """The rows of one feature."""
    most = max(longer["level"].max() if len(longer) else 0, demand.max() if len(demand) else 0, 1)
    numbers = pd.Index(range(1, int(most) + 1) if asked is None else asked, name="seats")
    # More than n are in use while at least n + 1 are.
    shares = longer.set_index(longer["level"] - 1)[list(levels.SERIES)].div(longer["observed"].to_numpy(), axis=0)
    # More seats than were ever in use were never exceeded, as far as any time was observed.
    beyond = 0.0 if longer["observed"].any() else np.nan
    figures = shares.reindex(numbers, fill_value=beyond).rename(columns={"seats": "exceeded"}).reset_index()
    met = demand.sort_values().searchsorted(numbers, side="right")
    product, feature = named[2:4]
    return figures.assign(product=product, feature=feature, episodes=len(demand), unmet=len(demand) - met)


def _wanted(log: Log, grouping: str, gap: int) -> pd.DataFrame:
    """The seats that would have met each denial episode, computed once."""
    return log.once(("wanted", grouping, str(gap)), lambda: log.engine.frame(_demand(log, grouping, gap), _WANTED))


def _demand(log: Log, grouping: str, gap: int) -> Table:
    """The seats that would have met each denial episode when it began: `pair`, `demand`."""
    known = log.engine.numbers(levels.features(log), levels.FEATURES)
    waits = denials.episodes_of(log, gap).join(known, ["product", "feature"])
    in_turn = ibis.window(order_by=["pair", "first_at", "member"])
    # Among so many moves an episode goes by its number: engines sort numbers many times faster than texts.
    waits = log.engine.materialized(
        waits.select("pair", "first_at", "last_at", "quantity", number=ibis.row_number().over(in_turn))
    )
    # Spark numbers rows in 32 bits, whatever Ibis expects.
    waits = waits.mutate(number=_.number.cast("int64"))
    none, nobody = ibis.literal(0, "int64"), ibis.null("int64")
    rows = [
        levels.moves(log, levels.uses(log), grouping).select("pair", "at", "seats", waiting=none, begun=none, number=nobody),
        waits.select("pair", at=_.first_at, seats=none, waiting=_.quantity, begun=none + 1, number=_.number),
        # In one moment releases come first. Whoever was denied in it may have come before them.
        waits.select("pair", at=_.first_at - 1, seats=none, waiting=none, begun=none, number=_.number),
        waits.select("pair", at=_.last_at + 1, seats=none, waiting=-_.quantity, begun=none, number=nobody),
    ]
    so_far = ibis.range_window(**levels.in_order(log, "pair"), following=0)
    totals = ibis.union(*rows).mutate(seats=_.seats.sum().over(so_far), waiting=_.waiting.sum().over(so_far))
    asked = totals.filter(_.number.notnull()).group_by("pair", "number")
    asked = asked.aggregate(seats=_.seats.max(), waiting=_.waiting.max(where=_.begun == 1))
    return asked.select("pair", demand=(_.seats + _.waiting).cast("int64"))
