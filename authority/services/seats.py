"""What a borrow and a session decide alike: who may have what, and what the log says of a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from authority.domain import borrows as rules
from authority.domain.borrows import Demand, Features
from authority.domain.catalogue import Authorization, Product
from authority.domain.events import Event, UseMode, denial_events
from authority.domain.members import Actor, Assignment, Member
from authority.domain.refusals import BorrowRefused

Asked = TypeVar("Asked", bound=Demand)


@dataclass(frozen=True, slots=True)
class Case(Generic[Asked]):
    """All that one decision is made from: who asks for whom, for what, under which authorization, and when."""

    actor: Actor
    member: Member
    ask: Asked
    authorization: Authorization
    product: Product
    now: datetime

    @property
    def is_concurrent(self) -> bool:
        """True when seats are taken from a pool; False when the license is assigned to the member."""
        return self.product.is_concurrent


def entitled(case: Case[Asked], assignment: Assignment | None, assigned: Mapping[str, int]) -> Features:
    """The level and extensions that the member may have of what is asked for, whether or not a seat is free.

    `assigned` is how often each level and extension of the product is assigned. Raises MemberDisabled, TypeNotCompatible,
    ProductOverallocated, NotAssigned, LevelNotAssigned, ExtensionNotAssigned, NoSuchProduct.
    """
    rules.check_may_use(case.member, case.authorization, case.product)
    if assignment is not None:
        rules.check_not_overallocated(case.product, assigned)
    return rules.features_of(case.product, case.ask, assignment)


def denial(
    case: Case[Asked], assignment: Assignment | None, error: BorrowRefused, mode: UseMode, until: datetime | None = None
) -> list[Event]:
    """The log rows of a refusal: the feature that was lacking, else what was asked for, else what would have been given.

    `until` is the end that was asked for.
    """
    level, extensions = case.ask.level or rules.usual_level(case.product, assignment), case.ask.extensions
    if extensions is None:
        extensions = () if assignment is None else assignment.extensions
    features = [level, *extensions] if error.lacking is None else [error.lacking]
    return denial_events(mode, case.ask, case.member, case.actor, error.code, features, until)
