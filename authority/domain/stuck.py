"""Which borrows look stuck, and why: what was heard of a machine and its member since it went offline.

Nobody can know from here whether a machine is lost. Each sign is something that is kept here, so that an administrator can look into it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from authority.domain.plurals import counted

# A machine of which nothing was heard for so long, and which has so long to go, is worth a telephone call.
SILENT_FOR = timedelta(days=60)
STILL_TO_GO = timedelta(days=14)


class Cause(StrEnum):
    """Why a borrow looks stuck, the surest first."""

    MEMBER_REMOVED = "member-removed"
    MACHINE_SET_UP_ANEW = "machine-set-up-anew"
    MEMBER_DISABLED = "member-disabled"
    CLONE_SUSPECTED = "clone-suspected"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Sign:
    """One reason to look into a borrow, and the sentence with its times."""

    cause: Cause
    words: str


@dataclass(frozen=True, slots=True)
class Trace:
    """What is kept here about a borrow that is out, and about its machine and member since.

    `last_sign_at` is when something that its machine signed came here last: a request, a session or a receipt.
    `set_up_anew_at` is when the same machine came with another machine key: what it had borrowed before is lost there.
    """

    borrow_id: str
    expires_at: datetime
    last_sign_at: datetime
    member_disabled: bool
    member_removed_at: datetime | None
    set_up_anew_at: datetime | None
    clone_evidence: str | None

    def signs(self, now: datetime) -> tuple[Sign, ...]:
        """Why the borrow looks stuck, the surest reason first; none when it does not."""
        return tuple(self._signs(now))

    def _signs(self, now: datetime) -> Iterator[Sign]:
        if self.member_removed_at is not None:
            yield Sign(Cause.MEMBER_REMOVED, f"its member was removed at {_minute(self.member_removed_at)}")
        if self.set_up_anew_at is not None:
            words = f"the machine came with another machine key at {_minute(self.set_up_anew_at)}: it was set up anew"
            yield Sign(Cause.MACHINE_SET_UP_ANEW, words)
        if self.member_disabled and self.member_removed_at is None:
            yield Sign(Cause.MEMBER_DISABLED, "its member is disabled")
        if self.clone_evidence is not None:
            yield Sign(Cause.CLONE_SUSPECTED, f"there may be two of the machine: {self.clone_evidence}")
        if now - self.last_sign_at >= SILENT_FOR and self.expires_at - now >= STILL_TO_GO:
            yield Sign(Cause.SILENT, f"nothing was heard of the machine for {counted((now - self.last_sign_at).days, 'day')}")


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
