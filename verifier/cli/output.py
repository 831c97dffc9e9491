"""Where words go: results to stdout, messages for people to stderr, objects to stdout with --json."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from verifier.errors import CarnetError

USAGE = 2


class UsageError(Exception):
    """Wrong usage that argparse cannot see, such as a file that is not there. Exit status 2."""


def result(arguments: argparse.Namespace, value: dict[str, Any], lines: list[str]) -> int:
    """Prints a result as lines, or as one object with `"ok": true`. Returns exit status 0."""
    if arguments.json:
        print_json({"ok": True, **value})
    else:
        for line in lines:
            print(safe(line))
    return 0


def print_json(value: dict[str, Any]) -> None:
    """One object on stdout, in ASCII alone: it means the same in every encoding and holds nothing that moves a cursor."""
    print(json.dumps(value, indent=2, default=str))


def usage_failure(arguments: argparse.Namespace, message: str) -> int:
    """Prints wrong usage. Returns exit status 2."""
    hint = "carnet --help shows the commands, carnet COMMAND --help what each takes."
    if arguments.json:
        print_json({"ok": False, "code": "wrong-usage", "message": message, "hint": hint, "evidence": {}})
    else:
        print(f"carnet: {safe(message)}", file=sys.stderr)
    return USAGE


def warn(arguments: argparse.Namespace, warnings: tuple[str, ...] | list[str]) -> None:
    """Warnings for people; with --json they are in the object already."""
    if not arguments.json:
        for warning in warnings:
            print(f"carnet: note: {safe(warning)}", file=sys.stderr)


def failure(arguments: argparse.Namespace, error: CarnetError, *, file: str | None = None, **more: Any) -> int:
    """Prints an error with its code and what to do next. Returns its exit status.

    `file` is the one it speaks of, where there are several; `more` is told beside its evidence with --json.
    """
    message = error.message if file is None else f"{file}: {error.message}"
    if arguments.json:
        print_json(error.as_json() | {"message": message, "evidence": error.evidence | more})
    else:
        print(f"carnet: {safe(message)} [{error.code}]", file=sys.stderr)
        if error.hint:
            print(f"carnet: what to do: {safe(error.hint)}", file=sys.stderr)
    return error.exit_status


def safe(text: str) -> str:
    """Text for a terminal: what is not printable (escapes, line breaks, direction marks) is shown by its code."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)
