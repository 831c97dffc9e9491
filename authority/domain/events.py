"""Log rows: one for each feature of each event, in the words of the checkout log (contract, section 6), and the rest."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from authority.domain.api_keys import ApiKey
from authority.domain.borrows import Borrow, Demand
from authority.domain.members import Actor, Member
from authority.domain.sessions import Session

# Who ended what nobody ended: a session whose time was over.
BY_TIME = "time"


class UseMode(StrEnum):
    """How a license is used: offline for a fixed time, or connected."""

    BORROW = "borrow"
    SESSION = "session"


class EventKind(StrEnum):
    """What a log row tells of."""

    CHECKOUT = "checkout"
    RENEWAL = "renewal"
    CHECK_IN = "checkin"
    DENIAL = "denial"
    REVOCATION = "revocation"
    RELEASE = "release"
    END = "end"
    SIGNED_IN = "signed-in"
    SIGNED_OUT = "signed-out"
    SIGN_IN_SLOWED = "sign-in-slowed"
    ORGANIZATION_CREATED = "organization-created"
    AUTHORIZATION_INSTALLED = "authorization-installed"
    KEY_ADDED = "key-added"
    KEY_RETIRED = "key-retired"
    MEMBER_ADDED = "member-added"
    MEMBER_CHANGED = "member-changed"
    MEMBER_REMOVED = "member-removed"
    MEMBER_DEFAULTS_CHANGED = "member-defaults-changed"
    LICENSE_ASSIGNED = "license-assigned"
    LICENSE_UNASSIGNED = "license-unassigned"
    DOWNLOAD_REQUESTED = "download-requested"
    API_KEY_CREATED = "api-key-created"
    API_KEY_REVOKED = "api-key-revoked"
    POLICY_CHANGED = "policy-changed"
    POOL_RULE_CHANGED = "pool-rule-changed"
    SESSION_SETTINGS_CHANGED = "session-settings-changed"
    CLOCK_RESET = "clock-reset"
    CLONE_SUSPECTED = "clone-suspected"
    LOG_CUT = "log-cut"
    MEMBER_ERASED = "member-erased"
    CAUGHT_UP = "caught-up"
    BACKUP_MADE = "backup-made"
    RESTORED = "restored"
    CHANNEL_ADDED = "channel-added"
    CHANNEL_CHANGED = "channel-changed"
    CHANNEL_REMOVED = "channel-removed"
    NOTICE_SETTINGS_CHANGED = "notice-settings-changed"


# What an analyst reads; every other kind is an administrator's act.
CHECKOUT_KINDS = (
    EventKind.CHECKOUT,
    EventKind.RENEWAL,
    EventKind.CHECK_IN,
    EventKind.DENIAL,
    EventKind.REVOCATION,
    EventKind.RELEASE,
    EventKind.END,
)


@dataclass(frozen=True, slots=True)
class Event:
    """One row. `actor` is who did it; `reason` a denial's code, or how something ended, or what was said about it."""

    kind: EventKind
    actor: str
    mode: UseMode | None = None
    handle: str | None = None
    product: str | None = None
    feature: str | None = None
    member: str | None = None
    group: str | None = None
    machine: str | None = None
    alias: str | None = None
    os_user: str | None = None
    quantity: int = 0
    until: datetime | None = None
    reason: str | None = None


def borrow_events(
    kind: EventKind, borrow: Borrow, actor: Actor, reason: str | None = None, *, quantity: int = 1
) -> list[Event]:
    """The rows of something that happened to a borrow: one for its level and one for each extension.

    `quantity` is how many seats of each it moved.
    """
    return [
        Event(
            kind=kind,
            actor=actor.username,
            mode=UseMode.BORROW,
            handle=borrow.id,
            product=borrow.product,
            feature=feature,
            member=borrow.member,
            group=groups_text(borrow.groups),
            machine=borrow.machine.id,
            alias=borrow.machine.alias,
            os_user=borrow.user.name,
            quantity=quantity,
            until=borrow.expires_at,
            reason=reason,
        )
        for feature in (borrow.level, *borrow.extensions)
    ]


def denial_events(
    mode: UseMode, demand: Demand, member: Member, actor: Actor, code: str, features: Iterable[str], until: datetime | None
) -> list[Event]:
    """The rows of a refused borrow or session, one for each of the features; `until` is the end that was asked for."""
    return [
        Event(
            kind=EventKind.DENIAL,
            actor=actor.username,
            mode=mode,
            product=demand.product,
            feature=name,
            member=member.username,
            group=groups_text(member.groups),
            machine=demand.machine.id,
            alias=demand.machine.alias,
            os_user=demand.user.name,
            quantity=1,
            until=until,
            reason=code,
        )
        for name in features
    ]


def api_key_event(kind: EventKind, actor: Actor, key: ApiKey) -> Event:
    """The row of something that happened to an API key; names are not unique, so that it has the id as well."""
    return Event(kind=kind, actor=actor.username, member=key.member, reason=f"{key.name} ({key.id})")


def groups_text(groups: tuple[str, ...]) -> str | None:
    """The groups of a member as the log has them: in order, with semicolons between, None for none."""
    return "; ".join(groups) or None


def session_events(kind: EventKind, session: Session, actor: Actor | None, reason: str | None = None) -> list[Event]:
    """The rows of something that happened to a session, one for each feature; without an actor it was time that did it."""
    return [
        Event(
            kind=kind,
            actor=BY_TIME if actor is None else actor.username,
            mode=UseMode.SESSION,
            handle=session.id,
            product=session.product,
            feature=feature,
            member=session.member,
            group=groups_text(session.groups),
            machine=session.machine.id,
            alias=session.machine.alias,
            os_user=session.user.name,
            quantity=1,
            reason=reason,
        )
        for feature in session.features().all()
    ]
