"""What went out and is not in the database, and what was taken in of it."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from authority.presentation.shown import Second, Shown
from authority.services import reconciling
from authority.services.catching_up import CaughtUp
from authority.services.reconciling import Comparison, Orphan


class OrphanShown(Shown):
    """A token that went out and that the database does not know."""

    jti: str = Field(description="the id of the token")
    borrow_id: str
    member: str
    product: str
    level: str
    extensions: tuple[str, ...]
    machine: str = Field(description="the alias of the machine, or its id")
    issued_at: Second
    expires_at: Second
    status_index: int
    ended: bool = Field(description="a status list that went out says that it is of no use any more")
    clash: str | None = Field(description="the borrow that has its place in the status list now: then it cannot be taken in")

    @classmethod
    def of(cls, orphan: Orphan) -> Self:
        """The orphan with what its token says."""
        granted = orphan.granted.license
        return cls(
            jti=orphan.token.jti,
            borrow_id=granted.id,
            member=granted.member,
            product=granted.product,
            level=granted.level,
            extensions=granted.extensions,
            machine=granted.machine.alias or granted.machine.id,
            issued_at=orphan.granted.issued_at,
            expires_at=granted.ends_at,
            status_index=orphan.token.status_index,
            ended=orphan.is_ended,
            clash=orphan.clash,
        )


class ComparisonShown(Shown):
    """What the database lacks of what went out."""

    ok: bool = Field(description="it lacks nothing that could be taken in")
    status_list: int | None = Field(description="the number of the newest status list that went out")
    authorization: int | None = Field(description="the number of the newest authorization that went out")
    tokens: int = Field(description="how many tokens that have not expired went out, by the logs that were read")
    damaged_lines: int = Field(description="how many lines of those logs cannot be read")
    problems: tuple[str, ...]
    orphans: tuple[OrphanShown, ...]
    revived: tuple[str, ...] = Field(description="borrows that are out by the database, and ended in a list that went out")

    @classmethod
    def of(cls, comparison: Comparison) -> Self:
        """The comparison, with each orphan."""
        listed, authorized = comparison.floor.status_list, comparison.floor.authorization
        return cls(
            ok=not comparison.takes_in,
            status_list=None if listed is None else listed.number,
            authorization=None if authorized is None else authorized.number,
            tokens=comparison.tokens,
            damaged_lines=comparison.damaged,
            problems=tuple(reconciling.sentences(comparison)),
            orphans=tuple(OrphanShown.of(orphan) for orphan in comparison.orphans),
            revived=comparison.revived,
        )


class CaughtUpShown(ComparisonShown):
    """What was lacking, and what was done about it."""

    taken_in: int = Field(description="how many of the orphans are in the database again")
    next_status_list: int | None = Field(description="the number of the list that was published; null: nothing was to be done")

    @classmethod
    def of_result(cls, result: CaughtUp) -> Self:
        """What was lacking before, and what was taken in of it."""
        before = ComparisonShown.of(result.comparison)
        values = {name: getattr(before, name) for name in ComparisonShown.model_fields}
        return cls(**values, taken_in=len(result.taken_in), next_status_list=result.list_seq)
