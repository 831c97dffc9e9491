"""Uses of sources without handles of their own: first out, first in.

What one user has open of one feature on one host, within one run of the server, is a queue of units. Units are counted and never
written out, so that an event of 20,000 tokens costs what one of a single license does.

Each unit that opens takes the next turn: 1, 2, 3, ... An event that opens n units takes the n turns up to the number that were ever
opened; one that closes n ends the n oldest open turns, up to the number that were ever ended. So both cut the line of turns into
stretches, and all units of a stretch were opened by one event and closed by one, or by none: a stretch is a use. What closes when
nothing is open is an orphan. An event that moves nothing, such as a renewal, is of the newest turn, if that is open.
"""

from __future__ import annotations

from typing import NamedTuple

import ibis
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import DENIAL
from checkout_log.engine import Engine
from checkout_log.pairing.facts import CLOSING, KEY, OPENING, USES, facts, is_exact

# Windows and joins take no empty value for equal to another on every engine, so they go by texts in their place.
TEXT_KEY = tuple(f"key_{name}" for name in KEY)
# What `facts` asks of an event.
_ASKED = ("at", "event", "mode", "alias", "until", "reason", "quantity", "ambiguous")
# A stretch, and an event that says something about it.
TOUCHES = ("key", "turn", "units", "change", "newest", *_ASKED)
_NONE = ibis.null("int64")


class Queues(NamedTuple):
    """The keys of the queues with their numbers, the moves in each queue, and its stretches."""

    keys: Table
    moves: Table
    stretches: Table


def ordered(events: Table, engine: Engine) -> Queues:
    """The queues of a log, kept. events: all of it."""
    # Everything goes by the number of the key: engines sort numbers many times faster than texts.
    keys = engine.built(_numbered, events)
    moves = engine.built(_moves, events, keys)
    return Queues(keys, moves, engine.built(_stretches, moves))


def first_in_first_out(keys: Table, moves: Table, stretches: Table) -> Table:
    """One row for each use of a source without handles, from what `ordered` gives: the columns USES."""
    uses = of_touches(_touches(stretches, moves)).union(of_touches(_orphans(moves)))
    return with_texts(uses, keys).select(*USES)


def with_texts(uses: Table, keys: Table) -> Table:
    """The uses of queues with what the number of their `key` stands for, beside their own columns."""
    texts = {name: keys[f"key_{name}"].nullif("") for name in KEY} | {"era": keys.key_era.cast("int64")}
    return uses.join(keys.select("key", **texts), "key")


def with_key_texts(rows: Table) -> Table:
    """The rows with the texts that queues go by."""
    return rows.mutate(**{f"key_{name}": _[name].cast("string").fill_null("") for name in KEY})


def _queued(events: Table) -> Table:
    """The events of sources without handles, with the texts that their queues go by."""
    return with_key_texts(events.filter((_.event != DENIAL) & ~is_exact()))


def _numbered(events: Table) -> Table:
    keys = _queued(events).select(*TEXT_KEY).distinct()
    return keys.mutate(key=ibis.row_number().over(ibis.window(order_by=TEXT_KEY)))


def _moves(events: Table, keys: Table) -> Table:
    """The events in the order of each queue, with how many units were ever opened up to each, and how many more than closed.

    change: units moved, above zero where they open. newest: the latest start in the queue so far, in whole microseconds.
    """
    is_opening, is_closing = _.event.isin(OPENING), _.event.isin(CLOSING)
    # What opens or closes no unit is no event of the queue.
    events = _queued(events).join(keys, TEXT_KEY).filter((_.quantity > 0) | ~_.event.isin((*OPENING, *CLOSING)))
    changes = events.mutate(change=ibis.cases((is_opening, _.quantity), (is_closing, -_.quantity), else_=0))
    order = ("at", "segment", "line")
    so_far = ibis.window(group_by="key", order_by=order, preceding=None, following=0)
    return changes.select(
        "key",
        "change",
        *_ASKED,
        number=ibis.row_number().over(ibis.window(group_by="key", order_by=order)),
        opened=ibis.greatest(_.change, 0).sum().over(so_far).cast("int64"),
        balance=_.change.sum().over(so_far).cast("int64"),
        newest=ibis.ifelse(_.change > 0, _["at"], _NONE).max().over(so_far),
    )


