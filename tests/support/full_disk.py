"""What a disk refuses, made without the rights to make such a disk; POSIX only."""

from __future__ import annotations

import errno
import resource

# What the system says of a write, and the code that Carnet gives it.
DISK_REFUSALS: dict[str, tuple[int, str]] = {
    "no space": (errno.ENOSPC, "disk-full"),
    "over the quota": (errno.EDQUOT, "disk-full"),
    "read-only": (errno.EROFS, "not-permitted"),
    "forbidden": (errno.EACCES, "not-permitted"),
    "broken": (errno.EIO, "disk-failed"),
}


def too_little_room(most_bytes: int = 0) -> None:
    """Lets no file of this process grow beyond so many bytes, as a full disk or a quota does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))
