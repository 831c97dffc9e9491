"""What the verifier says when it does not say yes: two families, each error with a code, a sentence, a hint and evidence.

The evidence of an error are its attributes: the values that its sentence speaks of, None where a sentence has none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, dataclass_transform


def _positional(*, kw_only: Literal[False] = False) -> Any:
    """Marks the one field that is given by place; for type checkers alone."""


# Type checkers hold every `raise` to the attributes that its class declares; at run time nothing is generated.
@dataclass_transform(kw_only_default=True, field_specifiers=(_positional,))
class _Explained(Exception):
    def __init__(self, message: str, *, hint: str | None = None, **evidence: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = self.default_hint if hint is None else hint
        self.evidence = evidence
        for name, value in evidence.items():
            setattr(self, name, value)

    default_hint: ClassVar[str] = ""


class CarnetError(_Explained):
    """Root of both families. `code` is stable; `hint` is what to do next; `evidence` holds the attributes that were given."""

    code: ClassVar[str] = ""
    exit_status: ClassVar[int] = 1

    message: str = _positional(kw_only=False)
    hint: str = ""

    def as_json(self) -> dict[str, Any]:
        """The object that `--json` prints: `ok` (false), `code`, `message`, `hint`, `evidence`."""
        return {"ok": False, "code": self.code, "message": self.message, "hint": self.hint, "evidence": self.evidence}


class NotGood(CarnetError):
    """The license is not good. Exit status 1."""

    exit_status = 1


class NotChecked(CarnetError):
    """The license could not be checked, which is no statement about the license. Exit status 3."""

    exit_status = 3


class NotReached(CarnetError):
    """The authority could not be asked, which is no statement about the license. Exit status 5."""

    exit_status = 5


class Malformed(NotGood):
    """Not a Carnet file or token, or one with a member missing, unknown or of the wrong form."""

    code = "malformed"
    default_hint = "The file was damaged on its way or is not a Carnet file. Fetch it again from where it was made."

    kid: str | None = None
    kind: str | None = None
    length: int | None = None
    member: str | None = None
    missing: list[str] | None = None
    size: int | None = None
    unknown: list[str] | None = None


class UnsupportedVersion(NotGood):
    """Made by a later version than this program reads."""

    code = "unsupported-version"
    default_hint = "Update Carnet on this machine, then try again."

    version: int | None = None


class UnknownKey(NotGood):
    """Signed with a key that nothing installed here names."""

    code = "unknown-key"
    default_hint = "Install the trust file of the organization that issued this, or ask its administrator which one it is."

    kid: str | None = None
    seq: int | None = None


class BadSignature(NotGood):
    """The signature does not fit the text."""

    code = "bad-signature"
    default_hint = "The file was changed after it was signed. Fetch it again from where it was made."

    kid: str | None = None


class KeyNotValid(NotGood):
    """The key was not in use at that time, is for another use, or was revoked."""

    code = "key-not-valid"
    default_hint = "Ask the administrator for a borrow signed with a current key, and install the newest status file."

    kid: str | None = None
    seq: int | None = None
    signed_at: int | None = None
    use: str | None = None


class NotAuthorized(NotGood):
    """Grants more than the vendor authorized, or belongs to another organization."""

    code = "not-authorized"
    default_hint = "Ask the administrator: the license goes beyond what the vendor authorized the organization to give."

    known_seq: int | None = None
    organization: str | None = None
    product: str | None = None
    seq: int | None = None


class UntrustedRoot(NotGood):
    """Signed by a root key that the application does not take: by another one than it pins, or by the published sample key."""

    code = "untrusted-root"
    default_hint = (
        "Install the trust file of the organization that the vendor of the application authorized. "
        "Who makes the application: pin the vendor's root key (docs/embedding.md)."
    )

    kid: str | None = None
    pinned: list[str] | None = None


class NotYetValid(NotGood):
    """Begins later than now."""

    code = "not-yet-valid"
    default_hint = "Check this machine's clock; if it is right, wait until the license begins."

    begins_at: str | None = None


class Expired(NotGood):
    """Ended before now."""

    code = "expired"
    default_hint = "Check this machine's clock; if it is right, borrow the license again: make a new request on this machine."

    expired_at: str | None = None


class NotActivatedInTime(NotGood):
    """Came to this machine for the first time after its activation deadline."""

    code = "not-activated-in-time"
    default_hint = (
        "Check this machine's clock; if it is right, make a new request on this machine, and the administrator releases the old "
        "borrow."
    )

    activate_by: str | None = None


class WrongProduct(NotGood):
    """Is for another product."""

    code = "wrong-product"
    default_hint = "Install the borrow file that was made for this product."

    product: str | None = None


class LevelNotGranted(NotGood):
    """Does not grant the level asked for."""

    code = "level-not-granted"
    default_hint = "Return this license and borrow the level that you need."

    level: str | None = None


class ExtensionNotGranted(NotGood):
    """Does not grant an extension asked for."""

    code = "extension-not-granted"
    default_hint = "Return this license and borrow it again together with the extension."

    extensions: list[str] | None = None


class WrongBinding(NotGood):
    """Bound to something else than what is here: `wanted` in the license, `found` here."""

    wanted: str | None = None
    found: str | None = None


class WrongMachine(WrongBinding):
    """Bound to another machine."""

    code = "wrong-machine"
    default_hint = "A borrow works on one machine only: make a request on this machine."


class WrongUser(WrongBinding):
    """Bound to another OS user."""

    code = "wrong-user"
    default_hint = "Sign in to this machine as the user who made the request, or make a request as this user."


class WrongMachineKey(WrongBinding):
    """Bound to another machine key."""

    code = "wrong-machine-key"
    default_hint = "The machine key was lost or replaced: make a new request; the administrator releases the old borrow."


class MachineKeyMissing(WrongMachineKey):
    """Bound to a machine key, and there is none here: the folder of the state was copied or put back without it."""

    code = "machine-key-missing"
    default_hint = (
        "Put machine-key.pem back from a backup of this folder. A folder that was copied without it is no license: "
        "make a new request; the administrator releases the old borrow."
    )


class Revoked(NotGood):
    """The status list says that it ended: checked in, released or revoked."""

    code = "revoked"
    default_hint = "Ask the administrator why, or borrow the license again."

    seq: int | None = None


class Suspended(NotGood):
    """The status list says that it is suspended."""

    code = "suspended"
    default_hint = "Ask the administrator, and install a newer status file when the suspension ends."

    seq: int | None = None


class GivenUp(NotGood):
    """This machine returned it."""

    code = "given-up"
    default_hint = "This machine returned the license. Borrow it again with a new request."

    borrow_id: str | None = None


class AlreadyBorrowed(NotGood):
    """Another member's, or another OS user's, borrow of the product is installed here and may still run."""

    code = "already-borrowed"
    default_hint = (
        "Have it returned first (carnet return PRODUCT -o FILE), so that its seat is free again. "
        "Who shares a system account with others keeps a state of their own with --home DIR, and makes the request there."
    )

    member: str | None = None
    user: str | None = None
    expires_at: str | None = None


class ClockResetUsed(NotGood):
    """A clock reset works once, for the code that it was made for."""

    code = "clock-reset-used"
    default_hint = "Tell the administrator the code that carnet clock shows now, and have a new reset made."

    code_here: str | None = None


class NoTrust(NotChecked):
    """No trust store is installed."""

    code = "no-trust"
    default_hint = "Install the organization's trust file: carnet trust FILE."

    home: str | None = None


class HomeMissing(NoTrust):
    """The machine key is here and remembers more than stands beside it: the folder of its state is gone, or the key was moved alone."""

    code = "home-missing"
    default_hint = (
        "Put the whole folder back from a backup; or install the trust file (carnet trust FILE) and the borrow files again. "
        "What was returned stays returned."
    )

    machine_key: str | None = None


class NoBorrow(NotChecked):
    """No borrow of the product is installed."""

    code = "no-borrow"
    default_hint = (
        "Make a request (carnet request PRODUCT -o FILE), have it answered, and install the answer (carnet install FILE)."
    )

    home: str | None = None
    product: str | None = None


class StateDamaged(NotChecked):
    """A file of this workstation's own state cannot be read or is open to others."""

    code = "state-damaged"
    default_hint = (
        "Move the file that is named away, then install the trust, borrow and status files again; nothing else is lost."
    )

    path: str | None = None


