"""License activity: when a member last used a product, and whether they are at it now or offline (seed S1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from authority.domain.borrows import Borrow
from authority.domain.sessions import Session, SessionState

# The seed's own time; it does not follow the setting of how long a session lasts.
USED_LATELY = timedelta(minutes=30)


class Dot(StrEnum):
    """The color beside a product: offline, used lately, or neither."""

    RED = "red"
    GREEN = "green"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Activity:
    """What one member does with one product.

    `assigned_at` is when the member got the license that is held, or what it is now; None for who holds none. `last_used_at` is the latest use of any session, and the latest checkout, renewal or check-in of any borrow; None means
    never. `borrows` are those that are active, the one that ends last first. `sessions` are those that are active or were used
    lately, the latest use first.
    """

    member: str
    full_name: str
    user_type: str
    product: str
    last_used_at: datetime | None
    borrows: tuple[Borrow, ...]
    sessions: tuple[Session, ...]
    assigned_at: datetime | None = None

    def state(self, now: datetime) -> Dot:
        """The color of the dot: red while offline, green when a session was used in the last 30 minutes, else none.

        Offline comes first: it is what blocks the license elsewhere, and lasts.
        """
        if self.borrows:
            return Dot.RED
        return Dot.GREEN if any(now - session.last_used_at < USED_LATELY for session in self.sessions) else Dot.NONE

    def active(self, now: datetime) -> tuple[Session, ...]:
        """The sessions that can be ended."""
        return tuple(session for session in self.sessions if session.state(now) is SessionState.ACTIVE)

    def computer(self) -> str | None:
        """Where the license is offline, else where it was used last, by the name that people gave the machine or else its id."""
        machines = [borrow.machine for borrow in self.borrows] or [session.machine for session in self.sessions]
        return (machines[0].alias or machines[0].id) if machines else None

    def since(self) -> datetime | None:
        """Since when the license is there."""
        if self.borrows:
            return self.borrows[0].issued_at
        return self.sessions[0].created_at if self.sessions else None

    def until(self) -> datetime | None:
        """Until when it is offline; None for who is not."""
        return self.borrows[0].expires_at if self.borrows else None

    def days_since_last_used(self, now: datetime) -> int | None:
        """Whole days without a use; None for never used."""
        return None if self.last_used_at is None else max(0, (now - self.last_used_at).days)
