"""Uses of sources that give each use a handle of its own: the handle pairs."""

from __future__ import annotations

import ibis
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import DENIAL, UPGRADE
from checkout_log.pairing.facts import USES, facts, is_exact


def by_handle(events: Table, *by: str) -> Table:
    """One row for each feature of each handle: the columns USES. events: all of a log; by: what they are told apart by beside."""
    of_use = facts() | {
        "member": _.member.max(),
        "machine": _.machine.max(),
        "era": _.era.max(),
        "held": _.quantity.max(where=_.event != UPGRADE),
        "added": _.quantity.sum(where=_.event == UPGRADE),
    }
    used = events.filter((_.event != DENIAL) & is_exact())
    uses = used.group_by(*by, "source", "product", "feature", "handle").aggregate(**of_use)
    quantity = (_.held.fill_null(0) + _.added.fill_null(0)).cast("int64")
    return uses.mutate(quantity=quantity, mixed=ibis.literal(False)).select(*by, *USES)
