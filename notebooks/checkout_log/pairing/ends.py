"""How each use ended: closed by an event, by its due time, by a restart of the server, or not before the log did."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, FLAG, REVOCATION, SESSION, SESSIONS, TEXT, TIME, WHOLE, Column, names
from checkout_log.engine import Engine
from checkout_log.pairing.facts import CLOSED_BY
from checkout_log.pairing.handles import by_handle
from checkout_log.pairing.queues import Queues, first_in_first_out, ordered
from checkout_log.store import Stored

# The end of a run that is still on.
STILL_ON = 2**62

# What a pair says beside the columns SESSIONS.
PAIRS = (
    *SESSIONS,
    Column("era", WHOLE, False, "number of the run of the license server"),
    Column("started", FLAG, False, "true: it was seen to start, so it is a session"),
    Column("undated", FLAG, False, "true: the date of its start or end is one of two"),
    Column("last_at", TIME, False, "when its last event was"),
)
SPANS = (Column("product", TEXT, False, ""), Column("seen_since", TIME, False, ""), Column("seen_until", TIME, False, ""))
ERAS = (Column("era", WHOLE, False, ""), Column("era_begin", TIME, False, ""), Column("era_end", TIME, False, ""))


@dataclass(frozen=True)
class Paired:
    """The uses of a log, and what they were made of: what was known of them earlier is told from it (`earlier`).

    pairs: every use with its start and end, also those never seen to start: the columns PAIRS, times as whole microseconds. Where
        `started` is false, `start` is when the run of the server or the log began.
    """

    events: Table
    queues: Queues
    pairs: Table


def paired(table: Table, stored: Stored, engine: Engine) -> Paired:
    """The uses of all these events, kept."""
    events = engine.named(table)
    queues = ordered(events, engine)
    known = (engine.numbers(spans(stored), SPANS), engine.numbers(eras(stored), ERAS))
    return Paired(events, queues, engine.built(_pairs, events, *queues, *known))


def spans(stored: Stored) -> pd.DataFrame:
    """From when to when each product is observed: the columns SPANS."""
    return stored.spans.groupby("product", as_index=False).agg(seen_since=("begin", "min"), seen_until=("end", "max"))


def eras(stored: Stored) -> pd.DataFrame:
    """From when to when each server ran: the columns ERAS."""
    frame = stored.eras[["era", "begin", "end"]].rename(columns={"begin": "era_begin", "end": "era_end"})
    # No empty values: what engines make of them in a small frame differs.
    return frame.assign(era_end=frame["era_end"].astype("Int64").fillna(STILL_ON))


def sessions(uses: Table) -> Table:
    """The sessions among these pairs: the columns SESSIONS, times as whole microseconds since 1970 UTC."""
    return uses.filter(_.started).select(*names(SESSIONS))


def _pairs(events: Table, keys: Table, moves: Table, stretches: Table, seen: Table, runs: Table) -> Table:
    uses = by_handle(events).union(first_in_first_out(keys, moves, stretches))
    return with_ends(uses, seen, runs).select(*names(PAIRS))


def with_ends(uses: Table, seen: Table, runs: Table, *by: str) -> Table:
    """The uses with the columns PAIRS: closed, due, cut by a restart, or open when the log ended.

    seen, runs: the columns SPANS and ERAS. by: what the rows of all three are told apart by beside.
    """
    joined = uses.left_join(seen, ["product", *by], rname="{name}_seen").left_join(runs, ["era", *by], rname="{name}_run")
    joined = joined.mutate(started=_.start.notnull(), start=ibis.coalesce(_.start, _.era_begin, _.seen_since, _.closed_at, 0))
    joined = joined.mutate(seen_until=ibis.greatest(_.seen_until.fill_null(0), _.start))
    is_closed = _.closed_at.notnull()
    is_due = ~is_closed & _.is_borrow & _.until.notnull() & (_.until <= _.seen_until)
    # A borrow outlasts a restart of the server: that is what it is for.
    is_cut = ~is_closed & ~_.is_borrow & (_.era_end < STILL_ON).fill_null(False)
    ended_by = ibis.cases(
        *((_.closed_by == number, word) for word, number in CLOSED_BY.items()),
        (is_due & _.revoked, REVOCATION),
        (is_due, "expiry"),
        (is_cut, "restart"),
        else_="open",
    )
    end = ibis.cases((is_closed, _.closed_at), (is_due, _.until), (is_cut, _.era_end), else_=_.seen_until)
    return joined.mutate(
        mode=ibis.ifelse(_.is_borrow, BORROW, SESSION),
        # A source may have its lines out of order; a use cannot end before it starts.
        undated=_.undated | (end < _.start),
        end=ibis.greatest(end, _.start),
        ended_by=ended_by,
        censored=ended_by == "open",
        cut=is_cut,
    ).mutate(ambiguous=_.undated | _.mixed)
