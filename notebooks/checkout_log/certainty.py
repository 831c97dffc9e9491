"""How certain the sessions of a log are: what was never seen to start, cut by a restart, still open, or paired in doubt."""

from __future__ import annotations

import pandas as pd
from ibis import _

from checkout_log.columns import TEXT, WHOLE, Column, typed
from checkout_log.log import Log

CERTAINTY = (
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("sessions", WHOLE, False, "uses that were seen to start"),
    Column("orphan", WHOLE, False, "uses that were seen to end, but not to start: in the upper bounds only"),
    Column("cut", WHOLE, False, "sessions that a restart of the license server ended"),
    Column("open", WHOLE, False, "sessions that were open when the log ended"),
    Column("ambiguous", WHOLE, False, "sessions whose start or end could be another"),
)


def of_sessions(log: Log) -> pd.DataFrame:
    """How certain the sessions of each product are: the columns CERTAINTY."""
    return log.once(("certainty",), lambda: _of_sessions(log)).copy()


def _of_sessions(log: Log) -> pd.DataFrame:
    counted = log.pairs.group_by("product").aggregate(
        sessions=_.started.cast("int64").sum(),
        orphan=(~_.started).cast("int64").sum(),
        cut=(_.started & _.cut).cast("int64").sum(),
        open=(_.started & _.censored).cast("int64").sum(),
        ambiguous=(_.started & _.ambiguous).cast("int64").sum(),
    )
    return typed(log.engine.frame(counted, CERTAINTY).sort_values("product"), CERTAINTY)
