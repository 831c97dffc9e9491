"""Outputs of `lmstat -a`, one or many, as events.

A snapshot lists who holds what since when. Somebody new is a checkout at the start that the row says. Somebody who is gone
was checked in at some time since the snapshot before: the event is dated at the later one and flagged. Somebody who waits is
a denial with the reason `queued`, counted once for as long as it goes on. Of a vendor daemon that was down or did not answer
a snapshot says nothing: nobody is gone because of it.

`linger` marks a borrow, and counts from the start. When the license server starts again the start is set anew and the count
no longer tells when the borrow is due: a borrow that was seen before keeps the due time it had, another has none. A borrow
that is gone when it was due ran out, and was not checked in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from checkout_log.columns import BORROW, CHECKIN, CHECKOUT, DENIAL, SESSION, UPGRADE
from checkout_log.sources import zones
from checkout_log.sources.common import QUEUED
from checkout_log.sources.lmstat.rows import Row
from checkout_log.sources.lmstat.snapshots import UNKNOWN, Key, Snapshot, in_order
from checkout_log.sources.part import LMSTAT, Contents, Part, joined
from checkout_log.store import EventFile

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are counted from it
# What one and the same borrow keeps when the license server starts again: product, feature, user, host and display.
KEPT = 5


@dataclass(frozen=True, slots=True)
class Held:
    """A use that is on: its row, the handle of its checkout, and its due time in whole microseconds UTC, if it is known."""

    row: Row
    handle: str
    until: int | None


@dataclass(slots=True)
class Server:
    """What a license server was last seen to give out, and the times of its first and last snapshot."""

    held: dict[Key, Held] = field(default_factory=dict)
    products: set[str] = field(default_factory=set)
    begin: int | None = None
    end: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """What a snapshot says that the one before it did not: an event but for its place in the store."""

    at: int
    event: str
    key: Key
    held: Held
    quantity: int
    line: int
    is_ambiguous: bool
    reason: str | None = None


def read(paths: Sequence[Path], folder: Path, where: ZoneInfo, first_segment: int, advance: Callable[[int], None]) -> Contents:
    """What these snapshots say, with their events in one file in the folder. Raises SourceUnreadable."""
    parts = [Part(str(path), LMSTAT) for path in paths]
    servers: dict[str, Server] = {}
    target = folder / "lmstat.parquet"
    with EventFile(target) as events:
        events.add_rows(_rows(parts, servers, where, first_segment))
    for path in paths:
        advance(path.stat().st_size)
    spans = [(product, one.begin, one.end) for one in servers.values() for product in one.products if one.begin is not None]
    return Contents([target], parts, [], joined(spans, 0))


def _rows(
    parts: Sequence[Part], servers: dict[str, Server], where: ZoneInfo, first_segment: int
) -> Iterator[tuple[object, ...]]:
    clock = zones.WallClock(where)
    for snapshot in in_order(parts):
        server, part = servers.setdefault(snapshot.servers, Server()), parts[snapshot.file]
        now, is_double = clock.utc(_seconds(snapshot.at))
        for change in _changes(server, snapshot, now, clock):
            part.rows += 1
            part.ambiguous += change.is_ambiguous or is_double
            yield _row(change, first_segment + snapshot.file, is_double=is_double)
        server.products |= snapshot.products
        if snapshot.is_telling:
            server.begin, server.end = now if server.begin is None else server.begin, max(now, server.end)
        part.begin, part.end = now if part.begin is None else min(part.begin, now), max(part.end or now, now)
        part.products |= snapshot.products


def _row(change: Change, segment: int, *, is_double: bool) -> tuple[object, ...]:
    product, feature, member, machine, *_ = change.key
    mode = BORROW if change.held.row.linger is not None else SESSION
    who = (change.held.handle, product, feature, member, None, machine, None, None)
    ends = (change.quantity, change.held.until, change.reason, LMSTAT, change.line)
    return (change.at, change.event, mode, *who, *ends, segment, 0, change.is_ambiguous or is_double)


def _changes(server: Server, snapshot: Snapshot, now: int, clock: zones.WallClock) -> Iterator[Change]:
    """What happened between the last snapshot of this server and this one; the server holds what this one shows afterwards."""
    before, after = server.held, snapshot.users
    covered = snapshot.products | ({UNKNOWN} if snapshot.is_telling else set())
    came = [key for key in after if key not in before]
    gone = {key: before[key] for key in before if key not in after and key[0] in covered}
    held = {key: before[key] for key in before if key not in gone}
    renewed = _renewed(came, gone, after)
    held |= {key: Held(after[key][1], gone.pop(old).handle, before[old].until) for key, old in renewed.items()}
    resets = {key[-1] for key in renewed}
    for key in came:
        if key not in renewed:
            change = _arrival(key, *after[key], now, clock, resets)
            held[key] = change.held
            yield change
    for key, old in gone.items():
        is_due = old.until is not None and old.until <= now
        if key[-1] is not None and not is_due:
            yield Change(now, CHECKIN, key, old, old.row.quantity, snapshot.line, is_ambiguous=True)
    yield from _resized(held, before, after, now)
    server.held = {key: Held(after[key][1], one.handle, one.until) if key in after else one for key, one in held.items()}


def _renewed(came: list[Key], gone: dict[Key, Held], after: dict[Key, tuple[int, Row]]) -> dict[Key, Key]:
    """Borrows that seem new because the license server started again: their keys now, and before."""
    old = {key[:KEPT]: key for key, one in gone.items() if one.row.linger is not None}
    return {key: old.pop(key[:KEPT]) for key in came if after[key][1].linger is not None and key[:KEPT] in old}


def _arrival(key: Key, line: int, row: Row, now: int, clock: zones.WallClock, resets: set[datetime | None]) -> Change:
    if row.start is None:
        return Change(now, DENIAL, key, Held(row, row.handle, None), row.quantity, line, is_ambiguous=False, reason=QUEUED)
    at, is_double = clock.utc(_seconds(row.start))
    is_counted = row.linger is not None and row.start not in resets
    until = at + (row.linger or 0) * zones.SECOND if is_counted else None
    return Change(at, CHECKOUT, key, Held(row, row.handle, until), row.quantity, line, row.is_doubtful or is_double)


def _resized(held: dict[Key, Held], before: dict[Key, Held], after: dict[Key, tuple[int, Row]], now: int) -> Iterator[Change]:
    """Uses that are on and hold more or fewer licenses than before."""
    for key, one in held.items():
        if key in before and key in after and key[-1] is not None:
            line, row = after[key]
            more = row.quantity - one.row.quantity
            if more:
                yield Change(now, UPGRADE if more > 0 else CHECKIN, key, one, abs(more), line, is_ambiguous=True)


def _seconds(local: datetime) -> int:
    return (local - EPOCH) // timedelta(seconds=1)
