"""Licenses that are stuck: which, by what cause, how sure that is, and what to do. One row for each use, worst first.

Causes are told from the log alone, so each row carries its evidence. One use can look stuck in several ways: the row has the
cause that explains most, and the evidence names the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from checkout_log.columns import (
    BORROW,
    HOLDER_INACTIVE,
    MACHINE_GONE,
    NUMBER,
    OUTLIER,
    OVER_LONG_BORROW,
    OVERDUE,
    TEXT,
    TIME,
    Column,
    checked,
)
from checkout_log.log import Log
from checkout_log.measuring.activity_index import ActivityIndex
from checkout_log.measuring.open_uses import Use, held, is_freed
from checkout_log.measuring.questions import moment
from checkout_log.thresholds import Thresholds

__all__ = ["RANKING", "STUCK", "Thresholds", "find"]

# Where one use has several causes, the first of these explains most.
RANKING = (OVERDUE, MACHINE_GONE, HOLDER_INACTIVE, OVER_LONG_BORROW, OUTLIER)

STUCK = (
    Column("cause", TEXT, False, "one of columns.CAUSES"),
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("feature", TEXT, False, "what is held, with semicolons between"),
    Column("member", TEXT, True, "who holds it"),
    Column("machine", TEXT, True, "where"),
    Column("handle", TEXT, True, "id of the session or borrow: what `borrow release` takes"),
    Column("since", TIME, False, "since when"),
    Column("due", TIME, True, "due time of a borrow"),
    Column("confidence", NUMBER, False, "how sure, from 0 to 1"),
    Column("evidence", TEXT, False, "what the log shows"),
    Column("action", TEXT, False, "what to do"),
)

ACTIONS = {
    OVERDUE: "Ask the member to return it; release it if the machine cannot be reached.",
    MACHINE_GONE: "Release it: the machine that held it is not in use any more.",
    HOLDER_INACTIVE: "Ask the member; release it, and unassign the license if it is not needed.",
    OVER_LONG_BORROW: "Ask the member to return it, and set a shorter longest borrow for the group.",
    OUTLIER: "Ask the member whether the session is in use, and end it if not.",
}


# The values of STUCK.
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class _Sign:
    """What one cause says of one use."""

    cause: str
    confidence: float
    evidence: str


def find(log: Log, now: datetime | None = None, thresholds: Thresholds | None = None) -> pd.DataFrame:
    """Uses that are stuck at `now` (default: the end of each product's log), worst first: the columns STUCK.

    A table of borrows of an authority is ready for `carnet-authority borrow release --from FILE`. Raises QuestionInvalid.
    """
    rows = [row for _, row in named(log, now, thresholds)]
    stuck_uses = pd.DataFrame(rows, columns=[column.name for column in STUCK])
    stuck_uses = stuck_uses.astype({column.name: _DTYPES[column.kind] for column in STUCK})
    ordered = stuck_uses.sort_values(["confidence", "since"], ascending=[False, True], ignore_index=True)
    return checked(ordered, STUCK)


def named(log: Log, now: datetime | None = None, thresholds: Thresholds | None = None) -> Iterator[tuple[Use, Row]]:
    """The uses that are stuck, each with its row of STUCK, in no order; of what the log says after `now` nothing is seen.

    Raises QuestionInvalid.
    """
    wanted = thresholds or Thresholds()
    log = log.until(moment(log, now))
    seen = ActivityIndex.of(log, now, wanted.outlier_share)
    for use in held(log, now):
        signs = [sign for rule in _RULES if (sign := rule(use, seen, wanted)) is not None]
        if signs and not is_freed(use, wanted.freed_by_time):
            yield use, _row(use, signs)


_DTYPES = {TEXT: "string", TIME: "datetime64[us, UTC]", NUMBER: "float64"}


def _row(use: Use, signs: Iterable[_Sign]) -> Row:
    ordered = sorted(signs, key=lambda sign: RANKING.index(sign.cause))
    first, others = ordered[0], ordered[1:]
    also = f" Also: {'; '.join(sign.evidence for sign in others)}." if others else ""
    confidence = 1 - float(np.prod([1 - sign.confidence for sign in ordered]))
    return (
        first.cause,
        use.product,
        "; ".join(use.features),
        use.member,
        use.machine,
        use.handle,
        use.since,
        use.due,
        round(confidence, 2),
        f"{first.evidence}.{also}",
        ACTIONS[first.cause],
    )


def _overdue(use: Use, _seen: ActivityIndex, _: Thresholds) -> _Sign | None:
    """Past its due time without a return, the seat still held."""
    if use.due is None or use.due > use.now or use.mode != BORROW:
        return None
    return _Sign(OVERDUE, 0.95, f"due {_days(use.now - use.due)} ago, and no return was seen")


def _gone(use: Use, seen: ActivityIndex, wanted: Thresholds) -> _Sign | None:
    """The alias has since appeared on another machine, or the member wants the license there, and the old one is silent."""
    successor = seen.successor(use)
    if successor is None:
        return None
    silent_since = max(seen.machine_last(use.machine), use.since)
    if use.now - successor.at < wanted.gone_silence or silent_since > successor.at:
        return None
    same = "the same alias is" if successor.by_alias else "the same member wants the license and is refused it"
    sign = 0.9
    return _Sign(
        MACHINE_GONE,
        sign,
        f"{same} on {successor.machine} since {successor.at:%Y-%m-%d}, this machine is silent since {silent_since:%Y-%m-%d}",
    )


def _inactive(use: Use, seen: ActivityIndex, wanted: Thresholds) -> _Sign | None:
    """No event of the member or the machine for so long."""
    disabled_at = seen.disabled.get(use.member or "")
    if disabled_at is not None and seen.last(use) < disabled_at:
        return _Sign(HOLDER_INACTIVE, 0.95, f"the member is disabled since {disabled_at:%Y-%m-%d} or longer")
    silence = use.now - seen.silent_since(use)
    if silence < wanted.inactive:
        return None
    return _Sign(
        HOLDER_INACTIVE,
        min(0.95, 0.5 + silence / wanted.inactive / 10),
        f"no sign of the member or the machine for {_days(silence)}",
    )


def _long(use: Use, seen: ActivityIndex, wanted: Thresholds) -> _Sign | None:
    """Borrowed far longer than this member ever kept a borrow."""
    longest = seen.longest_kept(use)
    planned = seen.asked_for(use)
    if planned is None or longest is None:
        return None
    if planned < longest * wanted.long_factor or planned - longest < wanted.long_least:
        return None
    return _Sign(
        OVER_LONG_BORROW,
        0.6,
        f"borrowed for {_days(planned)}, while the longest this member kept one was {_days(longest)}; a longest borrow of that would give back {_days(planned - longest)}",
    )


def _outlier(use: Use, seen: ActivityIndex, wanted: Thresholds) -> _Sign | None:
    """A session open longer than nearly all closed ones of its feature, and than a day."""
    usual = seen.usual_length(use, wanted)
    open_for = use.now - use.since
    if use.mode == BORROW or usual is None:
        return None
    if open_for <= max(usual * wanted.outlier_factor, wanted.outlier_least):
        return None
    share = f"{wanted.outlier_share:.0%}"
    return _Sign(
        OUTLIER,
        0.5 + 0.4 * min(1, open_for / max(usual, wanted.outlier_least) / 10),
        f"open for {_days(open_for)}; {share} of the sessions of this feature ended within {_days(usual)}",
    )


_RULES: tuple[Callable[[Use, ActivityIndex, Thresholds], _Sign | None], ...] = (
    _overdue,
    _gone,
    _inactive,
    _long,
    _outlier,
)


def _days(span: timedelta) -> str:
    """A time span for people: days, below two days hours."""
    if span >= timedelta(days=2):
        return f"{span / timedelta(days=1):.0f} days"
    return f"{span / timedelta(hours=1):.0f} hours"
