"""What taking a carried file in did, as values: one for each kind of file. The sentences for people are made elsewhere.

`is_new` is False where the same, or a newer one, was here before, so that the file changed nothing. Times are seconds since 1970 UTC.
"""

from __future__ import annotations

from typing import Literal, NamedTuple


class TrustInstalled(NamedTuple):
    """Trust in an organization's root keys (thumbprints)."""

    organization: str
    roots: tuple[str, ...]
    is_new: bool
    kind: Literal["trust"] = "trust"


class TrustUpdated(NamedTuple):
    """The root keys (thumbprints) that took the place of those before; `seq` is the number of the last update."""

    organization: str
    roots: tuple[str, ...]
    seq: int
    is_new: bool
    kind: Literal["trust-update"] = "trust-update"


class AuthorizationInstalled(NamedTuple):
    """What the vendor allows the organization to give."""

    organization: str
    seq: int
    is_new: bool
    kind: Literal["authorization"] = "authorization"


class StatusListInstalled(NamedTuple):
    """A list of what has been returned or revoked."""

    seq: int
    issued_at: int
    is_new: bool
    kind: Literal["status"] = "status"


class BorrowInstalled(NamedTuple):
    """A license for a while. Where the file is of an earlier token, the values are those of the later one, which stays."""

    product: str
    level: str
    extensions: tuple[str, ...]
    expires_at: int
    is_new: bool
    is_earlier: bool = False
    kind: Literal["borrow"] = "borrow"


class ClockResetInstalled(NamedTuple):
    """What the clock showed here before is forgotten; it is at least this time, at which the authority signed."""

    signed_at: int
    is_new: bool = True
    kind: Literal["clock-reset"] = "clock-reset"


Installed = TrustInstalled | TrustUpdated | AuthorizationInstalled | StatusListInstalled | BorrowInstalled | ClockResetInstalled
