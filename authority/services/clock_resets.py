"""Clock resets: the last way out for a workstation that remembers a wrong time."""

from __future__ import annotations

import re

from authority.domain.borrows import Borrow
from authority.domain.events import EventKind, borrow_events
from authority.domain.members import Privilege
from authority.domain.refusals import InvalidInput, NotFound
from authority.services.endings import checked_reason
from authority.services.unit import Unit
from authority.signing import issuing
from authority.storage import borrows

# What `carnet clock` shows, alone or in what it prints.
CODE = re.compile(r"(?<![A-Z0-9-])[A-Z2-7]{4}(?:-[A-Z2-7]{4}){3}(?![A-Z0-9-])")
LONGEST_PRINTED = 4096
# Of all machines that are offline so many codes each are tried: hardly one is ever reset more often.
RESETS_BY_ALL = 16


def plain_code(code: str) -> str:
    """The code as a workstation shows it, however it was typed."""
    return "-".join(code.upper().replace("-", " ").split())


def code_in(data: bytes) -> str | None:
    """The one code in a file with what `carnet clock` printed, None when it is another file."""
    codes = set(CODE.findall(data.decode("utf-8", "replace"))) if len(data) <= LONGEST_PRINTED else set()
    return codes.pop() if len(codes) == 1 else None


def machine_of(unit: Unit, code: str, member: str | None = None) -> Borrow:
    """A borrow that is out on the machine that shows this code; with `member` of theirs alone, which finds any code.

    Raises NotAllowed, InvalidInput (no machine shows it).
    """
    plain = plain_code(code)
    with unit.reading():
        unit.actor.needs(Privilege.END_BORROWS)
        for borrow_id, machine_key in borrows.keys_out(unit.connection, unit.now, member):
            if issuing.is_reset_code(machine_key, plain, issuing.MOST_RESETS if member else RESETS_BY_ALL):
                borrow = borrows.get(unit.connection, borrow_id)
                if borrow is not None:
                    return borrow
    raise InvalidInput(
        f"the code {plain} is of no machine that is offline" + (f" for {member}" if member else ""),
        about="code",
        hint="Have it read again: carnet clock shows it on that machine. Name the member when it was reset often before.",
    )


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
        plain = plain_code(code)
        if not issuing.is_reset_code(borrow.machine.key, plain):
            raise InvalidInput(
                f"the code {code} is not one of the machine of this borrow",
                about="code",
                hint="Have it read again: carnet clock shows it on that machine, to the user who borrowed.",
            )
        unit.record(borrow_events(EventKind.CLOCK_RESET, borrow, unit.actor, text, quantity=0)[:1])
        jti, now, issuer = unit.authority.fresh_id(), unit.now, unit.issuer
    return issuing.clock_reset_file(issuer, machine_key=borrow.machine.key, code=plain, jti=jti, now=now)
