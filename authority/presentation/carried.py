"""A file that came on a stick, before anything is done with it."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from authority.domain.borrows import Ask
from authority.presentation.borrows import BorrowShown
from authority.presentation.computers import MachineShown, UserShown
from authority.presentation.shown import Shown, Time
from authority.services.carried import Carried


class RequestShown(Shown):
    """What a workstation asks for."""

    product: str
    level: str | None = Field(description="null: the one that is assigned")
    extensions: tuple[str, ...] | None = Field(description="null: those that are assigned")
    days: int | None = Field(description="null with until null: the usual days of the rule in effect")
    until: Time | None
    member: str | None = Field(description="null: whoever sends it, or whom an administrator names")
    organization: str | None
    machine: MachineShown
    user: UserShown

    @classmethod
    def of(cls, ask: Ask) -> Self:
        """What the request asks for."""
        return cls(
            product=ask.product,
            level=ask.level,
            extensions=ask.extensions,
            days=ask.days,
            until=ask.until,
            member=ask.member,
            organization=ask.organization,
            machine=MachineShown.model_validate(ask.machine),
            user=UserShown.model_validate(ask.user),
        )


class CarriedShown(Shown):
    """What a file is, and what to do with it."""

    kind: str = Field(
        description="request, return, borrow, status, trust, trust-update, authorization, clock-reset or checkpoint"
    )
    next_step: str
    made_at: Time | None = Field(description="of a request or receipt, as its machine signed it")
    request: RequestShown | None = Field(description="what a request asks for")
    borrow: BorrowShown | None = Field(
        description="the borrow that a request got already, that a receipt ends, or of which a borrow file is"
    )

    @classmethod
    def of(cls, carried: Carried, now: datetime) -> Self:
        """What was seen of the file, with the borrow as of `now`."""
        return cls(
            kind=carried.kind,
            next_step=carried.next_step,
            made_at=carried.made_at,
            request=None if carried.ask is None else RequestShown.of(carried.ask),
            borrow=None if carried.borrow is None else BorrowShown.of(carried.borrow, now),
        )
