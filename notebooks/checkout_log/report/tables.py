"""The tables behind the page: one Excel file with a sheet for each, or a folder of parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxFileError
from xlsxwriter.worksheet import Worksheet

from checkout_log import borrows, captions, daily, denials, hindsight, seats, sizing, stuck, usage
from checkout_log.log import Log
from checkout_log.report import site
from checkout_log.report.outputs import ReportNotWritten, is_workbook

SHEETS_OF_ROWS = 1_048_575
WIDEST = 60
# As the notebooks ask, so that a table has the figures of the page.
DAYS_AHEAD = 60
LONGEST_DAYS = (3, 5, 7, 10, 14, 21, 30)


def tables(log: Log) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each table with its name."""
    yield "logs", captions.files(log.quality())
    yield "stuck", stuck.find(log)
    yield "peaks", usage.peaks(log)
    yield "day by day", daily.by_day(log)
    yield "seats", seats.issued(log)
    yield "utilization", site.utilization(log)
    yield "options", seats.options(log)
    yield "enough seats", sizing.enough(log)
    yield "forecast", sizing.forecast(log, DAYS_AHEAD)
    yield "denials", denials.counts(log)
    yield "waiting", denials.episodes(log)
    yield "requests by user", usage.requests(log, ["product", "feature", "member"])
    yield "requests by group", usage.requests(log, ["product", "feature", "group"])
    yield "lengths", usage.lengths(log)
    yield "last used", usage.last_used(log)
    yield "borrows", borrows.ageing(log)
    lengths = [sizing.what_if(log, days).assign(longest_days=days) for days in LONGEST_DAYS]
    yield "shorter borrows", pd.concat(lengths, ignore_index=True)
    yield "backtest", hindsight.backtest(log)
    yield "sessions", log.sessions()


def write(log: Log, target: Path) -> None:
    """Writes the tables to a workbook, or where the name does not end in .xlsx, to a folder of parquet files.

    Raises ReportNotWritten.
    """
    try:
        if is_workbook(target):
            _write_workbook(log, target)
            return
        target.mkdir(exist_ok=True)
        for name, frame in tables(log):
            frame.to_parquet(target / f"{name.replace(' ', '_')}.parquet", index=False)
    # The library of workbooks has an error of its own for what the system refuses, which is none of the system's.
    except (OSError, XlsxFileError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ReportNotWritten(
            f'"{target}" cannot be written: {reason}', hint="Free some space, or name another place."
        ) from error


def _write_workbook(log: Log, target: Path) -> None:
    # A text stays a text: no cell of a log becomes a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with Workbook(str(target), options) as book:
        bold, time = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for name, frame in tables(log):
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.autofilter(0, 0, min(len(frame), SHEETS_OF_ROWS), len(frame.columns) - 1)
            for place, column in enumerate(frame.columns):
                values = frame[column].head(SHEETS_OF_ROWS)
                # No cell says of which zone its time is.
                title = f"{column} ({log.timezone})" if _is_time(values) else str(column)
                sheet.write_string(0, place, title, bold)
                sheet.set_column(place, place, _width(title, values), time if _is_time(values) else None)
                _fill(sheet, place, values, log.timezone)


def _is_time(values: pd.Series) -> bool:
    return isinstance(values.dtype, pd.DatetimeTZDtype)


def _width(name: str, values: pd.Series) -> int:
    longest = max((len(str(value)) for value in values.head(100).dropna()), default=0)
    return min(WIDEST, max(len(name), 16 if _is_time(values) else longest) + 1)


def _fill(sheet: Worksheet, place: int, values: pd.Series, timezone: str) -> None:
    """Writes a column; times are those of the log's zone, since a cell has none."""
    local = values.dt.tz_convert(timezone).dt.tz_localize(None) if _is_time(values) else values
    for row, value in enumerate(local, 1):
        if pd.isna(value):
            continue
        if isinstance(value, pd.Timestamp):
            sheet.write_datetime(row, place, value.to_pydatetime())
        elif isinstance(value, str):
            sheet.write_string(row, place, value)
        elif pd.api.types.is_bool(value):
            sheet.write_boolean(row, place, bool(value))
        else:
            sheet.write_number(row, place, float(value))
