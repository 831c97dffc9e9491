"""The tokens that left this node, one line each, in its home outside the database: what a database lost can be taken in again."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Iterable
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from authority.domain.disk import explained
from authority.domain.tokens import Token
from verifier.core import jose
from verifier.core.times import instant
from verifier.errors import CarnetError

FOLDER = "issued"
NAME = re.compile(r"\A(\d{4}-\d{2}-\d{2})\.jsonl\Z")
# Days at whose end tokens expire, that a process has open at once; each day has a file of its own.
MOST_OPEN = 32
# A workstation's clock may be behind by so much, and its token not yet expired for it.
KEPT_AFTER_EXPIRY = timedelta(hours=48)

FIELDS = tuple(item.name for item in fields(Token))
TEXTS = ("jti", "borrow_id", "request_jti", "request_digest", "payload", "kid")
NUMBERS = ("status_index", "status_seq", "authorization_seq")


class IssuedLog:
    """The log of a node, as its processes share it: a folder with a file for each day of expiry, so that old ones go whole.

    Without a folder nothing is kept.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._open: dict[date, int] = {}

    def append(self, token: Token) -> None:
        """Adds a token that is about to leave; the same one may stand there several times.

        It is not flushed to the disk: a killed process loses nothing of it, a machine that loses its power may lose the last
        seconds. Raises DiskFull, NotPermitted or DiskFailed: then it must not leave.
        """
        if self.folder is None:
            return
        value = {name: getattr(token, name) for name in FIELDS}
        value["expires_at"] = int(token.expires_at.timestamp())
        data = json.dumps(value, separators=(",", ":")).encode() + b"\n"
        with explained(self.folder, "written"), self._lock:
            _write(self._descriptor(token.expires_at.date()), data)

    def _descriptor(self, day: date) -> int:
        assert self.folder is not None  # noqa: S101 - who calls has looked
        if day not in self._open:
            if len(self._open) >= MOST_OPEN:
                self._close()
            self._open[day] = _opened(self.folder, f"{day}.jsonl")
        return self._open[day]

    def _close(self) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)
        self._open.clear()

    def close(self) -> None:
        """Closes its files."""
        with self._lock:
            self._close()

    def paths(self) -> list[Path]:
        """Its files, by day. Raises NotPermitted or DiskFailed."""
        return [] if self.folder is None or not self.folder.exists() else files_of(self.folder)

    def drop_expired(self, now: datetime) -> None:
        """Removes the files of days that are long over. Raises NotPermitted or DiskFailed."""
        for path in self.paths():
            if date.fromisoformat(path.stem) < (now - KEPT_AFTER_EXPIRY).astimezone(UTC).date():
                with explained(path, "removed"):
                    path.unlink(missing_ok=True)


def _opened(folder: Path, name: str) -> int:
    """A file to append to; a last line that was cut when a machine stopped is ended first."""
    folder.mkdir(mode=0o700, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(folder / name, flags, 0o600)
    size = os.lseek(descriptor, 0, os.SEEK_END)
    if size:
        os.lseek(descriptor, size - 1, os.SEEK_SET)
        if os.read(descriptor, 1) != b"\n":
            os.write(descriptor, b"\n")
    return descriptor


def _write(descriptor: int, data: bytes) -> None:
    """Writes one line in one call, so that lines of several processes stand one after the other."""
    written = os.write(descriptor, data)
    while written < len(data):
        # The disk is nearly full: the rest either still has room, or this raises and the line counts for nothing.
        written += os.write(descriptor, data[written:])


def files_of(folder: Path) -> list[Path]:
    """The files of a log's folder, by day: this node's, or a copy of another's. Raises NotPermitted or DiskFailed.

    What is named by no day is none of them.
    """
    with explained(folder, "read"):
        return sorted(path for path in folder.iterdir() if NAME.match(path.name) and _is_day(path.stem))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def read(paths: Iterable[Path]) -> tuple[list[Token], int]:
    """The tokens in files of logs, each once; and how many lines cannot be read. Raises NotPermitted or DiskFailed."""
    tokens: dict[str, Token] = {}
    damaged = 0
    for path in paths:
        with explained(path, "read"):
            lines = path.read_bytes().split(b"\n")
        for line in filter(None, lines):
            try:
                token = _token(jose.strict_object(line))
            except (CarnetError, LookupError, TypeError, ValueError):
                damaged += 1
            else:
                tokens[token.jti] = token
    return list(tokens.values()), damaged


def _token(value: dict[str, Any]) -> Token:
    numbers = [value[name] for name in NUMBERS] + [
        item for item in (value["request_number"], value["returns"]) if item is not None
    ]
    if not (all(type(item) is int for item in numbers) and all(isinstance(value[name], str) for name in TEXTS)):
        raise TypeError("not a line of an issued token")
    return Token(**{name: value[name] for name in FIELDS if name != "expires_at"}, expires_at=instant(value["expires_at"]))
