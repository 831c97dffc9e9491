"""What a group of files said, from the cache where none of them has changed, nor anything that their meaning hangs on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from checkout_log.sources.cache import Cache, digest_of, name_of
from checkout_log.sources.part import Contents, Part
from checkout_log.store import Option, Seats


def contents(
    cache: Cache | None,
    group: str,
    paths: Sequence[Path],
    folder: Path,
    meaning: Sequence[object],
    read: Callable[[], Contents],
) -> Contents:
    """What `read` gives, or gave of the same bytes in the same order under the same names and with the same meaning.

    meaning: whatever else the contents depend on. Raises what `read` raises.
    """
    if cache is None:
        return read()
    try:
        state = [name_of(*meaning), *(digest_of(path) for path in paths)]
    except OSError:
        return read()
    name = name_of(group, *(path.resolve() for path in paths))
    entry = cache.load(name, folder)
    if entry is not None and entry[0]["state"] == state:
        return _restored(*entry, paths)
    now = read()
    cache.save(name, {"state": state} | _saved(now), now.files)
    return now


def _saved(now: Contents) -> dict[str, Any]:
    """All that contents hold but for their files, as JSON has it."""
    parts = [{one.name: getattr(part, one.name) for one in fields(Part)} for part in now.parts]
    parts = [part | {"products": sorted(part["products"])} for part in parts]
    return {"parts": parts, "eras": now.eras, "spans": now.spans, "seats": now.seats, "options": now.options}


def _restored(body: dict[str, Any], files: list[Path], paths: Sequence[Path]) -> Contents:
    # The same files may be called by another way to them.
    called = {str(path.resolve()): str(path) for path in paths}
    parts = [Part(**(part | {"products": frozenset(part["products"])})) for part in body["parts"]]
    for part in parts:
        part.file = called.get(str(Path(part.file).resolve()), part.file)
    return Contents(
        files,
        parts,
        [tuple(era) for era in body["eras"]],
        [tuple(span) for span in body["spans"]],
        [Seats(*seats) for seats in body["seats"]],
        [Option(*option) for option in body["options"]],
    )
