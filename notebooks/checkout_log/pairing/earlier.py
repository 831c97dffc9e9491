"""Uses as they were known at earlier times, where more was to come.

First in, first out looks backwards only, and so does a handle: a use that was closed, and whose last event had been, by a time is the same
to the whole log and to one that ended then. The others, few at any one time, are made anew of the events up to then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import REVOCATION, WHOLE, Column, names
from checkout_log.engine import Engine
from checkout_log.pairing.ends import ERAS, PAIRS, SPANS, STILL_ON, Paired, eras, spans, with_ends
from checkout_log.pairing.facts import KEY, is_exact
from checkout_log.pairing.handles import by_handle
from checkout_log.pairing.queues import TEXT_KEY, TOUCHES, of_touches, with_ended, with_key_texts, with_texts
from checkout_log.store import Stored

_MOMENT = Column("moment", WHOLE, False, "whole microseconds since 1970 UTC")
# The events of a queue at a time, those of a use, and what of them is still open.
_QUEUE, _HANDLE = ("moment", "key"), ("source", "product", "feature", "handle")


def going_on(paired: Paired, stored: Stored, engine: Engine, moments: Sequence[int]) -> Table:
    """The uses that had begun by each of these times (whole microseconds) and were not over then, or changed after, as was known then.

    The columns PAIRS, `moment`, and `since`: since when it was held without a pause, if the last out was the first in. All kept.
    """
    times = engine.numbers(pd.DataFrame({"moment": moments}, dtype="int64"), (_MOMENT,))
    concerned = engine.built(_concerned, paired.pairs, times)
    stays = engine.built(_stays, concerned, paired.queues.keys, paired.queues.moves)
    known = [stored.until(moment) for moment in moments]
    seen = engine.numbers(_at_each(map(spans, known), moments), (_MOMENT, *SPANS))
    runs = engine.numbers(_at_each(map(eras, known), moments), (_MOMENT, *ERAS))
    return engine.built(_going_on, paired.events, concerned, paired.queues.keys, stays, seen, runs)


def _at_each(frames: Any, moments: Sequence[int]) -> pd.DataFrame:
    return pd.concat([frame.assign(moment=moment) for frame, moment in zip(frames, moments, strict=True)], ignore_index=True)


def _concerned(pairs: Table, times: Table) -> Table:
    """What uses have in common that had begun by each time, and were not over or had more events to come."""
    is_unclosed = _.ended_by.isin(("open", "expiry", REVOCATION))
    begun = pairs.filter(_.started).mutate(over_at=ibis.ifelse(is_unclosed, STILL_ON, ibis.greatest(_.end, _.last_at)))
    rows = begun.join(times, (begun.start <= times.moment) & (begun.over_at > times.moment))
    return rows.select("moment", *KEY).distinct()


def _stays(concerned: Table, keys: Table, moves: Table) -> Table:
    """The moves up to each time in the queues that are concerned, since they were last empty."""
    queues = with_key_texts(concerned).join(keys, TEXT_KEY).select(*_QUEUE)
    moves = with_ended(moves.semi_join(queues, "key")).join(queues, "key").filter(_["at"] <= _.moment)
    emptied = moves.filter(_.opened == _.ended).group_by(*_QUEUE).aggregate(emptied=_.number.max())
    return moves.left_join(emptied, _QUEUE).filter(_.emptied.isnull() | (_.number > _.emptied)).select(*moves.columns)


def _going_on(events: Table, concerned: Table, keys: Table, stays: Table, seen: Table, runs: Table) -> Table:
    handles = concerned.filter(is_exact()).select("moment", *_HANDLE)
    of_handles = by_handle(events.join(handles, _HANDLE).filter(_["at"] <= _.moment), "moment")
    of_handles = of_handles.mutate(key=ibis.null("int64"), turn=ibis.null("int64"))
    of_queues = with_texts(of_touches(_still_open(stays), "moment"), keys)
    uses = of_queues.select(*of_handles.columns).union(of_handles)
    return _with_since(with_ends(uses, seen, runs, "moment"), stays).select("moment", "since", *names(PAIRS))


def _still_open(stays: Table) -> Table:
    """What the moves say of the turns that are open at the end of each stay: `moment` and the columns TOUCHES."""
    ended = stays.group_by(*_QUEUE).aggregate(ended_then=_.ended.max())
    opening = stays.filter(_.change > 0).join(ended, _QUEUE).filter(_.opened > _.ended_then)
    opening = opening.mutate(turn=_.opened, units=ibis.least(_.change, _.opened - _.ended_then))
    turns = opening.select(*_QUEUE, "turn", "units")
    idle = stays.filter(_.change == 0).join(turns, [*_QUEUE, ("opened", "turn")])
    return opening.select("moment", *TOUCHES).union(idle.select("moment", *TOUCHES))


def _with_since(uses: Table, stays: Table) -> Table:
    """The open uses of queues with `since`.

    First in, first out is the rule for lengths: it cannot be told which of several sessions of one user on one host ended. A session
    that hangs is the one that never ends, so while others come and go its turn is taken by the next. Taking the newest first leaves
    the oldest open, and that is the one to look for.
    """
    onwards = ibis.window(group_by=_QUEUE, order_by="number", preceding=0, following=None)
    # What is open after an event is left of what it opened, but for what later events went below.
    open_units = _.opened - _.ended
    left = stays.mutate(left=open_units.min().over(onwards) - (open_units - _.change)).filter((_.change > 0) & (_.left > 0))
    so_far = ibis.window(group_by=_QUEUE, order_by="number", preceding=None, following=0)
    left = left.mutate(reach=_.left.sum().over(so_far).cast("int64")).select(*_QUEUE, "left", "reach", left_since="at")
    # Of somebody whom nobody knows it cannot be said that it is one and the same who goes on.
    is_of_one = _.handle.isnull() & _.member.notnull() & _.machine.notnull()
    is_running = (_.era_end == STILL_ON).fill_null(True)
    units = ibis.ifelse(is_of_one & is_running & _.censored, _.quantity, 0)
    older = ibis.window(group_by=_QUEUE, order_by="turn", preceding=None, following=0)
    uses = uses.mutate(units=units).mutate(up_to=_.units.sum().over(older).cast("int64"))
    has_begun = (uses.up_to - uses.units >= left.reach - left.left) & (uses.up_to - uses.units < left.reach) & (uses.units > 0)
    rows = uses.left_join(left, [*_QUEUE, has_begun])
    return rows.mutate(since=ibis.coalesce(_.left_since, _.start))
