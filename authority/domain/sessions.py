"""Sessions: connected uses, kept alive by use, on a few computers at a time (seeds S1 and S3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from authority.domain import borrows as rules
from authority.domain import entitlement
from authority.domain.borrows import Borrow, Demand, Features, License, Machine, OsUser
from authority.domain.catalogue import Authorization, Product
from authority.domain.members import Assignment, Member
from authority.domain.plurals import are, counted
from authority.domain.refusals import (
    AlreadyBorrowed,
    ComputerInUse,
    ExtensionNotAssigned,
    LevelNotAssigned,
    NoSuchProduct,
    NotAllowed,
    SessionEnded,
    SessionLimit,
)
from authority.domain.settings import Settings

# What an administrator may set: name, least, most. A grant works without the authority for a day at most.
BOUNDS = {"minutes": (1, 24 * 60), "computers": (1, 1000), "grant_minutes": (0, 24 * 60), "save_minutes": (0, 24 * 60)}
LONGEST_GRANT = timedelta(minutes=BOUNDS["grant_minutes"][1])
START_AGAIN = "End the session on this computer and start a new one."


class SessionState(StrEnum):
    """What a session is at a moment: in use, ended by time, by its holder, or by an administrator."""

    ACTIVE = "active"
    EXPIRED = "expired"
    CHECKED_IN = "checked-in"
    ENDED = "ended"


class SessionEnding(StrEnum):
    """Who ended a session before its time."""

    CHECKED_IN = "checked-in"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True, slots=True)
class SessionSettings(Settings):
    """How long a session lasts without use, on how many computers at once, how long a grant is good, and the time to save.

    `grant_minutes` of 0: as long as the session itself lasts without use, so that nothing runs after a session that time ends.
    """

    subject: ClassVar = "sessions"
    bounds: ClassVar = BOUNDS

    minutes: int = 30
    computers: int = 3
    grant_minutes: int = 0
    save_minutes: int = 60


@dataclass(frozen=True, slots=True)
class Session:
    """A connected use. `active_until` moves with every renewal; `save_by` is set when an administrator ended it.

    `granted_until` is when the last of the grants ends that were given for it: until then a copy may run, whatever becomes of
    the session.
    """

    id: str
    member_id: int
    member: str
    groups: tuple[str, ...]
    product: str
    level: str
    extensions: tuple[str, ...]
    machine: Machine
    user: OsUser
    created_at: datetime
    last_used_at: datetime
    active_until: datetime
    granted_until: datetime
    ended_at: datetime | None = None
    ended_by: SessionEnding | None = None
    save_by: datetime | None = None

    def state(self, now: datetime) -> SessionState:
        """Active, or by whom it ended. Time ends a session, not a job: expiry follows from the time asked about."""
        if self.ended_by is not None:
            by_holder = self.ended_by is SessionEnding.CHECKED_IN
            return SessionState.CHECKED_IN if by_holder else SessionState.ENDED
        return SessionState.ACTIVE if now < self.active_until else SessionState.EXPIRED

    def over_at(self, now: datetime) -> datetime | None:
        """When somebody or time ended it; None while it is active."""
        return self.ended_at or (self.active_until if now >= self.active_until else None)

    @property
    def seat_free_at(self) -> datetime:
        """When its seats can be given to others, and its computer counts no more: it is over, and so is its last grant."""
        return max(self.granted_until, self.ended_at or self.active_until)

    def is_on(self, machine: Machine) -> bool:
        """True when this is the same machine, by id and key."""
        return (self.machine.id, self.machine.key) == (machine.id, machine.key)

    def features(self) -> Features:
        """The level and extensions of the session."""
        return Features(self.level, self.extensions)

    def demand(self) -> Demand:
        """What is asked for by using the session again: what it has."""
        return Demand(product=self.product, level=self.level, extensions=self.extensions, machine=self.machine, user=self.user)

    def license(self, ends_at: datetime) -> License:
        """What the session's grant says, when it works without the authority until then."""
        return License(
            id=self.id,
            member=self.member,
            product=self.product,
            level=self.level,
            extensions=self.extensions,
            machine=self.machine,
            user=self.user,
            ends_at=ends_at,
        )


def borrow_here(held: Sequence[Borrow], product: Product, machine: Machine, user: OsUser) -> Borrow | None:
    """The member's borrow of the product on this very machine, which a session works beside, or None.

    Raises AlreadyBorrowed when the named license is out on another machine. Of a concurrent product another seat is taken.
    """
    here = next((borrow for borrow in held if borrow.is_on(machine, user)), None)
    if here is None and held and not product.is_concurrent:
        raise rules.taken(held[0], machine)
    return here


def seats_needed(product: Product, features: Features, here: Borrow | None) -> tuple[str, ...]:
    """The features that a session takes a seat of: all, without those that a borrow on the same machine has already.

    A named license is one, whatever the level it is used at.
    """
    if here is None:
        return features.all()
    taken = {here.level, *here.extensions} | (set() if product.is_concurrent else {features.level})
    return tuple(name for name in features.all() if name not in taken)


