"""Events become sessions: each start finds its end, and what has none says why.

Where the source gives every use a handle of its own, the handle pairs. Elsewhere the first out is the first in, per feature,
user and host, within one run of the license server: an IN closes the oldest OUT, unit by unit, so that an IN of 2 may end
part of an OUT of 3. What ends or is renewed without having been seen to start was open since its run of the server, or the
log, began: it makes no session, but the upper bounds of the measures count it.
"""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr.types import Column as Values
from ibis.expr.types import Table

from checkout_log.columns import (
    BORROW,
    CHECKIN,
    CHECKOUT,
    DENIAL,
    END,
    FLAG,
    RELEASE,
    REVOCATION,
    SESSION,
    SESSIONS,
    TEXT,
    TIME,
    UPGRADE,
    WHOLE,
    Column,
    names,
)
from checkout_log.engine import Engine
from checkout_log.store import Stored

# Their handles are never given twice; the numbers of other servers are used again.
EXACT_SOURCES = ("authority", "simulator")
OPENING, CLOSING = (CHECKOUT, UPGRADE), (CHECKIN, RELEASE, END)
# How something was closed, as a number: of two closings of one handle the greater tells more.
CLOSED_BY = {CHECKIN: 1, "shutdown": 2, "idle": 3, END: 4, RELEASE: 5}
# What makes two uses one and the same to a source without handles.
KEY = ("source", "product", "feature", "handle", "member", "machine", "era")
# Windows and joins take no empty value for equal to another on every engine, so they go by texts in their place.
TEXT_KEY = tuple(f"key_{name}" for name in KEY)

# The end of a run that is still on.
STILL_ON = 2**62

# What a pair says beside the columns SESSIONS.
PAIRS = (
    *SESSIONS,
    Column("era", WHOLE, False, "number of the run of the license server"),
    Column("started", FLAG, False, "true: it was seen to start, so it is a session"),
    Column("undated", FLAG, False, "true: the date of its start or end is one of two"),
)
_SPANS = (Column("product", TEXT, False, ""), Column("seen_since", TIME, False, ""), Column("seen_until", TIME, False, ""))
_ERAS = (Column("era", WHOLE, False, ""), Column("era_begin", TIME, False, ""), Column("era_end", TIME, False, ""))
_PAIRED = (*KEY, "is_borrow", "alias", "quantity", "start", "until", "closed_at", "closed_by", "revoked", "undated", "mixed")


def pairs(table: Table, stored: Stored, engine: Engine) -> Table:
    """Every use with its start and end, also those never seen to start: the columns PAIRS, times as whole microseconds.

    Where `started` is false, `start` is when the run of the server or the log began.
    """
    used = table.filter(_.event != DENIAL)
    is_exact = _.handle.notnull() & _.source.isin(EXACT_SOURCES)
    uses = _by_handle(used.filter(is_exact)).union(_first_in_first_out(used.filter(~is_exact), engine))
    spans = stored.spans.groupby("product", as_index=False).agg(seen_since=("begin", "min"), seen_until=("end", "max"))
    eras = stored.eras[["era", "begin", "end"]].rename(columns={"begin": "era_begin", "end": "era_end"})
    # No empty values: what engines make of them in a small frame differs.
    eras["era_end"] = eras["era_end"].astype("Int64").fillna(STILL_ON)
    return _ended(uses, engine.numbers(spans, _SPANS), engine.numbers(eras, _ERAS)).select(*names(PAIRS))


def sessions(uses: Table) -> Table:
    """The sessions among these pairs: the columns SESSIONS, times as whole microseconds since 1970 UTC."""
    return uses.filter(_.started).select(*names(SESSIONS))


def _closed_by() -> Values:
    """The number of CLOSED_BY for an event, empty for one that closes nothing."""
    of_reason = [(_.reason == reason, CLOSED_BY[reason]) for reason in ("idle", "shutdown")]
    checked_in = ibis.cases(*of_reason, else_=CLOSED_BY[CHECKIN])
    return ibis.cases(
        (_.event == RELEASE, CLOSED_BY[RELEASE]), (_.event == END, CLOSED_BY[END]), (_.event == CHECKIN, checked_in)
    )


