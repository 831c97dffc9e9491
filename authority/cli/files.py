"""Files that a command reads and writes: what is no place for a file is wrong usage, and what the system refuses is a refusal."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click

from authority.cli import streams
from authority.domain import disk
from authority.domain.refusals import Refusal
from authority.domain.texts import NotText, text_of

# Where the system has what is open in this process, by number.
OPEN_ALREADY = ("/dev/fd/", "/proc/self/fd/")
# The name itself is wrong, which no other disk and no other permission would mend.
WRONG_NAME = frozenset({errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP})
# So much of a file says what it is.
LONGEST_BEGIN = 64


def read_input(name: str) -> bytes:
    """The bytes of a carried file. Wrong usage when there is no such file."""
    from authority.signing.inbox import read_file

    with reading(name):
        return read_file(Path(name))


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """A block that reads a file. Wrong usage for a name that is no file; raises NotPermitted or DiskFailed for another OSError."""
    with _named(name, "read"):
        yield


@contextlib.contextmanager
def opened(name: str) -> Iterator[BinaryIO]:
    """The bytes of a file to read, or of stdin for `-`.

    Wrong usage for a name that is no file, for a device, and for a pipe that lies in a folder: who would write into it may never
    come. A pipe that the shell opened for this very command is read (`<(...)`, /dev/stdin).
    """
    with reading(name):
        if name == "-":
            yield sys.stdin.buffer
            return
        is_of_shell = name == "/dev/stdin" or name.startswith(OPEN_ALREADY)
        waiting = 0 if is_of_shell else getattr(os, "O_NONBLOCK", 0)
        with open(name, "rb", opener=lambda path, flags: os.open(path, flags | waiting)) as stream:
            mode = os.fstat(stream.fileno()).st_mode
            if not (stat.S_ISREG(mode) or (is_of_shell and stat.S_ISFIFO(mode))):
                raise click.UsageError(f"{name} cannot be read: it is a device or a pipe; name a file, or say - for stdin")
            yield stream


@contextlib.contextmanager
def _named(name: str, verb: str, note: str = "") -> Iterator[None]:
    if not name:
        raise click.UsageError(f"a file that is to be {verb} has no name")
    try:
        yield
    except OSError as error:
        if error.errno in WRONG_NAME:
            raise click.UsageError(f"{name} cannot be {verb}: {error.strerror}") from error
        raise disk.refusal_of(error, name, verb, note) from error


def write_output(name: str, data: bytes) -> None:
    """Writes a file whole. Raises DiskFull, NotPermitted or DiskFailed."""
    from authority.signing.inbox import write_file

    with disk.explained(name, "written", "; what it is about is done, and the same command writes it again"):
        write_file(Path(name), data)


def make_folder(name: str) -> None:
    """Makes a folder for carried files, unless it is there. Raises DiskFull, NotPermitted or DiskFailed."""
    with disk.explained(name, "made"):
        Path(name).mkdir(exist_ok=True)


def write_lines(name: str | None, lines: Iterable[str]) -> None:
    """Writes lines, each with its own end, in UTF-8 to a file, whole or not at all, or to stdout.

    Raises DiskFull, NotPermitted or DiskFailed for the file, ReaderGone or OutputNotWritten for stdout.
    """
    if name is None:
        with streams.explained():
            sys.stdout.flush()
            sys.stdout.buffer.writelines(line.encode() for line in lines)
            sys.stdout.buffer.flush()
        return
    from authority.signing.inbox import writing

    with disk.explained(name, "written"), writing(Path(name)) as file:
        file.writelines(line.encode() for line in lines)


def check_output(name: str) -> None:
    """Says before anything is done when no file can be written there.

    Wrong usage for a name that is no place for a file; raises DiskFull, NotPermitted or DiskFailed when the operating system
    says no.
    """
    from authority.signing.inbox import check_writable

    path = Path(name)
    with _named(name, "written", disk.UNCHANGED):
        is_file = path.is_file() and not path.is_symlink()
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise click.UsageError(f"{name} cannot be written: name a file in a folder that is there")
        # A file that is renamed over a link, a device or a pipe would take its place.
        if not is_file and (path.exists() or path.is_symlink()):
            raise click.UsageError(f"{name} cannot be written: it is a link, a device or a pipe; name a file")
        if _is_own(path):
            raise click.UsageError(f"{name} cannot be written: the authority lives on it; name another file")
        if is_file and _is_irreplaceable(path):
            raise click.UsageError(f"{name} cannot be written: it is a private key or a database; name another file")
        check_writable(path)


def _is_irreplaceable(path: Path) -> bool:
    """Whether a file, whosever it is, is a private key or a database: no command writes one under a name that it was told."""
    with path.open("rb") as stream:
        begin = stream.read(LONGEST_BEGIN)
    return begin.startswith(b"SQLite format 3\0") or (begin.startswith(b"-----BEGIN ") and b"PRIVATE KEY-----" in begin)


def _is_own(path: Path) -> bool:
    """Whether the authority of the command lives on this file; where its settings cannot be read, others say so."""
    context = click.get_current_context(silent=True)
    # The frame of `frame.py`, which stands above this module.
    frame = None if context is None else context.find_root().obj
    try:
        return frame is not None and bool(frame.settings().is_own(path))
    except Refusal:
        return False


def first_line(name: str, what: str, longest: int, *, confirmed: bool = False) -> str:
    """The first line of a file that holds a secret, of at most so many bytes; `-` is stdin. Wrong usage for what is no text.

    Secrets come from files and never as arguments, which other users of the machine and the shell's history can read. A person at
    a terminal is asked for it as `what`, twice where it is to be `confirmed`, and it is not shown.
    """
    if name == "-" and sys.stdin.isatty():
        return str(click.prompt(what, hide_input=True, confirmation_prompt=confirmed, err=True))
    try:
        with opened(name) as stream:
            text = text_of(stream.read(longest))
    except NotText as error:
        raise click.UsageError(f"{name} {error}") from error
    return text.replace("\r", "\n").partition("\n")[0]
