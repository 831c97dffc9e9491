"""Since when something has been open without a pause, where the source gives no handles.

First in, first out is the rule for lengths: it cannot be told which of several sessions of one user on one host ended. A
session that hangs is the one that never ends, so while others come and go its turn is taken by the next. Taking the newest
first leaves the oldest open, and that is the one to look for.
"""

from __future__ import annotations

from collections import defaultdict

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import TEXT, TIME, WHOLE, Column
from checkout_log.log import Log
from checkout_log.pairing import CLOSING, OPENING

_KEY = ("product", "feature", "member", "machine")
# Starts and how many units began then, the oldest first.
Stack = list[tuple[pd.Timestamp, int]]
_LEFT = (
    *(Column(name, TEXT, True, "") for name in _KEY),
    Column("at", TIME, False, ""),
    Column("left", WHOLE, False, ""),
)
_RUNS = (Column("era", WHOLE, False, ""),)


def oldest(log: Log) -> dict[tuple[object, ...], Stack]:
    """What is open at the end of a log: starts and quantities, oldest first, by product, feature, member and machine.

    Only uses without a handle, and of the last run of each license server.
    """
    running = log.stored.eras[log.stored.eras["end"].isna()]["era"]
    runs = log.engine.numbers(pd.DataFrame({"era": [0, *map(int, running)]}), _RUNS)
    frame = log.engine.asked(_left, log.table, runs, columns=_LEFT).sort_values("at")
    stacks: dict[tuple[object, ...], Stack] = defaultdict(list)
    for *key, at, quantity in frame.itertuples(index=False, name=None):
        stacks[tuple(key)].append((at, quantity))
    return stacks


def _left(events: Table, runs: Table) -> Table:
    """What is left of each start when every end takes the newest: the columns _LEFT.

    What is open after an event is its balance, above the lowest that this has been, for what ends without a start takes nothing.
    The units of a start that are left are those that it added and that no later event went below.
    """
    is_kind = _.handle.isnull() & _.event.isin((*OPENING, *CLOSING)) & _.member.notnull() & _.machine.notnull()
    changes = events.filter(is_kind).semi_join(runs, "era")
    changes = changes.mutate(change=_.event.isin(OPENING).ifelse(_.quantity, -_.quantity))
    keys, order = (*_KEY, "era"), ("at", "segment", "line")
    so_far = ibis.window(group_by=keys, order_by=order, preceding=None, following=0)
    onwards = ibis.window(group_by=keys, order_by=order, preceding=0, following=None)
    balances = changes.mutate(balance=_.change.sum().over(so_far))
    opened = balances.mutate(opened=_.balance - ibis.least(_.balance.min().over(so_far), 0))
    before = _.opened.lag().over(ibis.window(group_by=keys, order_by=order)).fill_null(0)
    left = opened.mutate(left=(_.opened.min().over(onwards) - before).cast("int64"))
    return left.filter((_.change > 0) & (_.left > 0)).select(*_KEY, "at", "left")


def start_of(stack: Stack, turn: int) -> pd.Timestamp | None:
    """The start of the unit with so many older ones below it; None where the stack is not that high."""
    for at, quantity in stack:
        if turn < quantity:
            return at
        turn -= quantity
    return None
