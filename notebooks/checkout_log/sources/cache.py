"""What was read once, kept in a folder, so that the next reading costs what is new.

An entry is a small file under a name, a line that tells that it is whole and JSON after it, and data files under the digests of what they hold. Both are written elsewhere first and
then put under their name at once, so that two who read at the same time see whole entries, of one or the other. Whatever does not fit,
an entry of another version of this library, one that is damaged, or whose data is gone, is as if it were not there. Files are for the
one who wrote them alone: they hold names of users and machines.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import cache as computed_once
from pathlib import Path
from tempfile import mkstemp
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

from checkout_log.errors import CacheUnusable
from checkout_log.sources.common import FIRST_YEAR

PIECE = 1024 * 1024
ENTRY, DATA, DRAFT = ".json", ".data", ".draft"
# What nobody asked for in so long is removed; and data of no entry, unless somebody may just be about to write its entry.
KEPT, WRITING = timedelta(days=60), timedelta(hours=1)
# Rules of clocks are told apart by their offsets at so many days' distance.
SAMPLED = timedelta(days=5)


class Cache:
    """A folder of entries."""

    def __init__(self, folder: Path) -> None:
        """The folder is made where it is not there. Raises CacheUnusable."""
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._draft(b"").unlink()
        except OSError as error:
            raise CacheUnusable(
                f'"{folder}" cannot hold what was read: {error.strerror or error}',
                hint="Name a folder that you may write into, or leave it out.",
            ) from error

    def load(self, name: str, into: Path) -> tuple[dict[str, Any], list[Path]] | None:
        """What an entry says, and copies of its data in a folder, in order; None where there is none that fits."""
        path = self._folder / f"{name}{ENTRY}"
        try:
            check, _, text = path.read_bytes().partition(b"\n")
            if check.decode("ascii", "replace") != _check(text):
                return None
            body: dict[str, Any] = json.loads(text)
            copies = [self._copied(str(digest), into) for digest in body["data"]]
            # Who uses it wants it kept.
            os.utime(path)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return None if None in copies else (body, [copy for copy in copies if copy is not None])

    def save(self, name: str, body: dict[str, Any], data: Sequence[Path]) -> None:
        """Puts an entry in the place of what has its name. What cannot be written is not kept."""
        try:
            digests = [self._stored(path) for path in data]
            text = json.dumps(body | {"data": digests}).encode()
            draft = self._draft(_check(text).encode("ascii") + b"\n" + text)
            draft.replace(self._folder / f"{name}{ENTRY}")
            self._tidy()
        except OSError:
            return

    def _copied(self, digest: str, into: Path) -> Path | None:
        """A copy of this data; None where it is not what it was."""
        hashed, copy = hashlib.sha256(), into / f"cached_{digest}_{time.monotonic_ns()}"
        with (self._folder / f"{digest}{DATA}").open("rb") as source, copy.open("xb") as target:
            while piece := source.read(PIECE):
                hashed.update(piece)
                target.write(piece)
        return copy if hashed.hexdigest() == digest else None

    def _stored(self, path: Path) -> str:
        """The digest of a file, which is stored under it."""
        digest = digest_of(path)
        target = self._folder / f"{digest}{DATA}"
        if not target.exists() or target.stat().st_size != path.stat().st_size:
            self._draft(path.read_bytes()).replace(target)
        # Nobody takes it for forgotten before its entry is there.
        os.utime(target)
        return digest

    def _draft(self, data: bytes) -> Path:
        """A new file with these bytes, which only its owner may read."""
        number, name = mkstemp(suffix=DRAFT, dir=self._folder)
        with os.fdopen(number, "wb") as stream:
            stream.write(data)
        return Path(name)

    def _tidy(self) -> None:
        """Removes entries that nobody asked for in a long time, and data and drafts that no entry needs."""
        now, needed = time.time(), set()
        for entry in self._folder.glob(f"*{ENTRY}"):
            with suppress(OSError, ValueError, KeyError, TypeError):
                if now - entry.stat().st_mtime > KEPT.total_seconds():
                    entry.unlink()
                    continue
                needed |= {f"{digest}{DATA}" for digest in json.loads(entry.read_bytes().partition(b"\n")[2])["data"]}
        for path in (*self._folder.glob(f"*{DATA}"), *self._folder.glob(f"*{DRAFT}")):
            with suppress(OSError):
                if path.name not in needed and now - path.stat().st_mtime > WRITING.total_seconds():
                    path.unlink()


def _check(text: bytes) -> str:
    """What tells that an entry is whole, and was written by this very library."""
    return hashlib.sha256(version().encode("ascii") + text).hexdigest()


def name_of(*parts: object) -> str:
    """The name of an entry about these things."""
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()


def digest_of(path: Path) -> str:
    """The digest of all bytes of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def clock_of(where: ZoneInfo) -> str:
    """What tells the rules of a time zone from others, also from its own of another year's table of zones."""
    days = pd.date_range(f"{FIRST_YEAR}-01-01", "2040-01-01", freq=SAMPLED, tz="UTC").tz_convert(where)
    offsets = np.asarray(days.tz_localize(None).asi8)
    return f"{where.key} {hashlib.sha256(offsets.tobytes()).hexdigest()}"


@computed_once
def version() -> str:
    """What tells this library's reading from another's: its own code, and that of what it stands on."""
    own = Path(__file__).resolve().parents[1]
    return name_of(pa.__version__, pd.__version__, np.__version__, *_texts(sorted(own.rglob("*.py"))))


def _texts(paths: Iterable[Path]) -> Iterable[str]:
    for path in paths:
        yield path.name
        yield path.read_text(encoding="utf-8")
