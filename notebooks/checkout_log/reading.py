"""Logs come in, of any kinds and from any places, and one `Log` comes out."""

from __future__ import annotations

import shutil
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import mkdtemp
from zoneinfo import ZoneInfo

import pandas as pd
from rich.console import Console
from rich.progress import Progress

from checkout_log import timezones
from checkout_log.columns import EVENTS, names
from checkout_log.engine import Engine
from checkout_log.errors import SourceNotRecognized
from checkout_log.log import Log
from checkout_log.quality import frame
from checkout_log.sources import database, export, licenses, options, overlaps, recognize
from checkout_log.sources.cache import Cache, clock_of
from checkout_log.sources.flexnet import files as flexnet_files
from checkout_log.sources.lmstat import files as lmstat
from checkout_log.sources.lmx import files as lmx
from checkout_log.sources.part import (
    DATABASE,
    EXPORT,
    FLEXNET,
    LICENSES,
    LMSTAT,
    LMX,
    OPTIONS,
    RLM_DEBUG,
    RLM_REPORT,
    UNKNOWN,
    Contents,
    Part,
    covered,
    joined,
)
from checkout_log.sources.places import Input, Source, inputs_of
from checkout_log.sources.recognize import EXPORT_CSV, EXPORT_LINES, EXPORT_PARQUET, SQLITE
from checkout_log.sources.remembered import contents as contents_of
from checkout_log.sources.rlm import files as rlm
from checkout_log.sources.servers import of_server
from checkout_log.store import Folder, Stored, frame_of_options, frame_of_seats

# What is read beside a log and is none.
BESIDE = {LICENSES: "a license file", OPTIONS: "an options file"}
# What lists who has a license at a moment.
LISTS = {LMSTAT: lmstat, LMX: lmx}
READERS = {EXPORT_LINES: export.read_lines, EXPORT_CSV: export.read_csv, EXPORT_PARQUET: export.read_parquet}


def read(
    *sources: Source,
    timezone: str | None = "UTC",
    fold_case: bool = True,
    cache: str | PathLike[str] | None = None,
    servers: Mapping[str, Sequence[Source]] | None = None,
) -> Log:
    """The log that these sources hold together.

    Args:
        sources: paths of files, patterns with * and ?, folders (all files below, without hidden ones) and addresses of the
            authority's database, in any order and mixture. Each file is recognized by its text: the authority's export (JSON
            lines, CSV, Parquet), FlexNet debug logs, outputs of `lmstat -a` and of LM-X's `lmxendutil -licstat`, RLM's report
            and debug logs; also packed by gzip, bzip2 or xz. A license file beside them says how many seats there are, an options file who may have them.
            A file that was named must be one of these; one that a pattern or folder brought along is listed in the quality
            frame as `unknown` if it is none.
        timezone: IANA name of the zone that the license servers' clocks show, for logs whose lines do not say it; None for
            the one that the FlexNet logs name where it is one, else UTC. A FlexNet log that names another zone than was given, such as
            CET, is read with that one, and `disagreeing` counts it.
        fold_case: names of users and of machines that differ in case alone, as mira and MIRA, are one, under the spelling that
            comes most often, as the authority holds it; False keeps them apart.
        cache: a folder in which what was read is kept, so that a log that has grown costs what is new. What of it does not fit any
            more is made anew. It holds names of users and machines, as the logs do, and is for its owner alone.
        servers: the sources of each license server, by a name for it. Two servers with one vendor daemon are one where they are read
            together; here the products of each bear its name ("berlin/cadmd"), and nothing of one counts with the other's.

    What cannot be read in a file is counted in `Log.quality()` and never fatal. The events are kept in a temporary folder that
    goes away with the log.

    Raises:
        SourceNotFound: there is no such file, folder or database.
        SourceNotRecognized: a named file is none of these logs, or none of all files is.
        SourceUnreadable: a file or database is there and cannot be read.
        ColumnsWrong: an export has other columns than an export has.
        QuestionInvalid: there is no such time zone.
        CacheUnusable: the folder of the cache cannot be made or written into.
    """
    where = None if timezone is None else timezones.named(timezone)
    memory = None if cache is None else Cache(Path(cache))
    folder, contents = Folder(), Contents()
    if sources or not servers:
        contents.add(_together(sources, folder.path, where, memory))
    for server, own in (servers or {}).items():
        apart = Path(mkdtemp(dir=folder.path))
        first_segment, first_era = len(contents.parts), max((era for era, *_rest in contents.eras), default=0)
        contents.add(of_server(_together(own, apart, where, memory), server, folder.path, first_segment, first_era))
        shutil.rmtree(apart)
    zone = _named_zone(contents) if where is None else where
    return Log(_stored(contents, zone.key, folder, is_case_folded=fold_case), Engine())