class NoMachineId(NotChecked):
    """The system has no id by which this machine could be told from others, or one that many machines have."""

    code = "no-machine-id"
    default_hint = (
        "As root, remove /etc/machine-id and run: systemd-machine-id-setup. In a container, give it the id of its host: "
        "mount the host's /etc/machine-id."
    )

    files: int | None = None


class IdentityInDoubt(NotChecked):
    """This process is in a user namespace, where anybody can be any user and have any machine's files."""

    code = "identity-in-doubt"
    default_hint = (
        "Run this on the machine itself, outside of unshare, a sandbox or a container without root. Where such a container is what "
        "is meant to have the license, set CARNET_CONTAINER=accept: it is then a machine of its own, and the request says so."
    )

    uid_map: str | None = None


class NoHome(NotChecked):
    """No folder for this workstation's state is known: no home is set and the user has none."""

    code = "no-home"
    default_hint = "Name a folder: set CARNET_HOME, or say --home DIR."


class DiskFull(NotChecked):
    """A disk, a quota or a limit has no room for what is to be written."""

    code = "disk-full"
    default_hint = "Free some space there, then do it again."

    path: str | None = None


class NotPermitted(NotChecked):
    """The operating system does not let this user read or write there."""

    code = "not-permitted"
    default_hint = "Ask who looks after this machine to let this user read and write there, or name another place."

    path: str | None = None


