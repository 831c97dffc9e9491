"""How far a log can be trusted: what was counted while it was read, one row for each file."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from checkout_log.columns import ARROW, TEXT, TIME, WHOLE, Column

if TYPE_CHECKING:
    from checkout_log.sources.part import Part

QUALITY = (
    Column("file", TEXT, False, "name of the file, or the database without its password"),
    Column("kind", TEXT, False, "what it was recognized as; unknown: a folder or pattern brought it along, and it is no log"),
    Column("server", TEXT, True, "name of the license server that it is of; empty where it does not say it"),
    Column("products", TEXT, False, "products in it, or vendor daemons, with semicolons between"),
    Column("lines", WHOLE, False, "lines or rows in it, empty ones too"),
    Column("events", WHOLE, False, "events taken from it"),
    Column("other", WHOLE, False, "lines that are known and are no events"),
    Column("malformed", WHOLE, False, "lines that cannot be read"),
    Column("undated", WHOLE, False, "events left out because no date could be found"),
    Column(
        "ambiguous", WHOLE, False, "events whose time could be another: a day or an hour off, or only known from a later look"
    ),
    Column(
        "disagreeing",
        WHOLE,
        False,
        "times that disagree: date stamps with the lines before them, starts with the look that shows them, totals with what is "
        "listed, the zone that a log names with the one that was given",
    ),
    Column("overlapping", WHOLE, False, "events that another file or piece of it has too, counted once"),
    Column("begin", TIME, True, "first time in it: of an event, or of a line that says it"),
    Column("end", TIME, True, "last time in it"),
)


def frame(parts: Iterable[Part]) -> pd.DataFrame:
    """One row for each file or database: the columns QUALITY, times as aware UTC."""
    rows = [
        (
            part.file, part.kind, part.server, "; ".join(sorted(part.products)), part.lines, part.rows, part.other, part.malformed, part.undated, part.ambiguous,
            part.disagreeing, part.overlapping, part.begin, part.end,
        )
        for part in parts
    ]  # fmt: skip
    columns = zip(*rows, strict=True)
    return pd.DataFrame({column.name: _series(values, column) for column, values in zip(QUALITY, columns, strict=True)})


def _series(values: tuple[object, ...], column: Column) -> pd.Series:
    if column.kind == TIME:
        return pd.Series(pa.array(values, pa.int64()).cast(ARROW[TIME]).to_pandas())
    return pd.Series(values, dtype="string" if column.kind == TEXT else "int64")
