"""What a borrow and a session do alike: lock the license or the pool, ask who may have it, and log a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authority.domain import borrows as rules
from authority.domain.borrows import Ask, Features
from authority.domain.catalogue import Authorization, Product
from authority.domain.events import Event, UseMode, denial_events
from authority.domain.members import Actor, Assignment, Member
from authority.domain.refusals import BorrowRefused
from authority.storage import members
from authority.storage import organization as stored_organization


@dataclass(frozen=True, slots=True)
class Case:
    """All that one decision is made from: who asks for whom, for what, under which authorization, and when."""

    actor: Actor
    member: Member
    ask: Ask
    authorization: Authorization
    product: Product
    now: datetime

    @property
    def is_concurrent(self) -> bool:
        """True when seats are taken from a pool; False when the license is assigned to the member."""
        return self.product.is_concurrent


def lock(connection: Connection, case: Case) -> Assignment | None:
    """Locks the pools of a concurrent product, or the member's license of a named one, which comes back.

    It comes before every other question: who comes after sees all that was decided before.
    """
    if not case.is_concurrent:
        return members.assignment(connection, case.member.id, case.product.id, lock=True)
    stored_organization.lock_pools(connection, case.product.id)
    return None


def entitled(connection: Connection, case: Case, assignment: Assignment | None) -> Features:
    """The level and extensions that the member may have of what is asked for, whether or not a seat is free.

    Raises MemberDisabled, TypeNotCompatible, ProductOverallocated, NotAssigned, LevelNotAssigned, ExtensionNotAssigned,
    NoSuchProduct.
    """
    rules.check_may_use(case.member, case.authorization, case.product)
    if assignment is not None:
        rules.check_not_overallocated(case.product, stored_organization.assigned(connection, case.product.id))
    return rules.features_of(case.product, case.ask, assignment)


def denial(connection: Connection, case: Case, error: BorrowRefused, mode: UseMode) -> list[Event]:
    """The log rows of a refusal: the feature that was lacking, else what was asked for, else what would have been given."""
    feature, level = error.evidence.get("feature"), case.ask.level
    if feature is None and level is None:
        assignment = members.assignment(connection, case.member.id, case.product.id)
        level = rules.usual_level(case.product, assignment)
    features = [str(feature)] if feature is not None else [str(level), *case.ask.extensions]
    return denial_events(mode, case.ask, case.member, case.actor, error.code, features)