def _named_zone(contents: Contents) -> ZoneInfo:
    """The zone that the logs name, where it is one; else UTC."""
    return ZoneInfo(next(iter(contents.zones)) if len(contents.zones) == 1 else "UTC")


def _together(sources: Sequence[Source], folder: Path, where: ZoneInfo | None, cache: Cache | None) -> Contents:
    """What these sources say together, with their events in files in the folder."""
    kinds, unknown = _recognized(inputs_of(sources))
    with _progress(kinds) as advance:
        contents = _contents(kinds, folder, where, cache, advance)
    contents.parts += unknown
    return contents


def _recognized(wanted: Sequence[Input]) -> tuple[dict[str, list[Path | str]], list[Part]]:
    """The places of each kind, and the files that nobody named and that are no logs."""
    kinds: dict[str, list[Path | str]] = defaultdict(list)
    unknown: list[Part] = []
    for one in wanted:
        if isinstance(one.place, str):
            kinds[DATABASE].append(one.place)
            continue
        try:
            kinds[recognize.kind(one.place)].append(one.place)
        except SourceNotRecognized:
            if one.is_named:
                raise
            unknown.append(Part(str(one.place), UNKNOWN))
    if kinds and set(kinds) <= BESIDE.keys():
        beside = next(iter(kinds))
        raise SourceNotRecognized(
            f'"{kinds[beside][0]}" is {BESIDE[beside]}',
            hint="Give the log of the server that has it, and this file beside it.",
        )
    if not kinds:
        raise SourceNotRecognized(f"none of {len(unknown)} files is a log that is known", hint=recognize.HINT)
    return kinds, unknown


@contextmanager
def _progress(kinds: dict[str, list[Path | str]]) -> Iterator[Callable[[int], None]]:
    """Tells how far the reading is, on a terminal and nowhere else; what it gives is called with the bytes done."""
    files = [place for places in kinds.values() for place in places if isinstance(place, Path)]
    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Reading", total=sum(path.stat().st_size for path in files))
        yield lambda done: progress.advance(task, done)


def _contents(
    kinds: dict[str, list[Path | str]],
    folder: Path,
    given: ZoneInfo | None,
    cache: Cache | None,
    advance: Callable[[int], None],
) -> Contents:
    """What all sources say. Segments and runs are numbered through."""
    paths = {kind: [place for place in places if isinstance(place, Path)] for kind, places in kinds.items()}
    contents = _of_exports(kinds, folder, cache, advance)
    if FLEXNET in paths:
        contents.add(flexnet_files.read(paths[FLEXNET], folder, given, len(contents.parts), 1, advance, cache))
    where = _named_zone(contents) if given is None else given
    clock = "" if cache is None else clock_of(where)
    for kind, reader in LISTS.items():
        if kind in paths:
            own, first = paths[kind], len(contents.parts)
            read_now = partial(reader.read, own, folder, where, first, advance)
            contents.add(contents_of(cache, kind, own, folder, (clock, first), read_now))
    only = kinds.keys() - BESIDE.keys()
    if only <= LISTS.keys() and all(part.begin is None for part in contents.parts):
        kind = next(kind for kind in LISTS if kind in only)
        raise LISTS[kind].nothing_listed(paths[kind][0])
    of_rlm = [(path, kind) for kind in (RLM_REPORT, RLM_DEBUG) for path in paths.get(kind, ())]
    if of_rlm:
        numbers = len(contents.parts), len(contents.eras) + 1
        # The year of a debug log is that of its file.
        changed = [path.stat().st_mtime_ns for path in paths.get(RLM_DEBUG, ())]
        contents.add(
            contents_of(
                cache,
                "rlm",
                [path for path, _ in of_rlm],
                folder,
                (clock, *numbers, *(kind for _, kind in of_rlm), *changed),
                lambda: rlm.read(of_rlm, folder, where, *numbers, advance),
            )
        )
    return _with_files_beside(contents, paths, where)


