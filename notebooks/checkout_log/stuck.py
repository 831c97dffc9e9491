"""Licenses that are stuck: which, by what cause, how sure that is, and what to do. One row for each use, worst first.

Causes are told from the log alone, so each row carries its evidence. One use can look stuck in several ways: the row has the
cause that explains most, and the evidence names the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pandas as pd

from checkout_log import likelihood
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
    WHOLE,
    Column,
    checked,
    names,
    typed,
)
from checkout_log.likelihood import Past
from checkout_log.log import Log
from checkout_log.measuring.activity_index import ActivityIndex
from checkout_log.measuring.open_uses import Use, held, is_freed
from checkout_log.measuring.questions import moment, nows, nows_at
from checkout_log.pairing import EXACT_SOURCES
from checkout_log.thresholds import Thresholds

__all__ = ["RANKING", "STUCK", "UNDECIDED", "Thresholds", "find", "undecided"]

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

UNDECIDED = (
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("uses", WHOLE, False, "sessions that are open far longer than nearly all of their kind, and are not called stuck"),
    Column("past", WHOLE, False, "sessions that were as long as the shortest of them before, and are over"),
    Column("returned", WHOLE, False, "of those before, given back by their own client"),
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
class Sign:
    """What one cause says of one use: how likely it is stuck by it, what the log shows, and what became of others like it."""

    cause: str
    confidence: float
    evidence: str
    past: Past | None = None


def find(log: Log, now: datetime | None = None, thresholds: Thresholds | None = None) -> pd.DataFrame:
    """Uses that are stuck at `now` (default: the end of each product's log), worst first: the columns STUCK.

    A table of borrows of an authority is ready for `carnet-authority borrow release --from FILE`. Raises QuestionInvalid.
    """
    rows = [row for _, row in named(log, now, thresholds)]
    stuck_uses = pd.DataFrame(rows, columns=[column.name for column in STUCK])
    stuck_uses = stuck_uses.astype({column.name: _DTYPES[column.kind] for column in STUCK})
    ordered = stuck_uses.sort_values(["confidence", "since"], ascending=[False, True], ignore_index=True)
    return checked(ordered, STUCK)


def undecided(log: Log, now: datetime | None = None, thresholds: Thresholds | None = None) -> pd.DataFrame:
    """The sessions that are open for unusually long and of which the log cannot tell whether they are stuck: the columns UNDECIDED.

    One row for each product that has any. Raises QuestionInvalid.
    """
    wanted = thresholds or Thresholds()
    pasts: dict[str, list[Past]] = {}
    for use, signs in _judgements(log, now, wanted):
        unlikely = [sign.past for sign in signs if sign.past is not None]
        if unlikely and all(sign.confidence < wanted.least_confidence for sign in signs):
            pasts.setdefault(use.product, []).append(max(unlikely, key=lambda past: past.ended))
    rows = []
    for product, of_uses in sorted(pasts.items()):
        past = max(of_uses, key=lambda one: one.ended)
        rows.append((product, len(of_uses), past.ended, past.returned))
    return typed(pd.DataFrame(rows, columns=names(UNDECIDED)), UNDECIDED)


def named(log: Log, now: datetime | None = None, thresholds: Thresholds | None = None) -> Iterator[tuple[Use, Row]]:
    """The uses that are stuck, each with its row of STUCK, in no order; of what the log says after `now` nothing is seen.

    Raises QuestionInvalid.
    """
    wanted = thresholds or Thresholds()
    for use, signs in _judgements(log, now, wanted):
        likely = [sign for sign in signs if sign.confidence >= wanted.least_confidence]
        if likely:
            yield use, _row(use, likely)


def _judgements(log: Log, now: datetime | None, wanted: Thresholds) -> list[tuple[Use, list[Sign]]]:
    """What `_judged` gives, computed once for each time: what is stuck and what is undecided come from one look."""
    return log.once(("judged", str(now), str(wanted)), lambda: list(_judged(log, now, wanted)))


def _judged(log: Log, now: datetime | None, wanted: Thresholds) -> Iterator[tuple[Use, list[Sign]]]:
    """The uses that hold a seat and show any sign, with all their signs, however unlikely."""
    known = log.until(moment(log, now))
    return ((use, signs) for use, signs in _all_judged(known, nows(known, now), wanted) if signs)


def named_at_each(log: Log, moments: Sequence[int], thresholds: Thresholds | None = None) -> Iterator[tuple[Use, Row]]:
    """What `named` gives at each of these times (whole microseconds since 1970 UTC), in their order, asked together."""
    for use, row in judged_at_each(log, moments, thresholds):
        if row is not None:
            yield use, row


def judged_at_each(log: Log, moments: Sequence[int], thresholds: Thresholds | None = None) -> Iterator[tuple[Use, Row | None]]:
    """The uses that are old enough to be judged at each of these times, in their order, with what `named` gives of each, or None.

    Names of users and machines have the spelling that is usual in the whole log.
    """
    wanted = thresholds or Thresholds()
    for use, signs in _all_judged(log, nows_at(log, moments), wanted):
        likely = [sign for sign in signs if sign.confidence >= wanted.least_confidence]
        yield use, _row(use, likely) if likely else None


def _all_judged(log: Log, asked: pd.DataFrame, wanted: Thresholds) -> Iterator[tuple[Use, list[Sign]]]:
    """The uses of which any rule could say something when their product is asked about, in order of time, with all their signs."""
    # Short sessions of other servers tell nothing, and most servers have no others.
    by_moment = {
        at: [use for use in uses if not is_freed(use, wanted.freed_by_time)]
        for at, uses in held(log, asked, wanted.least_age).items()
    }
    for at, index in ActivityIndex.of(log, by_moment, wanted).items():
        for use in by_moment[at]:
            yield use, [sign for rule in _RULES if (sign := rule(use, index, wanted)) is not None]


_DTYPES = {TEXT: "string", TIME: "datetime64[us, UTC]", NUMBER: "float64"}


def _row(use: Use, signs: Iterable[Sign]) -> Row:
    ordered = sorted(signs, key=lambda sign: RANKING.index(sign.cause))
    first, others = ordered[0], ordered[1:]
    also = f" Also: {'; '.join(sign.evidence for sign in others)}." if others else ""
    return (
        first.cause,
        use.product,
        "; ".join(use.features),
        use.member,
        use.machine,
        use.handle,
        use.since,
        use.due,
        # Signs of one use are not independent of one another: what is known is how likely the strongest makes it.
        round(max(sign.confidence for sign in ordered), 2),
        f"{first.evidence}.{also}",
        ACTIONS[first.cause],
    )


def _overdue(use: Use, _seen: ActivityIndex, wanted: Thresholds) -> Sign | None:
    """Past its due time without a return, the seat still held."""
    if use.due is None or use.due > use.now or use.mode != BORROW:
        return None
    late = use.now - use.due
    sign = likelihood.OVERDUE_LATELY if late < wanted.late_clearly else likelihood.OVERDUE_LONG
    return Sign(OVERDUE, likelihood.confidence(sign), f"due {_days(late)} ago, and no return was seen")


def _gone(use: Use, index: ActivityIndex, wanted: Thresholds) -> Sign | None:
    """The alias has since appeared on another machine, or the member wants the license there, and the old one is silent."""
    successor = index.successor(use)
    if successor is None:
        return None
    silent_since = max(index.machine_last(use.machine), use.since)
    if use.now - successor.at < wanted.gone_silence or silent_since > successor.at:
        return None
    sign, same = likelihood.NEW_MACHINE, "the same member is"
    if successor.is_refused:
        sign, same = likelihood.REFUSED, "the same member wants the license and is refused it"
    if successor.by_alias:
        sign, same = likelihood.SAME_ALIAS, "the same alias is"
    return Sign(
        MACHINE_GONE,
        likelihood.confidence(sign),
        f"{same} on {successor.machine} since {successor.at:%Y-%m-%d}, this machine is silent since {silent_since:%Y-%m-%d}",
    )


def _inactive(use: Use, index: ActivityIndex, wanted: Thresholds) -> Sign | None:
    """No event of the member or the machine for so long."""
    disabled_at = index.disabled.get(use.member or "")
    if disabled_at is not None and index.last(use) < disabled_at:
        confidence = likelihood.confidence(likelihood.DISABLED)
        return Sign(HOLDER_INACTIVE, confidence, f"the member is disabled since {disabled_at:%Y-%m-%d} or longer")
    silence = use.now - index.silent_since(use)
    if silence < wanted.inactive:
        return None
    evidence = f"no sign of the member or the machine for {_days(silence)}"
    if use.mode != BORROW:
        past = index.past(use)
        return Sign(HOLDER_INACTIVE, likelihood.confidence(likelihood.SILENT_SESSION, past), evidence, past)
    return Sign(HOLDER_INACTIVE, likelihood.confidence(likelihood.SILENT), evidence)


def _long(use: Use, index: ActivityIndex, wanted: Thresholds) -> Sign | None:
    """Borrowed far longer than this member ever kept a borrow."""
    longest = index.longest_kept(use)
    planned = index.asked_for(use)
    if planned is None or longest is None:
        return None
    if planned < longest * wanted.long_factor or planned - longest < wanted.long_least:
        return None
    sign = likelihood.OVER_LONG if planned < longest * wanted.long_clearly else likelihood.FAR_OVER_LONG
    return Sign(
        OVER_LONG_BORROW,
        likelihood.confidence(sign),
        f"borrowed for {_days(planned)}, while the longest this member kept one was {_days(longest)}; a longest borrow of that would give back {_days(planned - longest)}",
    )


def _outlier(use: Use, index: ActivityIndex, wanted: Thresholds) -> Sign | None:
    """A session open longer than nearly all closed ones of its feature, and than a day.

    Alone it tells little: nearly every session that was that long was given back in the end, of batch jobs, service accounts and
    programs left open over a weekend alike. Whether it does here, the site's own past says.
    """
    usual, open_for = index.usual_length(use, wanted), use.least_age
    if use.mode == BORROW or usual is None or open_for <= max(usual * wanted.outlier_factor, wanted.outlier_least):
        return None
    past = index.past(use)
    granted = likelihood.LONG_GRANTED if past.ended else likelihood.LONGEST_GRANTED
    sign = granted if use.source in EXACT_SOURCES else likelihood.LONG_CONNECTED
    before = f"of {past.ended} that were as long before, {past.returned} were given back by their client"
    return Sign(
        OUTLIER,
        likelihood.confidence(sign, past),
        f"open for {_days(open_for)}; {wanted.outlier_share:.0%} of the sessions of this feature ended within {_days(usual)}; "
        + (before if past.ended else "none was as long before"),
        past,
    )


_RULES: tuple[Callable[[Use, ActivityIndex, Thresholds], Sign | None], ...] = (_overdue, _gone, _inactive, _long, _outlier)


def _days(span: timedelta) -> str:
    """A time span for people: days, below two days hours."""
    if span >= timedelta(days=2):
        return f"{span / timedelta(days=1):.0f} days"
    return f"{span / timedelta(hours=1):.0f} hours"
