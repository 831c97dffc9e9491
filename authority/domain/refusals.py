"""Every way in which the authority says no: a stable code, a sentence with the values in it, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import Enum
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class NotDone:
    """One of several things named together, of which none was done: its own refusal, or None when only another was refused."""

    name: str
    refusal: Refusal | None

    def as_evidence(self) -> dict[str, Any]:
        """The name and what was said of it; the code is None where only another was refused."""
        if self.refusal is None:
            message, hint = "not done, because another was refused", "Name it without those that were refused."
            return {"name": self.name, "ok": False, "code": None, "message": message, "hint": hint}
        refusal = self.refusal
        return {"name": self.name, "ok": False, "code": refusal.code, "message": refusal.message, "hint": refusal.hint}


@dataclass(eq=False, repr=False)
class Refusal(Exception):
    """Root of all refusals.

    What a class adds as fields are the values of the sentence: a field without a default is always there, any other one
    where this refusal has something to say about it. `items` has each of several things that were named together, when
    this refusal is the reason why none of them was done. `about` names the value that is wrong, where it is one that was
    given; `also` has what else is wrong with what was given.
    """

    code: ClassVar[str] = ""
    default_hint: ClassVar[str] = ""

    message: str
    hint: str = field(default="", kw_only=True)
    about: str = field(default="", kw_only=True)
    items: tuple[NotDone, ...] = field(default=(), init=False)
    also: tuple[Refusal, ...] = field(default=(), init=False)

    def __post_init__(self) -> None:
        self.hint = self.hint or self.default_hint

    @property
    def evidence(self) -> dict[str, Any]:
        """The values by name, as JSON has them: times as RFC 3339, what has several parts as an object."""
        values = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name not in _OF_ALL and (item.default is MISSING or value is not None):
                values[item.name] = _plain(value)
        if self.items:
            values["items"] = [item.as_evidence() for item in self.items]
        if self.also:
            values["also"] = [{"code": other.code, "message": other.message, "hint": other.hint} for other in self.also]
        return values


class Mistakes:
    """What is wrong with several values that were given together, so that all of it is told, and not the first alone."""

    def __init__(self) -> None:
        self._refusals: list[Refusal] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """A check whose refusal is told later, with the others."""
        try:
            yield
        except Refusal as refusal:
            self._refusals.append(refusal)

    def tell(self) -> None:
        """Raises the first refusal that was collected, with the others as `also`; nothing when there is none."""
        if self._refusals:
            first, *others = self._refusals
            first.also = tuple(others)
            raise first


_OF_ALL = frozenset(item.name for item in fields(Refusal))


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in fields(value)}
    return value


class BorrowRefused(Refusal):
    """A rule says no to a borrow; every one is logged as a denial."""

    @property
    def lacking(self) -> str | None:
        """The level or extension that it is about, None when it is about all that was asked for."""
        return None


@dataclass(eq=False, repr=False, kw_only=True)
class PoolExhausted(BorrowRefused):
    """All seats of a level or extension are taken or assigned."""

    code = "pool-exhausted"
    default_hint = "Wait until a seat is checked in, or ask the administrator who holds the seats."

    # Seats of others' groups that nobody else gets, by group.
    reserved: Mapping[str, int] | None = None
    feature: str
    group: str | None = None
    seats: int | None = None
    in_use: int | None = None
    maximum: int | None = None
    borrowed: int | None = None
    most_borrowed: int | None = None

    @property
    def lacking(self) -> str:
        return self.feature


@dataclass(eq=False, repr=False, kw_only=True)
class NotAssigned(BorrowRefused):
    """The member holds no license of the named product."""

    code = "not-assigned"
    default_hint = "Ask the administrator to assign a license of this product to the member."

    product: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class LevelNotAssigned(BorrowRefused):
    """The member holds a lower level."""

    code = "level-not-assigned"
    default_hint = "Ask for the assigned level, or ask the administrator to assign the higher one."

    assigned: str


@dataclass(eq=False, repr=False, kw_only=True)
class ExtensionNotAssigned(BorrowRefused):
    """The member does not hold an extension asked for."""

    code = "extension-not-assigned"
    default_hint = "Ask without the extension, or ask the administrator to assign it."

    missing: list[str]


@dataclass(eq=False, repr=False, kw_only=True)
class ProductOverallocated(BorrowRefused):
    """More licenses of the product are assigned than there are."""

    code = "product-overallocated"
    default_hint = "The administrator unassigns licenses until no more are assigned than there are."

    feature: str
    assigned: int
    seats: int

    @property
    def lacking(self) -> str:
        return self.feature


@dataclass(eq=False, repr=False, kw_only=True)
class ProductExpired(BorrowRefused):
    """The product or the authorization has ended."""

    code = "product-expired"
    default_hint = (
        "The administrator looks at the server's clock; if it is right, a new authorization from the vendor is installed."
    )

    product: str


@dataclass(eq=False, repr=False, kw_only=True)
class OfflineNotAllowed(BorrowRefused):
    """A rule forbids offline use."""

    code = "offline-not-allowed"
    default_hint = "Ask the administrator to allow offline use."

    decided_by: str


@dataclass(eq=False, repr=False, kw_only=True)
class ContainerNotAllowed(BorrowRefused):
    """The request comes from a container, WSL or a user namespace, to which this authority lends nothing."""

    code = "container-not-allowed"
    default_hint = "Make the request on the machine itself. The setting `containers` of the authority decides about it."

    place: str


@dataclass(eq=False, repr=False, kw_only=True)
class DurationTooLong(BorrowRefused):
    """Longer than the rule, the authorization or the product allows."""

    code = "duration-too-long"
    default_hint = "Ask for a shorter time, or leave the time out to get the default."

    limit_days: float | None = None
    limit_until: datetime | None = None
    decided_by: str | None = None


@dataclass(frozen=True, slots=True)
class ComputerInUse:
    """A computer with sessions: its name, since when, and until when it is taken unless they are used again."""

    computer: str
    since: datetime
    taken_until: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class AlreadyBorrowed(BorrowRefused):
    """The named license is out on another machine, or with other features."""

    code = "already-borrowed"
    default_hint = "Check in the other borrow first; if its machine is lost, the administrator releases it."

    session_id: str | None = None
    borrow_id: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class BorrowedElsewhere(AlreadyBorrowed):
    """The named license is out on another machine, called `alias` there, `since` and `until` then."""

    alias: str | None
    since: datetime
    until: datetime
    same_machine_id: bool


@dataclass(eq=False, repr=False, kw_only=True)
class InSessionElsewhere(AlreadyBorrowed):
    """The named license is in use in sessions on other `computers`."""

    default_hint = "End the session there, or ask the administrator to end it; the license is free when the last grant that was given there has ended."

    computers: tuple[ComputerInUse, ...]


@dataclass(eq=False, repr=False, kw_only=True)
class TypeNotCompatible(BorrowRefused):
    """The member's user type cannot hold the product."""

    code = "type-not-compatible"
    default_hint = "The administrator changes the member's user type to one that may hold the product."

    product: str | None = None
    member: str | None = None
    user_type: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class MemberDisabled(BorrowRefused):
    """The member is disabled."""

    code = "member-disabled"
    default_hint = "Ask the administrator to enable the member."

    member: str


