"""Borrows: how long each is out, when it is due, and whether its member still shows signs of use."""

from __future__ import annotations

from datetime import datetime

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import (
    BORROW,
    DENIAL,
    FLAG,
    NUMBER,
    RELEASE,
    RENEWAL,
    REVOCATION,
    TEXT,
    TIME,
    WHOLE,
    Column,
    names,
    typed,
)
from checkout_log.log import Log
from checkout_log.measuring.questions import DAY, NOWS, moment, nows
from checkout_log.usage.activity import own_acts

AGEING = (
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("features", TEXT, False, "its levels, extensions or features, in order, with semicolons between"),
    Column("handle", TEXT, True, "id of the borrow"),
    Column("member", TEXT, True, "user name"),
    Column("machine", TEXT, True, "machine id or host name"),
    Column("alias", TEXT, True, "what the user calls the machine"),
    Column("start", TIME, False, "since when"),
    Column("due", TIME, True, "due time, after its renewals; empty where the log does not know"),
    Column("ended_by", TEXT, False, 'how it ended until now, one of ENDINGS; "open" while it is out'),
    Column("is_out", FLAG, False, "true: it is out now"),
    Column("is_overdue", FLAG, False, "true: its due time is past, and nobody gave it back or freed it"),
    Column("days_out", NUMBER, False, "days from its start to its end, or to now while it is out"),
    Column(
        "days_left", NUMBER, True, "days until it is due, below zero when that is past; empty once it was given back or freed"
    ),
    Column("renewals", WHOLE, False, "how often it was renewed"),
    Column("revoked_at", TIME, True, "when an administrator withdrew it"),
    Column("released_at", TIME, True, "when an administrator freed its seat"),
    Column(
        "last_sign_at",
        TIME,
        True,
        "last act of the member anywhere in the log: a checkout, renewal, check-in or denied request",
    ),
    Column("days_since_sign", NUMBER, True, "days from then until now"),
)
KEYS = ("source", "product", "handle", "member", "machine", "start")
TEXT_KEYS = tuple(f"key_{name}" for name in KEYS)


def ageing(log: Log, now: datetime | None = None) -> pd.DataFrame:
    """Every borrow that began until now, those that are out first and of them the longest: the columns AGEING.

    `now` is by default the end of each product's log. Use without a connection leaves no sign. Raises QuestionInvalid.
    """
    until = moment(log, now)
    begun = log.engine.materialized(_begun(log, log.engine.numbers(nows(log, now), NOWS)))
    known = begun.left_join(_acts(log, begun, until), [(key, f"of_{key}") for key in TEXT_KEYS])
    known = known.left_join(_signs(log, until), [("key_member", "of_member")])
    is_over = (_.end <= _.now) & ~_.censored
    known = known.mutate(is_out=~is_over, ended_by=ibis.ifelse(is_over, _.ended_by, "open"), due=_.until)
    known = known.mutate(is_unreturned=_.is_out | _.ended_by.isin(("expiry", REVOCATION)))
    rows = known.mutate(
        is_overdue=(_.is_unreturned & (_.due <= _.now)).fill_null(False),
        days_out=(ibis.ifelse(_.is_out, _.now, _.end) - _.start) / DAY,
        days_left=ibis.ifelse(_.is_unreturned, (_.due - _.now) / DAY, ibis.null("float64")),
        renewals=_.renewals.fill_null(0),
        # The sign may stand in another log that goes on longer.
        days_since_sign=ibis.ifelse(_.last_sign_at > _.now, 0, _.now - _.last_sign_at) / DAY,
    )
    frame = log.engine.frame(rows.select(*names(AGEING)), AGEING)
    order = ["is_out", "days_out", "product", "member", "handle", "features"]
    return typed(frame.sort_values(order, ascending=[False, False, True, True, True, True]), AGEING)


def _begun(log: Log, asked: Table) -> Table:
    """One row for each borrow that began until the time asked about, with all its features."""
    rows = log.paired.filter(_["mode"] == BORROW).join(asked, "product").filter(_.start <= _.now)
    rows = rows.mutate(**{f"key_{name}": _[name].cast("string").fill_null("") for name in KEYS})
    return rows.group_by(*TEXT_KEYS).aggregate(
        **{name: _[name].max() for name in (*KEYS, "alias", "until", "end", "ended_by", "now")},
        censored=_.censored.any(),
        features=_.feature.collect(distinct=True).sort().join("; "),
    )


def _acts(log: Log, begun: Table, until: int) -> Table:
    """What was done to each borrow while it was out: its renewals, and when it was withdrawn or freed."""
    acts = log.table.filter((_["mode"] == BORROW) & _.event.isin((RENEWAL, REVOCATION, RELEASE)) & (_["at"] <= until))
    acts = acts.select(
        "event", act_at=_["at"], **{f"act_{name}": _[name].fill_null("") for name in ("source", "product", "handle", "member")}
    )
    same = [begun[f"key_{name}"] == acts[f"act_{name}"] for name in ("source", "product", "handle", "member")]
    both = begun.join(acts, same)
    both = both.filter((_.act_at >= _.start) & (_.act_at <= _.end))
    changes = both.group_by(*TEXT_KEYS).aggregate(
        renewals=_.act_at.nunique(where=_.event == RENEWAL),
        revoked_at=_.act_at.min(where=_.event == REVOCATION),
        released_at=_.act_at.min(where=_.event == RELEASE),
    )
    return changes.rename({f"of_{key}": key for key in TEXT_KEYS})


def _signs(log: Log, until: int) -> Table:
    """The last act of each member."""
    signs = log.table.filter((own_acts() | (_.event == DENIAL)) & (_["at"] <= until) & _.member.notnull())
    return signs.group_by(of_member=_.member).aggregate(last_sign_at=_["at"].max())
