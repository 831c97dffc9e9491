"""Files that came on a stick: which kind one is, whose, and what to do with it. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authority.domain.borrows import Ask, Borrow
from authority.domain.members import Privilege
from authority.services.unit import Unit
from authority.signing import inbox
from authority.storage import borrows, tokens

# What to do here with a file of each kind; whatever is not in it goes to a workstation.
HERE = {
    "request": "Issue it; the answer goes back to the workstation.",
    "return": "Check it in; that frees the seat.",
    "authorization": "Install it, with the trust file that came with it when the vendor sent one.",
    "trust": "One that the vendor sent is installed together with the authorization that came with it; the one of this authority "
    "goes to workstations.",
    "checkpoint": "Keep it. The log is compared with it by carnet-authority log verify --checkpoint FILE.",
    "trust-update": "Install it together with the authorization that came with it.",
}
ELSEWHERE = "It is for a workstation: carnet install FILE."


@dataclass(frozen=True, slots=True)
class Carried:
    """What a file is. `ask` is what a request asks for, `borrow` what is known of the borrow that a request got or a receipt ends.

    `made_at` is when a request or receipt says that it was made; both are proved by the key of the machine. Of other kinds
    nothing is checked.
    """

    kind: str
    next_step: str
    made_at: datetime | None = None
    ask: Ask | None = None
    borrow: Borrow | None = None


def look_at(unit: Unit, data: bytes) -> Carried:
    """What the file is. A member is told of their own borrows alone.

    Raises NotAuthenticated, RequestInvalid (a file of no kind, or a request or receipt that its machine did not sign).
    """
    with unit.reading():
        kind = inbox.kind_of(data)
        if kind == "request":
            ask = inbox.read_request(inbox.member_of_file(data, kind))
            token = tokens.of_request(unit.connection, ask.jti)
            borrow = None if token is None else _own(unit, token.borrow_id)
            return Carried(kind, HERE[kind], ask.asked_at, ask, borrow)
        if kind == "return":
            receipt = inbox.read_receipt(inbox.member_of_file(data, kind))
            return Carried(kind, HERE[kind], receipt.made_at, borrow=_own(unit, receipt.borrow_id))
        if kind == "borrow":
            borrow_id = inbox.said_by(data, kind, "borrow").get("bid")
            return Carried(kind, ELSEWHERE, borrow=_own(unit, borrow_id) if isinstance(borrow_id, str) else None)
        return Carried(kind, _of_vendor(unit, data, kind) + HERE.get(kind, ELSEWHERE))


def _of_vendor(unit: Unit, data: bytes, kind: str) -> str:
    """Which authorization it is, beside the one in force, as the file says; "" for other kinds."""
    number = inbox.said_by(data, kind, "authorization").get("seq") if kind == "authorization" else None
    if not isinstance(number, int):
        return ""
    now = unit.authorization.seq
    if number == now:
        return f"It is authorization {number}, which is the number of the one in force. "
    return f"It is authorization {number}, {'newer' if number > now else 'older'} than the one in force, {now}. "


def _own(unit: Unit, borrow_id: str) -> Borrow | None:
    """The borrow, None when there is none that the actor may see."""
    borrow = borrows.get(unit.connection, borrow_id)
    if borrow is None or (borrow.member_id != unit.actor.own_number and not unit.actor.has(Privilege.VIEW_BORROWS)):
        return None
    return borrow
