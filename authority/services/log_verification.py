"""Verifying the sealed log: every row against its seal, the seals as a chain, the chain against the signed checkpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
from authority.signing import checkpoints, floors
from authority.signing.checkpoints import KnownKeys, ReadCheckpoint, Signature
from authority.signing.floors import Numbered
from authority.storage import seals
from authority.storage.seals import BEFORE_ALL, StoredCheckpoint, columns_of

PAGE = 2000
# By which no signature is verified.
NO_KEYS = KnownKeys(())
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


def verify(unit: Unit, outside: Sequence[str] = ()) -> Verification:
    """Whether the log in the database is what was sealed, all of it in one state; writes nothing.

    `outside` are compact checkpoints that were kept elsewhere; the highest that went out from this server is compared too.
    Raises NotAllowed, and CheckpointUnusable for what was kept elsewhere and is no checkpoint of this organization.
    """
    # Before the database: what is sealed meanwhile is no fault.
    out = _out(unit)
    with unit.reading(), seals.any_text(unit.connection):
        unit.actor.needs(Privilege.READ_LOG)
        known = accepted(unit)
        read, faults = read_stored(seals.checkpoints_as_stored(unit.connection), known)
        start = log_seal.start_of(unit.organization.id)
        trusted = judge(read, start, faults)
        elsewhere = [kept_elsewhere(text, known, read) for text in (*outside, *([] if out is None else [out.text]))]
        faults += outside_faults(elsewhere, read)
        begin = trusted[-1].start if trusted else start
        verification = _newest_part(unit, trusted, begin, BEFORE_ALL, faults)
    return replace(verification, is_from_beginning=True, outside=len(outside), restores=restores(trusted))


def verify_part(unit: Unit, rows: int, up_to: int | None = None) -> Verification:
    """Whether about so many rows, the newest or those up to the row `up_to`, are what was sealed: in bounded time; writes nothing.

    It begins and ends at checkpoints, each by its own signature. The newest rows are compared with what went out from this
    server too. Raises NotAllowed, CheckpointUnusable.
    """
    out = _out(unit)
    with unit.reading(), seals.any_text(unit.connection):
        unit.actor.needs(Privilege.READ_LOG)
        connection, known = unit.connection, accepted(unit)
        newest = seals.newest(connection)
        if newest is None:
            return _newest_part(unit, [], log_seal.start_of(unit.organization.id), BEFORE_ALL, [])
        last = newest.last if up_to is None else up_to
        first = seals.number_before(connection, last - rows) or 1
        signed = seals.checkpoints_as_stored(
            connection, first, newest.number if up_to is None else seals.number_before(connection, last) or 1
        )
        read, faults = read_stored(signed, known)
        trusted = judge(read, None, faults, first)
        start = checkpoints.stated(newest.compact).start
        begin = trusted[0].end if trusted and trusted[0].end.last > start.last and first > 1 else start
        after = BEFORE_ALL if begin == start else begin.last
        if up_to is None:
            faults += outside_faults([] if out is None else [kept_elsewhere(out.text, known, read)], read, first)
            verification = _newest_part(unit, trusted, begin, after, faults)
        else:
            verification = _part(connection, trusted, begin, after, trusted[-1].end.last if trusted else begin.last, faults)
    return replace(verification, is_from_beginning=begin == start)


def _out(unit: Unit) -> Numbered | None:
    """The highest checkpoint that went out from this server. Raises DiskFailed for a record of it that is none."""
    out = unit.authority.floors.read().checkpoint
    if out is not None:
        try:
            checkpoints.stated(out.text)
        except CheckpointUnusable as error:
            raise floors.damaged(unit.authority.floors.path) from error
    return out


def _newest_part(unit: Unit, trusted: Sequence[Checkpoint], begin: Point, after: int, faults: list[Fault]) -> Verification:
    """The rows after a number up to the end, and what is there only once: the erased values, and the rows that wait."""
    connection = unit.connection
    faults += erased_faults(erased_of(connection), trusted)
    last = max(begin.last, trusted[-1].end.last if trusted else 0, seals.last(connection))
    waiting, oldest_at = seals.waiting(connection, last)
    verification = _part(connection, trusted, begin, after, last, faults)
    return replace(verification, waiting=waiting, oldest_waiting_at=oldest_at)


def _part(
    connection: Connection, trusted: Sequence[Checkpoint], begin: Point, after: int, last: int, faults: Sequence[Fault]
) -> Verification:
    """The rows after a number up to another; `begin` is the chain there, and `faults` what was seen already."""
    examination = Examination(begin, trusted)
    for page in pages(connection, after, last):
        examination.take(*page)
    examination.finish()
    return Verification(
        faults=(*faults, *examination.faults),
        more_faults=examination.more_faults,
        checkpoint=trusted[-1] if trusted else None,
        rows=examination.rows,
        after=begin.last,
        last=last,
        is_from_beginning=False,
        waiting=None,
    )


def read_all(texts: Sequence[str], known: KnownKeys) -> tuple[list[ReadCheckpoint], list[Fault]]:
    """The checkpoints of these texts, in their order, and a fault for each that is none.

    The newest good one names the digest of the one before, signature and all, and that one the next: no signature of those is
    verified, which is four fifths of what a checkpoint costs. Whatever does not follow so is verified itself.
    """
    read: list[ReadCheckpoint] = []
    faults: list[Fault] = []
    vouched_for: set[str | None] = set()
    for text in reversed(texts):
        try:
            item = checkpoints.read(text, NO_KEYS)
            if item.digest in vouched_for:
                item = replace(item, signature=Signature.GOOD, problem=None)
            else:
                item = checkpoints.read(text, known)
        except CheckpointUnusable as error:
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, f"a checkpoint was changed: {error.message}"))
            continue
        if item.problem is None:
            vouched_for.add(item.checkpoint.prev)
        read.append(item)
    return read[::-1], faults[::-1]


def read_stored(stored: Sequence[StoredCheckpoint], known: KnownKeys) -> tuple[list[ReadCheckpoint], list[Fault]]:
    """The checkpoints of a database in their order, and a fault for each that is none, or whose columns say something else."""
    read, faults = read_all([item.compact for item in stored], known)
    columns = {item.columns for item in stored}
    for item in read:
        if columns_of(item.checkpoint) not in columns:
            what = f"checkpoint {item.checkpoint.number} is kept with another number, row or time than was signed"
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, what))
    return read, faults


def judge(read: Sequence[ReadCheckpoint], start: Point | None, faults: list[Fault], first: int = 1) -> list[Checkpoint]:
    """The checkpoints up to the newest good one; what is wrong with any is added to the faults.

    They begin with the number `first`. `start` is the organization's, None where the first is not the organization's first.
    """
    good = max((place for place, item in enumerate(read) if item.problem is None), default=-1)
    for place, item in enumerate(read):
        if place > good or item.signature is Signature.FORGED:
            what = f"checkpoint {item.checkpoint.number} is not good: {item.problem}"
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, what))
    trusted = [item.checkpoint for item in read[: good + 1]]
    faults += log_faults.sequence_faults([(item.checkpoint, item.digest) for item in read], first)
    faults += log_faults.start_faults(trusted, start)
    return trusted


def kept_elsewhere(text: str, known: KnownKeys, here: Sequence[ReadCheckpoint]) -> ReadCheckpoint:
    """A checkpoint that was kept elsewhere. Raises CheckpointUnusable when it is not this organization's.

    One that is `here` just so needs no key: those after it vouch for it.
    """
    read = checkpoints.read(text, known)
    if read.signature is not Signature.GOOD and read.digest not in {item.digest for item in here}:
        raise CheckpointUnusable(f"the checkpoint that was kept elsewhere is not of this authority: {read.problem}")
    return read


def outside_faults(outside: Sequence[ReadCheckpoint], read: Sequence[ReadCheckpoint], first: int = 1) -> list[Fault]:
    """What checkpoints that were kept elsewhere show of those that are here, from the number `first` on."""
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
            begin, end = (sealed_to + 1, last) if last > sealed_to else (0, 0)
            faults.append(Fault(FaultKind.CUT_OFF, begin, end, f"cut off: {what}"))
        elif number < first:
            continue
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


def pages(connection: Connection, after: int, up_to: int) -> Iterator[Page]:
    """Rows and seals up to a number, in pages that end at the same number."""
    while after < up_to:
        rows, marks = seals.rows(connection, after, up_to, PAGE), seals.of_rows(connection, after, up_to, PAGE)
        ends = [row["id"] for row in rows[PAGE - 1 :]] + [mark.event_id for mark in marks[PAGE - 1 :]]
        end = min(ends, default=up_to)
        yield [row for row in rows if row["id"] <= end], [mark for mark in marks if mark.event_id <= end]
        after = end
