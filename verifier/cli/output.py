"""Where words go: results to stdout, messages for people to stderr, objects to stdout with --json."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from verifier.core.names import is_shown
from verifier.errors import CarnetError, OutputNotWritten

USAGE = 2
# 128 and SIGPIPE: what the shell says of a command whose reader has gone, as in `carnet status | head -1`.
READER_GONE = 141


class UsageError(Exception):
    """Wrong usage that argparse cannot see, such as a file that is not there. Exit status 2."""


class ReaderGone(Exception):
    """Whoever read the output has stopped: there is nobody to tell anything more. Exit status 141."""


def prepare_streams() -> None:
    """A name that the terminal cannot show is no reason to refuse a license: it is shown by its code.

    A stream that was closed before this process began is there, and has nothing and takes all.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open to the end, as its namesake is
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush_streams() -> None:
    """Writes what was printed. Raises ReaderGone, OutputNotWritten."""
    for stream in (sys.stdout, sys.stderr):
        with explained_output():
            stream.flush()


def drop_streams() -> None:
    """What is still in the buffers of the output goes nowhere; else Python tries again at its end, and complains."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def say(text: str) -> None:
    """One line of a result, on stdout. Raises ReaderGone, OutputNotWritten."""
    _print(text, sys.stdout)


def tell(text: str) -> None:
    """One line for people, on stderr: "carnet: " and the text. Raises ReaderGone, OutputNotWritten."""
    _print(f"carnet: {safe(text)}", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    with explained_output():
        print(text, file=stream)


@contextlib.contextmanager
def explained_output() -> Iterator[None]:
    """A block that prints. Raises ReaderGone, OutputNotWritten."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        raise OutputNotWritten(f"the output cannot be written: {error.strerror or error}") from error


def result(arguments: argparse.Namespace, value: dict[str, Any], lines: list[str], *, status: int = 0) -> int:
    """Prints a result as lines, or as one object with `"ok": true`, or false with another `status` than 0. Returns `status`."""
    if arguments.json:
        print_json({"ok": status == 0, **value})
    else:
        for line in lines:
            say(safe(line))
    return status


def print_json(value: dict[str, Any]) -> None:
    """One object on stdout, in ASCII alone: it means the same in every encoding and holds nothing that moves a cursor."""
    say(json.dumps(value, indent=2, default=str))


def usage_failure(arguments: argparse.Namespace, message: str) -> int:
    """Prints wrong usage. Returns exit status 2."""
    hint = "carnet --help shows the commands, carnet COMMAND --help what each takes."
    if arguments.json:
        print_json({"ok": False, "code": "wrong-usage", "message": message, "hint": hint, "evidence": {}})
    else:
        tell(message)
    return USAGE


def warn(arguments: argparse.Namespace, warnings: tuple[str, ...] | list[str]) -> None:
    """Warnings for people; with --json they are in the object already."""
    if not arguments.json:
        for warning in warnings:
            tell(f"note: {warning}")


def failure(arguments: argparse.Namespace, error: CarnetError, *, file: str | None = None, **more: Any) -> int:
    """Prints an error with its code and what to do next. Returns its exit status.

    `file` is the one it speaks of, where there are several; `more` is told beside its evidence with --json.
    """
    # What could not be read is named by its sentence already.
    message = error.message if file is None or error.message.startswith(file) else f"{file}: {error.message}"
    if arguments.json:
        print_json(error.as_json() | {"message": message, "evidence": error.evidence | more})
    else:
        tell(f"{message} [{error.code}]")
        if error.hint:
            tell(f"what to do: {error.hint}")
    return error.exit_status


def safe(text: str) -> str:
    """Text for a terminal: what has no place in a name (escapes, line breaks, direction marks) is shown by its code."""
    return "".join(char if is_shown(char) else f"\\u{ord(char):04x}" for char in text)
