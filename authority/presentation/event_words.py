"""The log in words for people: what a kind, an actor, a denial's code and an ending are called in every text and on every page."""

from __future__ import annotations

from collections.abc import Mapping

from authority.domain.borrows import BorrowState
from authority.domain.events import BY_TIME, EventKind, UseMode
from authority.domain.members import CONSOLE
from authority.domain.sessions import SessionEnding

WHAT: Mapping[str, str] = {
    EventKind.CHECKOUT: "license taken",
    EventKind.RENEWAL: "license extended",
    EventKind.CHECK_IN: "license given back",
    EventKind.DENIAL: "license refused",
    EventKind.REVOCATION: "license revoked",
    EventKind.RELEASE: "seat released",
    EventKind.END: "session ended",
    EventKind.SIGNED_IN: "signed in",
    EventKind.SIGNED_OUT: "sign-ins ended",
    EventKind.SIGN_IN_SLOWED: "wrong passwords",
    EventKind.ORGANIZATION_CREATED: "organization made",
    EventKind.AUTHORIZATION_INSTALLED: "authorization installed",
    EventKind.KEY_ADDED: "key made",
    EventKind.KEY_RETIRED: "key retired",
    EventKind.MEMBER_ADDED: "member added",
    EventKind.MEMBER_CHANGED: "member changed",
    EventKind.MEMBER_REMOVED: "member removed",
    EventKind.MEMBER_DEFAULTS_CHANGED: "defaults for new members changed",
    EventKind.LICENSE_ASSIGNED: "license assigned",
    EventKind.LICENSE_UNASSIGNED: "license unassigned",
    EventKind.DOWNLOAD_REQUESTED: "permission to download asked for",
    EventKind.API_KEY_CREATED: "API key made",
    EventKind.API_KEY_REVOKED: "API key revoked",
    EventKind.POLICY_CHANGED: "offline rule changed",
    EventKind.POOL_RULE_CHANGED: "pool rule changed",
    EventKind.SESSION_SETTINGS_CHANGED: "settings of sessions changed",
    EventKind.CLOCK_RESET: "clock reset made",
    EventKind.CLONE_SUSPECTED: "copy of a machine suspected",
    EventKind.LOG_CUT: "old rows of the log removed",
    EventKind.MEMBER_ERASED: "removed member erased",
    EventKind.CAUGHT_UP: "older database brought up to date",
    EventKind.BACKUP_MADE: "backup made",
    EventKind.RESTORED: "backup restored",
    EventKind.CHANNEL_ADDED: "channel of notices added",
    EventKind.CHANNEL_CHANGED: "channel of notices changed",
    EventKind.CHANNEL_REMOVED: "channel of notices removed",
    EventKind.NOTICE_SETTINGS_CHANGED: "settings of notices changed",
}
# What the same is called in one of the two ways of use.
_IN_USE: Mapping[tuple[str, str | None], str] = {
    (EventKind.CHECKOUT, UseMode.BORROW): "license taken offline",
    (EventKind.CHECKOUT, UseMode.SESSION): "session started",
    (EventKind.CHECK_IN, UseMode.SESSION): "session given back",
    (EventKind.DENIAL, UseMode.BORROW): "going offline refused",
    (EventKind.DENIAL, UseMode.SESSION): "session refused",
}
_DONE_BY = {CONSOLE.username: "the server's command line", BY_TIME: "the time was over"}
REFUSED_BECAUSE = {
    "pool-exhausted": "all seats are taken",
    "not-assigned": "no license of the product is assigned",
    "level-not-assigned": "a lower level is assigned",
    "extension-not-assigned": "the extension is not assigned",
    "product-overallocated": "more licenses are assigned than there are",
    "product-expired": "the product or the authorization has ended",
    "offline-not-allowed": "a rule forbids it",
    "container-not-allowed": "asked for from within a container",
    "duration-too-long": "for longer than is allowed",
    "already-borrowed": "the license is in use on another computer",
    "type-not-compatible": "the user type cannot hold the product",
    "member-disabled": "the member is disabled",
    "session-limit": "in use on as many computers as are allowed",
    "organization-over-limit": "the organization has too many members",
    "no-such-product": "the product, or this level or extension, is not licensed",
}
_SAID: Mapping[tuple[str, str | None], str] = {
    (EventKind.CHECK_IN, BorrowState.CHECKED_IN): "in time",
    (EventKind.CHECK_IN, BorrowState.EXPIRED): "after its time was over",
    (EventKind.CHECK_IN, BorrowState.RELEASED): "after its seat was released",
    (EventKind.CHECK_IN, BorrowState.REVOKED): "after it was revoked",
    (EventKind.END, SessionEnding.ADMINISTRATOR): "by an administrator",
    (EventKind.END, BY_TIME): "not used for too long",
    (EventKind.LICENSE_ASSIGNED, "included"): "comes with the user type",
    (EventKind.LICENSE_UNASSIGNED, "user type"): "not for the new user type",
}


def what(kind: str, mode: str | None = None) -> str:
    """What happened: `member changed`; with a way of use what it is called there. A kind that is none stays as it is."""
    return _IN_USE.get((kind, mode)) or WHAT.get(kind, kind)


def done_by(actor: str) -> str:
    """Who did it: the name of a member as it is; of the two that are no members their words too: `time (the time was over)`."""
    return f"{actor} ({_DONE_BY[actor]})" if actor in _DONE_BY else actor


def said(kind: str, reason: str | None) -> str:
    """What was said about an event of this kind: words for what is a code, everything else as it is, "" for nothing."""
    if kind == EventKind.DENIAL and reason is not None:
        return denial(reason)
    return _SAID.get((kind, reason), reason or "")


def denial(code: str) -> str:
    """Why a license was refused: `all seats are taken (pool-exhausted)`. A code that is none stays as it is."""
    return f"{REFUSED_BECAUSE[code]} ({code})" if code in REFUSED_BECAUSE else code
