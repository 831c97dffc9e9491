"""Licenses of named products: who holds which, what became of a wish to assign one, and what is available."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from authority.domain import versions
from authority.domain.borrows import Borrow, BorrowState
from authority.domain.licenses import features, version_values
from authority.domain.members import Assignment
from authority.presentation.borrows import BorrowShown
from authority.presentation.several import rows_of
from authority.presentation.shown import Repeated, Shown, Time, rfc3339
from authority.services.licenses import Assigned, Availability, Held, License, Unassigned, Wish
from authority.services.several import Outcome


class AssignmentShown(Shown):
    """What a member holds of a named product."""

    product: str
    level: str
    extensions: tuple[str, ...]
    included: bool = Field(description="true: the user type brought it")

    @classmethod
    def of(cls, assignment: Assignment) -> Self:
        """The assignment, without its member."""
        return cls.model_validate(assignment)


class HeldLicense(Shown):
    """An assignment with the member who holds it."""

    member: str
    product: str
    level: str
    extensions: tuple[str, ...]
    included: bool = Field(description="true: the user type brought it")
    version: str = Field(description="for If-Match, of a change of this license alone; that of one that is not held is none")

    @classmethod
    def of(cls, held: Held) -> Self:
        """The license that was looked up, with its member."""
        version = versions.of(version_values(held.license))
        return cls(member=held.username, version=version, **AssignmentShown.of(held.license).model_dump())


class HeldLicenses(Shown):
    """A page of assignments, by user name and product."""

    items: tuple[HeldLicense, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[Held], cursor: str | None) -> Self:
        """The assignments of a page."""
        return cls(items=tuple(map(HeldLicense.of, page)), next=cursor)


class AssignedLicense(Shown):
    """A license that was assigned, as it is held now."""

    member: Repeated
    product: Repeated
    ok: Literal[True] = True
    level: str
    extensions: tuple[str, ...]
    version: str = Field(description="for If-Match, of a change of this license alone")
    taken: tuple[str, ...] = Field(description="the level and extensions held before and not any more")
    given: tuple[str, ...] = Field(description="the level and extensions held now and not before")


class RefusedLicense(Shown):
    """A license that was not assigned, and why."""

    member: Repeated
    product: Repeated
    ok: Literal[False] = False
    code: str
    message: Repeated
    hint: Repeated


def outcome_of(outcome: Outcome[Wish, Assigned]) -> AssignedLicense | RefusedLicense:
    """What became of one license that was to be assigned."""
    member, product, refusal = outcome.item.username, outcome.item.product, outcome.refusal
    if refusal is not None:
        return RefusedLicense(member=member, product=product, code=refusal.code, message=refusal.message, hint=refusal.hint)
    assigned = outcome.done()
    held, before = assigned.after, features(assigned.before)
    return AssignedLicense(
        member=member,
        product=product,
        level=held.level,
        extensions=held.extensions,
        version=versions.of(version_values(held)),
        taken=tuple(sorted(before - features(held))),
        given=tuple(sorted(features(held) - before)),
    )


class AssignmentOutcomes(Shown):
    """What became of licenses that were to be assigned."""

    assignments: tuple[AssignedLicense | RefusedLicense, ...] = Field(description="in the order in which they were sent")

    @classmethod
    def of(cls, outcomes: Iterable[Outcome[Wish, Assigned]]) -> Self:
        """All outcomes in their order."""
        return cls(assignments=tuple(map(outcome_of, outcomes)))


class UnassignedLicense(Shown):
    """A license that was taken from a member, and what the borrow that is out does."""

    member: str
    taken: AssignmentShown
    borrow: BorrowShown | None = Field(
        description="the borrow that still has a seat; it goes on until it ends or is checked in"
    )
    note: str | None = Field(description="what that borrow does, and what can be done about it")

    @classmethod
    def of(cls, unassigned: Unassigned, now: datetime) -> Self:
        """The license, with its borrow as of `now`; `borrow` and `note` are None when none is out."""
        borrow = unassigned.borrow
        return cls(
            member=unassigned.username,
            taken=AssignmentShown.of(unassigned.taken),
            borrow=None if borrow is None else BorrowShown.of(borrow, now),
            note=None if borrow is None else _note(borrow, now),
        )


def _note(borrow: Borrow, now: datetime) -> str:
    state = borrow.state(now)
    if state is BorrowState.ACTIVE:
        return f"a borrow is out until {rfc3339(borrow.expires_at)} and stays good; revoke or release it if it must not"
    return f"a borrow was {state}; its copy may still run, and its seat stays taken, until {rfc3339(borrow.seat_free_at)}"


class UnassignmentDone(Shown):
    """One of several licenses that was taken, or in a dry run would be."""

    member: str = Field(description="as it was sent")
    product: str
    ok: Literal[True] = True
    license: UnassignedLicense


class Unassignments(Shown):
    """What became of several licenses that were to be taken."""

    items: tuple[UnassignmentDone | RefusedLicense, ...] = Field(description="in the order in which they were sent")
    dry_run: bool

    @classmethod
    def of(cls, outcomes: Iterable[Outcome[License, Unassigned]], now: datetime, *, dry_run: bool) -> Self:
        """All outcomes in their order, with the borrows as of `now`."""
        names, shown = (lambda item: {"member": item.username, "product": item.product}), UnassignedLicense.of
        items = rows_of(outcomes, names, "license", lambda taken: shown(taken, now))
        return cls.model_validate({"items": items, "dry_run": dry_run})


class AvailabilityShown(Shown):
    """One level or extension: licensed, used, available."""

    product: str
    feature: str
    licensed: int
    used: int
    available: int = Field(description="negative: nobody can start or borrow the product until it is corrected")
    ends_at: Time | None = Field(description="null: the authorization does not have the product any more")

    @classmethod
    def of(cls, availability: Availability) -> Self:
        """The counts of one level or extension."""
        return cls.model_validate(availability)


class Availabilities(Shown):
    """Every level and extension."""

    items: tuple[AvailabilityShown, ...]
    next: None = None

    @classmethod
    def of(cls, availabilities: Iterable[Availability]) -> Self:
        """All of them on one page."""
        return cls(items=tuple(map(AvailabilityShown.of, availabilities)))
