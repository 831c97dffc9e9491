"""Since when something has been open without a pause, where the source gives no handles.

First in, first out is the rule for lengths: it cannot be told which of several sessions of one user on one host ended. A
session that hangs is the one that never ends, so while others come and go its turn is taken by the next. Taking the newest
first leaves the oldest open, and that is the one to look for.
"""

from __future__ import annotations

from collections import defaultdict

import pandas as pd
from ibis import _

from checkout_log.columns import TEXT, TIME, WHOLE, Column
from checkout_log.log import Log
from checkout_log.pairing import CLOSING, OPENING

_KEY = ("product", "feature", "member", "machine")
# Starts and how many units began then, the oldest first.
Stack = list[tuple[pd.Timestamp, int]]
_EVENTS = (
    *(Column(name, TEXT, True, "") for name in _KEY),
    Column("at", TIME, False, ""),
    Column("event", TEXT, False, ""),
    Column("quantity", WHOLE, False, ""),
    Column("era", WHOLE, False, ""),
    Column("line", WHOLE, False, ""),
)


def oldest(log: Log) -> dict[tuple[object, ...], Stack]:
    """What is open at the end of a log: starts and quantities, oldest first, by product, feature, member and machine.

    Only uses without a handle, and of the last run of each license server.
    """
    running = log.stored.eras[log.stored.eras["end"].isna()]["era"]
    events = log.table.filter(_.handle.isnull() & _.event.isin((*OPENING, *CLOSING)) & _.era.isin([*map(int, running), 0]))
    # Most users have nothing open: only those who do are read in order.
    sides = events.mutate(change=_.event.isin(OPENING).ifelse(_.quantity, -_.quantity)).group_by(*_KEY, "era")
    open_now = sides.aggregate(left=_.change.sum()).filter(_.left > 0).select(*_KEY, "era")
    frame = log.engine.frame(events.semi_join(open_now, [*_KEY, "era"]), _EVENTS).sort_values(["at", "line"])
    stacks: dict[tuple[object, ...], Stack] = defaultdict(list)
    for row in frame.itertuples():
        stack = stacks[tuple(getattr(row, name) for name in _KEY)]
        if row.event in OPENING:
            stack.append((row.at, row.quantity))
        else:
            _taken_off(stack, row.quantity)
    return stacks


def start_of(stack: Stack, turn: int) -> pd.Timestamp | None:
    """The start of the unit with so many older ones below it; None where the stack is not that high."""
    for at, quantity in stack:
        if turn < quantity:
            return at
        turn -= quantity
    return None


def _taken_off(stack: Stack, quantity: int) -> None:
    """Takes so many units off the top, or all that there are."""
    while stack and quantity > 0:
        at, most = stack.pop()
        if most > quantity:
            stack.append((at, most - quantity))
        quantity -= most
