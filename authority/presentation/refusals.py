"""Refusals: why something is not to be had, and what to do about it."""

from __future__ import annotations

from typing import Self

from authority.domain.refusals import Refusal
from authority.presentation.shown import Repeated, Shown


class RefusalShown(Shown):
    """The stable code, a sentence with the values, and what to do next."""

    code: str
    message: Repeated
    hint: Repeated

    @classmethod
    def of(cls, refusal: Refusal) -> Self:
        """The refusal without its evidence."""
        return cls.model_validate(refusal)
