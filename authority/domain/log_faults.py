"""What is wrong with a sealed log: its rows and seals are told in order, and compared with each other and with the checkpoints."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from authority.domain.log_seal import Checkpoint, CheckpointKind, Point, Seal, is_as_sealed, linked

# More are counted and not named.
MOST_FAULTS = 1000
# Of so many changed rows it is looked whether they changed places.
MOST_COMPARED = 100


# Of one row or of many: sentences have no pronoun.
NO_SEAL = "without a seal: put in later, or the seal was removed"
NOT_AS_SEALED = "not what was sealed"


class FaultKind(StrEnum):
    """What was done to rows of the log, or to what proves them."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    MOVED = "moved"
    REWRITTEN = "rewritten"
    CUT_OFF = "cut-off"
    CHECKPOINT = "checkpoint"
    ERASURE = "erasure"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, the rows that it is about (first and last number; 0: none), and what was seen in words."""

    kind: FaultKind
    first: int
    last: int
    what: str

    @property
    def rows(self) -> str:
        """The rows in words: `row 7`, `rows 7 to 9`, `the log` when it is about no certain ones."""
        if not self.first:
            return "the log"
        return f"row {self.first}" if self.first == self.last else f"rows {self.first} to {self.last}"

    @property
    def sentence(self) -> str:
        """`row 7: not what was sealed`."""
        return f"{self.rows}: {self.what}"


def sequence_faults(checkpoints: Sequence[tuple[Checkpoint, str]], first: int = 1) -> list[Fault]:
    """What is wrong with checkpoints, told in the order of their numbers, each with the digest of its text, from number `first`.

    Each names the one before it, so that a good one vouches for all before it. A restore goes on from a number that went out and
    whose rows are lost.
    """
    faults, number, prev = [], first, None
    for checkpoint, digest in checkpoints:
        if checkpoint.kind is CheckpointKind.RESTORE and checkpoint.number >= number:
            pass
        elif checkpoint.number < number:
            what = f"checkpoint {checkpoint.number} of the seal stands twice, or out of its order"
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, what))
        elif checkpoint.number != number:
            what = (
                f"checkpoint {number}"
                if checkpoint.number == number + 1
                else f"checkpoints {number} to {checkpoint.number - 1}"
            )
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, f"{what} of the seal was removed"))
        elif prev is not None and checkpoint.prev != prev:
            faults.append(
                Fault(FaultKind.CHECKPOINT, 0, 0, f"checkpoint {number} does not name checkpoint {number - 1} as it is here")
            )
        number, prev = checkpoint.number + 1, digest
    return faults


@dataclass
class Examination:
    """The chain from its start, compared with checkpoints; rows and seals are told by `take` in pages, and `finish` is last.

    `checkpoints` are in the order of their numbers. `faults` are in the order in which they were seen.
    """

    start: Point
    checkpoints: Sequence[Checkpoint]
    faults: list[Fault] = field(default_factory=list)
    more_faults: int = 0

    def __post_init__(self) -> None:
        self.point = self.start
        # The last number of a row or seal that was told, and of the last checkpoint that was compared.
        self._compared_to = self.start.last
        self._faults_before, self._rows, self._unsealed = 0, 0, 0
        ends = {item.end.last: item.end for item in self.checkpoints if item.end.last > self.start.last}
        self._ahead = deque(ends[last] for last in sorted(ends))
        self._changed: list[tuple[Mapping[str, Any], Seal]] = []

    def take(self, rows: Iterable[Mapping[str, Any]], seals: Iterable[Seal]) -> None:
        """Compares the next rows of the log with the next seals, both by number; what one page ends with, so does the other."""
        by_number, seal_of = {row["id"]: row for row in rows}, {seal.event_id: seal for seal in seals}
        for number in sorted(by_number.keys() | seal_of.keys()):
            self.take_one(number, by_number.get(number), seal_of.get(number))

    def take_one(self, number: int, row: Mapping[str, Any] | None, seal: Seal | None) -> None:
        """Compares the row of this number, None where it is missing, with its seal. Numbers only grow."""
        if seal is None or number <= self.start.last:
            if row is not None:
                self._unsealed += number > self.start.last
                self.add(FaultKind.INSERTED, number, number, NO_SEAL)
            return
        while self._ahead and self._ahead[0].last < number:
            self._miss(self._ahead.popleft())
        self._compare(number, row, seal)
        if self._ahead and self._ahead[0].last == number:
            self._check_point(self._ahead.popleft())

    def _compare(self, number: int, row: Mapping[str, Any] | None, seal: Seal) -> None:
        if row is None:
            self.add(FaultKind.REMOVED, number, number, "gone, while the seal is still there")
        elif not is_as_sealed(row, seal):
            self._changed.append((row, seal))
            self.add(FaultKind.CHANGED, number, number, NOT_AS_SEALED)
        if linked(self.point.chain, seal.digest, number) != seal.chain:
            self._add_broken_link(number)
        self._rows, self._unsealed = self._rows + (row is not None), 0
        self.point = Point(number, self.point.count + 1, seal.chain)

    def _add_broken_link(self, number: int) -> None:
        before = self.point.last
        if number - before - 1 == self._unsealed > 0:
            return  # each row between them was told: its seal is gone
        if number - before > 1:
            what = f"removed together with their seals, or the seal of row {number} was changed"
            self.add(FaultKind.REMOVED, before + 1, number - 1, what)
        else:
            self.add(
                FaultKind.REWRITTEN, max(before, 1), number, f"the seal of row {number} does not follow from the one before"
            )

    def _check_point(self, end: Point) -> None:
        is_clean = len(self.faults) + self.more_faults == self._faults_before
        if self.point.chain != end.chain or (is_clean and self.point.count != end.count):
            what = f"rows and seals were written anew: they are not those of the checkpoint at row {end.last}"
            self.add(FaultKind.REWRITTEN, self._compared_to + 1, end.last, what)
        self._go_on_from(end)

    def _miss(self, end: Point) -> None:
        self.add(FaultKind.REMOVED, end.last, end.last, "gone together with the seal; a checkpoint was made there")
        self._go_on_from(end)

    def _go_on_from(self, end: Point) -> None:
        """What follows is judged by the checkpoint, so that one fault is told once."""
        self.point, self._compared_to = end, end.last
        self._faults_before = len(self.faults) + self.more_faults

    @property
    def rows(self) -> int:
        """How many rows were compared with their seals."""
        return self._rows

    def finish(self) -> None:
        """Compares the end with the newest checkpoint."""
        if self._ahead:
            self.add(FaultKind.CUT_OFF, self.point.last + 1, self._ahead[-1].last, "the end of the log was cut off")
        elif self.point.last > self._compared_to:
            what = "sealed, and the checkpoint that was made then is gone"
            self.add(FaultKind.CHECKPOINT, self._compared_to + 1, self.point.last, what)
        self._tell_moved()

    def _tell_moved(self) -> None:
        """A changed row that is what was sealed under another number changed its place."""
        changed = self._changed[:MOST_COMPARED]
        for row, _ in changed:
            for _, other in changed:
                place = other.event_id
                if place != row["id"] and is_as_sealed({**row, "id": place}, other):
                    self._rename(row["id"], f"it was row {place} when it was sealed")

    def _rename(self, number: int, what: str) -> None:
        for index, fault in enumerate(self.faults):
            if fault.kind is FaultKind.CHANGED and fault.first <= number <= fault.last:
                parts = [
                    replace(fault, last=number - 1),
                    Fault(FaultKind.MOVED, number, number, what),
                    replace(fault, first=number + 1),
                ]
                self.faults[index : index + 1] = [part for part in parts if part.first <= part.last]
                return

    def add(self, kind: FaultKind, first: int, last: int, what: str) -> None:
        """Adds a fault; one that goes on where the last one ended becomes one with it."""
        before = self.faults[-1] if self.faults else None
        if before is not None and (before.kind, before.what, before.last + 1) == (kind, what, first):
            self.faults[-1] = replace(before, last=last)
        elif len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(kind, first, last, what))
        else:
            self.more_faults += 1


def start_faults(checkpoints: Sequence[Checkpoint], start: Point | None) -> list[Fault]:
    """What is wrong with where the rows begin, by checkpoints in the order of their numbers.

    `start` is the organization's, None where the first of them is not the organization's first.
    """
    faults, before = [], None
    for checkpoint in checkpoints:
        expected = before.start if before is not None else start or checkpoint.start
        if checkpoint.kind is not CheckpointKind.CUT and checkpoint.start != expected:
            what = f"checkpoint {checkpoint.number} begins at row {checkpoint.start.last}, and no cut was made there"
            faults.append(Fault(FaultKind.CHECKPOINT, 0, 0, what))
        before = checkpoint
    return faults
