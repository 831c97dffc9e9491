"""How many seats a server has, where its vendor has that told with each use: `... in-use of ...` between `^^^`; and its options.

A feature may have several pools, each of its own number, and a line is about one of them. So the largest number of a day counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from checkout_log.sources.common import DAY
from checkout_log.sources.flexnet.dated import Dated
from checkout_log.sources.part import FLEXNET
from checkout_log.store import Option, Seats

_KEY = ["host", "product", "feature"]


def said(history: Sequence[Dated], hosts: Sequence[str]) -> Iterator[Seats]:
    """The seats of each feature, from each time on at which their number changes. hosts: the server of each file."""
    parts = [
        _of_days(batch, one).assign(host=host)
        for one, host in zip(history, hosts, strict=True)
        if one.scan.has_seats
        for batch in one.rows()
    ]
    if not parts:
        return
    days = _largest(pd.concat(parts))
    for (host, product, feature), own in days.groupby(_KEY):
        before = None
        for at, seats in own[["at", "issued"]].itertuples(index=False, name=None):
            if seats != before:
                yield Seats(host, product, feature, int(at), int(seats), None, FLEXNET)
            before = seats


def _of_days(batch: pa.RecordBatch, one: Dated) -> pd.DataFrame:
    """The largest number of each feature and day of the server, and when it was said first."""
    telling = batch.filter(batch["issued"].is_valid())
    lines, clocks = telling["line"].to_numpy(), telling["clock"].to_numpy()
    frame = telling.select(["product", "feature", "issued"]).to_pandas()
    return _largest(frame.assign(at=one.utc(lines, clocks)[0], day=one.days.local(lines, clocks)[0] // DAY, host=""))


def _largest(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.assign(fewer=-frame["issued"].astype(np.int64)).sort_values([*_KEY, "day", "fewer", "at"])
    return ordered.drop_duplicates([*_KEY, "day"]).drop(columns="fewer")


def options(history: Sequence[Dated]) -> list[Option]:
    """What the daemons repeated of their options files, each since it was said first with its last number."""
    latest: dict[tuple[object, ...], Option] = {}
    for one in history:
        first, beyond = one.lines
        for stated in one.scan.settings:
            if first <= stated.line < beyond:
                daemon, feature, option, amount, kind, name = stated.setting
                key = product, *_rest = one.scan.parents.get(daemon, daemon), feature, option, kind, name
                before = latest.get(key)
                if before is None or before.number != amount:
                    at = one.utc_of(stated.line, stated.clock)
                    latest[key] = Option(product, feature, option, amount, kind, name, None, at, FLEXNET)
    return list(latest.values())
