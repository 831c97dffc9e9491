"""Borrows: what is asked, what is granted, and what is renewed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from authority.domain import days
from authority.domain.catalogue import Product
from authority.domain.clocks import FROM_OUTSIDE
from authority.domain.refusals import (
    AlreadyBorrowed,
    BorrowedElsewhere,
    ComputerInUse,
    ContainerNotAllowed,
    InSessionElsewhere,
    RequestInvalid,
)

# A request is carried by hand and may be under way for long.
OLDEST_REQUEST = timedelta(days=90)
# What says that there are two of a machine, whoever works there; other evidence is of one machine key.
OTHER_BOARD = "another machine with the same id has another board"


class BorrowState(StrEnum):
    """What a borrow is at a moment: out, ended by time, or how else it ended."""

    ACTIVE = "active"
    EXPIRED = "expired"
    CHECKED_IN = "checked-in"
    REVOKED = "revoked"
    RELEASED = "released"


class Whereabouts(StrEnum):
    """What somebody looks for among licenses that were taken offline.

    TAKEN: whatever holds a seat, which is OUT or REVOKED; NOT_RETURNED: ended by itself in the last 30 days, and no receipt came.
    """

    TAKEN = "taken"
    OUT = "out"
    REVOKED = "revoked"
    NOT_RETURNED = "not-returned"


# So long one is asked for what ended by itself and was not given back.
NOT_RETURNED_FOR = timedelta(days=30)


class Ending(StrEnum):
    """How a borrow ended before its time."""

    CHECKED_IN = BorrowState.CHECKED_IN
    REVOKED = BorrowState.REVOKED
    RELEASED = BorrowState.RELEASED


@dataclass(frozen=True, slots=True)
class Machine:
    """A workstation as its request names it: hashed id, source, a second mark, alias, and the thumbprint of its key.

    The source says what the id is made from and, behind a comma, where that is not a machine of its own but a container or the like.
    """

    id: str
    source: str
    secondary: str | None
    alias: str | None
    key: str

    @property
    def place(self) -> str:
        """`container`, `wsl` or `user-namespace`, of which others may have copies; "" for a machine of its own."""
        return self.source.partition(", ")[2]


@dataclass(frozen=True, slots=True)
class OsUser:
    """The OS user of the workstation: `uid:N` or `sid:S-1-...`, and a name for display."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What is asked for, and where. Borrows and sessions are decided by it alike.

    A level or extensions of None are left to the rules, which give what is assigned; empty extensions are none.
    """

    product: str
    level: str | None
    extensions: tuple[str, ...] | None
    machine: Machine
    user: OsUser


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Demand):
    """A request for a borrow whose machine signature was verified. `digest` is that of the signed text: one `jti`, one text.

    `number` is which request of its machine key it is, `returns` how many receipts that key made before; None where it does not say.
    """

    jti: str
    digest: str
    asked_at: datetime
    organization: str | None
    days: int | None
    until: datetime | None
    member: str | None
    prev: str | None
    number: int | None = None
    returns: int | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A return receipt whose machine signature was verified. `digest` is what the machine's next request names as `prev`.

    `count` is which receipt of its machine key it is, `requests` how many requests that key made before; None where it does not say.
    """

    jti: str
    digest: str
    token_jti: str
    made_at: datetime
    borrow_id: str
    machine_id: str
    machine_key: str
    user_id: str
    count: int
    requests: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class License:
    """What a token says: which member may use what, on which machine, and until when.

    `status_max_age`: how old a status list may be there, in seconds; None: any is good, and none is needed.
    """

    id: str
    member: str
    product: str
    level: str
    extensions: tuple[str, ...]
    machine: Machine
    user: OsUser
    ends_at: datetime
    status_max_age: int | None = None


@dataclass(frozen=True, slots=True)
class Borrow:
    """An offline use for a fixed time. `seat_free_at` is when its seat can be given again, whatever happens to the copy.

    `member` is the user name that `member_id` has now: another member may have had it before. `status_max_age` is how old a status
    list may be on the workstation, in seconds, None where any is good. `clone_seen_at` is when what came from its machine said that
    there are two of it, as `clone_evidence` tells.
    """

    id: str
    member_id: int
    member: str
    user_type: str
    groups: tuple[str, ...]
    product: str
    level: str
    extensions: tuple[str, ...]
    machine: Machine
    user: OsUser
    issued_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    ended_by: Ending | None
    end_reason: str | None
    seat_free_at: datetime
    decided_by: str
    receipt_jti: str | None = None
    status_max_age: int | None = None
    clone_seen_at: datetime | None = None
    clone_evidence: str | None = None

    def state(self, now: datetime) -> BorrowState:
        """Active, expired, or how it ended. Time ends a borrow, not a job: expiry follows from the time asked about."""
        if self.ended_by is not None:
            return BorrowState(self.ended_by)
        return BorrowState.ACTIVE if now < self.expires_at else BorrowState.EXPIRED

    def over_at(self, now: datetime) -> datetime | None:
        """When somebody or time ended it; None while it is active."""
        return self.ended_at or (self.expires_at if now >= self.expires_at else None)

    def days_left(self, now: datetime) -> int | None:
        """How many days are left, a begun one being counted, as the workstation counts them; None when it is not active."""
        return days.left(self.expires_at, now) if self.state(now) is BorrowState.ACTIVE else None

    def copy_may_run_until(self, now: datetime) -> datetime | None:
        """None when its copy is certainly of no use: its time is over, or its holder proved to have given it up."""
        return self.expires_at if now < self.expires_at and self.receipt_jti is None else None

    def holds_seat(self, now: datetime) -> bool:
        """True while its seat cannot be given to anyone else."""
        return now < self.seat_free_at

    def license(self) -> License:
        """What the borrow's token says."""
        return License(
            id=self.id,
            member=self.member,
            product=self.product,
            level=self.level,
            extensions=self.extensions,
            machine=self.machine,
            user=self.user,
            ends_at=self.expires_at,
            status_max_age=self.status_max_age,
        )

    def is_on(self, machine: Machine, user: OsUser) -> bool:
        """True when this is the same machine, by id and key, and the same OS user (seed S3: one machine per borrow)."""
        return (self.machine.id, self.machine.key, self.user.id) == (machine.id, machine.key, user.id)


