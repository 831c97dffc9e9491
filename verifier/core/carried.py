"""What a workstation signs to be carried to the authority, as frozen values: requests and return receipts. Parsing is exact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from verifier.core.reading import BORROW_ID, DIGEST, FEATURE, MACHINE_ID, MOST_DAYS, PRODUCT_ID, USER_ID, Reader
from verifier.errors import Malformed

_REQUEST = frozenset(
    ["jti", "iat", "ver", "organization", "product", "level", "extensions", "member", "machine", "user", "prev"]
)
_RECEIPT = frozenset(["jti", "iat", "ver", "bid", "borrow", "machine", "user", "count"])
MOST_COUNTED = 2**31 - 1
# By these the authority sees that two copies of one workstation go on apart; the first versions did not count.
_REQUEST_COUNTS = frozenset(["number", "returns"])
_RECEIPT_COUNTS = frozenset(["requests"])


@dataclass(frozen=True, slots=True)
class Machine:
    """A workstation as a request names it; `secondary` is a second, independent mark by which a clone shows."""

    id: str
    source: str
    secondary: str | None
    alias: str | None


@dataclass(frozen=True, slots=True)
class Request:
    """The claims of a `borrow-request+jwt`: at most one of `days` and `until` (seconds since 1970 UTC) is set.

    A level or extensions of None are left to the authority, which gives what is assigned; empty extensions are none wanted.
    `number` is which request of this machine key it is, `returns` how many receipts that key made before; None where nobody counted.
    """

    jti: str
    iat: int
    organization: str | None
    product: str
    level: str | None
    extensions: tuple[str, ...] | None
    days: int | None
    until: int | None
    member: str | None
    machine: Machine
    user_id: str
    user_name: str
    prev: str | None
    number: int | None = None
    returns: int | None = None


def request(claims: Mapping[str, Any]) -> Request:
    """The borrow request that these signed claims state. Raises Malformed or UnsupportedVersion."""
    length = frozenset({"days", "until"} & claims.keys())
    if length == {"days", "until"}:
        raise Malformed('the request: "days" or "until" may stand, not both')
    counts = _REQUEST_COUNTS & claims.keys()
    read = Reader(claims, "the request", _REQUEST | length | (_REQUEST_COUNTS if counts else frozenset()))
    read.version()
    machine = read.object("machine", frozenset({"id", "source", "secondary", "alias"}))
    user = read.object("user", frozenset({"id", "name"}))
    return Request(
        jti=read.text("jti", BORROW_ID),
        iat=read.time("iat"),
        organization=read.text_or_null("organization"),
        product=read.text("product", PRODUCT_ID),
        level=read.text_or_null("level", FEATURE),
        extensions=None if claims["extensions"] is None else read.texts("extensions", FEATURE),
        days=read.integer("days", 1, MOST_DAYS) if "days" in length else None,
        until=read.time("until") if "until" in length else None,
        member=read.text_or_null("member"),
        machine=Machine(
            id=machine.text("id", MACHINE_ID),
            source=machine.text("source"),
            secondary=machine.text_or_null("secondary"),
            alias=machine.text_or_null("alias"),
        ),
        user_id=user.text("id", USER_ID),
        user_name=user.text("name"),
        prev=read.text_or_null("prev", DIGEST),
        number=read.integer("number", 1, MOST_COUNTED) if counts else None,
        returns=read.integer("returns", 0, MOST_COUNTED) if counts else None,
    )


@dataclass(frozen=True, slots=True)
class Receipt:
    """The claims of a `return-receipt+jwt`: this machine gave the borrow up; `count` grows with each receipt it makes.

    `requests` is how many requests its key had made before; None where nobody counted.
    """

    jti: str
    iat: int
    borrow_id: str
    borrow_jti: str
    machine_id: str
    user_id: str
    count: int
    requests: int | None = None


def receipt(claims: Mapping[str, Any]) -> Receipt:
    """The return receipt that these signed claims state. Raises Malformed or UnsupportedVersion."""
    counts = _RECEIPT_COUNTS & claims.keys()
    read = Reader(claims, "the receipt", _RECEIPT | counts)
    read.version()
    return Receipt(
        jti=read.text("jti", BORROW_ID),
        iat=read.time("iat"),
        borrow_id=read.text("bid", BORROW_ID),
        borrow_jti=read.text("borrow", BORROW_ID),
        machine_id=read.object("machine", frozenset({"id"})).text("id", MACHINE_ID),
        user_id=read.object("user", frozenset({"id"})).text("id", USER_ID),
        count=read.integer("count", 1, MOST_COUNTED),
        requests=read.integer("requests", 0, MOST_COUNTED) if counts else None,
    )
