"""Where the workers of one server keep the times of requests together: files of a folder that begins empty with the server.

The files are of the multiprocess mode of prometheus-client, which reads the folder's name from the environment when it is
imported: this module, which prepares them, does not import it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

PREFIX, LOCK = "carnet-authority-times-", "lock"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Room for every route with every method many times over; what is larger grows by itself.
HISTOGRAM_BYTES, COUNTER_BYTES = 4 << 20, 1 << 20


@contextlib.contextmanager
def shared() -> Iterator[None]:
    """A folder for the workers that are started within the block. Where none can be made each worker knows its own times alone.

    What servers that were killed left goes first.
    """
    os.environ.pop(FOLDER, None)
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            _sweep()
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            _lock(stack.enter_context((folder / LOCK).open("xb")))
            os.environ[FOLDER] = str(folder)
            stack.callback(os.environ.pop, FOLDER, None)
        yield


def _sweep() -> None:
    """Removes the folders of servers that are gone: nobody holds their locks any more."""
    for lock in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{LOCK}"):
        with contextlib.suppress(OSError), lock.open("rb+") as stream:
            _lock(stream)
            shutil.rmtree(lock.parent, ignore_errors=True)


def _lock(stream: BinaryIO) -> None:
    """Takes the lock of a folder, for as long as the file is open. Raises OSError when somebody has it, and on Windows nothing."""
    if sys.platform != "win32":
        import fcntl

        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif stream.mode == "rb+":
        # There nobody can tell whose folder it is; the system empties the folder of temporary files.
        raise OSError


def prepare() -> None:
    """Makes the files of this worker, before they are used.

    They are written as far as they will be used, and mapped into memory afterwards: a file with holes would end the process
    (SIGBUS) when the disk is full at the moment at which one of them is filled.
    """
    folder = os.environ.get(FOLDER)
    if folder is None:
        return
    try:
        for kind, size in (("histogram", HISTOGRAM_BYTES), ("counter", COUNTER_BYTES)):
            path = Path(folder) / f"{kind}_{os.getpid()}.db"
            # Of an earlier worker that had this number, whose times go on to count.
            if not path.exists():
                # Named when it is whole: who collects reads every file with this ending.
                new = path.with_suffix(".new")
                new.write_bytes(bytes(size))
                new.rename(path)
    except OSError:
        del os.environ[FOLDER]
