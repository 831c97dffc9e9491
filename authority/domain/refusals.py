"""Every way in which the authority says no: a stable code, a sentence with the values in it, and what to do next."""

from __future__ import annotations

from typing import Any, ClassVar


class Refusal(Exception):
    """Root of all refusals. `evidence` holds the values of the sentence."""

    code: ClassVar[str] = ""
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, *, hint: str | None = None, **evidence: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint if hint is not None else self.default_hint
        self.evidence = evidence


class BorrowRefused(Refusal):
    """A rule says no to a borrow; every one is logged as a denial."""


class PoolExhausted(BorrowRefused):
    """All seats of a level or extension are taken or assigned."""

    code = "pool-exhausted"
    default_hint = "Wait until a seat is checked in, or ask the administrator who holds the seats."


class NotAssigned(BorrowRefused):
    """The member holds no license of the named product."""

    code = "not-assigned"
    default_hint = "Ask the administrator to assign a license of this product to the member."


class LevelNotAssigned(BorrowRefused):
    """The member holds a lower level."""

    code = "level-not-assigned"
    default_hint = "Ask for the assigned level, or ask the administrator to assign the higher one."


class ExtensionNotAssigned(BorrowRefused):
    """The member does not hold an extension asked for."""

    code = "extension-not-assigned"
    default_hint = "Ask without the extension, or ask the administrator to assign it."


class ProductOverallocated(BorrowRefused):
    """More licenses of the product are assigned than there are."""

    code = "product-overallocated"
    default_hint = "The administrator unassigns licenses until no more are assigned than there are."


class ProductExpired(BorrowRefused):
    """The product or the authorization has ended."""

    code = "product-expired"
    default_hint = "The administrator installs a new authorization from the vendor."


class OfflineNotAllowed(BorrowRefused):
    """A rule forbids offline use."""

    code = "offline-not-allowed"
    default_hint = "Ask the administrator to allow offline use."


class DurationTooLong(BorrowRefused):
    """Longer than the rule, the authorization or the product allows."""

    code = "duration-too-long"
    default_hint = "Ask for a shorter time, or leave the time out to get the default."


class AlreadyBorrowed(BorrowRefused):
    """The named license is out on another machine, or with other features."""

    code = "already-borrowed"
    default_hint = "Check in the other borrow first; if its machine is lost, the administrator releases it."


class TypeNotCompatible(BorrowRefused):
    """The member's user type cannot hold the product."""

    code = "type-not-compatible"
    default_hint = "The administrator changes the member's user type to one that may hold the product."


class MemberDisabled(BorrowRefused):
    """The member is disabled."""

    code = "member-disabled"
    default_hint = "Ask the administrator to enable the member."


class SessionLimit(BorrowRefused):
    """The member is signed in on as many computers as allowed."""

    code = "session-limit"
    default_hint = "End a session on one of the other computers, or ask the administrator to end it."


class SessionEnded(Refusal):
    """The session was ended, by an administrator or by time."""

    code = "session-ended"
    default_hint = "Save your work by the time named, and start a new session."


class OrganizationOverLimit(BorrowRefused):
    """The organization has more members than it is authorized for."""

    code = "organization-over-limit"
    default_hint = "Ask your administrator for assistance."


class NoSuchProduct(Refusal):
    """The authorization has no such product, level, extension or user type."""

    code = "no-such-product"
    default_hint = "carnet-authority authorization show lists the products, levels and extensions that are licensed."


class MemberLimitReached(Refusal):
    """The organization has as many members as it is authorized for."""

    code = "member-limit-reached"
    default_hint = "Remove members, or install an authorization for more."


class RequestReplayed(Refusal):
    """The request's number was used for another request or another member."""

    code = "request-replayed"
    default_hint = "Make a new request on the workstation."


class RequestInvalid(Refusal):
    """The request or receipt is damaged, wrongly signed, too old or for another organization."""

    code = "request-invalid"
    default_hint = "Make a new request on the workstation, and carry the file unchanged."


class InvalidInput(Refusal):
    """A value has the wrong form."""

    code = "invalid-input"
    default_hint = "Correct the named values and try again."


class NotAuthenticated(Refusal):
    """Nobody is signed in, or the user name or password is wrong."""

    code = "not-authenticated"
    default_hint = "Sign in, or send an API key: Authorization: Bearer KEY."


class NotAllowed(Refusal):
    """The role, account, machine or user may not do this."""

    code = "not-allowed"
    default_hint = "Ask an administrator."


class NotFound(Refusal):
    """There is no such thing, or it is not yours to see."""

    code = "not-found"
    default_hint = "Check the name; the list commands show what there is."


class AlreadyExists(Refusal):
    """The name or home is taken."""

    code = "already-exists"
    default_hint = "Choose another name, or change the one that is there."


class MemberHasBorrow(Refusal):
    """A member to be removed still has a borrow out."""

    code = "member-has-borrow"
    default_hint = "Have the licenses returned first, or say --release to free their seats although the copies may still run."


class BorrowAlreadyEnded(Refusal):
    """The borrow was checked in, revoked, released or has expired."""

    code = "borrow-already-ended"
    default_hint = "Nothing more is to be done: carnet-authority borrow show ID tells how it ended."


class OverlapNotAccepted(Refusal):
    """A release was asked for without accepting that the lost copy may still run."""

    code = "overlap-not-accepted"
    default_hint = "To free the seat although a copy may still run, say so: --accept-overlap."


class AuthorizationUnusable(Refusal):
    """The authorization or trust file does not verify or cannot be used here."""

    code = "authorization-unusable"
    default_hint = "Ask the vendor for a new authorization file."


class SpecificationInvalid(Refusal):
    """The vendor's specification, or the file with the public keys to authorize, is wrong."""

    code = "specification-invalid"
    default_hint = "Correct what is named; docs/vendor.md has a complete specification."


class KeyUnusable(Refusal):
    """A private key is missing, open to others, not decrypted or not authorized now."""

    code = "key-unusable"
    default_hint = "carnet-authority doctor says what is wrong with the keys."


class NotSetUp(Refusal):
    """The home has no authority, or its tables are of another version."""

    code = "not-set-up"
    default_hint = "Run: carnet-authority init --org NAME"


class SettingsInvalid(Refusal):
    """A setting is wrong."""

    code = "settings-invalid"
    default_hint = "docs/operations.md describes every setting."


class DemonstrationOnly(Refusal):
    """The published sample keys are used in earnest."""

    code = "demonstration-only"
    default_hint = "Run carnet-authority init to get keys of your own, or start with --demonstration to look around."


class SigningFailed(Refusal):
    """The verifier would not take what was just signed."""

    code = "signing-failed"
    default_hint = "Nothing was lost: send the same request again, and tell the administrator."


class StorageUnavailable(Refusal):
    """The database did not answer in time or is not reachable."""

    code = "storage-unavailable"
    default_hint = "Nothing was changed: try again in a moment."


def every_refusal(root: type[Refusal] = Refusal) -> list[type[Refusal]]:
    """All refusals that carry a code; the table of statuses and the documentation are held to this list."""
    found: list[type[Refusal]] = []
    for child in root.__subclasses__():
        if child.code:
            found.append(child)
        found.extend(every_refusal(child))
    return found
