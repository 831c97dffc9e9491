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
    code = "pool-exhausted"
    default_hint = "Wait until a seat is checked in, or ask the administrator who holds the seats."


class NotAssigned(BorrowRefused):
    code = "not-assigned"
    default_hint = "Ask the administrator to assign a license of this product to the member."


class LevelNotAssigned(BorrowRefused):
    code = "level-not-assigned"
    default_hint = "Ask for the assigned level, or ask the administrator to assign the higher one."


class ExtensionNotAssigned(BorrowRefused):
    code = "extension-not-assigned"
    default_hint = "Ask without the extension, or ask the administrator to assign it."


class ProductOverallocated(BorrowRefused):
    code = "product-overallocated"
    default_hint = "The administrator unassigns licenses until no more are assigned than there are."


class ProductExpired(BorrowRefused):
    code = "product-expired"
    default_hint = "The administrator installs a new authorization from the vendor."


class OfflineNotAllowed(BorrowRefused):
    code = "offline-not-allowed"
    default_hint = "Ask the administrator to allow offline use."


class DurationTooLong(BorrowRefused):
    code = "duration-too-long"
    default_hint = "Ask for a shorter time, or leave the time out to get the default."


class AlreadyBorrowed(BorrowRefused):
    code = "already-borrowed"
    default_hint = "Check in the other borrow first; if its machine is lost, the administrator releases it."


class TypeNotCompatible(BorrowRefused):
    code = "type-not-compatible"
    default_hint = "The administrator changes the member's user type to one that may hold the product."


class MemberDisabled(BorrowRefused):
    code = "member-disabled"
    default_hint = "Ask the administrator to enable the member."


class NoSuchProduct(Refusal):
    code = "no-such-product"
    default_hint = "carnet-authority authorization show lists the products, levels and extensions that are licensed."


class MemberLimitReached(Refusal):
    code = "member-limit-reached"
    default_hint = "Remove members, or install an authorization for more."


class RequestReplayed(Refusal):
    code = "request-replayed"
    default_hint = "Make a new request on the workstation."


class RequestInvalid(Refusal):
    code = "request-invalid"
    default_hint = "Make a new request on the workstation, and carry the file unchanged."


class InvalidInput(Refusal):
    code = "invalid-input"
    default_hint = "Correct the named values and try again."


class NotAuthenticated(Refusal):
    code = "not-authenticated"
    default_hint = "Sign in, or send an API key: Authorization: Bearer KEY."


class NotAllowed(Refusal):
    code = "not-allowed"
    default_hint = "Ask an administrator."


class NotFound(Refusal):
    code = "not-found"
    default_hint = "Check the name; the list commands show what there is."


class AlreadyExists(Refusal):
    code = "already-exists"
    default_hint = "Choose another name, or change the one that is there."


class BorrowAlreadyEnded(Refusal):
    code = "borrow-already-ended"
    default_hint = "Nothing more is to be done: carnet-authority borrow show ID tells how it ended."


class OverlapNotAccepted(Refusal):
    code = "overlap-not-accepted"
    default_hint = "To free the seat although a copy may still run, say so: --accept-overlap."


class AuthorizationUnusable(Refusal):
    code = "authorization-unusable"
    default_hint = "Ask the vendor for a new authorization file."


class KeyUnusable(Refusal):
    code = "key-unusable"
    default_hint = "carnet-authority doctor says what is wrong with the keys."


class NotSetUp(Refusal):
    code = "not-set-up"
    default_hint = "Run: carnet-authority init --org NAME"


class SettingsInvalid(Refusal):
    code = "settings-invalid"
    default_hint = "docs/operations.md describes every setting."


class DemonstrationOnly(Refusal):
    code = "demonstration-only"
    default_hint = "Run carnet-authority init to get keys of your own, or start with --demonstration to look around."


class SigningFailed(Refusal):
    code = "signing-failed"
    default_hint = "Nothing was lost: send the same request again, and tell the administrator."


class StorageUnavailable(Refusal):
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
