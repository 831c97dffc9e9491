"""A log as it was known at several times, side by side in one log, so that what is asked of each time is asked once.

In it each product appears once for each time, under a name that has the number of the time before it: its events up to then, its runs of
the server and the time that was covered. Whatever is counted by product is then what the log until that time would say, by construction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import WHOLE, Column
from checkout_log.log import Log
from checkout_log.store import Stored

# So many events are held side by side; more times are looked at one after the other.
MOST_EVENTS = 500_000
# Between the number of the time and the name of the product; no server writes it.
_MARK = "\x1f"
_MOMENTS = (
    Column("number", WHOLE, False, ""),
    Column("moment", WHOLE, False, "whole microseconds since 1970 UTC"),
    Column("eras", WHOLE, False, "what is added to the numbers of runs, so that each time has its own"),
)
_COUNT = (Column("events", WHOLE, False, ""),)


@dataclass(frozen=True)
class Looks:
    """The log side by side, and the times (whole microseconds since 1970 UTC)."""

    log: Log
    moments: tuple[int, ...]

    @property
    def nows(self) -> pd.DataFrame:
        """When each product is asked about: `product`, `now`."""
        products = self.log.stored.spans["product"].drop_duplicates().reset_index(drop=True)
        return pd.DataFrame({"product": products, "now": [self.moments[parted(name)[0]] for name in products]}).astype(
            {"product": "string", "now": "int64"}
        )


def parted(product: str) -> tuple[int, str]:
    """The number of the time and the product's own name; the time of a log that is of one time alone has the number 0."""
    number, mark, name = product.partition(_MARK)
    return (int(number), name) if mark else (0, product)


def at_each(log: Log, moments: Sequence[int]) -> Iterator[Looks]:
    """The log as it was known at each of these times, so many of them side by side as can be held."""
    count = log.once(
        ("events",), lambda: int(log.engine.frame(log.everything.aggregate(events=_.count()), _COUNT)["events"][0])
    )
    together = max(1, MOST_EVENTS // max(1, count))
    for first in range(0, len(moments), together):
        yield _beside(log, tuple(moments[first : first + together]))


def _beside(log: Log, moments: tuple[int, ...]) -> Looks:
    stored = [log.until(moment).stored for moment in moments]
    # One number stays free, for uses whose run nobody knows.
    eras = int(log.stored.eras["era"].max() if len(log.stored.eras) else 0) + 2
    numbers = pd.DataFrame(
        {"number": range(len(moments)), "moment": moments, "eras": [eras * at for at in range(len(moments))]}
    )
    events = log.engine.built(_events, log.everything, log.engine.numbers(numbers, _MOMENTS))
    of_all = replace(log.stored, eras=_eras(stored, eras), spans=_spans(stored), features=None, groups=None, departments=None)
    return Looks(Log(of_all, log.engine, events), moments)


def _events(events: Table, moments: Table) -> Table:
    """The events that were known at each of these times."""
    known = events.join(moments, events["at"] <= moments["moment"])
    product = known.number.cast("string") + _MARK + known.product
    return known.mutate(product=product, era=known.era + known.eras).select(*events.columns)


def _eras(stored: Sequence[Stored], step: int) -> pd.DataFrame:
    frames = [_named(one.eras, number).assign(era=one.eras["era"] + step * number) for number, one in enumerate(stored)]
    return pd.concat(frames, ignore_index=True).astype(stored[0].eras.dtypes.to_dict())


def _spans(stored: Sequence[Stored]) -> pd.DataFrame:
    return pd.concat([_named(one.spans, number) for number, one in enumerate(stored)], ignore_index=True)


def _named(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    return frame.assign(product=f"{number}{_MARK}" + frame["product"])
