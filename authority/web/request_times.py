"""Where the workers of one server keep the times of requests together: files of a folder that begins empty with the server.

The files are of the multiprocess mode of prometheus-client, which reads the folder's name from the environment when it is
imported: this module, which prepares them, does not import it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Room for every route with every method many times over; what is larger grows by itself.
HISTOGRAM_BYTES, COUNTER_BYTES = 4 << 20, 1 << 20


@contextlib.contextmanager
def shared(host: str, port: int) -> Iterator[None]:
    """A folder for the workers that are started within the block of a server at this address, which has it alone.

    What a server that was killed left of it goes first. Where no folder can be made each worker knows its own times alone.
    """
    folder = _fresh(f"carnet-authority-{host.replace(':', '.').replace('%', '.')}-{port}")
    if folder is None:
        os.environ.pop(FOLDER, None)
        yield
        return
    os.environ[FOLDER] = str(folder)
    try:
        yield
    finally:
        os.environ.pop(FOLDER, None)
        shutil.rmtree(folder, ignore_errors=True)


def _fresh(name: str) -> Path | None:
    with contextlib.suppress(OSError):
        folder = Path(tempfile.gettempdir()) / name
        shutil.rmtree(folder, ignore_errors=True)
        try:
            folder.mkdir(0o700)
        except FileExistsError:
            # Somebody else's, who has the same temporary folder.
            return Path(tempfile.mkdtemp(prefix=f"{name}-"))
        return folder
    return None


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
