"""From what is stuck to what can be released: the table that `carnet-authority borrow release --from FILE` takes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pandas as pd
from ibis import _

from checkout_log.columns import BORROW, TEXT, Column
from checkout_log.log import Log
from checkout_log.spreadsheets import defused

_HANDLES = (Column("handle", TEXT, False, ""),)


def releasable(log: Log, stuck_uses: pd.DataFrame) -> pd.DataFrame:
    """The stuck borrows that an authority can release: rows of `stuck.find` whose handle is a borrow in an authority's log.

    Sessions, and licenses of other servers, are ended on those servers.
    """
    handles = stuck_uses[["handle"]].dropna().drop_duplicates()
    if handles.empty:
        return stuck_uses.head(0)
    asked = log.engine.memory(handles, _HANDLES)
    borrows = log.paired.filter((_.source == "authority") & (_["mode"] == BORROW)).semi_join(asked, "handle")
    known = log.engine.frame(borrows.select("handle").distinct(), _HANDLES)["handle"]
    return stuck_uses[stuck_uses["handle"].isin(known)].reset_index(drop=True)


def write_csv(stuck_uses: pd.DataFrame, path: Path | str) -> Path:
    """The file written: the rows of `stuck.find` as CSV, times in RFC 3339; no cell is run by a spreadsheet."""
    cells = {name: [_cell(value) for value in stuck_uses[name]] for name in stuck_uses.columns}
    pd.DataFrame(cells, columns=list(stuck_uses.columns)).to_csv(path, index=False)
    return Path(path)


def _cell(value: object) -> object:
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else defused(value)