@dataclass(frozen=True, slots=True)
class Features:
    """What is granted: one level and any extensions. Each takes one seat of its own."""

    level: str
    extensions: tuple[str, ...]

    def all(self) -> tuple[str, ...]:
        """The level, then the extensions."""
        return (self.level, *self.extensions)


def check_age(ask: Ask, now: datetime) -> None:
    """Raises RequestInvalid when the request is older than 90 days, or of the future."""
    if not now - OLDEST_REQUEST <= ask.asked_at <= now + FROM_OUTSIDE:
        raise RequestInvalid(
            f"the request says that it was made at {ask.asked_at:%Y-%m-%d %H:%M} UTC, it is {now:%Y-%m-%d %H:%M} UTC",
            hint="Set the workstation's clock right and make a new request.",
        )


def check_place(machine: Machine, *, containers: bool) -> None:
    """Raises ContainerNotAllowed for a container, WSL or a user namespace where `containers` are lent nothing."""
    if machine.place and not containers:
        raise ContainerNotAllowed(
            f"the request comes from a {machine.place}, of which others may have copies, and nothing is lent to such a one",
            place=machine.place,
        )


def clone_evidence(*, same_number: bool, contradicts: bool, counts_no_more: bool, other_board: bool) -> str | None:
    """What says that two workstations go on as one, in a sentence; None when nothing does.

    A workstation counts its requests and its receipts, and tells both counts with each. Copies of one count on from the same number,
    so that a number comes twice, or a request of later says that it knows nothing of an earlier return; a copy that leaves the counts
    out shows itself by that. Whoever puts back a backup of a workstation makes a copy too. And one machine has one board.
    """
    if same_number:
        return "two different texts of this machine key have the same number"
    if contradicts:
        return "a request and a receipt of this machine key contradict each other about which came first"
    if counts_no_more:
        return "this machine key counted what it sends, and now sends something without its number"
    return OTHER_BOARD if other_board else None


def in_use_elsewhere(product: Product, computers: Sequence[ComputerInUse]) -> InSessionElsewhere:
    """The refusal to take a named license offline while sessions run on other computers: a license is offline on one, and in use on no other."""
    return InSessionElsewhere(
        f'"{product.id}" is in use in a session on {computers_text(computers)}; '
        "offline it is on one computer, and in a session on no other",
        computers=tuple(computers),
    )


def computers_text(computers: Sequence[ComputerInUse]) -> str:
    """Computers with sessions in one line: `laptop (since 2026-03-01 09:00 UTC, taken until 2026-03-01 09:30 UTC); tower (...)`."""
    return "; ".join(
        f"{item.computer} (since {item.since:%Y-%m-%d %H:%M} UTC, taken until {item.taken_until:%Y-%m-%d %H:%M} UTC)"
        for item in computers
    )


def taken(held: Borrow, machine: Machine) -> BorrowedElsewhere:
    """The refusal of a second machine: a named license is on one at a time, and the member is told which, since and until."""
    return BorrowedElsewhere(
        f'"{held.product}" is borrowed on {held.machine.alias or held.machine.id} since {held.issued_at:%Y-%m-%d %H:%M} UTC, '
        f"its seat is taken until {held.seat_free_at:%Y-%m-%d %H:%M} UTC",
        borrow_id=held.id,
        alias=held.machine.alias,
        since=held.issued_at,
        until=held.seat_free_at,
        same_machine_id=held.machine.id == machine.id,
    )


def receipt_outstanding(held: Borrow) -> AlreadyBorrowed:
    """The refusal of a request from a machine that returned something whose receipt has not come here yet.

    If it was this borrow, a renewal would be refused there as given up.
    """
    return AlreadyBorrowed(
        f'the machine returned a license since it borrowed "{held.product}", and its receipt has not arrived',
        hint="Check in the return file first: carnet-authority borrow check-in FILE.",
        borrow_id=held.id,
    )


def renewed(borrow: Borrow, product: Product, ask: Ask, ends_at: datetime) -> Borrow:
    """The borrow with a later end; a renewal extends and never shortens. What is granted stays as it is.

    Raises AlreadyBorrowed when more is asked for than is borrowed: that needs a check-in and a new borrow.
    """
    is_higher = ask.level is not None and product.rank(ask.level) > product.rank(borrow.level)
    if is_higher or not set(ask.extensions or ()) <= set(borrow.extensions):
        raise AlreadyBorrowed(
            f'"{borrow.product}" is borrowed here as {", ".join((borrow.level, *borrow.extensions))}; a renewal keeps that',
            hint="Return the borrow and make a new request to change level or extensions.",
            borrow_id=borrow.id,
        )
    end = max(borrow.expires_at, ends_at)
    return replace(borrow, expires_at=end, seat_free_at=end, machine=ask.machine, user=ask.user)
