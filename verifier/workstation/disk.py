"""Files read whole within a bound and written whole or not at all; links, devices and pipes are not followed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from verifier.core.files import LARGEST_STATUS_FILE
from verifier.errors import Malformed


def read_bytes(path: Path) -> bytes:
    """The bytes of one regular file of at most 2 MiB; links, devices and pipes on a carried medium are not followed (Malformed).

    Raises OSError when the file is missing or unreadable.
    """
    if path.is_symlink():
        raise Malformed(f"{path} is a link; name the file itself")
    # Without O_NONBLOCK opening a pipe would wait for a writer that never comes.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
        if not stat.S_ISREG(mode):
            raise Malformed(f"{path} is not a regular file")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(LARGEST_STATUS_FILE + 1)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Puts the bytes at `path` whole or not at all: a new file beside it, flushed to the disk, then renamed over it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(temporary, flags, mode), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _flush_folder(path.parent)


def _flush_folder(folder: Path) -> None:
    """Makes the rename itself durable; Windows has no such call and does it with the file."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
