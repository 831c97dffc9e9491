"""FlexNet debug logs, any number of them and in any order, as one history.

Rotated files are put in order by their dates, lines that two files have, or two pieces of one, are counted once, and the runs of
the servers go on from file to file. A file that names no day is dated by the file before or after it, in the order of their names.
"""

from __future__ import annotations

import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from checkout_log.sources import overlaps, runs, zones
from checkout_log.sources.cache import Cache
from checkout_log.sources.common import DAY, HOUR, LATE, Flags, Numbers
from checkout_log.sources.flexnet import dating, handles, issued
from checkout_log.sources.flexnet.dated import Dated, dated, pieces
from checkout_log.sources.flexnet.resuming import resumed
from checkout_log.sources.flexnet.scanning import RAW, Scan
from checkout_log.sources.flexnet.writing import write
from checkout_log.sources.named_zones import Taken, taken
from checkout_log.sources.part import FLEXNET, Contents, Part, joined, together
from checkout_log.store import EventFile

# Local times go back when summer ends: by less than this, lines of two files may seem to be in another order.
CLOCK_SET = 2 * HOUR
UTC = ZoneInfo("UTC")
# FlexNet's license administration guide, "Debug Log Messages".
FORKED = re.compile(r"(.+)_\d+")


def read(
    paths: Sequence[Path],
    folder: Path,
    given: ZoneInfo | None,
    first_segment: int,
    first_era: int,
    advance: Callable[[int], None],
    cache: Cache | None = None,
) -> Contents:
    """What these debug logs say, with their events in one file in the folder. Raises SourceUnreadable.

    given: the zone of logs that name none; UTC where none is given, and then a log that names another one contradicts nobody.
    """
    scans = [resumed(path, folder, at, advance, cache) for at, path in enumerate(paths)]
    _join_forks(scans)
    history = sorted(_dated(scans, given), key=lambda one: (one.begin, one.end))
    paired = handles.of_scans([one for one in scans if any(other.scan is one for other in history)])
    eras = itertools.count(first_era)
    servers: list[runs.Server] = []
    before: dict[int, list[Dated]] = defaultdict(list)
    contents = Contents([folder / "flexnet.parquet"])
    written: list[Part] = []
    with EventFile(contents.files[0]) as events:
        for segment, one in enumerate(history, first_segment):
            server = _server(one, history, servers)
            known = _known(one, before[id(server)])
            written.append(write(one, server, known, paired, segment, events, eras))
            written[-1].server = server.host
            before[id(server)].append(one)
    contents.parts = together(written)
    contents.parts += [_undated(scanned) for scanned in scans if all(one.scan is not scanned for one in history)]
    contents.eras = [row for server in servers for row in server.rows()]
    spans = ((name, begin, end) for one in history for name in one.scan.products for begin, end in one.observed())
    contents.spans = joined(spans, dating.STAMP_EVERY * zones.SECOND)
    contents.options = issued.options(history)
    contents.zones = {one.zone.where.key for one in history if one.zone.is_named and not one.zone.is_uncertain}
    contents.seats = list(issued.said(history, [_host(one, history) or "" for one in history]))
    for path in {path for scanned in scans for path in scanned.rows}:
        path.unlink()
    return contents


def _join_forks(scans: Sequence[Scan]) -> None:
    """Tells each file the parents of its forked daemons: one that cannot answer all requests starts `vendor_1`, `vendor_2`, ..."""
    daemons = set().union(*(scanned.daemons for scanned in scans))
    forks = {name: fork[1] for name in daemons if (fork := FORKED.fullmatch(name)) is not None and fork[1] in daemons}
    for scanned in scans:
        scanned.parents = forks


def _zones(scans: Sequence[Scan], given: ZoneInfo | None) -> list[Taken]:
    """The zone of each file: what its stamps name, and where they name none, what the other files of its server name."""
    names = [scanned.zone_names for scanned in scans]
    own = [taken(of_file, UTC if given is None else given) for of_file in names]
    if given is None:
        own = [zone if zone.is_uncertain else replace(zone, disagreeing=0) for zone in own]
    named = [(scanned, zone) for scanned, zone, of_file in zip(scans, own, names, strict=True) if of_file]
    return [
        zone if of_file or scanned.ahead else _zone_of_others(scanned, named, zone)
        for scanned, zone, of_file in zip(scans, own, names, strict=True)
    ]


def _zone_of_others(one: Scan, named: Sequence[tuple[Scan, Taken]], own: Taken) -> Taken:
    """The zone of the files that name one and have the same host or, where nobody says it, daemon; its own where they differ."""
    others = {
        zone.where: zone
        for scanned, zone in named
        if scanned.products & one.products and (one.host is None or scanned.host in (None, one.host))
    }
    return replace(next(iter(others.values())), disagreeing=0) if len(others) == 1 else own


