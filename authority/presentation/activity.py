"""License activity: when each member last used a product, and who is offline (seed S1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Self

from pydantic import Field

from authority.domain.activity import Activity, Dot
from authority.domain.borrows import Borrow
from authority.domain.sessions import Session
from authority.presentation.computers import name_of
from authority.presentation.shown import NOT_IN_SHEETS, Shown, Time


class BorrowOut(Shown):
    """An active borrow in short."""

    id: str
    computer: str
    since: Time
    until: Time

    @classmethod
    def of(cls, borrow: Borrow) -> Self:
        """The borrow by its computer and its time."""
        return cls(id=borrow.id, computer=name_of(borrow.machine), since=borrow.issued_at, until=borrow.expires_at)


class ActiveSession(Shown):
    """An active session in short."""

    id: str
    computer: str
    created_at: Time
    last_used_at: Time
    active_until: Time

    @classmethod
    def of(cls, session: Session) -> Self:
        """The session by its computer and its times."""
        return cls(
            id=session.id,
            computer=name_of(session.machine),
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            active_until=session.active_until,
        )


class ActivityShown(Shown):
    """What one member does with one product."""

    member: str
    full_name: str
    user_type: str
    product: str
    last_used_at: Time | None = Field(description="of a session, or a checkout, renewal or check-in of a borrow; null: never")
    days_since_last_used: int | None
    assigned_at: Time | None = Field(description="of the license that is held, or of its last change; null: none is held")
    state: Dot = Field(description="red: offline; green: a session was used in the last 30 minutes")
    computer: str | None = Field(description="where it is offline, else where it was used in the last 30 minutes")
    since: Time | None
    until: Time | None = Field(description="until when it is offline")
    borrows: Annotated[tuple[BorrowOut, ...], NOT_IN_SHEETS] = Field(description="those that are active")
    sessions: Annotated[tuple[ActiveSession, ...], NOT_IN_SHEETS] = Field(description="those that are active")

    @classmethod
    def of(cls, activity: Activity, now: datetime) -> Self:
        """The activity as of `now`."""
        return cls(
            member=activity.member,
            full_name=activity.full_name,
            user_type=activity.user_type,
            product=activity.product,
            last_used_at=activity.last_used_at,
            days_since_last_used=activity.days_since_last_used(now),
            assigned_at=activity.assigned_at,
            state=activity.state(now),
            computer=activity.computer(),
            since=activity.since(),
            until=activity.until(),
            borrows=tuple(map(BorrowOut.of, activity.borrows)),
            sessions=tuple(map(ActiveSession.of, activity.active(now))),
        )


class Activities(Shown):
    """A page of activities, by user name."""

    items: tuple[ActivityShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[Activity], cursor: str | None, now: datetime) -> Self:
        """The activities of a page as of `now`."""
        return cls(items=tuple(ActivityShown.of(activity, now) for activity in page), next=cursor)