@dataclass(eq=False, repr=False, kw_only=True)
class SessionLimit(BorrowRefused):
    """The member is signed in on as many computers as allowed."""

    code = "session-limit"
    default_hint = (
        "End a session on one of the other computers, or ask the administrator to end it; "
        "the computer is free when the last grant that was given there has ended."
    )

    limit: int
    computers: tuple[ComputerInUse, ...]


@dataclass(eq=False, repr=False, kw_only=True)
class SessionEnded(Refusal):
    """The session was ended, by an administrator or by time."""

    code = "session-ended"
    default_hint = "Save your work by the time named, and start a new session."

    save_by: datetime | None = None
    state: str
    ended_at: datetime
    seat_free_at: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class OrganizationOverLimit(BorrowRefused):
    """The organization has more members than it is authorized for."""

    code = "organization-over-limit"
    default_hint = "Ask your administrator for assistance."

    current: int
    maximum: int | None


@dataclass(eq=False, repr=False, kw_only=True)
class NoSuchProduct(Refusal):
    """The authorization has no such product, level, extension or user type."""

    code = "no-such-product"
    default_hint = "carnet-authority authorization show lists the products, levels and extensions that are licensed."

    product: str | None = None
    level: str | None = None
    extension: str | None = None
    feature: str | None = None
    user_type: str | None = None

    @property
    def lacking(self) -> str | None:
        """The level or extension that there is not, None when it is about the product."""
        return self.feature or self.level or self.extension


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


@dataclass(eq=False, repr=False, kw_only=True)
class LastKey(Refusal):
    """Without this key of the authority none would be left that signs."""

    code = "last-key"
    default_hint = "Make another key first, and have the vendor authorize it."

    kid: str


@dataclass(eq=False, repr=False, kw_only=True)
class BorrowAlreadyEnded(Refusal):
    """The borrow was checked in, revoked, released or has expired."""

    code = "borrow-already-ended"
    default_hint = "Nothing more is to be done: carnet-authority borrow show ID tells how it ended."

    state: str
    ended_at: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class OverlapNotAccepted(Refusal):
    """A release was asked for without accepting that the lost copy may still run."""

    code = "overlap-not-accepted"
    default_hint = "To free the seat although a copy may still run, say so: --accept-overlap."

    until: datetime