def _dated(scans: Sequence[Scan], given: ZoneInfo | None) -> list[Dated]:
    """The files that can be dated, those without a stamp by their neighbors."""
    in_zones = _zones(scans, given)
    calendars = {at: days for at, scanned in enumerate(scans) if (days := dating.calendar(scanned)) is not None}
    dated_files = {at: dated(scans[at], days, in_zones[at]) for at, days in calendars.items()}
    order = sorted(range(len(scans)), key=lambda at: _natural(scans[at].path))
    is_more = True
    while is_more:
        more = {at: _by_neighbor(at, order, scans, dated_files, in_zones[at]) for at in order if at not in dated_files}
        known = {at: one for at, one in more.items() if one is not None}
        dated_files |= known
        is_more = bool(known)
    return [piece for one in dated_files.values() for piece in pieces(one)]


def _natural(path: Path) -> tuple[str, tuple[tuple[int, str], ...]]:
    """Names in the order in which people number them: log.2 before log.10."""
    pieces = re.split(r"(\d+)", path.name)
    return str(path.parent), tuple((int(piece), "") if piece.isdecimal() else (-1, piece) for piece in pieces)


def _by_neighbor(
    at: int, order: Sequence[int], scans: Sequence[Scan], dated_files: dict[int, Dated], zone: Taken
) -> Dated | None:
    """A file without stamps, dated by the file before or after it in the order of names, if one of them is dated."""
    one, place = scans[at], order.index(at)
    near = [order[other] for other in (place - 1, place + 1) if 0 <= other < len(order) and order[other] in dated_files]
    near = [other for other in near if scans[other].path.parent == one.path.parent and scans[other].products & one.products]
    if one.first is None or one.last is None or not near:
        return None
    nearest = min(near, key=lambda other: dated_files[other].begin) if len(near) > 1 else near[0]
    is_after = len(near) > 1 or (order.index(nearest) < place) != _is_newest_first(order, dated_files)
    neighbor = dated_files[nearest]
    if is_after:
        day = neighbor.local_end // DAY + (one.first.clock % DAY < neighbor.local_end % DAY - LATE) - one.first.clock // DAY
    else:
        day = neighbor.local_begin // DAY - (one.last.clock % DAY > neighbor.local_begin % DAY + LATE) - one.last.clock // DAY
    return dated(one, dating.continued(day), zone)


def _is_newest_first(order: Sequence[int], dated_files: dict[int, Dated]) -> bool:
    """Whether the dates go down while the numbers in the names go up, as with logrotate."""
    begins = [dated_files[at].begin for at in order if at in dated_files]
    return len(begins) > 1 and begins[0] > begins[-1]


def _server(one: Dated, history: Sequence[Dated], servers: list[runs.Server]) -> runs.Server:
    """The server that wrote this file: that of the same name, or where nobody says the name, one with the same daemons."""
    host = _host(one, history)
    same = (server for server in servers if server.host == host and (host is not None or server.products & one.scan.products))
    server = next(same, None)
    if server is None:
        server = runs.Server(host)
        servers.append(server)
    server.products |= one.scan.products
    return server


def _host(one: Dated, history: Sequence[Dated]) -> str | None:
    """The name of its server: in a file without one, that of the last file before it (or else after it) with the same daemons."""
    if one.scan.host is not None:
        return one.scan.host
    named = [other for other in history if other.scan.host is not None and other.scan.products & one.scan.products]
    nearest = min(named, key=lambda other: (other.begin > one.begin, abs(other.begin - one.begin)), default=None)
    return None if nearest is None else nearest.scan.host


def _known(one: Dated, earlier: Sequence[Dated]) -> Flags:
    """Which uses of this file the server's earlier files have too."""
    known = np.zeros(one.uses, dtype=bool)
    overlapping = [other for other in earlier if other.end + CLOCK_SET * zones.SECOND >= one.begin]
    if overlapping:
        until = max(other.local_end for other in overlapping) + CLOCK_SET
        places, own = _keys(one, one.local_begin - CLOCK_SET, until)
        others = (_keys(other, one.local_begin - CLOCK_SET, until)[1] for other in overlapping)
        known[places] = overlaps.repeated(own, overlaps.known(others))
    return known


def _keys(one: Dated, since: int, until: int) -> tuple[Numbers, overlaps.Keys]:
    """The uses of a file between two local times: their places in it, and what tells them apart, local time and text."""
    places, keys = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint64)]
    first = 0
    for batch in one.rows():
        local, _ = one.days.local(batch["line"].to_numpy(), batch["clock"].to_numpy())
        inside = np.flatnonzero((local >= since) & (local <= until))
        table = pa.table([pa.array(local), *batch.columns[2:]], names=["local", *RAW.names[2:]])
        places.append(first + inside)
        keys.append(overlaps.keys(table.take(pa.array(inside))))
        first += batch.num_rows
    return np.concatenate(places), np.concatenate(keys)


def _undated(one: Scan) -> Part:
    """A file of which nobody says what day it is: its uses are counted and left out."""
    return Part(str(one.path), FLEXNET, lines=one.lines, malformed=one.malformed, undated=one.uses)
