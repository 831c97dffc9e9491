"""The files that people carry: UTF-8 JSON objects that begin with their kind and version."""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verifier.errors import Malformed, UnsupportedVersion
from verifier.jose import strict_object

LARGEST_FILE = 256 * 1024
LARGEST_STATUS_FILE = 2 * 1024 * 1024

# Contract, section 3: the members of each kind besides "carnet" and "version".
MEMBERS: Mapping[str, frozenset[str]] = {
    "trust": frozenset({"roots", "organization", "updates"}),
    "authorization": frozenset({"authorization"}),
    "request": frozenset({"request"}),
    "borrow": frozenset({"authorization", "borrow", "status_list"}),
    "return": frozenset({"receipt"}),
    "status": frozenset({"authorization", "status_list"}),
    "clock-reset": frozenset({"authorization", "reset"}),
}


def parse(data: bytes | str, kind: str | None = None) -> tuple[str, dict[str, Any]]:
    """The kind of a file and its members. Raises Malformed, also when it is not of the `kind` asked for, or UnsupportedVersion."""
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else bytes(data)
    if len(raw) > LARGEST_STATUS_FILE:
        raise Malformed(f"the file has {len(raw)} bytes, at most {LARGEST_STATUS_FILE} are read", size=len(raw))
    members = strict_object(raw)
    found, version = members.pop("carnet", None), members.pop("version", None)
    if not isinstance(found, str) or found not in MEMBERS:
        raise Malformed('the file does not say with "carnet" which kind it is')
    if type(version) is not int or version != 1:
        raise UnsupportedVersion(f"the {found} file is of version {version!r}, this program reads 1")
    if kind is not None and found != kind:
        raise Malformed(f"a {kind} file is wanted, this is a {found} file", kind=found)
    if found != "status" and len(raw) > LARGEST_FILE:
        raise Malformed(f"the file has {len(raw)} bytes, a {found} file has at most {LARGEST_FILE}", size=len(raw))
    if members.keys() != MEMBERS[found]:
        raise Malformed(f"a {found} file has the members {sorted(MEMBERS[found])}, not {sorted(members)[:9]}")
    return found, members


def render(kind: str, members: Mapping[str, Any]) -> bytes:
    """The bytes of a file of this kind, the same for the same members."""
    return (json.dumps({"carnet": kind, "version": 1, **members}, indent=2, ensure_ascii=False) + "\n").encode()


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