@dataclass(eq=False, repr=False, kw_only=True)
class AuthorizationUnusable(Refusal):
    """The authorization or trust file does not verify or cannot be used here."""

    code = "authorization-unusable"
    default_hint = "Ask the vendor for a new authorization file."

    # The verifier's code for what is wrong.
    cause: str | None = None
    roots: list[str] | None = None
    seq: int | None = None
    in_force: int | None = None
    path: str | None = None
    kid: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class SpecificationInvalid(Refusal):
    """The vendor's specification, or the file with the public keys to authorize, is wrong."""

    code = "specification-invalid"
    default_hint = "Correct what is named; docs/vendor.md has a complete specification."

    problems: list[str] | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class KeyUnusable(Refusal):
    """A private key is missing, open to others, not decrypted or not authorized now."""

    code = "key-unusable"
    default_hint = "carnet-authority doctor says what is wrong with the keys."

    path: str | None = None
    kid: str | None = None


class ClockInDoubt(Refusal):
    """The clock of the server shows a time that cannot be."""

    code = "clock-in-doubt"
    default_hint = "Whoever runs the server sets its clock right; then try again."


class NotSetUp(Refusal):
    """The home has no authority, or its tables are of another version."""

    code = "not-set-up"
    default_hint = "Run: carnet-authority init --org NAME"
    no_home_hint: ClassVar[str] = (
        "Name the home that there is (--home DIR, or CARNET_AUTHORITY_HOME), or make one: carnet-authority init --org NAME"
    )
    # For a home that is there: `init` makes no second authority in it.
    empty_database_hint: ClassVar[str] = (
        "Name the database that this home was set up with (database_url), or put it back from a backup: docs/operations.md, "
        "When the database is gone."
    )


class SettingsInvalid(Refusal):
    """A setting is wrong."""

    code = "settings-invalid"
    default_hint = "docs/settings.md describes every setting."


@dataclass(eq=False, repr=False, kw_only=True)
class DemonstrationOnly(Refusal):
    """The published sample keys are used in earnest."""

    code = "demonstration-only"
    default_hint = "Run carnet-authority init to get keys of your own, or allow them to look around: demonstration = true in authority.toml."

    path: str | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class SigningFailed(Refusal):
    """The verifier would not take what was just signed."""

    code = "signing-failed"
    default_hint = "Nothing was lost: send the same request again, and tell the administrator."

    # The verifier's code for what is wrong.
    cause: str


class CheckpointUnusable(Refusal):
    """A text is no checkpoint of the log's seal, or the file of a sealed log cannot be read."""

    code = "checkpoint-unusable"
    default_hint = "Take the file as the authority wrote it, unchanged."


class LogNotIntact(Refusal):
    """The log is not what was sealed, and what would be done would hide it."""

    code = "log-not-intact"
    default_hint = "carnet-authority log verify says what is wrong; what to do: docs/operations.md, The seal of the log."


class BackupUnusable(Refusal):
    """The file is no backup, was cut or changed, or is of another organization or a newer program."""

    code = "backup-unusable"
    default_hint = "Nothing was changed. Take another backup, or another copy of this one."


class StorageUnavailable(Refusal):
    """The database did not answer in time or is not reachable."""

    code = "storage-unavailable"
    default_hint = "Nothing was changed: try again in a moment."


class DatabaseLost(StorageUnavailable):
    """The file of the database is not there, or another one took its place."""

    code = "database-lost"
    default_hint = (
        "The administrator stops the server, puts the database back where it was, from the last backup if need be, "
        "and starts the server again: docs/operations.md, When the database is gone."
    )
    # Where this process never had it open, its name may be all that is wrong.
    never_opened_hint: ClassVar[str] = (
        "Is its path right? It is the setting database_url, or the file authority.db in the home. If it is, put the database back "
        "there, from the last backup if need be: docs/operations.md, When the database is gone."
    )


class DatabaseBehind(StorageUnavailable):
    """The database does not know of what went out: an older copy of it was put back, or a replica that lagged took over."""

    code = "database-behind"
    default_hint = (
        "Nothing was signed. Take in what is missing: carnet-authority catch-up; with --dry-run it shows what that is. "
        "See docs/operations.md, A database that is behind."
    )


def every_refusal(root: type[Refusal] = Refusal) -> list[type[Refusal]]:
    """All refusals with a code of their own; the table of statuses and the documentation are held to this list."""
    refusals: list[type[Refusal]] = []
    for child in root.__subclasses__():
        if "code" in vars(child):
            refusals.append(child)
        refusals.extend(every_refusal(child))
    return refusals