def check_computers(holding: Sequence[Session], machine: Machine, settings: SessionSettings) -> None:
    """Raises SessionLimit, with the computers in use, when this one would be one too many (seed S1: three at most).

    `holding` are the member's sessions of which a grant may still run, those that ended too. A computer is told by its key as
    well, which is proved, and not by its id alone, which is only said.
    """
    computers: dict[tuple[str, str], list[Session]] = {}
    for session in sorted(holding, key=lambda item: (item.created_at, item.id)):
        computers.setdefault((session.machine.id, session.machine.key), []).append(session)
    if (machine.id, machine.key) in computers or len(computers) < settings.computers:
        return
    in_use = tuple(
        ComputerInUse(
            computer=items[-1].machine.alias or items[-1].machine.id,
            since=items[0].created_at,
            taken_until=max(item.seat_free_at for item in items),
        )
        for items in computers.values()
    )
    raise SessionLimit(
        f"you are signed in on {counted(len(in_use), 'computer')}, at most {settings.computers} {are(settings.computers)} allowed at once: {rules.computers_text(in_use)}",
        limit=settings.computers,
        computers=in_use,
    )


def check_covers(session: Session, product: Product, demand: Demand) -> None:
    """Raises AlreadyBorrowed when more is asked for than the session on this computer has."""
    higher = demand.level is not None and product.rank(demand.level) > product.rank(session.level)
    if higher or not set(demand.extensions or ()) <= set(session.extensions):
        raise AlreadyBorrowed(
            f'"{session.product}" is in use here as {", ".join(session.features().all())}; a session keeps that until it ends',
            hint=START_AGAIN,
            session_id=session.id,
        )


def check_still_given(session: Session, product: Product, demand: Demand, assignment: Assignment | None) -> None:
    """Raises NotAssigned, LevelNotAssigned, ExtensionNotAssigned, NoSuchProduct when the member cannot have any more what the session has."""
    try:
        entitlement.check_still_given(product, session.features(), demand, assignment)
    except (LevelNotAssigned, ExtensionNotAssigned, NoSuchProduct) as error:
        error.hint = START_AGAIN
        raise


def check_request(session: Session, product: Product, demand: Demand) -> None:
    """Raises NotAllowed unless a session is used from the machine, by its key, and for what it was started with.

    AlreadyBorrowed when more is asked for than it has.
    """
    if not session.is_on(demand.machine) or session.product != demand.product:
        raise NotAllowed(
            f'the request is of another machine or product than the session, which is of "{session.product}" on '
            f"{session.machine.alias or session.machine.id}",
            hint="Use the session on the machine that started it, or start a new one.",
        )
    check_covers(session, product, demand)


def started(
    session_id: str, member: Member, features: Features, demand: Demand, now: datetime, until: datetime, granted_until: datetime
) -> Session:
    """A new session, active from now until that time, with a first grant."""
    return Session(
        id=session_id,
        member_id=member.id,
        member=member.username,
        groups=member.groups,
        product=demand.product,
        level=features.level,
        extensions=features.extensions,
        machine=demand.machine,
        user=demand.user,
        created_at=now,
        last_used_at=now,
        active_until=until,
        granted_until=granted_until,
    )


def active_until(settings: SessionSettings, now: datetime) -> datetime:
    """When a session used now ends unless it is used again."""
    return now + timedelta(minutes=settings.minutes)


def renewed(session: Session, settings: SessionSettings, now: datetime, grant_ends_at: datetime) -> Session:
    """The session used now, with another grant. Raises SessionEnded."""
    check_open(session, now)
    granted_until = max(session.granted_until, grant_ends_at)
    return replace(session, last_used_at=now, active_until=active_until(settings, now), granted_until=granted_until)


def checked_in(session: Session, now: datetime) -> Session:
    """The session ended by its holder; its seats are free when its last grant has ended. Raises SessionEnded."""
    check_open(session, now)
    return replace(session, ended_at=now, ended_by=SessionEnding.CHECKED_IN)


def ended(session: Session, settings: SessionSettings, now: datetime) -> Session:
    """The session ended by an administrator: there is no new grant, and its user has time to save. Raises SessionEnded."""
    check_open(session, now)
    save_by = now + timedelta(minutes=settings.save_minutes)
    return replace(session, ended_at=now, ended_by=SessionEnding.ADMINISTRATOR, save_by=save_by)


def check_open(session: Session, now: datetime) -> None:
    """Raises SessionEnded, saying by whom and since when, and until when the user can save."""
    state = session.state(now)
    if state is SessionState.ACTIVE:
        return
    at = session.ended_at or session.active_until
    how = {
        SessionState.EXPIRED: "by time",
        SessionState.CHECKED_IN: "by its holder",
        SessionState.ENDED: "by an administrator",
    }[state]
    sentence, free_at = f"the session ended {how} at {at:%Y-%m-%d %H:%M} UTC", session.seat_free_at
    if session.save_by is None:
        raise SessionEnded(sentence, hint="Start a new session.", state=state, ended_at=at, seat_free_at=free_at)
    sentence += f"; save your work by {session.save_by:%Y-%m-%d %H:%M} UTC"
    if session.granted_until < session.save_by:
        sentence += f"; the license itself is good until {session.granted_until:%Y-%m-%d %H:%M} UTC, when its last grant ends"
    raise SessionEnded(sentence, save_by=session.save_by, state=state, ended_at=at, seat_free_at=free_at)


def grant_ends_at(
    settings: SessionSettings, authorization: Authorization, product: Product, here: Borrow | None, now: datetime
) -> datetime:
    """Until when the grant of a session used now works without the authority.

    Beside a borrow of a pool's seat it ends with the borrow at the latest: from then on the session needs a seat of its own.
    """
    ends_at = now + timedelta(minutes=settings.grant_minutes or settings.minutes)
    if here is not None and product.is_concurrent:
        ends_at = min(ends_at, here.seat_free_at)
    return min(ends_at, authorization.end_of(product))
