"""What a look at the authority's own state says."""

from __future__ import annotations

from typing import Self

from authority.presentation.shown import Shown
from authority.services.examination import Finding


class FindingShown(Shown):
    """One thing that was looked at; `ok` is null where it could not be, because of what another line says."""

    subject: str
    ok: bool | None
    message: str

    @classmethod
    def of(cls, finding: Finding) -> Self:
        """The finding as it is."""
        return cls.model_validate(finding)
