"""The tables of this library: which columns each has, of which type and unit, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from checkout_log.errors import ColumnsWrong

TEXT, WHOLE, NUMBER, FLAG, TIME = "text", "whole", "number", "flag", "time"
ARROW = {TEXT: pa.string(), WHOLE: pa.int64(), NUMBER: pa.float64(), FLAG: pa.bool_(), TIME: pa.timestamp("us", tz="UTC")}


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, kind (text, whole number, flag, or aware UTC time), whether it may be empty, and its meaning."""

    name: str
    kind: str
    optional: bool
    meaning: str


# What can happen to a license (the product's contract, section 6).
CHECKOUT, RENEWAL, CHECKIN, DENIAL = "checkout", "renewal", "checkin", "denial"
REVOCATION, RELEASE, END, UPGRADE = "revocation", "release", "end", "upgrade"
EVENT_KINDS = (CHECKOUT, RENEWAL, CHECKIN, DENIAL, REVOCATION, RELEASE, END, UPGRADE)
SESSION, BORROW = "session", "borrow"
SOURCES = ("authority", "flexnet", "rlm", "lmstat", "lmx", "simulator")
# How a session ended; `open` when the log ended first.
ENDINGS = ("checkin", "idle", "shutdown", "restart", "expiry", "revocation", "release", "end", "open")
# The reason of a FlexNet UNSUPPORTED line: a probe for a feature that is not served, no lack of seats.
UNSUPPORTED = "unsupported"
# Why a license is stuck.
OVERDUE, OUTLIER, HOLDER_INACTIVE = "overdue", "outlier", "holder-inactive"
MACHINE_GONE, OVER_LONG_BORROW = "machine-gone", "over-long-borrow"
CAUSES = (OVERDUE, OUTLIER, HOLDER_INACTIVE, MACHINE_GONE, OVER_LONG_BORROW)

EVENTS = (
    Column("at", TIME, False, "when it happened"),
    Column("event", TEXT, False, "one of EVENT_KINDS"),
    Column("mode", TEXT, False, "session or borrow"),
    Column("handle", TEXT, True, "id of the session or borrow; empty where the source has none"),
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("feature", TEXT, False, "level, extension or feature; one row for each"),
    Column("member", TEXT, True, "user name"),
    Column("group", TEXT, True, "groups, with semicolons between"),
    Column("machine", TEXT, True, "machine id or host name"),
    Column("alias", TEXT, True, "what the user calls the machine"),
    Column("os_user", TEXT, True, "name of the OS user"),
    Column("quantity", WHOLE, False, "seats moved"),
    Column("until", TIME, True, "due time of a borrow"),
    Column("reason", TEXT, True, "code of a denial, or how it ended"),
    Column("source", TEXT, False, "one of SOURCES"),
    Column("line", WHOLE, False, "number of the event or line in its source"),
)

SESSIONS = (
    Column("handle", TEXT, True, "id of the session or borrow"),
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("feature", TEXT, False, "level, extension or feature"),
    Column("mode", TEXT, False, "session or borrow"),
    Column("member", TEXT, True, "user name"),
    Column("machine", TEXT, True, "machine id or host name"),
    Column("alias", TEXT, True, "what the user calls the machine"),
    Column("quantity", WHOLE, False, "seats held"),
    Column("start", TIME, False, "since when"),
    Column("end", TIME, False, "until when; the end of the log where it is open"),
    Column("until", TIME, True, "due time of a borrow, after its renewals"),
    Column("ended_by", TEXT, False, "one of ENDINGS"),
    Column("censored", FLAG, False, "true: it was not seen to end, so it lasted at least until `end`"),
    Column("cut", FLAG, False, "true: a restart of the license server ended it"),
    Column("ambiguous", FLAG, False, "true: a start or end of it could not be dated or paired with certainty"),
    Column("source", TEXT, False, "one of SOURCES"),
)

# What the store keeps beside the events' columns: which file, which run of the server, and whether the date is certain.
INNER = (
    Column("segment", WHOLE, False, "number of the file that the row came from"),
    Column("era", WHOLE, False, "number of the run of the license server: a restart ends what is open"),
    Column("ambiguous", FLAG, False, "true: the date is one of two"),
)

# What the rows of most measures are about.
OF_FEATURE = (
    Column("product", TEXT, False, "product, or vendor daemon"),
    Column("feature", TEXT, False, "level, extension or feature"),
)


def names(columns: Sequence[Column]) -> list[str]:
    """The names, in order."""
    return [column.name for column in columns]


def stored_schema() -> pa.Schema:
    """The schema of the store's parquet files: the events' columns and INNER, with times as whole microseconds since 1970 UTC.

    Whole numbers are exact, and every engine counts them alike.
    """
    fields = [
        pa.field(column.name, pa.int64() if column.kind == TIME else ARROW[column.kind], nullable=column.optional)
        for column in (*EVENTS, *INNER)
    ]
    return pa.schema(fields)


def checked(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The frame itself, after its columns, their types and the required values were checked. Raises ColumnsWrong."""
    if list(frame.columns) != names(columns):
        raise ColumnsWrong(
            f"the table has the columns {', '.join(map(str, frame.columns))}, expected are {', '.join(names(columns))}",
            hint="Read it with checkout_log.read, or rename its columns.",
        )
    for column in columns:
        values = frame[column.name]
        if column.kind == TIME and str(values.dtype) != "datetime64[us, UTC]":
            raise ColumnsWrong(f'"{column.name}" holds {values.dtype}, not aware UTC times', hint="Convert it to UTC first.")
        if not column.optional and bool(values.isna().any()):
            raise ColumnsWrong(f'"{column.name}" has {int(values.isna().sum())} empty values', hint="Look for damaged lines.")
    return frame


def typed(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """These columns of a frame, in their types and numbered from 0, checked. Raises ColumnsWrong."""
    series = {column.name: frame[column.name].astype(_pandas_type(column)) for column in columns}
    return checked(pd.DataFrame(series).reset_index(drop=True), columns)


def _pandas_type(column: Column) -> str:
    whole = "Int64" if column.optional else "int64"
    return {TEXT: "string", WHOLE: whole, NUMBER: "float64", FLAG: "bool", TIME: "datetime64[us, UTC]"}[column.kind]
