"""What kind of file system a folder is on, and whether this user can write there."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from pathlib import Path

from authority.domain.disk import explained

# Linux says here what is mounted where (proc_pid_mountinfo(5)); elsewhere there is no such file, and nothing is said.
MOUNTS = Path("/proc/self/mountinfo")
# Locks and shared memory of these do not reach the other machines that have them mounted (https://sqlite.org/wal.html).
NETWORK = frozenset(
    {"9p", "afs", "afp", "beegfs", "ceph", "cifs", "glusterfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
OF_FUSE = ("ceph", "gluster", "nfs", "rclone", "s3fs", "smb", "sshfs")
# What is there is gone when the machine starts again.
IN_MEMORY = frozenset({"ramfs", "tmpfs"})
_ESCAPED = re.compile(r"\\([0-7]{3})")


def kind_of(path: Path) -> str | None:
    """The type of the file system that a path is on, like ext4 or nfs4; None where the system does not say."""
    kind, longest = None, -1
    wanted = path.absolute()
    with contextlib.suppress(OSError):
        wanted = wanted.resolve()
    for point, name in _mounts():
        # What was mounted later over the same folder stands later.
        if (wanted == point or point in wanted.parents) and len(point.parts) >= longest:
            kind, longest = name, len(point.parts)
    return kind


def is_network(kind: str | None) -> bool:
    """Whether a file system of this type is another machine's."""
    if kind is None:
        return False
    return kind in NETWORK or (kind.startswith("fuse.") and any(name in kind for name in OF_FUSE))


def _mounts() -> list[tuple[Path, str]]:
    """Where something is mounted, and the type of it."""
    try:
        lines = MOUNTS.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return []
    mounts = []
    for line in lines:
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if separator and len(fields) > 4 and after:  # noqa: PLR2004 - the fifth field is the folder
            point = _ESCAPED.sub(lambda match: chr(int(match[1], 8)), fields[4])
            mounts.append((Path(point), after.split(" ")[0]))
    return mounts


def check_writable(folder: Path) -> None:
    """Makes an empty file in a folder and removes it, for permissions say nothing of what is mounted for reading alone.

    Raises DiskFull, NotPermitted or DiskFailed.
    """
    with explained(folder, "written to"):
        descriptor, name = tempfile.mkstemp(prefix=".doctor.", suffix=".new", dir=folder)
        os.close(descriptor)
        os.unlink(name)
