"""The events of many outputs of one kind, and the seats that they tell of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from checkout_log.columns import BORROW, CHECKOUT, SESSION
from checkout_log.sources import zones
from checkout_log.sources.part import Contents, Part, joined
from checkout_log.sources.snapshots.changes import Change, Server, changes, seconds
from checkout_log.sources.snapshots.model import Snapshot
from checkout_log.sources.snapshots.order import Form, in_order
from checkout_log.store import EventFile, Option, Seats


def read(
    form: Form, paths: Sequence[Path], folder: Path, where: ZoneInfo, first_segment: int, advance: Callable[[int], None]
) -> Contents:
    """What the snapshots in these files of one form say, with their events in one file in the folder. Raises SourceUnreadable."""
    parts = [Part(str(path), form.kind) for path in paths]
    servers: dict[str, Server] = {}
    contents = Contents([folder / f"{form.kind}.parquet"], parts)
    with EventFile(contents.files[0]) as events:
        events.add_rows(_rows(form, contents, servers, where, first_segment))
    for path in paths:
        advance(path.stat().st_size)
    spans = [(product, one.begin, one.end) for one in servers.values() for product in one.products if one.begin is not None]
    contents.spans = joined(spans, 0)
    return contents


def _rows(
    form: Form, contents: Contents, servers: dict[str, Server], where: ZoneInfo, first_segment: int
) -> Iterator[tuple[object, ...]]:
    clock, parts = zones.WallClock(where), contents.parts
    for snapshot in in_order(parts, form):
        server, part = servers.setdefault(snapshot.servers, Server()), parts[snapshot.file]
        now, is_double = clock.utc(seconds(snapshot.at))
        for change in changes(server, snapshot, now, clock):
            part.rows += 1
            part.ambiguous += change.is_ambiguous or is_double
            part.disagreeing += change.event == CHECKOUT and change.held.row.is_ahead
            yield _row(form.kind, change, first_segment + snapshot.file, is_double=is_double)
        part.disagreeing += snapshot.disagreeing
        contents.seats += _seats(form.kind, server, snapshot, now)
        contents.options += _options(form.kind, server, snapshot, now)
        server.products |= snapshot.products
        part.server, part.products = part.server or snapshot.servers or None, part.products | snapshot.products
        if snapshot.is_telling:
            server.begin, server.end = now if server.begin is None else server.begin, max(now, server.end)
            part.begin, part.end = now if part.begin is None else min(part.begin, now), max(part.end or now, now)


def _seats(kind: str, server: Server, snapshot: Snapshot, now: int) -> Iterator[Seats]:
    """What this snapshot says of seats that the one before it did not."""
    for total in snapshot.totals:
        said = total.issued, total.in_use - total.reserved
        if server.totals.get((total.product, total.feature)) != said:
            server.totals[total.product, total.feature] = said
            yield Seats(snapshot.servers, total.product, total.feature, now, *said, kind)


def _options(kind: str, server: Server, snapshot: Snapshot, now: int) -> Iterator[Option]:
    """What this snapshot says of uses that share a license, and the one before it did not."""
    for total in snapshot.totals:
        pair = total.product, total.feature
        if server.dup_groups.get(pair) != total.dup_group and total.dup_group is not None:
            yield Option(*pair, "dup-group", None, None, total.dup_group, None, now, kind)
        server.dup_groups[pair] = total.dup_group


def _row(kind: str, change: Change, segment: int, *, is_double: bool) -> tuple[object, ...]:
    product, feature, member, machine, *_ = change.key
    mode = BORROW if change.held.row.is_borrow else SESSION
    who = (change.held.handle or None, product, feature, member or None, None, machine or None, None, None)
    ends = (change.quantity, change.held.until, change.reason, kind, change.line)
    return (change.at, change.event, mode, *who, *ends, segment, 0, change.is_ambiguous or is_double)
