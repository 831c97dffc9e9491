"""Clones: what a workstation sends says that there are two of it. It is shown, written down and found by a filter, never silent."""

from __future__ import annotations

from dataclasses import replace

from authority.domain.borrows import OTHER_BOARD, Borrow
from authority.domain.events import EventKind, borrow_events
from authority.services.unit import Unit
from authority.storage import borrows


def mark_clones(unit: Unit, borrow: Borrow, evidence: str) -> Borrow:
    """The borrow with what says that its machine may be two, kept with all that it is true of.

    A board is the machine's, whoever works there; counts are those of one machine key.
    Nothing is refused for it: a workstation that was put back from a backup looks alike, and an administrator can tell.
    """
    borrows.mark_clones(unit.connection, borrow.machine, evidence, unit.now, by_id=evidence == OTHER_BOARD)
    unit.record(borrow_events(EventKind.CLONE_SUSPECTED, borrow, unit.actor, evidence, quantity=0)[:1])
    return replace(borrow, clone_seen_at=unit.now, clone_evidence=evidence)
