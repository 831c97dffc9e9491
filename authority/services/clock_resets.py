"""Clock resets: the last way out for a workstation that remembers a wrong time."""

from __future__ import annotations

from authority.domain.events import EventKind, borrow_events
from authority.domain.members import Privilege
from authority.domain.refusals import InvalidInput, NotFound
from authority.services.endings import checked_reason
from authority.services.unit import Unit
from authority.signing import issuing
from authority.storage import borrows


def make(unit: Unit, borrow_id: str, code: str, reason: str) -> bytes:
    """The bytes of a clock reset file for the machine of a borrow, whose user told the code that `carnet clock` shows there.

    It is in the log with its reason. It works once, within two weeks, and makes nothing good that has ended by this authority's
    time. Raises NotAllowed, NotFound, InvalidInput (the code is not one of that machine, or the reason).
    """
    with unit.writing():
        unit.actor.needs(Privilege.END_BORROWS)
        text = checked_reason(reason)
        borrow = borrows.get(unit.connection, borrow_id)
        if borrow is None:
            raise NotFound(f'there is no borrow "{borrow_id}"', borrow_id=borrow_id)
        plain = "-".join(code.upper().replace("-", " ").split())
        if not issuing.is_reset_code(borrow.machine.key, plain):
            raise InvalidInput(
                f"{code} is no code of the machine of this borrow",
                hint="Have it read again: carnet clock shows it on that machine, to the user who borrowed.",
            )
        unit.record(borrow_events(EventKind.CLOCK_RESET, borrow, unit.actor, text, quantity=0)[:1])
        jti, now, issuer = unit.authority.fresh_id(), unit.now, unit.issuer
    return issuing.clock_reset_file(issuer, machine_key=borrow.machine.key, code=plain, jti=jti, now=now)
