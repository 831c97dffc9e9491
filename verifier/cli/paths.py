"""Files named on the command line: read one by one, written whole."""

from __future__ import annotations

from pathlib import Path

from verifier.cli.output import UsageError
from verifier.workstation.disk import read_bytes, write_atomically


def read_input(name: str) -> bytes:
    """The bytes of a file. Raises UsageError when it cannot be read, Malformed when it is no regular file."""
    try:
        return read_bytes(Path(name))
    except OSError as error:
        raise UsageError(f"{name} cannot be read: {error.strerror}") from error


def write_output(name: str, data: bytes) -> None:
    """Writes the bytes whole, readable by others: a carried file holds no secret. Raises UsageError."""
    try:
        write_atomically(Path(name), data, mode=0o644)
    except OSError as error:
        raise UsageError(f"{name} cannot be written: {error.strerror}") from error


def check_output(name: str) -> None:
    """Raises UsageError when nothing can be written there, before anything else is done."""
    path = Path(name)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"{name} cannot be written: name a file in a folder that is there")
