"""What holds a seat at a time: one row for each use, with all its features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, SESSIONS, TIME, WHOLE, Column, names
from checkout_log.log import Log
from checkout_log.measuring.questions import NOWS
from checkout_log.pairing import EXACT_SOURCES, facts

MICROSECOND = timedelta(microseconds=1)
# What the rows of one use have in common: one use may have several features.
_SAME = ("source", "handle", "product", "mode", "member", "machine", "since", "start", "until", "end")
# Beside time and feature also what makes the order the same each time.
_ORDER = ["moment", "start", "feature", "product", "member", "machine", "handle", "alias"]
_ASKED = (*NOWS, Column("old_since", TIME, False, "when what is old enough began at the latest"))
_HELD = (Column("moment", WHOLE, False, ""), *(Column(name, TIME, False, "") for name in ("now", "since")), *SESSIONS)


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


def held(log: Log, asked: pd.DataFrame, least_age: timedelta = timedelta(0)) -> dict[int, list[Use]]:
    """Every use that holds a seat when its product is asked about, one for all its features, by the time that is asked about.

    asked: as `questions.nows` has it. What a restart of a server ended holds no seat; a borrow outlasts it. least_age: of sessions
    of sources without handles of their own only those that have been held for so long.
    """
    moments = sorted(set(asked["moment"].tolist()))
    if not moments:
        return {}
    asked = asked.assign(old_since=asked["now"] - least_age // MICROSECOND)
    frame = log.engine.asked(_holding, log.going_on(moments), log.engine.numbers(asked, _ASKED), columns=_HELD)
    known: dict[int, dict[tuple[object, ...], Use]] = {at: {} for at in moments}
    for row in frame.sort_values(_ORDER).itertuples():
        key = tuple(None if pd.isna(value) else value for value in (getattr(row, name) for name in _SAME))
        at_moment = known[row.moment]
        at_moment[key] = _with_feature(at_moment[key], row.feature) if key in at_moment else _use(row)
    return {at: [*uses.values()] for at, uses in known.items()}


def _use(row: Any) -> Use:
    return Use(
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
        row.now.to_pydatetime(),
    )


def _with_feature(use: Use, feature: str) -> Use:
    return use if feature in use.features else replace(use, features=(*use.features, feature))


def _holding(uses: Table, asked: Table) -> Table:
    """The sessions that hold a seat when their product is asked about: the columns _HELD."""
    rows = uses.filter(_.started).join(asked, ["moment", "product"])
    is_overdue = (_.ended_by == "expiry") & (_.end <= _.now)
    is_held = (_.start <= _.now) & (_.censored | (_.end > _.now) | is_overdue) & ~facts.is_of_nobody()
    is_asked = (_.since <= _.old_since) | (_["mode"] == BORROW) | _.source.isin(EXACT_SOURCES)
    return rows.filter(is_held & is_asked).select(*names(_HELD))


def is_freed(use: Use, freed_by_time: tuple[str, ...]) -> bool:
    """Whether time has freed the seat of a borrow, at an authority that does so, which its log may not tell any more."""
    return use.mode == BORROW and use.due is not None and use.due <= use.now and use.source in freed_by_time


def _text(value: Any) -> str | None:
    return None if pd.isna(value) else str(value)
