"""The lock on a file, by which changes of the state come one after the other, also those of other processes."""

from __future__ import annotations

import errno
import sys
import time

# What flock() answers where there is nobody to keep locks.
WITHOUT_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
# A change takes milliseconds. One that holds the lock for longer was stopped, or holds it on purpose.
SECONDS = 30.0
PAUSE_SECONDS = 0.02
# What msvcrt.locking() answers while another has the lock, nothing at all under Wine; and flock().
TAKEN = frozenset({errno.EACCES, errno.EDEADLK, 0} if sys.platform == "win32" else {errno.EWOULDBLOCK, errno.EACCES})


def take(descriptor: int, *, wait: bool) -> None:
    """Takes the lock on an open file, after waiting up to SECONDS where `wait` is true.

    Raises OSError: one of WITHOUT_LOCKS where there are none, EBUSY while somebody else has it.
    """
    end = time.monotonic() + (SECONDS if wait else 0)
    while True:
        try:
            _try_to_take(descriptor)
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            if time.monotonic() >= end:
                raise OSError(errno.EBUSY, "another carnet is at work there and does not end") from error
        else:
            return
        time.sleep(PAUSE_SECONDS)


def _try_to_take(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def give_back(descriptor: int) -> None:
    """Gives the lock back. Elsewhere the end of the file does that; Windows says of itself that it may take its time."""
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
