"""What a borrow and a session decide alike: who may have what, and what the log says of a refusal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeAlias, TypeVar

from authority.domain.borrows import Demand
from authority.domain.catalogue import Authorization, Product
from authority.domain.entitlement import usual_level
from authority.domain.events import Event, UseMode, denial_events
from authority.domain.members import Actor, Assignment, Member
from authority.domain.refusals import BorrowRefused, NoSuchProduct

Asked = TypeVar("Asked", bound=Demand)
# What a borrow or session that is asked for is refused with so that the log has it.
Denied: TypeAlias = BorrowRefused | NoSuchProduct
DENIED = (BorrowRefused, NoSuchProduct)


@dataclass(frozen=True, slots=True)
class Case(Generic[Asked]):
    """All that one decision is made from: who asks for whom, for what, under which authorization, and when."""

    actor: Actor
    member: Member
    ask: Asked
    authorization: Authorization
    product: Product
    now: datetime


def denial(
    case: Case[Asked], assignment: Assignment | None, error: Denied, mode: UseMode, until: datetime | None = None
) -> list[Event]:
    """The log rows of a refusal: the feature that was lacking, else what was asked for, else what would have been given.

    `until` is the end that was asked for.
    """
    level, extensions = case.ask.level or usual_level(case.product, assignment), case.ask.extensions
    if extensions is None:
        extensions = () if assignment is None else assignment.extensions
    features = [level, *extensions] if error.lacking is None else [error.lacking]
    return denial_events(mode, case.ask, case.member, case.actor, error.code, features, until)


def denial_without_product(
    actor: Actor, member: Member, demand: Demand, error: NoSuchProduct, mode: UseMode, until: datetime | None = None
) -> list[Event]:
    """The log rows of a refusal of a product that is not licensed: one for each level and extension that was asked for.

    Where none was asked for, the row has the name of the product. `until` is the end that was asked for.
    """
    features = [name for name in (demand.level, *(demand.extensions or ())) if name is not None]
    return denial_events(mode, demand, member, actor, error.code, features or [demand.product], until)
