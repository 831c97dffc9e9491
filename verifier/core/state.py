"""What a workstation remembers and no file signed by others says; its own machine key signs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from verifier.core.claims import receipt
from verifier.core.jose import open_by_jwk, strict_object
from verifier.core.reading import BORROW_ID, DIGEST, PRODUCT_ID, Reader
from verifier.errors import Malformed

STATE_TYP = "workstation-state+jwt"
LONGEST_STATE = 2 * 1024 * 1024
_STATE = frozenset({"alias", "activated", "given_up", "receipt_count", "last_receipt", "floor"})
_TOMBSTONE = frozenset({"product", "exp", "receipt"})


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A borrow that was given up here: its product, the `exp` of its token, and the claims of its receipt.

    The receipt is kept, so that a return that was cut short can be finished with the same one.
    """

    product: str
    exp: int
    receipt: dict[str, Any]


@dataclass
class State:
    """The alias, which tokens were installed here in time (`jti` to `exp`), and what was given up here, by borrow id.

    `floor` is the newest signed time seen here, in seconds since 1970 UTC.
    """

    alias: str | None = None
    activated: dict[str, int] = field(default_factory=dict)
    given_up: dict[str, Tombstone] = field(default_factory=dict)
    receipt_count: int = 0
    last_receipt: str | None = None
    floor: int = 0


def read(data: bytes, machine_key: str | None) -> State:
    """The state in the bytes of its file, when the machine key with this thumbprint signed it. Raises Malformed, BadSignature.

    With a new machine key everything begins anew: no borrow of the old one is good any more.
    """
    members = strict_object(data)
    if set(members) != {"state"} or not isinstance(members["state"], str):
        raise Malformed("the state is not a compact JWS")
    signed = open_by_jwk(members["state"], STATE_TYP, longest=LONGEST_STATE)
    return _state(signed.claims) if signed.key.kid == machine_key else State()


def _state(claims: Mapping[str, Any]) -> State:
    reader = Reader(claims, "the state", _STATE)
    return State(
        alias=reader.text_or_null("alias"),
        activated=reader.counts("activated", BORROW_ID),
        given_up={borrow_id: _tombstone(borrow_id, item) for borrow_id, item in reader.mapping("given_up", BORROW_ID).items()},
        receipt_count=reader.integer("receipt_count"),
        last_receipt=reader.text_or_null("last_receipt", DIGEST),
        floor=reader.integer("floor"),
    )


def _tombstone(borrow_id: str, item: object) -> Tombstone:
    reader = Reader(item, "a tombstone", _TOMBSTONE)
    claims = reader.members()["receipt"]
    if not isinstance(claims, dict) or receipt(claims).borrow_id != borrow_id:
        raise Malformed("a tombstone has the receipt of another borrow")
    return Tombstone(reader.text("product", PRODUCT_ID), reader.integer("exp"), claims)