class NoLocks(NotChecked):
    """The folder with the state stands on a share that has no locks."""

    code = "no-locks"
    default_hint = "Keep the state on a disk of this machine: set CARNET_HOME, or say --home DIR."

    home: str | None = None


class DiskFailed(NotChecked):
    """The operating system could not read or write there, for the reason that the sentence says."""

    code = "disk-failed"
    default_hint = "Mend what the sentence names, then do it again; or name another place."

    path: str | None = None


class OutputNotWritten(NotChecked):
    """The answer could not be written to the output, whatever the answer is."""

    code = "output-not-written"
    default_hint = "What was asked for may be done all the same: carnet status shows it. Write the output to another place."


class StatusListMissing(NotChecked):
    """The license demands a status list and there is none, or the newest one that was here is gone."""

    code = "status-list-missing"
    default_hint = "This license demands a status file: fetch one (carnet-authority status-list export) and install it."

    known_seq: int | None = None
    seq: int | None = None


class StatusListStale(NotChecked):
    """The license demands a newer status list."""

    code = "status-list-stale"
    default_hint = "Fetch a newer status file from the authority and install it."

    age_seconds: int | None = None
    limit: int | None = None


class StatusListRolledBack(NotChecked):
    """The status list is older than one known here, or another one with the same number."""

    code = "status-list-rolled-back"
    default_hint = "Use the newest status file; an older one is never taken."

    known_seq: int | None = None
    seq: int | None = None


class StatusListUnusable(NotChecked):
    """The status list is damaged, of another organization or list, or wrongly signed."""

    code = "status-list-unusable"
    default_hint = "Fetch the status file again; if it stays so, tell the administrator."

    cause: str | None = None
    index: int | None = None
    seq: int | None = None
    uri: str | None = None


