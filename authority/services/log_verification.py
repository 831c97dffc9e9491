"""Verifying the sealed log: every row against its seal, the seals as a chain, the chain against the signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from authority.domain import log_faults, log_seal
from authority.domain.log_faults import Examination, Fault, FaultKind
from authority.domain.log_seal import Checkpoint, CheckpointKind, ErasedDigest, Point, Seal
from authority.domain.members import Privilege
from authority.domain.refusals import CheckpointUnusable
from authority.services.seals import accepted, erased_of
from authority.services.unit import Unit
from authority.signing import checkpoints
from authority.signing.checkpoints import KnownKeys, ReadCheckpoint, Signature
from authority.storage import seals
from authority.storage.seals import BEFORE_ALL

PAGE = 2000
Page = tuple[Sequence[Mapping[str, Any]], Sequence[Seal]]


@dataclass(frozen=True, slots=True)
class Restore:
    """An older database was put back at that time: what was sealed by the checkpoints from `first` to `last` is lost."""

    at: datetime
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of verifying the log: `faults`, and how many `more_faults` are not named.

    The rows after `after` up to `last` were verified, `rows` of them: 0, or where old rows were removed, is the beginning. With
    `is_from_beginning` false those up to `after` were left out this time. `checkpoint` is the newest good one, None where there
    is none; `waiting` rows after it are not sealed yet, None where that cannot be known.
    """

    faults: tuple[Fault, ...]
    more_faults: int
    checkpoint: Checkpoint | None
    rows: int
    after: int
    last: int
    is_from_beginning: bool
    waiting: int | None
    oldest_waiting_at: datetime | None = None
    outside: int = 0
    restores: tuple[Restore, ...] = ()
    # The root keys of the trust file by which a file was verified, where the file brought it itself.
    own_roots: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        return not self.faults


def verify(unit: Unit, outside: Sequence[str] = (), *, newest_rows: int | None = None) -> Verification:
    """Whether the log in the database is what was sealed, in one state of it; writes nothing.

    `outside` are compact checkpoints that were kept elsewhere; the highest that went out from this server is compared too. With `newest_rows` it begins at a checkpoint about so many rows
    before the end. Raises NotAllowed, and CheckpointUnusable for what was kept elsewhere and is no checkpoint of this organization.
    """
    # Before the database: what is sealed meanwhile is no fault.
    out = unit.authority.floors.read().checkpoint
    with unit.reading():
        unit.actor.needs(Privilege.READ_LOG)
        connection, known = unit.connection, accepted(unit)
        signed = seals.all_checkpoints(connection)
        read, faults = read_all([item.compact for item in signed], known)
        trusted = judge(read, log_seal.start_of(unit.organization.id), faults)
        kept = [*outside, *([] if out is None else [out.text])]
        faults += outside_faults([kept_elsewhere(text, known) for text in kept], read)
        begin = _begin(trusted, unit.organization.id, newest_rows)
        examination = Examination(begin, trusted)
        sealed_to = max(begin.last, trusted[-1].end.last if trusted else 0, seals.last(connection))
        for page in pages(connection, BEFORE_ALL if newest_rows is None else begin.last, sealed_to):
            examination.take(*page)
        examination.finish()
        faults += examination.faults + erased_faults(erased_of(connection), trusted)
        waiting, oldest_at = seals.waiting(connection, sealed_to)
    return Verification(
        faults=tuple(faults),
        more_faults=examination.more_faults,
        checkpoint=trusted[-1] if trusted else None,
        rows=examination.rows,
        after=begin.last,
        last=sealed_to,
        is_from_beginning=not trusted or begin == trusted[-1].start,
        waiting=waiting,
        oldest_waiting_at=oldest_at,
        outside=len(outside),
        restores=restores(trusted),
    )


def read_all(texts: Sequence[str], known: KnownKeys) -> tuple[list[ReadCheckpoint], list[Fault]]:
    """The checkpoints of these texts, and a fault for each that is none."""
    read, faults = [], []
    for text in texts:
        try:
            read.append(checkpoints.read(text, known))
        except CheckpointUnusable as error:
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, f"a checkpoint was changed: {error.message}"))
    return read, faults


