"""What changed from one snapshot of a license server to the next, as events.

Somebody new is a checkout at the start that the row says. Somebody who is gone was checked in at some time since the snapshot
before: the event is dated at the later one and flagged. Where the clock of who asked is behind the server's, nothing ends before
it began, and what seems to begin long after it was seen began when it was seen. Somebody who waits is a denial, counted once for as long as it goes on.

When the license server starts again, borrows get a new start and go on under a new key; each keeps the due time it had. Nothing
that it lists began before its restart: a borrow that began with the first of all, as those of others did, was out before, and is
due when its row says how long it is still out, and else nobody knows when. A borrow that is gone when it was due ran out, and
was not checked in.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, UPGRADE
from checkout_log.sources import zones
from checkout_log.sources.common import MINUTE, QUEUED
from checkout_log.sources.snapshots.model import UNKNOWN, UNLISTED, Key, Row, Snapshot

# In microseconds: so far apart are clocks that nobody set. Beyond that the snapshots would miss what they show.
NEAR = 15 * MINUTE * zones.SECOND
# Two users may come in the same minute by chance; the first use of all, shared by so many, is what a restart leaves.
AT_ONCE = 3
EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - local times are counted from it


@dataclass(frozen=True, slots=True)
class Held:
    """A use that is on: its row, the handle of its checkout, its start and its due time, if it is known, in whole microseconds UTC."""

    row: Row
    handle: str
    begin: int
    until: int | None


@dataclass(slots=True)
class Server:
    """What a license server was last seen to give out, and the times of its first and last snapshot.

    totals: seats issued and in use, by vendor daemon and feature. dup_groups: what must be the same in uses that share a license.
    """

    held: dict[Key, Held] = field(default_factory=dict)
    products: set[str] = field(default_factory=set)
    totals: dict[tuple[str, str], tuple[int | None, int]] = field(default_factory=dict)
    dup_groups: dict[tuple[str, str], str | None] = field(default_factory=dict)
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


def changes(server: Server, snapshot: Snapshot, now: int, clock: zones.WallClock) -> Iterator[Change]:
    """What happened between the last snapshot of this server and this one; the server holds what this one shows afterwards.

    now: of this snapshot, in whole microseconds UTC; the time of all but arrivals, which are of the start that their row says.
    """
    shown = snapshot.users
    new = [key for key in shown if key not in server.held]
    gone = _gone(server, snapshot)
    held = {key: use for key, use in server.held.items() if key not in gone}
    resized = list(_resized(held, shown, now))
    restarted = _restarted(new, gone, shown)
    for key, old_key in restarted.items():
        held[key] = gone.pop(old_key)
    starts = {key.start for key in restarted}
    set_anew = {key for key in new if key.start in starts} | _of_restart(shown)
    for key in new:
        if key not in restarted:
            change = _arrival(key, *shown[key], now, clock, is_set_anew=key in set_anew)
            held[key] = change.held
            yield change
    yield from _returned(gone, snapshot, now)
    yield from resized
    server.held = {key: replace(use, row=shown[key][1]) if key in shown else use for key, use in held.items()}


def _gone(server: Server, snapshot: Snapshot) -> dict[Key, Held]:
    """What the server held and does not show any more; a vendor daemon that did not answer says nothing."""
    answering = snapshot.products | ({UNKNOWN} if snapshot.is_telling else set())
    return {key: use for key, use in server.held.items() if key not in snapshot.users and key.product in answering}


def _restarted(new: list[Key], gone: Mapping[Key, Held], shown: Mapping[Key, tuple[int, Row]]) -> dict[Key, Key]:
    """Borrows that seem new because the license server started again: their keys now, and before."""
    old = {_borrow_of(key): key for key, use in gone.items() if use.row.is_borrow}
    is_borrow = {key: shown[key][1].is_borrow for key in new}
    return {key: old.pop(_borrow_of(key)) for key in new if is_borrow[key] and _borrow_of(key) in old}


def _borrow_of(key: Key) -> tuple[str, ...]:
    """What a borrow keeps when the license server starts again."""
    return key.product, key.feature, key.member, key.machine, key.display


def _of_restart(shown: Mapping[Key, tuple[int, Row]]) -> set[Key]:
    """The uses whose start is that of a restart: the first of all of a vendor daemon, where many users share it."""
    first = {product: min(starts) for product, starts in _starts(shown).items()}
    early = [key for key in shown if _start_of(key) is not None and key.start == first[key.product]]
    users = Counter(product for product, *_ in {(key.product, key.member, key.machine) for key in early})
    return {key for key in early if users[key.product] >= AT_ONCE}


def _starts(shown: Mapping[Key, tuple[int, Row]]) -> dict[str, list[datetime]]:
    starts: dict[str, list[datetime]] = defaultdict(list)
    for key in shown:
        if (start := _start_of(key)) is not None:
            starts[key.product].append(start)
    return starts


def _start_of(key: Key) -> datetime | None:
    """The start that a row says; None for who waits, and for what is counted and not listed."""
    return None if key.start == UNLISTED else key.start


def _arrival(key: Key, line: int, row: Row, now: int, clock: zones.WallClock, *, is_set_anew: bool) -> Change:
    """A checkout, or a denial of who waits. A start that a restart set anew does not tell when a borrow is due."""
    if row.start is None:
        return Change(now, DENIAL, key, Held(row, row.handle, now, None), row.quantity, line, is_ambiguous=False, reason=QUEUED)
    at, is_double = clock.utc(seconds(row.start))
    if row.is_ahead and at > now + NEAR:
        at = now
    until = _until(row, at, now, clock, is_set_anew=is_set_anew)
    return Change(at, CHECKOUT, key, Held(row, row.handle, at, until), row.quantity, line, row.is_doubtful or is_double)


def _until(row: Row, at: int, now: int, clock: zones.WallClock, *, is_set_anew: bool) -> int | None:
    """When a borrow that began at this time is due, in whole microseconds UTC; None where nobody knows it, and for a session."""
    if row.due is not None:
        return clock.utc(seconds(row.due))[0]
    if row.linger is None:
        return None
    if row.left is not None:
        # The server's own count; its start is not always the one that the whole time counts from.
        return now + row.left * zones.SECOND
    return None if is_set_anew else at + row.linger * zones.SECOND


def _returned(gone: Mapping[Key, Held], snapshot: Snapshot, now: int) -> Iterator[Change]:
    """Check-ins of what is gone, but for who only waited and for borrows that ran out."""
    for key, use in gone.items():
        is_due = use.until is not None and use.until <= now
        if key.start is not None and not is_due:
            yield Change(max(now, use.begin), CHECKIN, key, use, use.row.quantity, snapshot.line, is_ambiguous=True)


def _resized(held: Mapping[Key, Held], shown: Mapping[Key, tuple[int, Row]], now: int) -> Iterator[Change]:
    """Uses that are on and hold more or fewer licenses than before."""
    for key, use in held.items():
        if key in shown and key.start is not None:
            line, row = shown[key]
            more = row.quantity - use.row.quantity
            if more:
                yield Change(
                    max(now, use.begin), UPGRADE if more > 0 else CHECKIN, key, use, abs(more), line, is_ambiguous=True
                )


def seconds(local: datetime) -> int:
    """Local seconds since 1970."""
    return (local - EPOCH) // timedelta(seconds=1)
