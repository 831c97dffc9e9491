"""A FlexNet debug log that grew is scanned from where it was left.

What an earlier scan noted counts when the file still begins with the very bytes that it had then, up to the last line that was whole.
Then lines after it are scanned as they would have been in one go: a scan goes block by block, and wherever a block ends it goes on
with the same. Files that are packed, or of another form than plain text, are scanned anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import astuple
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from checkout_log.sources import text
from checkout_log.sources.cache import PIECE, Cache, name_of
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.scanning import RAW, Ahead, Place, Placed, RowFile, Scan, Stated, Step, finished, scan

# So many files of rows are read one by one; more are made one.
MOST_FILES = 16
_COUNTS = ("lines", "uses", "malformed", "first_day", "has_handles", "has_seats")


def resumed(path: Path, folder: Path, number: int, advance: Callable[[int], None], cache: Cache | None) -> Scan:
    """What this debug log says; of what the cache knows only the rest is scanned. Raises SourceUnreadable.

    number: tells its files of rows in the folder from others'. advance: is told the bytes done.
    """
    rows = folder / f"flexnet_{number}.arrow"
    if cache is None or not text.is_plain(path):
        return scan(path, rows, advance)
    name = name_of("flexnet", path.resolve())
    own, size, hashed = _known(path, cache.load(name, folder))
    advance(size)
    begun, is_whole, last = size, True, b""
    with RowFile(rows, own) as writer:
        for piece in text.raw_pieces(path, size):
            if not piece.endswith(b"\n"):
                # Either the last line, which may go on one day, or a file that is no text.
                is_whole, last = is_whole and len(piece) < text.BLOCK, piece
                if not is_whole:
                    writer.take(text.block(piece, own.lines + 1, is_first=size == 0))
                    last = b""
                continue
            writer.take(text.block(piece, own.lines + 1, is_first=size == 0))
            hashed.update(piece)
            size += len(piece)
            advance(len(piece))
    if is_whole and size > begun:
        _merge(own, folder / f"flexnet_{number}_all.arrow")
        cache.save(name, {"size": size, "digest": hashed.hexdigest(), "scan": _state(own)}, own.rows)
    # Zeros, and the mark of UTF-8, are no line.
    if text.has_text(last, is_first=size == 0):
        with RowFile(folder / f"flexnet_{number}_last.arrow", own) as writer:
            writer.take(text.block(last, own.lines + 1, is_first=size == 0))
    advance(len(last))
    return finished(own)


def _known(path: Path, entry: tuple[dict[str, Any], list[Path]] | None) -> tuple[Scan, int, Any]:
    """The scan of what the file began with, how many bytes that were, and their hash; a new scan where that is so no more."""
    if entry is not None:
        body, rows = entry
        hashed, left = hashlib.sha256(), int(body["size"])
        with path.open("rb") as stream:
            while left and (piece := stream.read(min(PIECE, left))):
                hashed.update(piece)
                left -= len(piece)
        if not left and hashed.hexdigest() == body["digest"]:
            return _restored(path, body["scan"], rows), int(body["size"]), hashed
    return Scan(path), 0, hashlib.sha256()


def _merge(own: Scan, target: Path) -> None:
    """Makes many files of rows one."""
    if len(own.rows) <= MOST_FILES:
        return
    with (
        pa.OSFile(str(target), "wb") as sink,
        pa.ipc.new_file(sink, RAW, options=pa.ipc.IpcWriteOptions(compression="lz4")) as file,
    ):
        for batch in own.batches():
            file.write_batch(batch)
    for path in own.rows:
        path.unlink()
    own.rows = [target]


def _state(own: Scan) -> dict[str, Any]:
    """All that a scan holds but for its rows, as JSON has it."""
    return {name: getattr(own, name) for name in _COUNTS} | {
        "places": [None if place is None else astuple(place) for place in (own.first, own.last)],
        "said": [None if placed is None else _placed(placed) for placed in (own.first_said, own.last_said)],
        "marks": [_placed(placed) for placed in own.marks],
        "settings": [[stated.line, stated.clock, *stated.setting] for stated in own.settings],
        "steps": [astuple(step) for step in own.steps],
        "ahead": [astuple(ahead) for ahead in own.ahead],
        "used": sorted(own.used),
    }


def _placed(placed: Placed) -> list[Any]:
    mark = placed.mark
    return [placed.line, placed.clock, *mark._replace(day=None), None if mark.day is None else mark.day.toordinal()]


def _restored(path: Path, state: dict[str, Any], rows: list[Path]) -> Scan:
    own = Scan(path, list(rows), **{name: state[name] for name in _COUNTS})
    own.first, own.last = (None if place is None else Place(*place) for place in state["places"])
    own.first_said, own.last_said = (None if placed is None else _mark(placed) for placed in state["said"])
    own.marks = [_mark(placed) for placed in state["marks"]]
    own.settings = [Stated(line, clock, grammar.Setting(*values)) for line, clock, *values in state["settings"]]
    own.steps = [Step(*step) for step in state["steps"]]
    own.ahead = [Ahead(*ahead) for ahead in state["ahead"]]
    own.used = set(state["used"])
    return own


def _mark(values: list[Any]) -> Placed:
    line, clock, *fields, day = values
    return Placed(line, clock, grammar.Mark(*fields)._replace(day=None if day is None else date.fromordinal(day)))
