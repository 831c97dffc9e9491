"""Sealing the log: its new rows get their seals, and a signed checkpoint says where the chain is. No borrow waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from authority.domain import log_seal
from authority.domain.log_seal import SECRET_BYTES, Checkpoint, CheckpointKind, ErasedDigest, Point, Seal
from authority.domain.members import Privilege
from authority.domain.refusals import CheckpointUnusable, DatabaseBehind, LogNotIntact, NotFound
from authority.services import log
from authority.services.unit import Unit
from authority.signing import checkpoints
from authority.signing.checkpoints import KnownKeys, ReadCheckpoint, Signature
from authority.signing.encoding import digest_of
from authority.signing.floors import Floor, Numbered
from authority.storage import organization, seals
from authority.storage.seals import SignedCheckpoint

# Rows of one checkpoint at most: what is wrong is told at least as finely, and SQLite's other writers wait for so many.
MOST_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Chain:
    """Where the chain is: its newest checkpoint as it was signed and as it was read, None before the first, and its end."""

    signed: SignedCheckpoint | None
    newest: ReadCheckpoint | None
    end: Point
    start: Point
    erased: str | None


@dataclass(frozen=True, slots=True)
class Sealed:
    """How many rows were sealed now, and the newest checkpoint, None when there is nothing to seal yet."""

    rows: int
    newest: SignedCheckpoint | None


@dataclass(frozen=True, slots=True)
class SealState:
    """How far the log is sealed: the newest checkpoint and the members of its file, None before the first.

    `waiting` rows are not sealed yet, the oldest of them of `oldest_waiting_at`.
    """

    newest: SignedCheckpoint | None
    file: Mapping[str, Any] | None
    waiting: int
    oldest_waiting_at: datetime | None
    now: datetime

    @property
    def lag(self) -> timedelta:
        """How old the oldest row is that is not sealed; zero when all are."""
        return timedelta(0) if self.oldest_waiting_at is None else max(self.now - self.oldest_waiting_at, timedelta(0))

    @property
    def age(self) -> timedelta | None:
        """How long ago the newest checkpoint was made."""
        return None if self.newest is None else max(self.now - self.newest.issued_at, timedelta(0))


def seal(unit: Unit) -> Sealed:
    """Seals all rows that no other can come before any more, in parts, each with a checkpoint.

    Several may seal at once: what one did, the other does not do again. Raises NotAllowed, KeyUnusable, SigningFailed, and
    DatabaseBehind for an older database than the one that was sealed, LogNotIntact when the newest checkpoint is not one that this authority signed.
    """
    up_to, rows = log.settled(unit), 0
    while True:
        part = _seal_part(unit, up_to)
        rows += part or 0
        if part == 0:
            break
    return Sealed(rows, newest_leaves(unit))


def newest_leaves(unit: Unit) -> SignedCheckpoint | None:
    """The newest checkpoint, which is recorded outside the database. Raises DiskFull, NotPermitted or DiskFailed."""
    with unit.reading():
        newest = seals.newest(unit.connection)
    if newest is not None:
        leaves(unit, newest)
    return newest


def leaves(unit: Unit, newest: SignedCheckpoint) -> None:
    """Records a checkpoint that was committed outside the database, so that an end that is cut off shows.

    Raises DiskFull, NotPermitted or DiskFailed.
    """
    numbered = Numbered(newest.number, newest.compact)
    unit.authority.floors.raise_to(Floor(unit.organization.id, checkpoint=numbered))


def check_sealed(connection: Connection, signed: SignedCheckpoint | None, floor: Floor) -> None:
    """Raises DatabaseBehind when the newest checkpoint of the database does not go on from what went out. The floor was read first.

    A higher number does not do: whoever has a key that was ever this authority's could put others before it, and the next
    seal would raise the record over them.
    """
    out = floor.checkpoint
    if out is None or (signed is not None and signed.compact == out.text):
        return
    if signed is not None and signed.number > out.number:
        if seals.compact_of(connection, out.number) in (out.text, None):
            # Where there is none it was lost in an older copy, and a signed restore says so.
            return
        raise DatabaseBehind(
            f"the checkpoint {out.number} of the log in the database is another one than the one that went out from this server"
        )
    number = 0 if signed is None else signed.number
    raise DatabaseBehind(
        f"the newest checkpoint of the log in the database has the number {number}, and another one, {out.number}, went out from this server"
    )


def is_sound(unit: Unit) -> bool:
    """Whether sealing can go on from the newest checkpoint, in the transaction that is under way."""
    try:
        chain_of(unit)
    except (LogNotIntact, CheckpointUnusable):
        return False
    return True


def restored(unit: Unit, out: Numbered | None) -> SignedCheckpoint:
    """Signs that the log goes on from its newest good checkpoint: what was sealed later, up to the one that went out, is lost.

    Checkpoints after it that this authority did not sign, and seals without a checkpoint, are removed, and their rows sealed anew
    later. Within the transaction that is under way. Raises KeyUnusable, SigningFailed.
    """
    connection = unit.connection
    seals.lock(connection)
    newest = seals.newest(connection)
    good = next((item for item in seals.newest_first(connection) if _is_signed_here(item, accepted(unit))), None)
    seals.remove_after(connection, *((0, 0) if good is None else (good.number, good.last)))
    number = max(0 if newest is None else newest.number, 0 if out is None else out.number) + 1
    prev = None if out is None else digest_of(out.text)
    chain = chain_of(unit)
    return append(unit, chain, CheckpointKind.RESTORE, chain.end, number=number, prev=prev)


def _is_signed_here(signed: SignedCheckpoint, known: KnownKeys) -> bool:
    try:
        newest = checkpoints.read(signed.compact, known)
    except CheckpointUnusable:
        return False
    is_as_kept = (signed.number, signed.last) == (newest.checkpoint.number, newest.checkpoint.end.last)
    return newest.signature is Signature.GOOD and is_as_kept


def _seal_part(unit: Unit, up_to: int) -> int | None:
    """How many rows were sealed; None when somebody else was faster. Read and digested before anybody has to wait for it."""
    floor = unit.authority.floors.read()
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        chain = chain_of(unit)
        check_sealed(unit.connection, chain.signed, floor)
        rows = seals.rows(unit.connection, chain.end.last, up_to, MOST_ROWS)
    if not rows:
        return 0
    new, end = log_seal.sealed(rows, chain.end, _secrets(unit))
    with unit.writing():
        seals.lock(unit.connection)
        if seals.newest(unit.connection) != chain.signed:
            return None
        append(unit, chain, CheckpointKind.SEAL, end, new=new)
    return len(new)


def _secrets(unit: Unit) -> Iterator[bytes]:
    data = unit.authority.random_bytes(SECRET_BYTES * MOST_ROWS)
    return (data[place : place + SECRET_BYTES] for place in range(0, len(data), SECRET_BYTES))


def chain_of(unit: Unit) -> Chain:
    """Where the chain is, in the transaction that is under way.

    Raises LogNotIntact when the newest checkpoint was not signed by a key that was ever this authority's, or when there are
    seals after it; CheckpointUnusable when it is none.
    """
    signed = seals.newest(unit.connection)
    if signed is None:
        if seals.last(unit.connection):
            raise LogNotIntact("the log has seals and no checkpoint: all of them were removed")
        start = log_seal.start_of(unit.organization.id)
        return Chain(None, None, start, start, None)
    newest = checkpoints.read(signed.compact, accepted(unit))
    if newest.signature is not Signature.GOOD:
        raise LogNotIntact(f"the newest checkpoint of the log (number {signed.number}) was not signed here: {newest.problem}")
    checkpoint = newest.checkpoint
    if (signed.number, signed.last) != (checkpoint.number, checkpoint.end.last):
        raise LogNotIntact(
            f"the newest checkpoint of the log (number {checkpoint.number}) is kept with another number or row than was signed"
        )
    if (last := seals.last(unit.connection)) > checkpoint.end.last:
        raise LogNotIntact(
            f"the seal of the log goes to row {last}, its newest checkpoint to row {checkpoint.end.last}: one was removed"
        )
    return Chain(signed, newest, checkpoint.end, checkpoint.start, checkpoint.erased)


def accepted(unit: Unit) -> KnownKeys:
    """The keys of all authorizations that were installed."""
    numbers = organization.authorization_numbers(unit.connection)
    return KnownKeys.installed(organization.authorization_texts(unit.connection, number) for number in numbers)


def append(
    unit: Unit,
    chain: Chain,
    kind: CheckpointKind,
    end: Point,
    *,
    new: list[Seal] | None = None,
    start: Point | None = None,
    number: int | None = None,
    prev: str | None = None,
) -> SignedCheckpoint:
    """Keeps new seals with the checkpoint that follows, within a transaction that has the lock of seals.

    What is not named stays what it is, or follows from the newest checkpoint; what is erased is looked up unless rows are
    sealed alone. Raises KeyUnusable, SigningFailed.
    """
    checkpoint = Checkpoint(
        number=number or (1 if chain.signed is None else chain.signed.number + 1),
        prev=prev or (None if chain.newest is None else chain.newest.digest),
        kind=kind,
        issued_at=unit.now,
        end=end,
        start=start or chain.start,
        erased=chain.erased if kind is CheckpointKind.SEAL else erased_of(unit.connection).text,
    )
    compact = checkpoints.issue(unit.issuer, checkpoint)
    signed = SignedCheckpoint(checkpoint.number, end.last, compact, unit.now, unit.authorization.seq)
    seals.append(unit.connection, new or [], signed)
    return signed


def erased_of(connection: Connection) -> ErasedDigest:
    """The digest of all values that are erased in the database."""
    digest = ErasedDigest()
    for number, openings in seals.erased(connection):
        digest.add(number, openings)
    return digest


def state(unit: Unit) -> SealState:
    """How far the log is sealed; writes nothing. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(Privilege.READ_LOG)
        newest, file = seals.newest(unit.connection), None
        if newest is not None:
            authorization = unit.authority.terms(unit.connection, newest.authorization_seq).authorization
            file = checkpoints.file_members(newest.compact, authorization.compact)
        waiting, oldest_at = seals.waiting(unit.connection, 0 if newest is None else newest.last)
        return SealState(newest, file, waiting, oldest_at, unit.now)


def checkpoint_file(unit: Unit) -> tuple[SignedCheckpoint, bytes]:
    """The newest checkpoint and its file, to be kept where nobody who can change the log can change it; writes nothing.

    Raises NotAllowed, NotFound before the first one.
    """
    current = state(unit)
    if current.newest is None or current.file is None:
        raise NotFound("the log was not sealed yet", hint="Seal it: carnet-authority log seal")
    leaves(unit, current.newest)
    return current.newest, checkpoints.file_of(current.file)
