"""The file of a backup: a zip of one file for each table, a JSON array for each row, and a manifest that says what must be in it.

The same on every database, so that a backup of one goes into another. Times are whole microseconds since 1970, bytes base64.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from authority.domain.refusals import BackupUnusable

FORMAT = "carnet-backup/1"
MANIFEST = "manifest.json"
# No manifest of ours is as long.
LONGEST_MANIFEST = 1024 * 1024
# What reading a file that was cut or changed raises.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, KeyError, TypeError, ValueError, NotImplementedError, RecursionError)


@dataclass(frozen=True, slots=True)
class TableContent:
    """What a table has in a backup: its columns in order, how many rows, and the SHA-256 of them as text."""

    columns: tuple[str, ...]
    rows: int = 0
    sha256: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup is of, when it was made, by which migrations its tables are made, and what is in them."""

    organization: str
    made_at: datetime
    revision: str
    status_list: int
    authorization: int
    last_event: int
    tables: dict[str, TableContent]

    def rows(self) -> int:
        """How many rows it has."""
        return sum(table.rows for table in self.tables.values())


# A row as the database's driver has it, in the order of the columns.
Row = Sequence[Any]


def write(stream: BinaryIO, head: Manifest, tables: Iterable[tuple[str, tuple[str, ...], Iterable[Row]]]) -> Manifest:
    """Writes a backup: each table with its columns and rows. Returns the manifest with all of them."""
    contents: dict[str, TableContent] = {}
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, columns, rows in tables:
            digest, count = hashlib.sha256(), 0
            with archive.open(_file_of(name), "w", force_zip64=True) as file:
                for row in rows:
                    line = json.dumps([_plain(value) for value in row], separators=(",", ":")).encode() + b"\n"
                    file.write(line)
                    digest.update(line)
                    count += 1
            contents[name] = TableContent(columns, count, digest.hexdigest())
        manifest = replace(head, tables=contents)
        value = asdict(manifest) | {"format": FORMAT, "made_at": int(manifest.made_at.timestamp())}
        archive.writestr(MANIFEST, json.dumps(value, indent=1))
    return manifest


def _file_of(table: str) -> str:
    return f"{table}.jsonl"


def _plain(value: Any) -> Any:
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _value(plain: Any) -> Any:
    return base64.b64decode(plain["base64"], validate=True) if isinstance(plain, dict) else plain


class Archive:
    """A backup that was read through once: every row is as it was written."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest) -> None:
        self._archive = archive
        self.manifest = manifest

    def rows(self, table: str) -> Iterator[list[Any]]:
        """The rows of a table, in the order of its columns."""
        with self._archive.open(_file_of(table)) as file:
            for line in file:
                yield [_value(item) for item in json.loads(line)]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A backup, after it was read through. Raises BackupUnusable for one that is cut, damaged, or none, and OSError."""
    try:
        with zipfile.ZipFile(path) as file:
            manifest = _manifest(file)
            for name, content in manifest.tables.items():
                _check(file, name, content)
    except BROKEN as error:
        raise BackupUnusable(f"{path} is no whole backup: it was cut or changed, or is another file") from error
    with zipfile.ZipFile(path) as file:
        yield Archive(file, manifest)


def _manifest(file: zipfile.ZipFile) -> Manifest:
    with file.open(MANIFEST) as stream:
        value = json.loads(stream.read(LONGEST_MANIFEST))
    kind = value.pop("format")
    if kind != FORMAT:
        raise BackupUnusable(f'the backup is of the form "{kind}", this program reads {FORMAT}', hint="Update Carnet.")
    tables = {
        name: TableContent(tuple(map(str, item["columns"])), int(item["rows"]), str(item["sha256"]))
        for name, item in value.pop("tables").items()
    }
    numbers = {name: int(value[name]) for name in ("status_list", "authorization", "last_event")}
    made_at = datetime.fromtimestamp(int(value["made_at"]), UTC)
    return Manifest(str(value["organization"]), made_at, str(value["revision"]), tables=tables, **numbers)


def _check(file: zipfile.ZipFile, name: str, content: TableContent) -> None:
    """Raises ValueError, or what the zip says, when a table is not what the manifest says of it."""
    digest, count = hashlib.sha256(), 0
    with file.open(_file_of(name)) as stream:
        for line in stream:
            digest.update(line)
            count += 1
            if len(json.loads(line)) != len(content.columns):
                raise ValueError("a row has other columns")
    if (digest.hexdigest(), count) != (content.sha256, content.rows):
        raise ValueError("another content")
