"""What kind of log a file is, judged by its text and not by its name."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

from checkout_log.errors import SourceNotRecognized
from checkout_log.sources import lmstat_rows, rlm_lines
from checkout_log.sources.part import FLEXNET, LMSTAT, RLM_DEBUG, RLM_REPORT
from checkout_log.sources.text import UTF8_MARK, decoded, head

EXPORT_LINES, EXPORT_CSV, EXPORT_PARQUET, SQLITE = "export-lines", "export-csv", "export-parquet", "sqlite"
PARQUET_MARK, SQLITE_MARK = b"PAR1", b"SQLite format 3\0"
FLEXNET_LINE = re.compile(r"^\s*\d{1,2}:\d\d:\d\d \([^()]+\)", re.MULTILINE)
DEBUG_LINE = re.compile(r"^\s*" + rlm_lines.DEBUG_LINE.pattern, re.MULTILINE)
# Two columns are enough to know what a table was meant to be; whether it has all of them is said by who reads it.
TELLING = {"at", "event"}
HINT = (
    "Known are the authority's export (JSON lines, CSV, Parquet) and database, FlexNet debug logs, outputs of lmstat -a, "
    "and RLM's report and debug logs."
)


def kind(path: Path) -> str:
    """The kind of a file. Raises SourceNotRecognized, SourceUnreadable."""
    data = head(path)
    if data.startswith(PARQUET_MARK):
        return EXPORT_PARQUET
    if data.startswith(SQLITE_MARK):
        return SQLITE
    text = decoded(data.removeprefix(UTF8_MARK))
    found = _kind_of_text(text)
    if found is None:
        what = "is none of the logs that are known" if text.strip() else "is empty"
        raise SourceNotRecognized(f'"{path}" {what}', hint=HINT)
    return found


def _kind_of_text(text: str) -> str | None:
    first = text.lstrip().split("\n", 1)[0]
    if first.startswith("{") and _members(first) >= TELLING:
        return EXPORT_LINES
    if _header(first) >= TELLING:
        return EXPORT_CSV
    signs = (
        (RLM_REPORT, rlm_lines.REPORT),
        (LMSTAT, lmstat_rows.STATUS),
        (FLEXNET, FLEXNET_LINE),
        (RLM_DEBUG, DEBUG_LINE),
    )
    return next((name for name, sign in signs if sign.search(text) is not None), None)


def _members(line: str) -> set[str]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return set()
    return set(found) if isinstance(found, dict) else set()


def _header(line: str) -> set[str]:
    try:
        return set(next(csv.reader([line]), []))
    except csv.Error:
        return set()
