"""Uses of sources without handles of their own: first out, first in, unit by unit.

What one user has open of one feature on one host, within one run of the server, is a queue of units. An event of quantity n moves
n units, each a row of its own here. Each unit that opens takes the next turn: 1, 2, 3, ... Each unit that closes ends the oldest
turn that is open, so the closing units end the turns in the order in which they began. A closing unit that finds nothing open is
an orphan, and takes the next turn below zero: -1, -2, ... An event that moves nothing, such as a renewal, is of the newest turn.
"""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr.types import Table

from checkout_log.engine import Engine
from checkout_log.pairing.facts import CLOSING, KEY, OPENING, USES, facts

# Windows and joins take no empty value for equal to another on every engine, so they go by texts in their place.
TEXT_KEY = tuple(f"key_{name}" for name in KEY)
# Units with all of these in common moved together: they are one use, with a quantity.
_TOGETHER = ("key", "segment", "opener", "closer", "start", "closed_at")
_SHARED = ("is_borrow", "alias", "until", "closed_by", "revoked", "undated", "mixed")


def first_in_first_out(events: Table, engine: Engine) -> Table:
    """One row for each use: the columns USES. events: of sources without handles, denials left out."""
    keyed = events.mutate(**{f"key_{name}": _[name].cast("string").fill_null("") for name in KEY})
    # Everything goes by the number of the key: engines sort numbers many times faster than texts.
    keys = engine.materialized(_numbered(keyed.select(*TEXT_KEY).distinct()))
    texts = {name: keys[f"key_{name}"].nullif("") for name in KEY} | {"era": keys.key_era.cast("int64")}
    uses = _together(_of_turns(_turns(_units(keyed.join(keys, TEXT_KEY)))))
    return uses.join(keys.select("key", **texts), "key").select(*USES)


def _numbered(keys: Table) -> Table:
    return keys.mutate(key=ibis.row_number().over(ibis.window(order_by=TEXT_KEY)))


def _units(events: Table) -> Table:
    """One row for each unit that an event moves, and one for an event that moves none: `change` is 1, -1 or 0."""
    change = ibis.cases((_.event.isin(OPENING), 1), (_.event.isin(CLOSING), -1), else_=0)
    count = ibis.ifelse(events.event.isin((*OPENING, *CLOSING)), events.quantity, 1)
    return events.mutate(change=change, unit=ibis.range(count).unnest())


def _turns(units: Table) -> Table:
    """The units with their `turn`; what comes before anything was opened has none and is left out.

    newest: the latest start in the queue so far, in whole microseconds.
    """
    order = ["at", "segment", "line", "unit"]
    so_far = ibis.window(group_by="key", order_by=order, preceding=None, following=0)
    before = ibis.window(group_by="key", order_by=order, preceding=(None, 1))
    units = units.mutate(
        opened=(_.change == 1).cast("int64").sum().over(so_far),
        balance=_.change.sum().over(so_far),
        newest=ibis.ifelse(_.change == 1, _["at"], ibis.null("int64")).max().over(so_far),
    )
    # The lowest that the balance has been, below zero: so many units had closed without a start.
    units = units.mutate(orphans=ibis.greatest(-_.balance.min().over(before).fill_null(0), 0))
    is_closing = _.change == -1
    is_orphan = is_closing & (-_.balance > _.orphans)
    closed = _.opened - _.balance
    turn = ibis.cases((is_orphan, -_.orphans - 1), (is_closing, closed - _.orphans), else_=_.opened)
    return units.mutate(turn=turn).filter(_.turn != 0)


def _of_turns(units: Table) -> Table:
    """One row for each turn, with the lines that opened and closed it."""
    of_turn = facts() | {
        "opener": _.line.min(where=_.change == 1),
        "segment": _.segment.min(where=_.change == 1),
        "closer": _.line.max(where=_.change == -1),
        "newest": _.newest.max(where=_.change == -1),
    }
    turns = units.group_by("key", "turn").aggregate(**of_turn)
    # Which of several it was that ended cannot be told when a newer one was open too.
    return turns.mutate(mixed=(_.newest > _.start).fill_null(False))


def _together(turns: Table) -> Table:
    """Turns that the same lines opened and closed as one row, `quantity` says how many."""
    return turns.group_by(*_TOGETHER).aggregate(**{name: _[name].max() for name in _SHARED}, quantity=_.count())
