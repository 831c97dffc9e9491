"""Refusals to lend: no seat, no license, too long, or over; what refuses a borrow is logged as a denial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from authority.domain.refusals.refusal import Refusal


class BorrowRefused(Refusal):
    """A rule says no to a borrow; every one is logged as a denial."""

    @property
    def lacking(self) -> str | None:
        """The level or extension that it is about, None when it is about all that was asked for."""
        return None


@dataclass(eq=False, repr=False, kw_only=True)
class PoolExhausted(BorrowRefused):
    """All seats of a level or extension are taken or assigned."""

    code = "pool-exhausted"
    default_hint = "Wait until a seat is checked in, or ask the administrator who holds the seats."

    # Seats of others' groups that nobody else gets, by group.
    reserved: Mapping[str, int] | None = None
    feature: str
    group: str | None = None
    seats: int | None = None
    in_use: int | None = None
    maximum: int | None = None
    borrowed: int | None = None
    most_borrowed: int | None = None

    @property
    def lacking(self) -> str:
        return self.feature


@dataclass(eq=False, repr=False, kw_only=True)
class NotAssigned(BorrowRefused):
    """The member holds no license of the named product."""

    code = "not-assigned"
    default_hint = "Ask the administrator to assign a license of this product to the member."

    product: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class LevelNotAssigned(BorrowRefused):
    """The member holds a lower level."""

    code = "level-not-assigned"
    default_hint = "Ask for the assigned level, or ask the administrator to assign the higher one."

    assigned: str


@dataclass(eq=False, repr=False, kw_only=True)
class ExtensionNotAssigned(BorrowRefused):
    """The member does not hold an extension asked for."""

    code = "extension-not-assigned"
    default_hint = "Ask without the extension, or ask the administrator to assign it."

    missing: list[str]


@dataclass(eq=False, repr=False, kw_only=True)
class ProductOverallocated(BorrowRefused):
    """More licenses of the product are assigned than there are."""

    code = "product-overallocated"
    default_hint = "The administrator unassigns licenses until no more are assigned than there are."

    feature: str
    assigned: int
    seats: int

    @property
    def lacking(self) -> str:
        return self.feature


@dataclass(eq=False, repr=False, kw_only=True)
class ProductExpired(BorrowRefused):
    """The product or the authorization has ended."""

    code = "product-expired"
    default_hint = (
        "The administrator looks at the server's clock; if it is right, a new authorization from the vendor is installed."
    )

    product: str


@dataclass(eq=False, repr=False, kw_only=True)
class OfflineNotAllowed(BorrowRefused):
    """A rule forbids offline use."""

    code = "offline-not-allowed"
    default_hint = "Ask the administrator to allow offline use."

    decided_by: str


@dataclass(eq=False, repr=False, kw_only=True)
class ContainerNotAllowed(BorrowRefused):
    """The request comes from a container, WSL or a user namespace, to which this authority lends nothing."""

    code = "container-not-allowed"
    default_hint = "Make the request on the machine itself. The setting `containers` of the authority decides about it."

    place: str


@dataclass(eq=False, repr=False, kw_only=True)
class DurationTooLong(BorrowRefused):
    """Longer than the rule, the authorization or the product allows."""

    code = "duration-too-long"
    default_hint = "Ask for a shorter time, or leave the time out to get the default."

    limit_days: float | None = None
    limit_until: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class ComputerInUse:
    """A computer with sessions: its name, since when, and until when it is taken unless they are used again."""

    computer: str
    since: datetime
    taken_until: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class AlreadyBorrowed(BorrowRefused):
    """The named license is out on another machine, or with other features."""

    code = "already-borrowed"
    default_hint = "Check in the other borrow first; if its machine is lost, the administrator releases it."

    session_id: str | None = None
    borrow_id: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class BorrowedElsewhere(AlreadyBorrowed):
    """The named license is out on another machine, called `alias` there, `since` and `until` then."""

    alias: str | None
    since: datetime
    until: datetime
    same_machine_id: bool


@dataclass(eq=False, repr=False, kw_only=True)
class InSessionElsewhere(AlreadyBorrowed):
    """The named license is in use in sessions on other `computers`."""

    default_hint = "End the session there, or ask the administrator to end it; the license is free when the last grant that was given there has ended."

    computers: tuple[ComputerInUse, ...]


@dataclass(eq=False, repr=False, kw_only=True)
class TypeNotCompatible(BorrowRefused):
    """The member's user type cannot hold the product."""

    code = "type-not-compatible"
    default_hint = "The administrator changes the member's user type to one that may hold the product."

    product: str | None = None
    member: str | None = None
    user_type: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class MemberDisabled(BorrowRefused):
    """The member is disabled."""

    code = "member-disabled"
    default_hint = "Ask the administrator to enable the member."

    member: str


@dataclass(eq=False, repr=False, kw_only=True)
class SessionLimit(BorrowRefused):
    """The member is signed in on as many computers as allowed."""

    code = "session-limit"
    default_hint = (
        "End a session on one of the other computers, or ask the administrator to end it; "
        "the computer is free when the last grant that was given there has ended."
    )

    limit: int
    computers: tuple[ComputerInUse, ...]


@dataclass(eq=False, repr=False, kw_only=True)
class SessionEnded(Refusal):
    """The session was ended, by an administrator or by time."""

    code = "session-ended"
    default_hint = "Save your work by the time named, and start a new session."

    save_by: datetime | None = None
    state: str
    ended_at: datetime
    seat_free_at: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class OrganizationOverLimit(BorrowRefused):
    """The organization has more members than it is authorized for."""

    code = "organization-over-limit"
    default_hint = "Ask your administrator for assistance."

    current: int
    maximum: int | None


@dataclass(eq=False, repr=False, kw_only=True)
class NoSuchProduct(Refusal):
    """The authorization has no such product, level, extension or user type."""

    code = "no-such-product"
    default_hint = "carnet-authority authorization show lists the products, levels and extensions that are licensed."

    product: str | None = None
    level: str | None = None
    extension: str | None = None
    feature: str | None = None
    user_type: str | None = None

    @property
    def lacking(self) -> str | None:
        """The level or extension that there is not, None when it is about the product."""
        return self.feature or self.level or self.extension


@dataclass(eq=False, repr=False, kw_only=True)
class BorrowAlreadyEnded(Refusal):
    """The borrow was checked in, revoked, released or has expired."""

    code = "borrow-already-ended"
    default_hint = "Nothing more is to be done: carnet-authority borrow show ID tells how it ended."

    state: str
    ended_at: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class OverlapNotAccepted(Refusal):
    """A release was asked for without accepting that the lost copy may still run."""

    code = "overlap-not-accepted"
    default_hint = "To free the seat although a copy may still run, say so: --accept-overlap."

    until: datetime
