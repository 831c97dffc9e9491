"""What leaves the log for good: a person, or old rows."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from authority.presentation.shown import Shown, Time
from authority.services.erasure import Erasure
from authority.services.log_pruning import Pruning


class ErasureShown(Shown):
    """A person who was erased, or would be."""

    member: str
    pseudonym: str | None = Field(description="the person's name from now on; null: nothing was done yet")
    names: tuple[str, ...] = Field(description="the user names in the log that were the person's")
    left_out: tuple[str, ...] = Field(description="former user names that somebody else has now")
    rows: int = Field(description="rows of the log")
    borrows: int
    sessions: int
    tokens: int
    applied: bool

    @classmethod
    def of(cls, erasure: Erasure, *, dry_run: bool) -> Self:
        """The erasure; of a dry run without the pseudonym, which would be another one."""
        return cls(
            member=erasure.member,
            pseudonym=None if dry_run else erasure.pseudonym,
            names=erasure.names,
            left_out=erasure.left_out,
            rows=erasure.rows,
            borrows=erasure.borrows,
            sessions=erasure.sessions,
            tokens=erasure.tokens,
            applied=not dry_run,
        )


class PruningShown(Shown):
    """Old rows of the log that were removed, or would be."""

    rows: int
    last: int = Field(description="the number of the last row that is removed, now or before; 0: none")
    before: Time = Field(description="rows from before this time")
    oldest: Time | None = Field(
        description="the time of the oldest row that is there, where none is removed; null: some are, or there is no row"
    )
    applied: bool

    @classmethod
    def of(cls, pruning: Pruning, *, dry_run: bool) -> Self:
        """The pruning."""
        return cls(rows=pruning.rows, last=pruning.last, before=pruning.before, oldest=pruning.oldest, applied=not dry_run)