def judge(read: Sequence[ReadCheckpoint], start: Point, faults: list[Fault]) -> list[Checkpoint]:
    """The checkpoints up to the newest good one; what is wrong with any is added to the faults. `start` is the organization's."""
    good = max((place for place, item in enumerate(read) if item.problem is None), default=-1)
    for place, item in enumerate(read):
        if place > good or item.signature is Signature.FORGED:
            what = f"checkpoint {item.checkpoint.number} is not good: {item.problem}"
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, what))
    trusted = [item.checkpoint for item in read[: good + 1]]
    faults += log_faults.sequence_faults([(item.checkpoint, item.digest) for item in read])
    faults += log_faults.start_faults(trusted, start)
    return trusted


def kept_elsewhere(text: str, known: KnownKeys) -> ReadCheckpoint:
    """A checkpoint that was kept elsewhere. Raises CheckpointUnusable when it is not this organization's."""
    read = checkpoints.read(text, known)
    if read.signature is not Signature.GOOD:
        raise CheckpointUnusable(f"the checkpoint that was kept elsewhere is not of this authority: {read.problem}")
    return read


def outside_faults(outside: Sequence[ReadCheckpoint], read: Sequence[ReadCheckpoint]) -> list[Fault]:
    """What checkpoints that were kept elsewhere show of those that are here."""
    digests = {item.checkpoint.number: item.digest for item in read}
    newest = read[-1].checkpoint if read else None
    faults = []
    for item in outside:
        number, last = item.checkpoint.number, item.checkpoint.end.last
        if newest is None or number > newest.number:
            sealed_to = 0 if newest is None else newest.end.last
            what = (
                f"checkpoint {number} was kept elsewhere and ends at row {last}; the log here ends its seal at row {sealed_to}"
            )
            first, end = (sealed_to + 1, last) if last > sealed_to else (0, 0)
            faults.append(Fault(FaultKind.CUT_OFF, first, end, f"cut off: {what}"))
        elif number not in digests:
            what = f"checkpoint {number} was kept elsewhere, ends at row {last}, and is lost here"
            faults.append(Fault(FaultKind.CUT_OFF, 0, 0, what))
        elif digests[number] != item.digest:
            what = f"checkpoint {number} was kept elsewhere and is another one here: the history was written anew"
            faults.append(Fault(FaultKind.REWRITTEN, 0, 0, what))
    return faults


def restores(trusted: Sequence[Checkpoint]) -> tuple[Restore, ...]:
    """Every time that an older database was put back, by signed checkpoints in the order of their numbers."""
    before, made = 0, []
    for item in trusted:
        if item.kind is CheckpointKind.RESTORE:
            made.append(Restore(item.issued_at, before + 1, item.number - 1))
        before = item.number
    return tuple(made)


def erased_faults(erased: ErasedDigest, trusted: Sequence[Checkpoint]) -> list[Fault]:
    """What is wrong with the values that are marked as erased."""
    if erased.text == (trusted[-1].erased if trusted else None):
        return []
    what = f"{erased.rows} rows are marked as erased, which no signed checkpoint says of just these"
    return [Fault(FaultKind.ERASURE, 0, 0, what)]


def _begin(trusted: Sequence[Checkpoint], organization: str, newest_rows: int | None) -> Point:
    """Where to begin: where the rows begin that are there, or a checkpoint about so many rows before the end."""
    if not trusted:
        return log_seal.start_of(organization)
    newest = trusted[-1]
    if newest_rows is None:
        return newest.start
    earlier = [item.end for item in trusted if newest.start.count <= item.end.count <= newest.end.count - newest_rows]
    return earlier[-1] if earlier else newest.start


def pages(connection: Connection, after: int, up_to: int) -> Iterator[Page]:
    """Rows and seals up to a number, in pages that end at the same number."""
    while after < up_to:
        rows, marks = seals.rows(connection, after, up_to, PAGE), seals.of_rows(connection, after, up_to, PAGE)
        ends = [row["id"] for row in rows[PAGE - 1 :]] + [mark.event_id for mark in marks[PAGE - 1 :]]
        end = min(ends, default=up_to)
        yield [row for row in rows if row["id"] <= end], [mark for mark in marks if mark.event_id <= end]
        after = end
