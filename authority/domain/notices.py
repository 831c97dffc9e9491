"""Notices: what somebody has to hear of, the channels on which it goes out, and when it is tried again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from authority.domain import versions
from authority.domain.names import key_of, spelled
from authority.domain.refusals import InvalidInput
from authority.domain.settings import Settings


class NoticeKind(StrEnum):
    """What a notice tells of."""

    BORROW_DUE = "borrow-due"
    BORROW_OVERDUE = "borrow-overdue"
    DENIALS = "denials"
    OVER_LIMIT = "over-limit"
    AUTHORIZATION_ENDING = "authorization-ending"
    KEY_ENDING = "key-ending"
    CLONE_SUSPECTED = "clone-suspected"
    SEAL_BROKEN = "seal-broken"
    BACKUP_OLD = "backup-old"


# What can wait for tomorrow morning, and what members hear of their own.
SLOW = frozenset(
    {
        NoticeKind.BORROW_DUE,
        NoticeKind.BORROW_OVERDUE,
        NoticeKind.AUTHORIZATION_ENDING,
        NoticeKind.KEY_ENDING,
        NoticeKind.BACKUP_OLD,
    }
)
FOR_MEMBERS = (NoticeKind.BORROW_DUE, NoticeKind.BORROW_OVERDUE)


class ChannelType(StrEnum):
    """How a channel sends: by a URL of Apprise (mail, Teams, Slack and others), or a signed request of our own."""

    APPRISE = "apprise"
    WEBHOOK = "webhook"


class Digest(StrEnum):
    """What of a channel waits for the one message of the day: what is slow, everything, or nothing."""

    SLOW = "slow"
    ALL = "all"
    NONE = "none"

    def holds(self, kind: NoticeKind) -> bool:
        """Whether a notice of this kind waits for the message of the day."""
        return self is Digest.ALL or (self is Digest.SLOW and kind in SLOW)


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notices go. The address has secrets in it, and is never shown; `secret` is what a webhook is signed with.

    With `to_members` each member hears of their own, at their own e-mail address. `failing_since` is the first failure after
    which nothing went out, with what was wrong last.
    """

    id: str
    name: str
    type: ChannelType
    address: str
    secret: str | None
    kinds: tuple[NoticeKind, ...]
    digest: Digest
    to_members: bool
    paused: bool
    created_at: datetime
    sent_at: datetime | None = None
    failing_since: datetime | None = None
    error: str | None = None

    def __repr__(self) -> str:
        return f"Channel({self.id}, {self.name!r})"

    def values(self) -> dict[str, object]:
        """What somebody may change, by name, without what is secret."""
        names = ("name", "kinds", "digest", "to_members", "paused")
        return {name: getattr(self, name) for name in names}

    @property
    def version(self) -> str:
        """The version of what may change."""
        return versions.of(self.values())


class DeliveryState(StrEnum):
    """What became of a message: it waits to be sent (again), it was sent, it was given up, or nothing of it was so any more."""

    WAITING = "waiting"
    SENT = "sent"
    GIVEN_UP = "given-up"
    NOT_NEEDED = "not-needed"


@dataclass(frozen=True, slots=True)
class NewNotice:
    """Something to be told, once: `key` is the same whoever finds it. `member_id` is the member whose own it is.

    `facts` are values that JSON has. What comes after `too_late_at` need not be told any more.
    """

    kind: NoticeKind
    key: str
    facts: Mapping[str, Any]
    member_id: int | None = None
    too_late_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice that was made."""

    id: str
    kind: NoticeKind
    facts: Mapping[str, Any]
    made_at: datetime


@dataclass(frozen=True, slots=True)
class Message:
    """What goes out once on one channel: its `id` is the same in every try, so that a receiver can tell.

    `recipient` is the address of a mail to a member, None where the channel's own address says who gets it.
    """

    id: str
    subject: str
    text: str
    data: Mapping[str, Any]
    recipient: str | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on one channel, to a member where `member_id` is not None; `due_at` is when it was to go first."""

    id: str
    channel_id: str
    member_id: int | None
    is_digest: bool
    state: DeliveryState
    due_at: datetime
    next_try_at: datetime
    tries: int = 0
    claim: str | None = None
    claimed_until: datetime | None = None
    ended_at: datetime | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as it is shown: on which channel, to which member, and what became of it."""

    notice_id: str
    delivery: Delivery
    channel: str
    member: str | None


# What administrators may set: name, least, most.
BOUNDS = {"denials": (2, 10_000), "minutes": (1, 24 * 60), "digest_hour": (0, 23)}


@dataclass(frozen=True, slots=True)
class NoticeSettings(Settings):
    """So many denials of one product within so many minutes are told; the message of the day goes at this hour, UTC."""

    subject: ClassVar = "notices"
    bounds: ClassVar = BOUNDS

    denials: int = 10
    minutes: int = 60
    digest_hour: int = 6

    def next_digest(self, now: datetime) -> datetime:
        """When the next message of the day goes, after `now`."""
        today = now.replace(hour=self.digest_hour, minute=0, second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)


def channel_name(text: str) -> str:
    """The name of a channel in its one spelling. Raises InvalidInput."""
    name = spelled("the name of a channel", text)
    if not key_of(name):
        raise InvalidInput("a channel needs a name that says who reads it")
    return name


def channel_kinds(kinds: Iterable[NoticeKind], *, to_members: bool) -> tuple[NoticeKind, ...]:
    """The kinds, each once and in order. Raises InvalidInput for none, and for what members do not hear of."""
    wanted = set(kinds)
    if not wanted:
        raise InvalidInput("a channel needs a kind of notice", hint=f"There are {', '.join(NoticeKind)}.")
    if to_members and (others := sorted(wanted - set(FOR_MEMBERS))):
        raise InvalidInput(f"members do not hear of {', '.join(others)}", hint=f"To members go {' and '.join(FOR_MEMBERS)}.")
    return tuple(kind for kind in NoticeKind if kind in wanted)


def minute(at: datetime) -> str:
    """A time as notices have it."""
    return f"{at:%Y-%m-%d %H:%M} UTC"


# A try of one message is over after half of this; a process that was killed holds it no longer.
LEASE = timedelta(minutes=3)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=6)
# What did not go out for so long is given up: the page, `notice list` and `doctor` say so.
GIVEN_UP_AFTER = timedelta(days=3)
# How long notices are shown after they were made.
SHOWN_FOR = timedelta(days=90)


def pause_after(tries: int, chance: float) -> timedelta:
    """How long to wait after so many failed tries, twice as long after each; `chance` from 0 to below 1 takes up to half off.

    What failed together is not tried together again.
    """
    longest = min(FIRST_PAUSE * (1 << min(tries - 1, 20)), LONGEST_PAUSE)
    return longest * (1 - chance / 2)


# When the end of an authorization or a key is told: so many days before it, and when it has come.
STAGES = (30, 7, 1, 0)


def stage_of(ends_at: datetime, now: datetime) -> int | None:
    """The last of `STAGES` that was reached, None while the end is far away."""
    reached = [days for days in STAGES if ends_at - now <= timedelta(days=days)]
    return reached[-1] if reached else None


def warned_from(begins_at: datetime, ends_at: datetime, warn_before: timedelta) -> datetime:
    """From when on the end of a borrow is near: as on the workstation, for the last half of its time at most."""
    return ends_at - min(warn_before, (ends_at - begins_at) / 2)
