"""Days, weekdays and hours as they are counted where the license server stands."""

from __future__ import annotations

from datetime import tzinfo
from zoneinfo import ZoneInfo

import ibis
import numpy as np
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import WHOLE, Column
from checkout_log.log import Log
from checkout_log.measuring import levels

# A quarter of an hour: in every time zone, hours begin where a quarter of an hour of UTC begins.
CELL = 900 * 1_000_000
CALENDAR = (
    Column("cell", WHOLE, False, "number of the quarter of an hour since 1970 UTC"),
    Column("weekday", WHOLE, False, "0 for Monday to 6 for Sunday"),
    Column("hour", WHOLE, False, "0 to 23"),
    Column("day", WHOLE, False, "when the day begins, in microseconds since 1970 UTC"),
)


def calendar(log: Log, zone: str) -> pd.DataFrame:
    """The quarters of an hour that the log covers, as this time zone has them: CALENDAR, computed once."""
    return log.once(("calendar", zone), lambda: _calendar(log, zone))


def _calendar(log: Log, zone: str) -> pd.DataFrame:
    spans = levels.observed(log)
    cells = [range(begin // CELL, end // CELL + 1) for begin, end in zip(spans["begin"], spans["end"], strict=True)]
    frame = pd.DataFrame({"cell": sorted(set().union(*cells))}, dtype="int64")
    local = pd.to_datetime(frame["cell"] * CELL, unit="us", utc=True).dt.tz_convert(ZoneInfo(zone))
    # A day has a hundred quarters of an hour, and begins once.
    number, days = pd.factorize(local.dt.tz_localize(None).dt.normalize())
    midnights = beginning(pd.Series(days), ZoneInfo(zone))
    since = (midnights - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(microseconds=1)
    return frame.assign(weekday=local.dt.weekday, hour=local.dt.hour, day=since.to_numpy()[number]).astype("int64")


def beginning(midnights: pd.Series, zone: tzinfo) -> pd.Series:
    """These local midnights as aware times: where clocks change at midnight, the first moment of the day."""
    return midnights.dt.tz_localize(zone, ambiguous=np.ones(len(midnights), dtype=bool), nonexistent="shift_forward")


def observed_cells(log: Log) -> pd.DataFrame:
    """How much of each quarter of an hour the log covers: `product`, `cell`, `observed` (microseconds)."""
    parts = []
    for span in levels.observed(log).itertuples():
        cells = pd.Series(range(span.begin // CELL, span.end // CELL + 1), dtype="int64")
        inside = (cells * CELL + CELL).clip(upper=span.end) - (cells * CELL).clip(lower=span.begin)
        parts.append(pd.DataFrame({"product": span.product, "cell": cells, "observed": inside}))
    none = pd.DataFrame({"product": [], "cell": [], "observed": []}).astype({"product": "string", "cell": "int64"})
    whole = pd.concat(parts) if parts else none
    return whole.groupby(["product", "cell"], as_index=False)["observed"].sum()


def use_by_cell(log: Log, grouping: str) -> Table:
    """The use in each quarter of an hour, computed once: `pair`, `cell`, and for each of the series its most and its seat-microseconds."""
    return log.once(("cells", grouping), lambda: log.engine.materialized(_use_by_cell(levels.kept_steps(log, grouping))))


def _use_by_cell(steps: Table) -> Table:
    first, last = (_["at"] / CELL).floor().cast("int64"), ((_.until - 1) / CELL).floor().cast("int64")
    # A step that begins with the last moment of the log has no length, and a cell none the less.
    numbered = steps.mutate(cell=first, last=ibis.greatest(first, last))
    cells = numbered.mutate(cell=ibis.range(numbered.cell, numbered.last + 1).unnest())
    inside = ibis.least(_.until, (_.cell + 1) * CELL) - ibis.greatest(_["at"], _.cell * CELL)
    cells = cells.mutate(inside=inside)
    figures = {f"{name}_most": _[name].max() for name in levels.SERIES}
    figures |= {f"{name}_time": (_[name] * _.inside).sum() for name in levels.SERIES}
    return cells.group_by("pair", "cell").aggregate(**figures)
