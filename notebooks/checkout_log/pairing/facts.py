"""What the events of one use say about it, however its start and its end were brought together."""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr.types import BooleanValue
from ibis.expr.types import Column as Values

from checkout_log.columns import BORROW, CHECKIN, CHECKOUT, END, RELEASE, REVOCATION, UPGRADE

OPENING, CLOSING = (CHECKOUT, UPGRADE), (CHECKIN, RELEASE, END)
# How something was closed, as a number: of two closings of one handle the greater tells more.
CLOSED_BY = {CHECKIN: 1, "shutdown": 2, "idle": 3, END: 4, RELEASE: 5}
# What makes two uses one and the same to a source without handles.
KEY = ("source", "product", "feature", "handle", "member", "machine", "era")
# The columns of a use before its end is known: `start` is empty where it was never seen to start, `closed_at` and `closed_by` where
# no event closed it. last_at: its last event. undated: a date of it is one of two. mixed: its end may be that of another use.
_OF_EVENTS = (
    "is_borrow",
    "alias",
    "quantity",
    "start",
    "until",
    "closed_at",
    "closed_by",
    "last_at",
    "revoked",
    "undated",
    "mixed",
)
USES = (*KEY, *_OF_EVENTS)

# Their handles are never given twice; the numbers of other servers are used again.
EXACT_SOURCES = ("authority", "simulator")
# Outputs that list what is in use, and say how much it is in all.
LISTING_SOURCES = ("lmstat", "lmx")


def is_exact() -> BooleanValue:
    """Whether the handle of an event pairs it."""
    return _.handle.notnull() & _.source.isin(EXACT_SOURCES)


def is_of_nobody() -> BooleanValue:
    """Whether a use is what a server counts in all and does not list: how many, and neither whose nor since when."""
    return _.source.isin(LISTING_SOURCES) & _.member.isnull() & _.machine.isnull()


def facts() -> dict[str, Values]:
    """Aggregates over the events of one use: columns of USES by name, times as whole microseconds since 1970 UTC."""
    return {
        # A session becomes a borrow when it is taken along later, and never the other way round.
        "is_borrow": (_["mode"] == BORROW).any(),
        "alias": _["alias"].max(),
        "start": _["at"].min(where=_.event.isin(OPENING)),
        "until": _.until.max(),
        # What moved no seat closed nothing: a receipt that came when the borrow had ended.
        "closed_at": _["at"].max(where=_.event.isin(CLOSING) & (_.quantity > 0)),
        "closed_by": _closed_by().max(),
        "last_at": _["at"].max(),
        "revoked": (_.event == REVOCATION).any(),
        "undated": _.ambiguous.any(),
    }


def _closed_by() -> Values:
    """The number of CLOSED_BY for an event, empty for one that closes nothing."""
    of_reason = [(_.reason == reason, CLOSED_BY[reason]) for reason in ("idle", "shutdown")]
    checked_in = ibis.cases(*of_reason, else_=CLOSED_BY[CHECKIN])
    return ibis.cases(
        (_.event == RELEASE, CLOSED_BY[RELEASE]),
        (_.event == END, CLOSED_BY[END]),
        ((_.event == CHECKIN) & (_.quantity > 0), checked_in),
    )