def _with_files_beside(contents: Contents, paths: dict[str, list[Path]], where: ZoneInfo) -> Contents:
    """The contents with what license files and options files say."""
    if LICENSES in paths:
        contents.add(licenses.read(paths[LICENSES], where))
    if OPTIONS in paths:
        products = {name for part in contents.parts for name in part.products} | {one.product for one in contents.seats}
        contents.add(options.read(paths[OPTIONS], {name.lower(): name for name in products}))
    return contents


def _of_exports(
    kinds: dict[str, list[Path | str]], folder: Path, cache: Cache | None, advance: Callable[[int], None]
) -> Contents:
    """What the authority's exports and databases say; what is in a database may change at any time, and is always asked for."""
    own = [(kind, place) for kind in READERS for place in kinds.get(kind, ())]
    files = [place for _, place in own if isinstance(place, Path)]
    if cache is None or not own or SQLITE in kinds or DATABASE in kinds:
        return _exported(kinds, folder, advance)
    return contents_of(cache, EXPORT, files, folder, [kind for kind, _ in own], lambda: _exported(kinds, folder, advance))


def _exported(kinds: dict[str, list[Path | str]], folder: Path, advance: Callable[[int], None]) -> Contents:
    """What the authority's exports and databases say; what two of them have is counted once."""
    written: list[tuple[Part, Path]] = []
    for kind in (*READERS, SQLITE, DATABASE):
        for place in kinds.get(kind, ()):
            number = len(written)
            target = folder / f"export_{number}.parquet"
            if isinstance(place, Path) and kind in READERS:
                part = READERS[kind](place, target, number)
            else:
                part = database.read(database.file_address(place) if isinstance(place, Path) else place, target, number)
            written.append((part, target))
            advance(place.stat().st_size if isinstance(place, Path) else 0)
    if not written:
        return Contents()
    overlaps.one_file(written, folder / "exports.parquet", names(EVENTS))
    parts = [part for part, _ in written]
    return Contents([folder / "exports.parquet"], parts, [], joined(covered(parts), 0))


def _stored(contents: Contents, timezone: str, folder: Folder, *, is_case_folded: bool) -> Stored:
    eras = pd.DataFrame(contents.eras, columns=["era", "product", "begin", "end"])
    # A log of a single moment covers the shortest time that there is: shares of it are shares of what was seen.
    lasting = [(product, begin, max(end, begin + 1)) for product, begin, end in contents.spans]
    spans = pd.DataFrame(lasting, columns=["product", "begin", "end"])
    return Stored(
        files=tuple(contents.files),
        eras=eras.astype({"era": "int64", "product": "string", "begin": "int64", "end": "Int64"}),
        spans=spans.astype({"product": "string", "begin": "int64", "end": "int64"}),
        seats=frame_of_seats(contents.seats),
        options=frame_of_options(contents.options),
        quality=frame(contents.parts),
        timezone=timezone,
        is_case_folded=is_case_folded,
        folder=folder,
    )
