"""Removing old rows of the log: from its beginning, with a signed cut, so that what remains verifies and nobody can fake one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authority.domain.events import Event, EventKind
from authority.domain.log_seal import CheckpointKind, Point
from authority.domain.members import Privilege
from authority.domain.refusals import InvalidInput, LogNotIntact
from authority.services import log_verification, seals
from authority.services.unit import Unit
from authority.storage import seals as stored

# Rows of one transaction at most: others who write wait for it.
MOST_ROWS = 5000


@dataclass(frozen=True, slots=True)
class Pruning:
    """How many rows were removed, or would be, up to which number, and those from before which time.

    Of none, `oldest` is the time of the oldest row that is there, None where there is no row.
    """

    rows: int
    last: int
    before: datetime
    oldest: datetime | None = None


def prune(unit: Unit, before: datetime, *, dry_run: bool = False) -> Pruning:
    """Removes the sealed rows from before a time, from the beginning of the log up to the first later one.

    The log is verified first, so that no cut hides a change. Raises NotAllowed, InvalidInput for a time to come, LogNotIntact,
    KeyUnusable, SigningFailed.
    """
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        if before > unit.now:
            raise InvalidInput("the time is yet to come: rows from before it are still written")
        chain = seals.chain_of(unit)
        first_later = stored.first_since(unit.connection, before)
        last = min(chain.end.last, chain.end.last if first_later is None else first_later - 1)
        rows = stored.count_up_to(unit.connection, last) if last > chain.start.last else 0
        oldest = None if rows else stored.oldest(unit.connection)
    verification = log_verification.verify(unit)
    if not verification.is_intact:
        raise LogNotIntact(f"the log is not what was sealed: {verification.faults[0].sentence}")
    if rows and not dry_run:
        _cut(unit, last, rows, before)
        seals.newest_leaves(unit)
    return Pruning(rows, last if rows else chain.start.last, before, oldest)


def _cut(unit: Unit, last: int, rows: int, before: datetime) -> None:
    """In parts, each with its own signed cut; the last one says in the log what was removed."""
    is_done = False
    while not is_done:
        with unit.writing():
            stored.lock(unit.connection)
            chain = seals.chain_of(unit)
            seal = stored.nth_up_to(unit.connection, last, MOST_ROWS)
            is_done = seal is None or seal.event_id == last
            if seal is not None:
                count = chain.end.count - stored.count_after(unit.connection, seal.event_id)
                stored.remove(unit.connection, seal.event_id)
                seals.append(unit, chain, CheckpointKind.CUT, chain.end, start=Point(seal.event_id, count, seal.chain))
            if is_done:
                words = f"{rows} rows up to {last}, from before {before:%Y-%m-%d %H:%M} UTC"
                unit.record([Event(kind=EventKind.LOG_CUT, actor=unit.actor.username, reason=words)])
