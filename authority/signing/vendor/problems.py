"""Saying at once all that is wrong with a file that a vendor reads."""

from __future__ import annotations

from collections.abc import Sequence

from authority.domain.refusals import SpecificationInvalid

MOST_SAID = 40


def refuse(what: str, problems: Sequence[str]) -> None:
    """Raises SpecificationInvalid with the first problems, and how many more there are; does nothing when there is none."""
    if problems:
        more = len(problems) - MOST_SAID
        said = [*problems[:MOST_SAID], *([f"and {more} more"] if more > 0 else [])]
        raise SpecificationInvalid(f"{what}: {'; '.join(said)}", problems=said)
