"""What the server writes into its log (stderr): lines that nobody who sends a request can make, end or color.

As text these are mistakes alone; as JSON each request is a line too.
"""

from __future__ import annotations

import contextlib
import json
import sys
import traceback
from enum import StrEnum
from http import HTTPStatus
from typing import Any, TextIO, cast

import structlog

from authority.domain.names import escaped

# Of a path so much is written: a line stays below what systems write at once (PIPE_BUF), so that lines of workers do not mix.
LONGEST_PATH = 1000


class LogFormat(StrEnum):
    """How the server writes its log."""

    TEXT = "text"
    JSON = "json"


class _Stderr:
    """Where lines go. One that cannot be written, because whoever reads them is gone, is no reason to refuse anybody anything."""

    def write(self, text: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.flush()


_STDERR = _Stderr()


class Lines:
    """Who writes lines of JSON; None as long as the log is text."""

    json: Any = None


def configure(log_format: LogFormat) -> None:
    """How this process writes from now on."""
    Lines.json = _json_logger() if log_format is LogFormat.JSON else None


def _json_logger() -> Any:
    return structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, _STDERR)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            # ASCII alone: whatever could end a line, turn its direction or color it is written as \u and four digits.
            structlog.processors.JSONRenderer(ensure_ascii=True),
        ],
        wrapper_class=structlog.BoundLogger,
        cache_logger_on_first_use=True,
    )


def write(what: str, error: BaseException, request_id: str = "") -> None:
    """Writes how an error came to be; each line of a text begins with what it is about, and has what cannot be shown by its code."""
    lines = [line for part in traceback.format_exception(error) for line in part.splitlines()]
    if Lines.json is not None:
        Lines.json.error("mistake", about=what, request_id=request_id, lines=lines)
        return
    about = f"{what} {request_id}" if request_id else what
    _STDERR.write("".join(f"{escaped(about)}: {escaped(line)}\n" for line in lines))
    _STDERR.flush()


def tell(about: str, sentence: str) -> None:
    """Writes one sentence about something that no request asked for."""
    if Lines.json is not None:
        Lines.json.warning("note", about=about, sentence=sentence)
        return
    _STDERR.write(f"carnet-authority: {escaped(about)}: {escaped(sentence)}\n")
    _STDERR.flush()


def request(path: str, status: int, **more: object) -> None:
    """Writes that a request was answered; the log is JSON. A path without its query, which may have secrets."""
    write_line = Lines.json.error if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Lines.json.info
    write_line("request", path=_beginning(path), status=status, **more)


def _beginning(path: str) -> str:
    """As much of a path as takes no more than `LONGEST_PATH` characters of ASCII: one beyond it takes up to twelve."""
    short = path[:LONGEST_PATH]
    while (length := len(json.dumps(short)) - 2) > LONGEST_PATH:
        short = short[: len(short) * LONGEST_PATH // length]
    return short