def _facts() -> dict[str, Values]:
    """What the events of one use say about it."""
    return {
        # A session becomes a borrow when it is taken along later, and never the other way round.
        "is_borrow": (_["mode"] == BORROW).any(),
        "alias": _["alias"].max(),
        "start": _["at"].min(where=_.event.isin(OPENING)),
        "until": _.until.max(),
        "closed_at": _["at"].max(where=_.event.isin(CLOSING)),
        "closed_by": _closed_by().max(),
        "revoked": (_.event == REVOCATION).any(),
        "undated": _.ambiguous.any(),
    }


def _by_handle(used: Table) -> Table:
    """The uses of a source whose handles are never given twice."""
    facts = _facts() | {
        "member": _.member.max(),
        "machine": _.machine.max(),
        "era": _.era.max(),
        "held": _.quantity.max(where=_.event != UPGRADE),
        "added": _.quantity.sum(where=_.event == UPGRADE),
    }
    uses = used.group_by("source", "product", "feature", "handle").aggregate(**facts)
    quantity = (_.held.fill_null(0) + _.added.fill_null(0)).cast("int64")
    return uses.mutate(quantity=quantity, mixed=ibis.literal(False)).select(*_PAIRED)


def _first_in_first_out(used: Table, engine: Engine) -> Table:
    """The uses of a source without handles of its own, the oldest open unit closed first."""
    keyed = used.mutate(**{f"key_{name}": _[name].cast("string").fill_null("") for name in KEY})
    # Everything goes by the number of the key: engines sort numbers many times faster than texts.
    keys = engine.materialized(_numbered(keyed.select(*TEXT_KEY).distinct()))
    units = _units(keyed.join(keys, TEXT_KEY)).filter(_.turn != 0)
    facts = _facts() | {
        "opener": _.line.min(where=_.net == 1),
        "segment": _.segment.min(where=_.net == 1),
        "closer": _.line.max(where=_.net == -1),
        "newest": _.newest.max(where=_.net == -1),
    }
    single = units.group_by("key", "turn").aggregate(**facts)
    # Which of several it was that ended cannot be told when a newer one was open too.
    single = single.mutate(mixed=(_.newest > _.start).fill_null(False))
    same = ("key", "segment", "opener", "closer", "start", "closed_at")
    facts_of_use = ("is_borrow", "alias", "until", "closed_by", "revoked", "undated", "mixed")
    merged = single.group_by(*same).aggregate(**{name: _[name].max() for name in facts_of_use}, quantity=_.count())
    texts = {name: keys[f"key_{name}"].nullif("") for name in KEY} | {"era": keys.key_era.cast("int64")}
    return merged.join(keys.select("key", **texts), "key").select(*_PAIRED)


def _numbered(keys: Table) -> Table:
    return keys.mutate(key=ibis.row_number().over(ibis.window(order_by=TEXT_KEY)))


def _units(rows: Table) -> Table:
    """One row for each unit of each event, with the number of its use within its key; below zero where nothing is open for it."""
    net = ibis.cases((_.event.isin(OPENING), 1), (_.event.isin(CLOSING), -1), else_=0)
    count = ibis.ifelse(rows.event.isin((*OPENING, *CLOSING)), rows.quantity, 1)
    rows = rows.mutate(net=net, unit=ibis.range(count).unnest())
    order = ["at", "segment", "line", "unit"]
    so_far = ibis.window(group_by="key", order_by=order, preceding=None, following=0)
    before = ibis.window(group_by="key", order_by=order, preceding=(None, 1))
    rows = rows.mutate(
        opened=(_.net == 1).cast("int64").sum().over(so_far),
        open=_.net.sum().over(so_far),
        newest=ibis.ifelse(_.net == 1, _["at"], ibis.null("int64")).max().over(so_far),
    )
    # The lowest that the count of open ones ever was, below zero: so many ends had no start.
    rows = rows.mutate(lacking=ibis.greatest(-_["open"].min().over(before).fill_null(0), 0))
    is_orphan = (_.net == -1) & (-_["open"] > _.lacking)
    turn = ibis.cases((is_orphan, -_.lacking - 1), (_.net == -1, _.opened - _["open"] - _.lacking), else_=_.opened)
    return rows.mutate(turn=turn)


def _ended(uses: Table, spans: Table, eras: Table) -> Table:
    """The uses with their ends: closed, due, cut by a restart, or open when the log ended."""
    joined = uses.left_join(spans, "product").left_join(eras, "era")
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