def with_ended(moves: Table) -> Table:
    """The moves with how many units were ever ended and orphaned up to each, and how many each of them orphaned."""
    lowest = moves.group_by("key").aggregate(lowest=_.balance.min())
    # Few queues ever close more than was opened, and windows cost more than all else.
    none = ibis.literal(0, "int64")
    sound = moves.semi_join(lowest.filter(_.lowest >= 0), "key").mutate(orphaned=none, orphans=none)
    unsound = moves.semi_join(lowest.filter(_.lowest < 0), "key")
    # The lowest that the balance has been, below zero: so many units had closed without a start.
    so_far = ibis.window(group_by="key", order_by="number", preceding=None, following=0)
    unsound = unsound.mutate(orphaned=ibis.greatest(-_.balance.min().over(so_far), 0))
    before = _.orphaned.lag().over(ibis.window(group_by="key", order_by="number")).fill_null(0)
    return sound.union(unsound.mutate(orphans=_.orphaned - before)).mutate(ended=_.opened - _.balance - _.orphaned)


def _stretches(moves: Table) -> Table:
    """The stretches of each queue: the last turn of each, how many units it has, and the numbers of its opener and its closer."""
    # Engines number rows in integers of different sizes.
    number, moves = _.number.cast("int64"), with_ended(moves)
    opened = moves.filter(_.change > 0).select("key", turn=_.opened, opener=number, closer=_NONE)
    ended = moves.filter(-_.change > _.orphans).select("key", turn=_.ended, opener=_NONE, closer=number)
    ends = opened.union(ended).group_by("key", "turn").aggregate(opener=_.opener.min(), closer=_.closer.min())
    # Events reach ever later turns, so the first that reaches this turn is the first of those that end here or later.
    onwards = ibis.window(group_by="key", order_by="turn", preceding=0, following=None)
    previous = _.turn.lag().over(ibis.window(group_by="key", order_by="turn")).fill_null(0)
    return ends.mutate(opener=_.opener.min().over(onwards), closer=_.closer.min().over(onwards), units=_.turn - previous)


def _touches(stretches: Table, moves: Table) -> Table:
    """Each stretch with each event that says something about it: the columns TOUCHES."""
    opened = stretches.join(moves, ["key", ("opener", "number")])
    closed = stretches.join(moves, ["key", ("closer", "number")])
    # What had ended by then cannot be renewed.
    idle = moves.filter(_.change == 0)
    renewed = stretches.join(idle, ["key", ("turn", "opened")]).filter(_.closer.isnull() | (_.closer > _.number))
    return renewed.select(*TOUCHES).union(opened.select(*TOUCHES)).union(closed.select(*TOUCHES))


def _orphans(moves: Table) -> Table:
    """The events that closed what was never seen to open, in the same form; their turns are below zero."""
    orphans = with_ended(moves).filter(_.orphans > 0)
    return orphans.select("key", "change", *_ASKED, turn=-_.orphaned, units=_.orphans, newest=_NONE)


def of_touches(touches: Table, *by: str) -> Table:
    """One row for each stretch: `key` and what its events say. by: what they are told apart by beside."""
    of_stretch = facts() | {"held": _.units.max(), "latest": _.newest.max(where=_.change < 0)}
    uses = touches.group_by(*by, "key", "turn").aggregate(**of_stretch)
    # Which of several it was that ended cannot be told when a newer one was open too.
    uses = uses.mutate(mixed=(_.latest > _.start).fill_null(False), quantity=_.held.cast("int64"))
    return uses.select(*by, "key", "turn", *(name for name in USES if name not in KEY))
