"""What holds a seat at a time: one row for each use, with all its features."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, SESSIONS, names
from checkout_log.log import Log
from checkout_log.measuring import stacks
from checkout_log.measuring.questions import NOWS, nows
from checkout_log.pairing import facts, sessions

MICROSECOND = timedelta(microseconds=1)
# What the rows of one use have in common: one use may have several features.
_SAME = ("source", "handle", "product", "mode", "member", "machine", "since", "start", "until", "end")


@dataclass(frozen=True, slots=True)
class Use:
    """One use of a license that holds a seat, with all its features; `now` is the time that it is judged at.

    since: since when it may have been held without a pause. start: of the session that is open if the first out was the first
        in. Where several sessions of one user on one host come and go the two differ, and which it was cannot be told.
    """

    source: str
    product: str
    features: tuple[str, ...]
    mode: str
    member: str | None
    machine: str | None
    alias: str | None
    handle: str | None
    since: datetime
    start: datetime
    due: datetime | None
    now: datetime

    @property
    def least_age(self) -> timedelta:
        """For how long it has been held at least."""
        return self.now - self.start


def when(micros: int) -> datetime:
    """An aware time from whole microseconds since 1970 UTC."""
    return datetime.fromtimestamp(0, UTC) + micros * MICROSECOND


def held(log: Log, now: datetime | None) -> Iterator[Use]:
    """Every use that holds a seat at `now`, by default the end of each product's own log, one for all its features.

    The log must end by `now` (`Log.until`). What a restart of a server ended holds no seat; a borrow outlasts it.
    """
    return held_at(log, nows(log, now))


def held_at(log: Log, asked: pd.DataFrame) -> Iterator[Use]:
    """Every use that holds a seat when its product is asked about (`product`, `now`), one for all its features."""
    frame = log.engine.asked(_holding, log.pairs, log.engine.numbers(asked, NOWS), columns=SESSIONS)
    judged_at = {row.product: when(row.now) for row in asked.itertuples()}
    uses: dict[tuple[object, ...], Use] = {}
    for row in _since_the_oldest(frame, stacks.oldest(log)).itertuples():
        key = tuple(None if pd.isna(value) else value for value in (getattr(row, name) for name in _SAME))
        if key in uses:
            uses[key] = _with_feature(uses[key], row.feature)
            continue
        uses[key] = Use(
            row.source,
            row.product,
            (row.feature,),
            row.mode,
            _text(row.member),
            _text(row.machine),
            _text(row.alias),
            _text(row.handle),
            row.since.to_pydatetime(),
            row.start.to_pydatetime(),
            None if pd.isna(row.until) else row.until.to_pydatetime(),
            judged_at[row.product],
        )
    yield from uses.values()


def _with_feature(use: Use, feature: str) -> Use:
    return use if feature in use.features else replace(use, features=(*use.features, feature))


def _holding(uses: Table, asked: Table) -> Table:
    """The sessions that hold a seat when their product is asked about: the columns SESSIONS."""
    rows = sessions(uses).join(asked, "product")
    is_overdue = (_.ended_by == "expiry") & (_.end <= _.now)
    is_held = (_.start <= _.now) & (_.censored | (_.end > _.now) | is_overdue) & ~facts.is_of_nobody()
    return rows.filter(is_held).select(*names(SESSIONS))


def is_freed(use: Use, freed_by_time: tuple[str, ...]) -> bool:
    """Whether time has freed the seat of a borrow, at an authority that does so, which its log may not tell any more."""
    return use.mode == BORROW and use.due is not None and use.due <= use.now and use.source in freed_by_time


def _since_the_oldest(frame: pd.DataFrame, starts: Mapping[tuple[object, ...], stacks.Stack]) -> pd.DataFrame:
    """The frame with `since`: when what is open without a handle began, if the last out was the first in; else the start."""
    by_start = frame.sort_values(["start", "feature"], ignore_index=True)
    since, turns = by_start["start"].tolist(), defaultdict[tuple[object, ...], int](int)
    nameless = by_start[by_start["handle"].isna() & by_start["censored"]]
    columns = (nameless[name] for name in ("product", "feature", "member", "machine", "quantity"))
    for index, *key, quantity in zip(nameless.index, *columns, strict=True):
        oldest = stacks.start_of(starts.get(tuple(key), []), turns[tuple(key)])
        since[index] = oldest if oldest is not None else since[index]
        turns[tuple(key)] += quantity
    return by_start.assign(since=pd.Series(since, dtype=by_start["start"].dtype))


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
