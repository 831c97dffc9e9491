"""Refusals of what somebody asks for: who they are, what they may, and what they name and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from authority.domain.refusals.refusal import Refusal


@dataclass(eq=False, repr=False, kw_only=True)
class MemberLimitReached(Refusal):
    """The organization has as many members as it is authorized for."""

    code = "member-limit-reached"
    default_hint = "Remove members, or install an authorization for more."

    current: int
    maximum: int


@dataclass(eq=False, repr=False, kw_only=True)
class RequestReplayed(Refusal):
    """The request's number was used for another request or another member."""

    code = "request-replayed"
    default_hint = "Make a new request on the workstation."

    jti: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class RequestInvalid(Refusal):
    """The request or receipt is damaged, wrongly signed, too old or for another organization."""

    code = "request-invalid"
    default_hint = "Make a new request on the workstation, and carry the file unchanged."

    # The verifier's code for what is wrong.
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class WrongCell:
    """A cell of a sheet that makes no sense: what stands there, what is wrong, what to do."""

    column: str
    value: str
    message: str
    hint: str


@dataclass(eq=False, repr=False, kw_only=True)
class InvalidInput(Refusal):
    """A value has the wrong form."""

    code = "invalid-input"
    default_hint = "Correct the named values and try again."

    row: int | None = None
    column: str | None = None
    rows: list[int] | None = None
    cells: list[WrongCell] | None = None
    username: str | None = None
    character: str | None = None
    asked: datetime | None = None


class NotAuthenticated(Refusal):
    """Nobody is signed in, or the user name or password is wrong."""

    code = "not-authenticated"
    default_hint = "Sign in, or send an API key: Authorization: Bearer KEY."


@dataclass(eq=False, repr=False, kw_only=True)
class TooManyRequests(Refusal):
    """Too many wrong passwords came before, or too many at once: the next try waits."""

    code = "too-many-requests"
    default_hint = "Wait, then try again. From an address or device at which this member signed in before, others' wrong tries are no hindrance."

    seconds: int


@dataclass(eq=False, repr=False, kw_only=True)
class ProviderUnavailable(Refusal):
    """A provider by which members sign in does not answer, or not as it should."""

    code = "provider-unavailable"
    default_hint = "Try again in a moment, or sign in with a password."

    provider: str


@dataclass(eq=False, repr=False, kw_only=True)
class NotAllowed(Refusal):
    """The role, account, machine or user may not do this."""

    code = "not-allowed"
    default_hint = "Ask an administrator."

    role: str | None = None
    member: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class NotFound(Refusal):
    """There is no such thing, or it is not yours to see."""

    code = "not-found"
    default_hint = "Check the name; the list commands show what there is."

    member: str | None = None
    borrow_id: str | None = None
    session_id: str | None = None
    key_id: str | None = None
    sign_in_id: str | None = None
    channel: str | None = None
    group: str | None = None
    machine: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class AlreadyExists(Refusal):
    """The name or home is taken."""

    code = "already-exists"
    default_hint = "Choose another name, or change the one that is there."

    member: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class MemberHasBorrow(Refusal):
    """A member to be removed still has a borrow out."""

    code = "member-has-borrow"
    default_hint = "Have the licenses returned first, or say --release to free their seats although the copies may still run."

    members: list[str]


@dataclass(eq=False, repr=False, kw_only=True)
class LastAdministrator(Refusal):
    """Without this member nobody would be left who administers the organization."""

    code = "last-administrator"
    default_hint = "Make another member an administrator first: carnet-authority member set NAME --role administrator"

    member: str


@dataclass(eq=False, repr=False, kw_only=True)
class ChangedMeanwhile(Refusal):
    """It was changed since it was looked at; the change that was sent is not made."""

    code = "changed-meanwhile"
    default_hint = "Look at it again, and send your change with its new version."

    # The version of now, and the fields that changed with their values of now.
    version: str
    changed: Mapping[str, Any]


class KeyReused(Refusal):
    """Another request was sent with the same Idempotency-Key."""

    code = "key-reused"
    default_hint = "Make a new key for each request, and send the same key only with the very same request."


class RequestUnderWay(Refusal):
    """The same request with the same Idempotency-Key is being answered."""

    code = "request-under-way"
    default_hint = "Send it again in a moment: then its answer is there."


class AnswerNotKept(Refusal):
    """The same request was done before, and its answer is not to be had any more."""

    code = "answer-not-kept"
    default_hint = "Nothing was done a second time. Look at what there is now: the first time it was done."
