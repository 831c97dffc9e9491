"""Files that people name: read one by one, written whole."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from verifier.workstation.disk import check_writable, explained, read_bytes, trouble, write_atomically

# The name itself is wrong, which no other disk and no other permission would mend.
WRONG_NAME = frozenset(
    {errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP}
    | ({errno.EINVAL} if sys.platform == "win32" else set())
)
# What a new file has in its name more than the one that it becomes.
ROOM_BESIDE = 24


class WrongPlace(Exception):
    """The name is no place for a file, or no file is there; the sentence says which."""


def path_of(name: str) -> Path:
    """The path of a file that is named by a person, as the operating system takes it. Raises WrongPlace for a device."""
    if sys.platform != "win32":
        return Path(name)
    from verifier.workstation import windows_names

    if windows_names.is_device(name):
        raise WrongPlace(f"{name} is a device of Windows; name a file")
    longer = windows_names.extended(os.path.abspath(name), ROOM_BESIDE)
    return Path(longer if longer.startswith(windows_names.EXTENDED) else name)


def read_input(name: str) -> bytes:
    """The bytes of a file. Raises WrongPlace when there is no such file, Malformed when it is no regular file.

    Raises NotPermitted or DiskFailed when the operating system does not let it be read.
    """
    try:
        return read_bytes(path_of(name))
    except OSError as error:
        if error.errno in WRONG_NAME:
            raise WrongPlace(f"{name} cannot be read: {error.strerror}") from error
        raise trouble(error, name, "read") from error


def write_output(name: str, data: bytes, note: str = "") -> None:
    """Writes the bytes whole, readable by others: a carried file holds no secret. `note` ends the sentence when it fails.

    Raises DiskFull, NotPermitted or DiskFailed.
    """
    with explained(name, "written", note):
        write_atomically(path_of(name), data, mode=0o644)


def check_output(name: str) -> None:
    """Raises, before anything else is done, when no file can be written there.

    WrongPlace for a name that is no place for a file; DiskFull, NotPermitted or DiskFailed when the operating system says no.
    """
    path = path_of(name)
    try:
        is_file = path.is_file() and not path.is_symlink()
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise WrongPlace(f"{name} cannot be written: name a file in a folder that is there")
        # A file that is renamed over a link, a device or a pipe would take its place.
        if not is_file and (path.exists() or path.is_symlink()):
            raise WrongPlace(f"{name} cannot be written: it is a link, a device or a pipe; name a file")
        if sys.platform == "win32" and is_file and not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, "it is read-only", name)
        check_writable(path)
    except OSError as error:
        if error.errno in WRONG_NAME:
            raise WrongPlace(f"{name} cannot be written: {error.strerror}") from error
        raise trouble(error, name, "written", "; nothing was changed") from error
