"""Reading back what this authority signed itself, as it was kept when it left; whether it is good now is not asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authority.domain.borrows import License, Machine, OsUser
from authority.domain.refusals import SigningFailed
from verifier.core import claims, jose, status
from verifier.core.keys import decode
from verifier.core.times import instant
from verifier.errors import CarnetError


@dataclass(frozen=True, slots=True)
class ListText:
    """A status list as its text has it: the places that it says are ended are in `ended`."""

    seq: int
    packed: str
    issued_at: datetime
    ended: frozenset[int]


@dataclass(frozen=True, slots=True)
class Granted:
    """What the payload of a token says: for which organization it was given, which license, and when."""

    organization: str
    license: License
    issued_at: datetime


def status_list_of(compact: str) -> ListText:
    """What a status list says. Raises SigningFailed for a text that is none."""
    try:
        list_claims = claims.status_list(jose.strict_object(decode(compact.split(".")[1])))
        statuses = status.unpack(list_claims.packed)
    except (CarnetError, IndexError) as error:
        raise _damaged("status list", error) from error
    each, mask = 8 // status.BITS, (1 << status.BITS) - 1
    ended = frozenset(
        number * each + place
        for number, byte in enumerate(statuses)
        if byte
        for place in range(each)
        if byte >> (place * status.BITS) & mask
    )
    return ListText(list_claims.seq, list_claims.packed, instant(list_claims.iat), ended)


def kid_of(compact: str) -> str:
    """The key that a compact text says it is signed with. Raises SigningFailed for a text that is none."""
    try:
        return str(jose.strict_object(decode(compact.partition(".")[0]))["kid"])
    except (CarnetError, KeyError) as error:
        raise _damaged("text", error) from error


def granted_by(payload: str) -> Granted:
    """What the payload of a token says. Raises SigningFailed for a text that is none."""
    try:
        borrow = claims.borrow(jose.strict_object(payload.encode("utf-8", "surrogatepass")))
        issued_at, ends_at = instant(borrow.iat), instant(borrow.exp)
    except CarnetError as error:
        raise _damaged("token", error) from error
    granted = License(
        id=borrow.borrow_id,
        member=borrow.member,
        product=borrow.product,
        level=borrow.level,
        extensions=borrow.extensions,
        machine=Machine(borrow.machine_id, borrow.machine_source, None, borrow.alias, borrow.machine_key),
        user=OsUser(borrow.user_id, borrow.user_name),
        ends_at=ends_at,
        status_max_age=borrow.status_max_age_seconds,
    )
    return Granted(borrow.organization, granted, issued_at)


def _damaged(what: str, error: Exception) -> SigningFailed:
    cause = error.code if isinstance(error, CarnetError) else "malformed"
    return SigningFailed(f"the {what} that went out cannot be read from its record", cause=cause)
