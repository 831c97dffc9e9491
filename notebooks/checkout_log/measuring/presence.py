"""When anybody held anything for long: at all other times nothing can be stuck, which is far cheaper to know than to ask."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import ibis
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, FLAG, WHOLE, Column, names
from checkout_log.log import Log
from checkout_log.measuring.open_uses import MICROSECOND
from checkout_log.pairing import EXACT_SOURCES

_KEY = ("product", "feature", "member", "machine")
_TEXT_KEY = tuple(f"key_{name}" for name in _KEY)
# The end of what is open when the log ends.
FOREVER = 2**62
_HELD = (
    Column("begin", WHOLE, False, "whole microseconds since 1970 UTC"),
    Column("end", WHOLE, False, "whole microseconds since 1970 UTC"),
    Column("is_exact", FLAG, False, "whether it counts from its begin on, whatever its age"),
)


def with_long_uses(log: Log, moments: Sequence[int], least: timedelta) -> list[int]:
    """Those of these times (whole microseconds since 1970 UTC) at which a seat may be held for as long as `least`, or by handle.

    No time is left out at which one is: of uses without handles a time stays when somebody had a feature on one host for so long
    without a pause, whichever of the uses it was. Borrows, and uses of sources whose handles pair them, stay from their start on.
    """
    frame = log.engine.asked(_held, log.pairs, columns=_HELD)
    begin, end, is_exact = (frame[column.name].to_numpy() for column in _HELD)
    least_begin = begin + least // MICROSECOND
    return [at for at in moments if ((is_exact & (begin <= at)) | ((least_begin <= at) & (end >= at))).any()]


def _held(uses: Table) -> Table:
    """When each user had each feature on a host without a pause, and since when there are exact uses: the columns _HELD."""
    uses = uses.mutate(
        end=ibis.ifelse(_.censored, FOREVER, _.end),
        is_exact=(_["mode"] == BORROW) | _.source.isin(EXACT_SOURCES),
        # Windows take no empty value for equal to another on every engine.
        **{f"key_{name}": _[name].fill_null("") for name in _KEY},
    )
    order = ("start", "end")
    before = ibis.window(group_by=_TEXT_KEY, order_by=order, preceding=None, following=0)
    reaching = uses.mutate(reached=_.end.max().over(before))
    previous = _.reached.lag().over(ibis.window(group_by=_TEXT_KEY, order_by=order))
    begun = reaching.mutate(is_new=(previous.isnull() | (_.start > previous)).cast("int64"))
    numbered = begun.mutate(stay=_.is_new.sum().over(before))
    stays = numbered.group_by(*_TEXT_KEY, "stay").aggregate(begin=_.start.min(), end=_.end.max(), is_exact=_.is_exact.any())
    return stays.select(*names(_HELD))
