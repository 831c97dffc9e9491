"""Whether what a vendor tells of a checkout stands at its return too, so that it pairs the two.

Servers differ in what they tell: of some the return has another number, or none. Where more than half of the returns of a vendor daemon
have a handle that was never taken, its handles pair nothing; and whoever has lines with a handle and lines without is paired by
their order, as if there were none.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from checkout_log.columns import CHECKIN, CHECKOUT, UPGRADE
from checkout_log.sources import overlaps
from checkout_log.sources.common import Flags
from checkout_log.sources.flexnet.scanning import Scan

CLIENT = ["product", "feature", "member", "machine"]
# Of the returns of a vendor daemon whose handles pair.
MOST_UNKNOWN = 0.5


@dataclass(frozen=True)
class Handles:
    """Which handles pair: those of these vendor daemons, but for these clients (keys of CLIENT)."""

    products: frozenset[str] = frozenset()
    doubtful: overlaps.Keys = field(default_factory=lambda: np.zeros(0, dtype=np.uint64))

    def of(self, batch: pa.RecordBatch) -> pa.Array:
        """The handle of each row that pairs it; empty where none does."""
        if not self.products or batch["handle"].null_count == batch.num_rows:
            return pa.nulls(batch.num_rows, pa.string())
        is_paired = pc.is_in(batch["product"], pa.array(sorted(self.products))).to_numpy(zero_copy_only=False)
        is_paired &= ~np.isin(overlaps.keys(batch.select(CLIENT)), self.doubtful)
        return pc.if_else(pa.array(is_paired), batch["handle"], pa.scalar(None, pa.string()))


def of_scans(scans: Sequence[Scan]) -> Handles:
    """Which handles pair in the files of all servers."""
    products = set().union(*(one.products for one in scans if one.has_handles))
    if not products:
        return Handles()
    uses = _uses(one for one in scans if one.products & products)
    nameless = uses.loc[~uses["has_handle"], "client"].unique()
    named = uses[uses["has_handle"]].groupby(["product", "use"])[["opened", "closed"]].sum()
    named["unknown"] = (named["closed"] - named["opened"]).clip(lower=0)
    sums = named.groupby("product").sum()
    paired = sums.index[sums["unknown"] <= sums["closed"] * MOST_UNKNOWN]
    return Handles(frozenset(paired), np.asarray(nameless, dtype=np.uint64))


def _uses(scans: Iterable[Scan]) -> pd.DataFrame:
    """How many licenses were taken and given back under each handle of each client: of what has no handle, under none."""
    empty = pd.DataFrame(columns=["product", "client", "use", "has_handle", "opened", "closed"])
    parts = [_counted(batch) for one in scans for batch in one.batches()]
    counted = pd.concat(parts) if parts else empty
    return counted.groupby(["product", "client", "use", "has_handle"], as_index=False)[["opened", "closed"]].sum()


def _counted(batch: pa.RecordBatch) -> pd.DataFrame:
    is_opening, is_closing = _is(batch, CHECKOUT, UPGRADE), _is(batch, CHECKIN)
    moves = batch.filter(pa.array(is_opening | is_closing))
    quantity = moves["quantity"].to_numpy()
    is_opening = _is(moves, CHECKOUT, UPGRADE)
    frame = pd.DataFrame(
        {
            "product": moves["product"].to_pandas(),
            "client": overlaps.keys(moves.select(CLIENT)),
            "use": overlaps.keys(moves.select([*CLIENT, "handle"])),
            "has_handle": moves["handle"].is_valid().to_numpy(zero_copy_only=False),
            "opened": np.where(is_opening, quantity, 0),
            "closed": np.where(is_opening, 0, quantity),
        }
    )
    return frame.groupby(["product", "client", "use", "has_handle"], as_index=False)[["opened", "closed"]].sum()


def _is(batch: pa.RecordBatch, *kinds: str) -> Flags:
    is_kind: Flags = pc.is_in(batch["event"], pa.array(kinds)).to_numpy(zero_copy_only=False)
    return is_kind
