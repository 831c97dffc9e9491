"""Borrows: who is offline, where, since and until when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import Field

from authority.domain.borrows import Borrow, BorrowState
from authority.domain.stuck import Cause, Sign
from authority.presentation.computers import MachineShown, UserShown
from authority.presentation.several import RefusedId, rows_of
from authority.presentation.shown import NOT_IN_SHEETS, Second, Shown
from authority.services.offline import Offline
from authority.services.several import Outcome


class BorrowShown(Shown):
    """A borrow as of a time: an offline use of a license for a fixed while."""

    id: str
    member: str
    user_type: str
    groups: tuple[str, ...]
    product: str
    level: str
    extensions: tuple[str, ...]
    machine: MachineShown
    user: UserShown
    issued_at: Second
    expires_at: Second
    state: BorrowState
    ended_at: Second | None = Field(description="null: it is active")
    seat_free_at: Second = Field(description="from then on its seat can be given again")
    decided_by: str = Field(description="the rule that allowed it and its length")
    reason: str | None = Field(description="why it was revoked or released")
    copy_may_run_until: Second | None = Field(description="null: certainly no copy of it runs any more")
    days_left: int | None = Field(description="until it ends, a begun day being counted; null: it is not active")
    clone_seen_at: Second | None = Field(
        description="when what came from its machine said that there may be two of it; null: never"
    )
    clone_evidence: str | None = Field(description="what said so")
    status_max_age: int | None = Field(description="seconds: the workstation wants a status list no older; null: any is good")

    @classmethod
    def of(cls, borrow: Borrow, now: datetime) -> Self:
        """The borrow as of `now`."""
        return cls(
            id=borrow.id,
            member=borrow.member,
            user_type=borrow.user_type,
            groups=borrow.groups,
            product=borrow.product,
            level=borrow.level,
            extensions=borrow.extensions,
            machine=MachineShown.model_validate(borrow.machine),
            user=UserShown.model_validate(borrow.user),
            issued_at=borrow.issued_at,
            expires_at=borrow.expires_at,
            state=borrow.state(now),
            ended_at=borrow.over_at(now),
            seat_free_at=borrow.seat_free_at,
            decided_by=borrow.decided_by,
            reason=borrow.end_reason,
            copy_may_run_until=borrow.copy_may_run_until(now),
            days_left=borrow.days_left(now),
            clone_seen_at=borrow.clone_seen_at,
            clone_evidence=borrow.clone_evidence,
            status_max_age=borrow.status_max_age,
        )


class SignShown(Shown):
    """One reason why a borrow looks stuck."""

    cause: Cause
    words: str

    @classmethod
    def of(cls, sign: Sign) -> Self:
        """The reason with its times."""
        return cls.model_validate(sign)


class OfflineShown(BorrowShown):
    """A borrow that is out, and what was heard of it since."""

    last_sign_at: Second = Field(description="when something that its machine signed came here last")
    stuck: Annotated[tuple[SignShown, ...], NOT_IN_SHEETS] = Field(description="why it looks stuck, the surest reason first")
    stuck_because: str | None = Field(description="the same in one sentence; null: it does not look stuck")

    @classmethod
    def seen(cls, offline: Offline, now: datetime) -> Self:
        """The borrow as of `now`."""
        signs = offline.signs
        return cls(
            **BorrowShown.of(offline.borrow, now).model_dump(),
            last_sign_at=offline.last_sign_at.replace(microsecond=0),
            stuck=tuple(map(SignShown.of, signs)),
            stuck_because="; ".join(sign.words for sign in signs) or None,
        )


class OfflinePage(Shown):
    """A page of the borrows that are out."""

    items: tuple[OfflineShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[Offline], cursor: str | None, now: datetime) -> Self:
        """The borrows of a page as of `now`."""
        return cls(items=tuple(OfflineShown.seen(item, now) for item in page), next=cursor)


class IssuedBorrow(Shown):
    """A borrow with its file."""

    borrow: BorrowShown
    file: dict[str, Any] | None = Field(description="a file of the kind borrow; write it down as it is; null: a dry run")


class WrittenBorrow(Shown):
    """A borrow whose file was written."""

    borrow: BorrowShown
    file: str = Field(description="the name of the borrow file")
    is_new: bool = Field(description="false: this very request was answered before, and the file is the same")


def issued_json(borrow: Borrow, file: bytes, now: datetime) -> bytes:
    """An `IssuedBorrow` as JSON, in which the file stands as the bytes that were made."""
    shown = BorrowShown.of(borrow, now).model_dump_json().encode()
    return b'{"borrow":%b,"file":%b}' % (shown, file)


class EndedBorrow(Shown):
    """A borrow that was just ended, or in a dry run would be."""

    borrow: BorrowShown = Field(description="in a dry run as it is")
    dry_run: bool

    @classmethod
    def of(cls, borrow: Borrow, now: datetime, *, dry_run: bool = False) -> Self:
        """The ended borrow as of `now`."""
        return cls(borrow=BorrowShown.of(borrow, now), dry_run=dry_run)


class BorrowDone(Shown):
    """One of several borrows that was ended, or in a dry run would be."""

    id: str
    ok: Literal[True] = True
    borrow: BorrowShown = Field(description="in a dry run as it is")


class EndedBorrows(Shown):
    """What became of several borrows that were to be ended."""

    items: tuple[BorrowDone | RefusedId, ...] = Field(description="in the order in which they were sent")
    dry_run: bool

    @classmethod
    def of(cls, outcomes: Iterable[Outcome[str, Borrow]], now: datetime, *, dry_run: bool) -> Self:
        """All outcomes in their order, as of `now`."""
        items = rows_of(outcomes, lambda borrow_id: {"id": borrow_id}, "borrow", lambda borrow: BorrowShown.of(borrow, now))
        return cls.model_validate({"items": items, "dry_run": dry_run})


class Borrows(Shown):
    """A page of borrows, the newest first."""

    items: tuple[BorrowShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[Borrow], cursor: str | None, now: datetime) -> Self:
        """The borrows of a page as of `now`."""
        return cls(items=tuple(BorrowShown.of(borrow, now) for borrow in page), next=cursor)
