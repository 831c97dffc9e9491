"""Files that came on a stick, with what would be done with each of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Self

from pydantic import Field

from authority.presentation.borrows import BorrowShown
from authority.presentation.carried import CarriedShown
from authority.presentation.refusals import RefusalShown
from authority.presentation.shown import Repeated, Shown
from authority.services.exchange import File, Look
from authority.services.several import Outcome


class FileShown(Shown):
    """One file, before anything is done with it."""

    name: Repeated
    kind: str | None = Field(description="null: it is damaged, or no file of ours")
    text: str = Field(description="what it is done with: the signed text of a request or receipt, the code of a clock")
    carried: CarriedShown | None
    borrow: BorrowShown | None = Field(description="what a request would get, what a receipt ends, where a clock is")
    was_answered: bool = Field(description="true: this very request was answered before, and gets the same file")
    refusal: RefusalShown | None = Field(description="why nothing can be done with it")

    @classmethod
    def of(cls, outcome: Outcome[File, Look], now: datetime) -> Self:
        """The file with its borrow as of `now`."""
        look = outcome.result or Look("")
        refusal = outcome.refusal or look.refusal
        return cls(
            name=outcome.item[0],
            kind=look.kind or None,
            text=look.text,
            carried=None if look.carried is None else CarriedShown.of(look.carried, now),
            borrow=None if look.borrow is None else BorrowShown.of(look.borrow, now),
            was_answered=look.was_answered,
            refusal=None if refusal is None else RefusalShown.of(refusal),
        )

    @classmethod
    def of_all(cls, outcomes: Iterable[Outcome[File, Look]], now: datetime) -> tuple[Self, ...]:
        """All of them in their order."""
        return tuple(cls.of(outcome, now) for outcome in outcomes)