class ClockTurnedBack(NotChecked):
    """The clock is far behind what was signed and is installed here, or behind what it showed here before."""

    code = "clock-turned-back"
    default_hint = (
        "Set this machine's clock right, then try again. If it is right, the authority's was ahead: "
        "install the newest status file (carnet-authority status-list export)."
    )

    clock_at: str | None = None
    floor_at: str | None = None
    believed_from: str | None = None


class ClockInDoubt(NotChecked):
    """The clock shows no time of the calendar, or what is brought here was signed far ahead of it."""

    code = "clock-in-doubt"
    default_hint = "Set this machine's clock right, then try again."

    clock_at: str | None = None
    clock_seconds: int | None = None
    signed_at: str | None = None


class Refused(CarnetError):
    """The authority says no; the code is the authority's own, `refused` where it has none, and so are the values in `evidence`."""

    code = "refused"
    exit_status = 4
    default_hint = "Ask the administrator of the licensing authority."

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        reason: str | None = None,
        status: int | None = None,
        values: Mapping[str, Any] = MappingProxyType({}),
    ) -> None:
        own = {} if status is None else {"status": status}
        super().__init__(message, hint=self.default_hint if hint is None else hint, **own)
        # What a server says never becomes an attribute: no name of its choice stands in the place of one that has a meaning here.
        self.evidence = {**values, **own}
        if reason is not None:
            # In place of the code of the class: what programs compare is what the authority says.
            vars(self)["code"] = reason

    status: int | None = None


class NotSignedIn(CarnetError):
    """Nobody is signed in at the licensing authority here. Exit status 4."""

    code = "not-signed-in"
    exit_status = 4
    default_hint = "Sign in with your user name: carnet sign-in NAME."

    url: str | None = None


class LicenseOut(NotGood):
    """A license of the organization is in use here, so that the licensing authority stays what it is."""

    code = "license-out"
    default_hint = "Check it in first (carnet check-in PRODUCT, or carnet return PRODUCT -o FILE), then change the authority."

    products: list[str] | None = None


class TrustNotCompared(NotChecked):
    """The root key of an authority that is new here was not compared with what its administrator says."""

    code = "trust-not-compared"
    default_hint = (
        "Ask the administrator, by another way than this line, for the thumbprint of the root key. If it is the one shown, say: "
        "carnet authority URL --accept-trust THUMBPRINT."
    )

    thumbprints: list[str] | None = None
    organization: str | None = None


class NoAuthority(NotReached):
    """No licensing authority is set here."""

    code = "no-authority"
    default_hint = (
        "Set it with the URL that your administrator gives you: carnet authority URL. Without a network: carnet request."
    )


class AuthorityUnreachable(NotReached):
    """There is no line to the authority, or it broke off; nothing is lost by that."""

    code = "authority-unreachable"
    default_hint = (
        "Say the same again when there is a line: it is the same request, and takes no second seat. "
        "Without a line: carnet request and carnet return make files to carry."
    )

    url: str | None = None


class WrongAddress(CarnetError):
    """A URL that is no address of an authority, or one that would send secrets unencrypted. Nobody was asked."""

    code = "wrong-address"
    exit_status = 2
    default_hint = "Write it as https://HOST, with the port and path that the administrator names."


class CertificateRefused(NotReached):
    """Whoever answers cannot prove to be the authority: the system's store does not know who signed its certificate."""

    code = "certificate-refused"
    default_hint = (
        "Check the URL. If the organization signs its own certificates, have its root installed in this system's store, "
        "or name it with SSL_CERT_FILE."
    )

    url: str | None = None


class AnswerUnusable(NotReached):
    """What answers is no authority, or it is broken."""

    code = "answer-unusable"
    default_hint = "Check the URL (carnet authority), and tell the administrator what the sentence says."

    url: str | None = None


def every_error(root: type[CarnetError] = CarnetError) -> list[type[CarnetError]]:
    """All error classes that carry a code, in the order they are written above; the documentation is held to this list."""
    errors: list[type[CarnetError]] = []
    for child in root.__subclasses__():
        if child.code:
            errors.append(child)
        errors.extend(every_error(child))
    return errors
