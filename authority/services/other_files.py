"""What a file is that somebody took for that of a sealed log: as far as its beginning shows it."""

from __future__ import annotations

import json
from typing import Any, BinaryIO

from authority.services import log

SEALED_LOG = "sealed-log"
HINT = "Write it with carnet-authority log export --format sealed -o FILE, and take it unchanged."
# Files of several lines that are one object are small.
LONGEST_OBJECT = 2 * 1024 * 1024
# How files of other kinds begin.
MARKS = {
    b"PK\x03\x04": "an archive (zip), as a backup is: that is looked at with carnet-authority restore --dry-run",
    b"PAR1": "the checkout log as Parquet, which has no seals",
    b"SQLite format 3\x00": "a SQLite database: verify it where it is served, without --file",
    b"\x1f\x8b": "a compressed file (gzip): unpack it first",
    b"\x28\xb5\x2f\xfd": "a compressed file (zstd): unpack it first",
    b"\xfd7zXZ": "a compressed file (xz): unpack it first",
    b"\xff\xfe": "a text in UTF-16, as PowerShell writes it: let --output write the file",
    b"\xfe\xff": "a text in UTF-16: let --output write the file",
    b"-----BEGIN": "a file of PEM, as keys and certificates are",
}


def what_it_is(first: bytes, stream: BinaryIO) -> str | None:
    """What the file is, by its first line and what follows; None for one of a sealed log, or one whose first line begins as it should."""
    if not first.strip():
        return "an empty file" if not first and not stream.read(1) else "a file whose first line is empty"
    mark = next((words for mark, words in MARKS.items() if first.startswith(mark)), None)
    if mark is not None:
        return mark
    if not _is_text(first):
        return "no text: its first line has bytes that are no UTF-8"
    value = _value_of(first)
    if value is None and first.lstrip().startswith(b"{"):
        # An object over several lines, as files are that people carry; or one that was cut.
        value = _value_of(first + stream.read(LONGEST_OBJECT))
        if value is None:
            return None
    if isinstance(value, dict):
        return _kind_of(value)
    columns = first.decode().lstrip("\ufeff").split(",")
    return (
        "the checkout log as CSV, which has no seals"
        if set(log.COLUMNS) <= {column.strip() for column in columns}
        else "another text"
    )


def _kind_of(value: dict[str, Any]) -> str | None:
    kind = value.get("carnet")
    if kind == SEALED_LOG:
        return None
    if kind == "checkpoint":
        return "a checkpoint of the log: that is compared by carnet-authority log verify --checkpoint FILE"
    if isinstance(kind, str):
        return f'a file of the kind "{kind[:40]}"'
    if set(log.COLUMNS) <= value.keys():
        return "the checkout log as JSON lines, which has no seals"
    return "a file that begins with a JSON object of something else"


def _value_of(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _is_text(data: bytes) -> bool:
    try:
        return "\0" not in data.decode()
    except UnicodeDecodeError:
        return False
