"""Where the page and the tables go: never over anything else than an older page, or older tables."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from checkout_log.errors import LogError

# How a page and a workbook begin, the latter as any ZIP file.
PAGE, WORKBOOK = b"<!DOCTYPE html>", b"PK\x03\x04"
_ANOTHER = "Name another file, or remove it first."
_WRITABLE = "Name a file or folder in a folder that is there and that you may write into."


class ReportNotWritten(LogError):
    """The page, the tables, or what the command says, cannot be put where it was asked for."""

    code = "report-not-written"


def check(page: Path, tables: Path | None, logs: Sequence[str]) -> None:
    """Says before anything is read what could not be written, and what would be lost. Raises ReportNotWritten, OSError.

    tables: a file whose name ends in .xlsx, or a folder, in which tables have names of their own. logs: as they were named.
    """
    _check_file(page, PAGE, "page")
    if tables is None:
        return
    if is_workbook(tables):
        if tables.resolve() == page.resolve():
            raise ReportNotWritten(
                f'"{tables}" is named for the page and for the tables', hint="Name another file for one of them."
            )
        _check_file(tables, WORKBOOK, "workbook")
        return
    if os.path.lexists(tables) and not tables.is_dir():
        raise ReportNotWritten(f'"{tables}" is there already and is no folder', hint="Name a file .xlsx, or a folder.")
    if not os.access(tables if tables.is_dir() else tables.parent, os.W_OK):
        raise ReportNotWritten(f'"{tables}" cannot be written', hint=_WRITABLE)
    if tables.resolve() in map(_folder, logs):
        raise ReportNotWritten(
            f'"{tables}" is a folder that logs are read from, and would be read with them', hint="Name a folder of its own."
        )


def is_workbook(tables: Path) -> bool:
    """Whether tables of this name go into one file for a spreadsheet; else into a folder."""
    return tables.suffix.lower() == ".xlsx"


def _folder(log: str) -> Path | None:
    """The folder whose files are read, all that are in it or fit a pattern; None for a single file, unless a table may have its name."""
    path = Path(log)
    with suppress(OSError, ValueError):
        if path.is_dir():
            return path.resolve()
        if path.suffix.lower() == ".parquet" or "*" in path.name or "?" in path.name:
            return path.parent.resolve()
    return None


def _check_file(path: Path, begin: bytes, what: str) -> None:
    """Raises ReportNotWritten where no file can be, and where one is that does not begin as what is to be written."""
    if path.is_dir() or not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise ReportNotWritten(f'"{path}" cannot be written', hint=_WRITABLE)
    if not os.path.lexists(path):
        return
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ReportNotWritten(f'"{path}" is a link, a device or a pipe, and would be no more', hint="Name a file.")
    with path.open("rb") as stream:
        if stream.read(len(begin)).lower() not in (b"", begin.lower()):
            raise ReportNotWritten(f'"{path}" is there already and is no {what}, and would be lost', hint=_ANOTHER)


def write_page(output: Path, page: str) -> None:
    """Puts the page under its name at once: nobody sees half of it, and an older one stays until the new one is whole.

    Raises ReportNotWritten.
    """
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        draft.write_text(page, encoding="utf-8")
        draft.replace(output)
    except OSError as error:
        raise ReportNotWritten(
            f'"{output}" cannot be written: {error.strerror}', hint="Free some space, or name another place."
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()
