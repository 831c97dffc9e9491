"""How many seats there are, where a source says it, and how many of them are needed.

`lmstat` and RLM's report log say how many are issued, and so does a debug log of FlexNet whose vendor has more told with each use; a
license file beside a log says how many were bought.
"""

from __future__ import annotations

import pandas as pd

from checkout_log import usage
from checkout_log.columns import NUMBER, OF_FEATURE, TEXT, TIME, WHOLE, Column, typed
from checkout_log.log import Log
from checkout_log.measuring.questions import DAY

ISSUED = (
    *OF_FEATURE,
    Column("since", TIME, True, "since when there are so many; empty: since before the log began"),
    Column("seats", WHOLE, False, "seats that are issued"),
    Column("change", WHOLE, False, "by how many that is more or less than before; 0 for the first row of a feature"),
    Column("source", TEXT, False, "what says it: lmstat, rlm, flexnet or license-file"),
)
UTILIZATION = (
    *OF_FEATURE,
    Column("seats", WHOLE, False, "seats that are issued when the log ends"),
    Column("fewest", WHOLE, False, "the fewest that were, while the log covers it"),
    Column("peak", WHOLE, False, "most seats in use at one moment; 0 where nothing was in use"),
    Column("p99", WHOLE, False, "seats that were enough for 99 % of the observed time"),
    Column("average", NUMBER, False, "seats in use on average over the observed time"),
    Column("utilization", NUMBER, True, "the average as a share of the seats"),
    Column("never_used", WHOLE, False, "seats that even the peak left free; 0 where it did not"),
    Column("observed_days", NUMBER, False, "days that the log covers"),
)


def issued(log: Log) -> pd.DataFrame:
    """How many seats there are of each feature, a row for each time at which that changes: the columns ISSUED.

    Where a server and a license file both say it, the server's word counts.
    """
    rows = [
        row for _, own in log.stored.seats.dropna(subset=["issued"]).groupby(["product", "feature"]) for row in _changes(own)
    ]
    frame = pd.DataFrame(rows, columns=["product", "feature", "at", "seats", "change", "source"])
    return typed(frame.assign(since=pd.to_datetime(frame["at"].where(frame["at"] > 0), unit="us", utc=True)), ISSUED)


def _changes(own: pd.DataFrame) -> list[tuple[object, ...]]:
    """The rows of one feature; what several servers have of it adds up."""
    by_server = own[own["source"] != "license-file"]
    own = own if by_server.empty else by_server
    latest: dict[str, int] = {}
    rows: list[tuple[object, ...]] = []
    seats = None
    for row in own.itertuples():
        latest[row.server] = int(row.issued)
        total = sum(latest.values())
        if total != seats:
            if rows and rows[-1][2] == row.at:
                rows.pop()
            before = rows[-1][3] if rows else total
            rows.append((row.product, row.feature, row.at, total, total - int(str(before)), row.source))
            seats = total
    return rows


def utilization(log: Log) -> pd.DataFrame:
    """How much of what is issued is needed: the columns UTILIZATION, a row for each feature whose seats are known."""
    changes = issued(log)
    spans = log.stored.spans.assign(lasted=log.stored.spans["end"] - log.stored.spans["begin"]).groupby("product")
    spans = spans.agg(begin=("begin", "min"), end=("end", "max"), lasted=("lasted", "sum"))
    rows = []
    for (product, feature), own in changes.groupby(["product", "feature"]):
        if product not in spans.index:
            continue
        begin, end = (pd.Timestamp(spans.loc[product, name], unit="us", tz="UTC") for name in ("begin", "end"))
        since = own["since"].fillna(pd.Timestamp(0, tz="UTC"))
        known = own[since <= end]
        if known.empty:
            continue
        # What was true when the log began, and each change in it.
        last_before = max(0, int((since[known.index] <= begin).sum()) - 1)
        fewest = int(known["seats"].iloc[last_before:].min())
        rows.append((product, feature, int(known["seats"].iloc[-1]), fewest, spans.loc[product, "lasted"] / DAY))
    frame = pd.DataFrame(rows, columns=["product", "feature", "seats", "fewest", "observed_days"])
    peaks = usage.peaks(log)[["product", "feature", "peak", "p99"]]
    hours = usage.efficiency(log).groupby(["product", "feature"], as_index=False)["hours"].sum()
    frame = frame.merge(peaks, on=["product", "feature"], how="left").merge(hours, on=["product", "feature"], how="left")
    frame = frame.fillna({"peak": 0, "p99": 0, "hours": 0.0})
    average = frame["hours"] / (frame["observed_days"] * 24)
    return typed(
        frame.assign(
            average=average,
            utilization=(average / frame["seats"]).where(frame["seats"] > 0),
            never_used=(frame["fewest"] - frame["peak"]).clip(lower=0),
        ),
        UTILIZATION,
    )
