"""Sessions: who is connected, on which computer; and the settings of sessions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal, Self

from pydantic import Field

from authority.domain.sessions import Session, SessionSettings, SessionState
from authority.presentation.computers import MachineShown, UserShown
from authority.presentation.several import RefusedId, rows_of
from authority.presentation.shown import Second, Shown, Version
from authority.services.several import Outcome


class SessionShown(Shown):
    """A session as of a time (seed S1): which computer, since when, last used, active until, and how it ended."""

    id: str
    member: str
    groups: tuple[str, ...]
    product: str
    level: str
    extensions: tuple[str, ...]
    machine: MachineShown
    user: UserShown
    created_at: Second
    last_used_at: Second
    active_until: Second
    state: SessionState
    ended_at: Second | None = Field(description="null: it is active")
    seat_free_at: Second = Field(description="until then its seats, and its place among the member's computers, are taken")
    save_by: Second | None = Field(description="until then the user can save, after an administrator ended it")

    @classmethod
    def of(cls, session: Session, now: datetime) -> Self:
        """The session as of `now`."""
        return cls(
            id=session.id,
            member=session.member,
            groups=session.groups,
            product=session.product,
            level=session.level,
            extensions=session.extensions,
            machine=MachineShown.model_validate(session.machine),
            user=UserShown.model_validate(session.user),
            created_at=session.created_at,
            last_used_at=session.last_used_at,
            active_until=session.active_until,
            state=session.state(now),
            ended_at=session.over_at(now),
            seat_free_at=session.seat_free_at,
            save_by=session.save_by,
        )


class StartedSession(Shown):
    """A session with its newest grant."""

    session: SessionShown
    grant: dict[str, Any] = Field(description="a file of the kind borrow, good for minutes; write it down as it is")


def started_json(session: Session, grant: bytes, now: datetime) -> bytes:
    """A `StartedSession` as JSON, in which the grant stands as the bytes that were made."""
    shown = SessionShown.of(session, now).model_dump_json().encode()
    return b'{"session":%b,"grant":%b}' % (shown, grant)


class EndedSession(Shown):
    """A session that was just ended, or in a dry run would be."""

    session: SessionShown = Field(description="in a dry run as it is")
    dry_run: bool

    @classmethod
    def of(cls, session: Session, now: datetime, *, dry_run: bool = False) -> Self:
        """The ended session as of `now`."""
        return cls(session=SessionShown.of(session, now), dry_run=dry_run)


class SessionDone(Shown):
    """One of several sessions that was ended, or in a dry run would be."""

    id: str
    ok: Literal[True] = True
    session: SessionShown = Field(description="in a dry run as it is")


class EndedSessions(Shown):
    """What became of several sessions that were to be ended."""

    items: tuple[SessionDone | RefusedId, ...] = Field(description="in the order in which they were sent")
    dry_run: bool

    @classmethod
    def of(cls, outcomes: Iterable[Outcome[str, Session]], now: datetime, *, dry_run: bool) -> Self:
        """All outcomes in their order, as of `now`."""
        items = rows_of(
            outcomes, lambda session_id: {"id": session_id}, "session", lambda session: SessionShown.of(session, now)
        )
        return cls.model_validate({"items": items, "dry_run": dry_run})


class Sessions(Shown):
    """A page of sessions, the newest first."""

    items: tuple[SessionShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[Session], cursor: str | None, now: datetime) -> Self:
        """The sessions of a page as of `now`."""
        return cls(items=tuple(SessionShown.of(session, now) for session in page), next=cursor)


class SettingsShown(Shown):
    """What administrators set about sessions."""

    minutes: int = Field(description="a session lasts so long from its last use")
    computers: int = Field(description="a member can be signed in on so many at once")
    grant_minutes: int = Field(
        description="a grant is good for so long, without a line too, and its seat is taken until then; "
        "0: as long as the session lasts without use"
    )
    save_minutes: int = Field(description="the time to save after an administrator ended a session")
    version: Version

    @classmethod
    def of(cls, settings: SessionSettings) -> Self:
        """The settings in force."""
        return cls.model_validate(settings)
