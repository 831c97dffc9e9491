"""Files read whole within a bound and written whole or not at all; links, devices and pipes are not followed."""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Self

from verifier.core.files import LARGEST_STATUS_FILE
from verifier.errors import DiskFailed, DiskFull, Malformed, NotChecked, NotPermitted

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
# Shares and FUSE file systems answer so where a folder cannot be flushed by itself; the file in it was flushed before.
NO_FOLDER_FLUSH = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EACCES, errno.EBADF})
# More than any file that is carried, but for the largest status lists.
TRIAL_BYTES = 16 * 1024
# The name of a file that is being written: that of the file it is to be, and the process that writes it.
LEFTOVER = re.compile(r"\A\.(.+)\.([0-9]{1,10})\.new\Z", re.DOTALL)
# Readers of ours have a file open for less than a millisecond, virus scanners for some; an editor for hours. Counted are the tries and
# not the seconds: a busy machine that stops the reader for seconds stops this process as well. On a quiet one it is two to three.
MOST_TRIES = 200
PAUSE_SECONDS = 0.01
IN_USE = "another program has it open; close it, then do it again"


def trouble(error: OSError, what: object, verb: str, note: str = "") -> NotChecked:
    """What the operating system refused, as our own error: `what` cannot be read, written or locked (`verb`), and a note."""
    sentence = f"{what} cannot be {verb}: {error.strerror or error}{note}"
    if error.errno in FULL:
        return DiskFull(sentence, path=str(what))
    if error.errno in FORBIDDEN:
        return NotPermitted(sentence, path=str(what))
    return DiskFailed(sentence, path=str(what))


@contextlib.contextmanager
def explained(what: object, verb: str, note: str = "") -> Iterator[None]:
    """A block in which `what` is read or written (`verb`). Raises DiskFull, NotPermitted or DiskFailed for an OSError."""
    try:
        yield
    except OSError as error:
        raise trouble(error, what, verb, note) from error


def read_bytes(path: Path, most: int = LARGEST_STATUS_FILE) -> bytes:
    """The bytes of one regular file, of a longer one `most` and one more; links, devices and pipes are not followed (Malformed).

    Raises OSError when the file is missing or unreadable.
    """
    return read_with_mode(path, most=most)[0]


def read_with_mode(path: Path, *, follow: bool = False, most: int = LARGEST_STATUS_FILE) -> tuple[bytes, int]:
    """The bytes of one regular file of at most 2 MiB and its permissions; a device or a pipe is refused (Malformed).

    A link is refused too, unless `follow` says that it leads to what is meant. Raises OSError when the file is missing or
    unreadable.
    """
    if not follow and path.is_symlink():
        raise Malformed(f"{path} is a link; name the file itself")
    # Without O_NONBLOCK opening a pipe would wait for a writer that never comes.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    if not follow:
        # One that was put there since.
        flags |= getattr(os, "O_NOFOLLOW", 0)
    descriptor = _open(path, flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path))
        if not stat.S_ISREG(mode):
            raise Malformed(f"{path} is not a regular file")
        with open(descriptor, "rb", closefd=False) as stream:
            return stream.read(most + 1), stat.S_IMODE(mode)
    finally:
        os.close(descriptor)


def names_in(folder: Path, suffix: str) -> list[str]:
    """The names with this suffix in a folder, in order; none when there is no such folder. Raises NotPermitted or DiskFailed."""
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(suffix) and not name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise trouble(error, folder, "read") from error


def write_atomically(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Puts the bytes at `path` whole or not at all: a new file beside it, flushed to the disk, then renamed over it."""
    with Replacement() as replacement:
        replacement.add(path, data, mode)
        replacement.keep()


@contextlib.contextmanager
def writing(path: Path, mode: int = 0o600) -> Iterator[BinaryIO]:
    """A stream to what `path` is to have: whole at its place when the block ends well, else nothing. Raises OSError."""
    with _beside(path) as temporary:
        with _new(temporary, mode) as stream:
            yield stream
            _flush(stream)
        _replace(temporary, path)
        _flush_folder(path.parent)


def check_writable(path: Path) -> None:
    """Raises OSError when a file of the usual size cannot be written at `path`; what is there stays as it is."""
    with _beside(path) as temporary:
        _write(temporary, bytes(TRIAL_BYTES), 0o600)


class Replacement:
    """New contents of several files: all stand beside their places before the first is put there.

    Nothing is changed when one of them cannot be written, or when `keep` is not called.
    """

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()
        self._ready: dict[Path, Path] = {}

    def add(self, path: Path, data: bytes, mode: int = 0o600) -> None:
        """Writes what `path` is to have, and flushes it to the disk. Raises OSError."""
        if path not in self._ready:
            self._ready[path] = self._open.enter_context(_beside(path))
        _write(self._ready[path], data, mode)

    def keep(self) -> None:
        """Puts all of them in their places, in the order in which they were added. Raises OSError."""
        for path, temporary in self._ready.items():
            _replace(temporary, path)
        for folder in {path.parent for path in self._ready}:
            _flush_folder(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()


def clear(folder: Path) -> None:
    """Removes what writing to this folder left when it was killed. Nobody else may write there now. Raises OSError."""
    for name in os.listdir(folder):
        if LEFTOVER.match(name):
            (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """The name of a new file beside `path`, which is not there any more at the end of the block.

    What a process that was killed left there for the same file goes too.
    """
    for name in os.listdir(path.parent):
        match = LEFTOVER.match(name)
        if match is not None and match[1] == path.name and not _is_running(int(match[2])):
            with contextlib.suppress(OSError):
                path.with_name(name).unlink()
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    if os.name != "posix" or pid == os.getpid():
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        pass
    return True


def _write(temporary: Path, data: bytes, mode: int) -> None:
    with _new(temporary, mode) as stream:
        stream.write(data)
        _flush(stream)


def _new(temporary: Path, mode: int) -> BinaryIO:
    temporary.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    return open(os.open(temporary, flags, mode), "wb")


def _flush(stream: BinaryIO) -> None:
    stream.flush()
    os.fsync(stream.fileno())


def _replace(temporary: Path, path: Path) -> None:
    """Renames a file over another."""
    if sys.platform == "win32":
        _replace_patiently(temporary, path)
    else:
        os.replace(temporary, path)


def _open(path: Path, flags: int) -> int:
    """Opens a file."""
    if sys.platform == "win32":
        return _open_patiently(path, flags)
    return os.open(path, flags)


if sys.platform == "win32":

    def _replace_patiently(temporary: Path, path: Path) -> None:
        """Renames a file over another, which Windows does not do while somebody has the other open: it is tried for a while."""
        for tries in itertools.count(1):
            try:
                os.replace(temporary, path)
            except PermissionError as error:
                if not path.is_file() or not os.access(path, os.W_OK):
                    raise
                if tries >= MOST_TRIES:
                    raise OSError(errno.EBUSY, IN_USE, str(path)) from error
            else:
                return
            time.sleep(PAUSE_SECONDS)

    def _open_patiently(path: Path, flags: int) -> int:
        """Opens a file, which Windows says for a moment is forbidden while the file is being replaced or looked at."""
        for tries in itertools.count(1):
            try:
                return os.open(path, flags)
            except PermissionError as error:
                if path.is_dir():
                    raise IsADirectoryError(errno.EISDIR, "it is a directory", str(path)) from error
                if tries >= MOST_TRIES:
                    raise
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("counting has no end")


def _flush_folder(folder: Path) -> None:
    """Makes the rename itself durable; Windows has no such call and does it with the file."""
    if os.name != "posix":
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in NO_FOLDER_FLUSH:
            raise
