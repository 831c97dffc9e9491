"""What the workstation writes to be carried to the authority: requests and return receipts, signed by the machine key."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from verifier.core import carried, claims, files, keys
from verifier.core.state import State
from verifier.errors import Malformed, NoTrust
from verifier.workstation import identity
from verifier.workstation.clock import wall_seconds
from verifier.workstation.identity import MachineMark, OsUser
from verifier.workstation.machine_key import MachineKey
from verifier.workstation.store import Store


@dataclass(frozen=True, slots=True)
class Wish:
    """What the user asks for. At most one of `days` and `until` (seconds since 1970 UTC); neither: the policy's default.

    Level and extensions of None: what is assigned to the member. Empty extensions: none.
    """

    product: str
    level: str | None = None
    extensions: Sequence[str] | None = None
    days: int | None = None
    until: int | None = None
    member: str | None = None


def fresh_id() -> str:
    """128 random bits as 22 characters of base64url."""
    return keys.encode(secrets.token_bytes(16))


class Sender(NamedTuple):
    """Who asks: the workstation and its user, what people call it, and where it stands.

    `organization` is the one that it trusts, `prev` the digest of the last receipt that its key made; None for what there is not.
    """

    machine: MachineMark
    user: OsUser
    alias: str | None = None
    organization: str | None = None
    prev: str | None = None


def request_claims(wish: Wish, sender: Sender, *, jti: str, now: int, counts: tuple[int, int] | None = None) -> dict[str, Any]:
    """The claims of a request, for a borrow or a session. What it would be refused for is refused here already (Malformed).

    `counts` is which request of this key it is, and how many receipts the key made before.
    """
    asked: dict[str, Any] = {
        "jti": jti,
        "iat": now,
        "ver": 1,
        "organization": sender.organization,
        "product": wish.product,
        "level": wish.level,
        "extensions": None if wish.extensions is None else list(wish.extensions),
        "member": wish.member,
        "machine": {
            "id": sender.machine.id,
            "source": sender.machine.source,
            "secondary": sender.machine.secondary,
            "alias": sender.alias,
        },
        "user": {"id": sender.user.id, "name": sender.user.name},
        "prev": sender.prev,
    }
    asked |= {name: value for name, value in (("days", wish.days), ("until", wish.until)) if value is not None}
    if counts is not None:
        asked |= {"number": counts[0], "returns": counts[1]}
    parsed = carried.request(asked)
    if parsed.until is not None and parsed.until <= now:
        raise Malformed("the end asked for lies in the past", hint="Name a day to come.")
    return asked


def check_wish(wish: Wish, now: datetime | None = None) -> None:
    """Raises Malformed when no request could ask for this, on whichever machine and for whomever."""
    anybody = Sender(MachineMark("any", "any", None), OsUser("uid:0", "any"))
    request_claims(wish, anybody, jti="A" * 22, now=wall_seconds(now))


def request(store: Store, wish: Wish, now: datetime | None = None) -> bytes:
    """The bytes of a request file for this machine and user; makes the machine key at first use."""
    return files.render("request", {"request": signed_request(store, wish, claims.REQUEST_TYP, now)})


def signed_request(store: Store, wish: Wish, typ: str, now: datetime | None = None) -> str:
    """The compact request for this machine and user, signed by the machine key: for a borrow, or of another `typ`.

    Each request for a borrow has the next number, which is kept before it leaves: two copies of one workstation use one number
    twice, and the authority sees it. Makes the machine key at first use.
    """
    if typ != claims.REQUEST_TYP:
        return _signed(store, wish, typ, store.state(), now)
    with store.locked():
        state = store.state_of(store.machine_key().public.kid)
        state.request_count += 1
        compact = _signed(store, wish, typ, state, now, counts=(state.request_count, state.receipt_count))
        store.save_state(state)
    return compact


def _signed(
    store: Store, wish: Wish, typ: str, state: State, now: datetime | None, counts: tuple[int, int] | None = None
) -> str:
    system = identity.system()
    try:
        organization = store.trust().organization
    except NoTrust:
        organization = None
    sender = Sender(system.machine(), system.user(), state.alias, organization, state.last_receipt)
    asked = request_claims(wish, sender, jti=fresh_id(), now=wall_seconds(now), counts=counts)
    return store.machine_key().sign(typ, asked)


def receipt_claims(borrow: claims.Borrow, *, count: int, requests: int, jti: str, now: int) -> dict[str, Any]:
    """The claims of the receipt for a borrow; kept before it is signed, so that it can be made again."""
    return {
        "jti": jti,
        "iat": now,
        "ver": 1,
        "bid": borrow.borrow_id,
        "borrow": borrow.jti,
        "machine": {"id": borrow.machine_id},
        "user": {"id": borrow.user_id},
        "count": count,
        "requests": requests,
    }


def return_file(key: MachineKey, receipt: dict[str, Any]) -> bytes:
    """The bytes of a return file, the same for the same receipt."""
    carried.receipt(receipt)
    return files.render("return", {"receipt": key.sign(claims.RECEIPT_TYP, receipt)})


def receipt_digest(key: MachineKey, receipt: dict[str, Any]) -> str:
    """SHA-256 of the compact receipt: `prev` of this machine's next request, by which the authority sees what is still to come."""
    return keys.digest_of(key.sign(claims.RECEIPT_TYP, receipt))
