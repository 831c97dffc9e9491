"""The seal of the log: how far it goes, and what came of verifying it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from authority.domain.log_faults import Fault
from authority.domain.plurals import are, counted
from authority.presentation.shown import Shown, Time, rfc3339
from authority.services.log_verification import Verification
from authority.services.seals import Sealed, SealState

ANOTHER_HISTORY = (
    "who has the authority's signing key can write and sign another history: only a checkpoint that was kept elsewhere shows it"
)
NOT_COMPARED = (
    "no checkpoint that was kept elsewhere was named: who can change the database, and the records in the home of this server, "
    "can cut off the end together with its checkpoints, and nothing here shows it"
)
NOT_SEALED = "what was changed or removed before it was sealed does not show"


class FaultShown(Shown):
    """One thing that is wrong with the log."""

    kind: str = Field(description="changed, removed, inserted, moved, rewritten, cut-off, checkpoint or erasure")
    first: int | None = Field(description="the number of the first row that it is about; null: of no certain row")
    last: int | None
    message: str

    @classmethod
    def of(cls, fault: Fault) -> Self:
        """The fault in words."""
        rows = (fault.first, fault.last) if fault.first else (None, None)
        return cls(kind=fault.kind, first=rows[0], last=rows[1], message=fault.sentence)


class VerificationShown(Shown):
    """What came of verifying the log against its seal."""

    ok: bool = Field(description="nothing is wrong with what was verified")
    rows: int = Field(description="rows that were compared with their seals")
    after: int = Field(description="the rows after this number were verified")
    last: int = Field(description="up to this row the log is sealed")
    is_from_beginning: bool = Field(description="false: earlier rows were left out this time")
    sealed_at: Time | None = Field(description="when the newest good checkpoint was made; null: there is none")
    checkpoint: int | None = Field(description="its number")
    waiting: int | None = Field(description="rows that are not sealed yet; null: not known, as of a file")
    compared: int = Field(description="checkpoints kept elsewhere that were compared")
    faults: tuple[FaultShown, ...]
    more_faults: int = Field(description="faults that are not listed")
    summary: str
    limits: tuple[str, ...] = Field(description="what this does not show")

    @classmethod
    def of(cls, verification: Verification) -> Self:
        """The verification in words."""
        checkpoint = verification.checkpoint
        return cls(
            ok=verification.is_intact,
            rows=verification.rows,
            after=verification.after,
            last=verification.last,
            is_from_beginning=verification.is_from_beginning,
            sealed_at=None if checkpoint is None else checkpoint.issued_at,
            checkpoint=None if checkpoint is None else checkpoint.number,
            waiting=verification.waiting,
            compared=verification.outside,
            faults=tuple(map(FaultShown.of, verification.faults)),
            more_faults=verification.more_faults,
            summary=_summary(verification),
            limits=tuple(_limits(verification)),
        )


def _summary(verification: Verification) -> str:
    checkpoint = verification.checkpoint
    if verification.faults:
        count = len(verification.faults) + verification.more_faults
        return f"the log is not what was sealed: {counted(count, 'fault')}"
    if checkpoint is None:
        return "the log was never sealed, so that nothing can be verified"
    which = f"rows {verification.after + 1} to {verification.last}" if verification.rows else "no rows"
    return (
        f"the log is what was sealed: {which} ({verification.rows} of them), as of {rfc3339(checkpoint.issued_at)}, "
        f"checkpoint {checkpoint.number}"
    )


def _limits(verification: Verification) -> list[str]:
    limits = []
    if not verification.is_from_beginning:
        limits.append(f"rows up to {verification.after} were not verified this time")
    elif verification.after:
        limits.append(f"rows up to {verification.after} were removed by a signed cut")
    if verification.waiting:
        limits.append(f"{counted(verification.waiting, 'row')} {are(verification.waiting)} not sealed yet: {NOT_SEALED}")
    elif verification.waiting is None:
        limits.append("rows that were not sealed when the file was written are not in it")
    limits += [
        f"the seal was taken up again at {rfc3339(item.at)}, after a restore or damage"
        + (f": checkpoints {item.first} to {item.last} are lost" if item.first <= item.last else "")
        for item in verification.restores
    ]
    if verification.own_roots:
        limits.append(
            f"the file was verified by the trust file in it: compare its root key, {', '.join(verification.own_roots)}, "
            "or name a trust file that you have: --trust FILE"
        )
    return [*limits, *([] if verification.outside else [NOT_COMPARED]), ANOTHER_HISTORY]


class CheckpointFile(Shown):
    """A signed checkpoint, to be kept where nobody who can change the log can change it."""

    carnet: Literal["checkpoint"]
    version: Literal[1]
    authorization: str = Field(description="compact JWS, which names the checkpoint's key")
    checkpoint: str = Field(description="compact JWS (docs/token-format.md)")


class SealShown(Shown):
    """How far the log is sealed."""

    checkpoint: int | None = Field(description="number of the newest checkpoint; null: the log was never sealed")
    last: int = Field(description="up to this row the log is sealed")
    sealed_at: Time | None
    seconds_since: int | None = Field(description="since the newest checkpoint was made")
    waiting: int = Field(description="rows that are not sealed yet")
    oldest_waiting_at: Time | None
    file: CheckpointFile | None = Field(description="the newest checkpoint as a file; null: there is none yet")

    @classmethod
    def of(cls, state: SealState) -> Self:
        """The state at its time."""
        newest, age = state.newest, state.age
        return cls(
            checkpoint=None if newest is None else newest.number,
            last=0 if newest is None else newest.last,
            sealed_at=None if newest is None else newest.issued_at,
            seconds_since=None if age is None else int(age.total_seconds()),
            waiting=state.waiting,
            oldest_waiting_at=state.oldest_waiting_at,
            file=None if state.file is None else CheckpointFile.model_validate(dict(state.file)),
        )


class SealedShown(Shown):
    """What sealing did."""

    rows: int = Field(description="rows that were sealed now")
    checkpoint: int | None = Field(description="number of the newest checkpoint")
    last: int = Field(description="up to this row the log is sealed")
    sealed_at: Time | None

    @classmethod
    def of(cls, sealed: Sealed) -> Self:
        """What was done, and the newest checkpoint."""
        newest = sealed.newest
        at: datetime | None = None if newest is None else newest.issued_at
        return cls(
            rows=sealed.rows,
            checkpoint=None if newest is None else newest.number,
            last=0 if newest is None else newest.last,
            sealed_at=at,
        )
