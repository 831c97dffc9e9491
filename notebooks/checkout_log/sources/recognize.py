"""What kind of log a file is, judged by its text and not by its name."""

from __future__ import annotations

import json
import re
from pathlib import Path

from checkout_log.errors import SourceNotRecognized
from checkout_log.sources import licenses, options
from checkout_log.sources.flexnet import times as flexnet_times
from checkout_log.sources.lmstat import rows as lmstat_rows
from checkout_log.sources.lmx import rows as lmx_rows
from checkout_log.sources.part import FLEXNET, LICENSES, LMSTAT, LMX, OPTIONS, RLM_DEBUG, RLM_REPORT
from checkout_log.sources.rlm import lines as rlm_lines
from checkout_log.sources.text import UTF8_MARK, ZERO, decoded, head
from checkout_log.spreadsheets import records

EXPORT_LINES, EXPORT_CSV, EXPORT_PARQUET, SQLITE = "export-lines", "export-csv", "export-parquet", "sqlite"
PARQUET_MARK, SQLITE_MARK = b"PAR1", b"SQLite format 3\0"
FLEXNET_LINE = re.compile(flexnet_times.LOOSE + r"[^()]+\) ", re.MULTILINE)
DEBUG_LINE = re.compile(rf"^{flexnet_times.OPENS}{rlm_lines.DEBUG_LINE.pattern}", re.MULTILINE)
# Two columns are enough to know what a table was meant to be; whether it has all of them is said by who reads it.
TELLING = {"at", "event"}
HINT = (
    "Known are the authority's export (JSON lines, CSV, Parquet) and database, FlexNet debug logs, outputs of lmstat -a "
    "and of LM-X's lmxendutil -licstat, and RLM's report and debug logs."
)
# What people give in the place of a log: how it begins, what it is, and what to give instead.
ARCHIVES = (b"PK\x03\x04", b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x28\xb5\x2f\xfd")
NOT_READ = (
    "It is not read here. Where the same program can have its licenses of a FlexNet or RLM server, give the log of that one."
)
MISTAKEN = (
    (
        re.compile(
            r"^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d:\d{3} [IWE] [A-Z_]+ |^.{0,80}\bDSLicSrv\b|^License Administration Tool Version "
            r"|^Editor,EditorId,Feature,|\bmaxReleaseNumber: \d+ type: ",
            re.MULTILINE,
        ),
        "is of DSLS, the license server of Dassault Systèmes",
        f"{NOT_READ} Its License Administration Tool shows what is in use.",
    ),
    (
        re.compile(r"Sentinel RMS|^[ \t]{0,40}\|- Feature Information", re.MULTILINE),
        "is of Sentinel RMS",
        f"{NOT_READ} Its lsmon shows what is in use.",
    ),
    (
        re.compile(r"LM-X (?:License Server|End-user)|\blmx-serv\b"),
        "is of LM-X, and no output of its lmxendutil -licstat",
        "Give outputs of lmxendutil -licstat, made every few minutes with the date above each.",
    ),
    (
        re.compile(r"License Use Management|\bi4(?:lmd|ls|blt|glbcd)\b"),
        "is of LUM, License Use Management",
        f"{NOT_READ} Its i4blt -s shows what is in use.",
    ),
    (
        re.compile(r"^\s{0,40}(?:rlmutil v\d|Setting license file path to |rlm status on )", re.MULTILINE),
        "is an output of rlmstat",
        "It shows one moment and not when it was. Give the report log or the debug log of the same server.",
    ),
    (
        re.compile(r"^PROGRAM +EXPIRATION CPUS ", re.MULTILINE),
        "is of the license manager of LS-DYNA",
        NOT_READ,
    ),
    (
        re.compile(r"^MathLM (?:Version|Server)\b", re.MULTILINE),
        "is of MathLM, the license manager of Mathematica",
        f"{NOT_READ} Its monitorlm shows what is in use.",
    ),
    (
        re.compile(r'^\{"log":"', re.MULTILINE),
        "is the output of a container in JSON, as Docker keeps it",
        "Give what docker logs prints of it.",
    ),
    (
        re.compile(r"^.{0,200}\bStarDrop\b", re.MULTILINE),
        "is of StarDrop",
        NOT_READ,
    ),
    (
        re.compile(r"^(?:SERVER|VENDOR|DAEMON|FEATURE|INCREMENT|PACKAGE)\s+\S+\s+\S+", re.MULTILINE),
        "is a license file",
        "Give the log of the server that has it.",
    ),
    (
        re.compile(r"^\s{0,40}Users of .+\((?:Total|Error|Uncounted)", re.MULTILINE),
        "is an output of lmstat without the line that says when it was made",
        'Keep its line "Flexible License Manager status on".',
    ),
)
BINARY = "FlexNet's report log (REPORTLOG) is encrypted: give the debug log of the same server."


def kind(path: Path) -> str:
    """The kind of a file. Raises SourceNotRecognized, SourceUnreadable."""
    data = head(path)
    if data.startswith(PARQUET_MARK):
        return EXPORT_PARQUET
    if data.startswith(SQLITE_MARK):
        return SQLITE
    text = decoded(data.removeprefix(UTF8_MARK).replace(ZERO, b""))
    kind_of_text = _kind_of_text(text)
    if kind_of_text is None:
        what, advice = _stranger(data, text)
        raise SourceNotRecognized(f'"{path}" {what}', hint=f"{HINT} {advice}".rstrip())
    return kind_of_text


def _stranger(data: bytes, text: str) -> tuple[str, str]:
    """What a file is that is no log, and what to do about it, where that is known."""
    if not text.strip():
        return "is empty", "Check that the server writes its log there."
    if data.startswith(ARCHIVES):
        return "is an archive", "Unpack it first; only gzip, bzip2 and xz are unpacked here."
    known = next(((what, advice) for sign, what, advice in MISTAKEN if sign.search(text) is not None), None)
    if known is not None:
        return known
    return "is none of the logs that are known", BINARY if ZERO in data else ""


def _kind_of_text(text: str) -> str | None:
    first = text.lstrip().split("\n", 1)[0]
    if first.startswith("{") and _members(first) >= TELLING:
        return EXPORT_LINES
    if _header(text) >= TELLING:
        return EXPORT_CSV
    signs = (
        (RLM_REPORT, rlm_lines.REPORT),
        (LMSTAT, lmstat_rows.STATUS),
        (LMX, lmx_rows.SIGN),
        (FLEXNET, FLEXNET_LINE),
        (RLM_DEBUG, DEBUG_LINE),
        (LICENSES, licenses.SIGN),
        (OPTIONS, options.SIGN),
    )
    return next((name for name, sign in signs if sign.search(text) is not None), None)


def _members(line: str) -> set[str]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return set()
    return set(value) if isinstance(value, dict) else set()


def _header(text: str) -> set[str]:
    """The names in the first record of a table; a line before it may say its delimiter."""
    lines = text.lstrip().split("\n", 2)[:2]
    return {cell.strip() for cell in next(records((line.rstrip("\r") for line in lines), TELLING), None) or []}
