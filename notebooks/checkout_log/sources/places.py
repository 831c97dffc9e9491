"""What the reader was asked to read: paths, patterns and folders become files, addresses stay addresses."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from os import PathLike, fspath
from pathlib import Path

from checkout_log.errors import SourceNotFound, SourceUnreadable
from checkout_log.sources import database

Source = str | PathLike[str]


@dataclass(frozen=True, slots=True)
class Input:
    """A file or the address of a database; `is_named`: the caller named this very one, so it must be a log."""

    place: Path | str
    is_named: bool


def inputs_of(sources: Iterable[Source]) -> list[Input]:
    """Each file and address once, in the order asked for. Raises SourceNotFound, SourceUnreadable."""
    places: dict[Path | str, Input] = {}
    for source in sources:
        for one in _each(fspath(source)):
            key = one.place.resolve() if isinstance(one.place, Path) else one.place
            if key not in places or one.is_named:
                places[key] = one
    if not places:
        raise SourceNotFound("there is nothing to read", hint="Name at least one file, folder or database.")
    return list(places.values())


def _each(source: str) -> Iterator[Input]:
    if database.is_address(source):
        yield Input(source, is_named=True)
        return
    path = Path(source)
    try:
        if path.is_file():
            yield Input(path, is_named=True)
            return
        names = (
            _below(path)
            if path.is_dir()
            else sorted(name for name in glob.glob(source, recursive=True) if Path(name).is_file())
        )
    except PermissionError as error:
        raise SourceUnreadable(f'"{source}" cannot be read: {error.strerror}', hint="Check that you may read it.") from error
    except (OSError, ValueError) as error:
        raise SourceNotFound(f'"{source}" is no path', hint="Check its spelling.") from error
    if not names and path.is_dir():
        raise SourceNotFound(f'there is no file in the folder "{source}"', hint="Name the folder that the server writes into.")
    if not names and (path.exists() or path.is_symlink()):
        raise SourceUnreadable(
            f'"{source}" cannot be read: it is no file but a device, a pipe or a link to nothing',
            hint="Write what is to be read into a file, and name that.",
        )
    if not names:
        raise SourceNotFound(f'there is no file "{source}"', hint="Check its spelling, and from which folder it counts.")
    for name in names:
        yield Input(Path(name), is_named=False)


def _below(folder: Path) -> list[str]:
    """The files in a folder and its folders, without hidden ones."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in files if not any(part.startswith(".") for part in path.relative_to(folder).parts))
