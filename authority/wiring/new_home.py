"""A home that is being made: all of it, or nothing of it is left."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from authority.domain.disk import UNCHANGED, explained


@contextlib.contextmanager
def new_home(home: Path, folders: Sequence[Path], files: Sequence[Path]) -> Iterator[None]:
    """A block that makes a home with these folders and files. When it raises, what was not there before is removed again.

    One process at a time: a second one waits, and finds what the first one made. Raises DiskFull, NotPermitted, DiskFailed.
    """
    parents = [parent for parent in home.absolute().parents if not parent.exists()]
    is_new = not home.exists()
    with explained(home, "made", UNCHANGED):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with _alone(home):
            new = [path for path in (*folders, *files) if not path.exists()]
            try:
                yield
            except BaseException:
                for path in new:
                    _remove(path)
                raise
    except BaseException:
        # Only while they are empty: another process may have begun to use them.
        for folder in ([home] if is_new else []) + parents:
            with contextlib.suppress(OSError):
                folder.rmdir()
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink()


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Waits for the lock of a folder; a share without locks has none to wait for."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with explained(home, "read", UNCHANGED):
        descriptor = os.open(home, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
