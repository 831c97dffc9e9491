"""Ending sign-ins: what signing out, an administrator and a new password have in common."""

from __future__ import annotations

from collections.abc import Sequence

from authority.domain.events import Event, EventKind
from authority.domain.members import Member
from authority.domain.plurals import counted
from authority.domain.sign_ins import SignIn
from authority.services.unit import Unit
from authority.storage import credentials
from authority.storage.credentials import Credential


def sign_in_of(unit: Unit, member: Member, row: Credential) -> SignIn:
    """A sign-in of the member as people see it."""
    return SignIn(
        id=row.id,
        member=member.username,
        created_at=row.created_at,
        last_used_at=row.last_used_at or row.created_at,
        expires_at=row.expires_at,
        address=row.address,
        agent=row.agent,
        is_current=row.id == unit.credential,
    )


def end(unit: Unit, member: Member, rows: Sequence[Credential], reason: str, actor: str | None = None) -> list[SignIn]:
    """Ends these sign-ins of a member, all of them good, within the transaction that is under way, with one row in the log."""
    if rows:
        credentials.revoke_all(unit.connection, [row.id for row in rows], unit.at)
        who = actor or unit.actor.username
        words = f"{reason}: {counted(len(rows), 'sign-in')}"
        unit.record([Event(kind=EventKind.SIGNED_OUT, actor=who, member=member.username, reason=words)])
    return [sign_in_of(unit, member, row) for row in rows]


def end_all(unit: Unit, member: Member, reason: str) -> list[SignIn]:
    """Ends all sign-ins of a member but the one that asks, as `end` does."""
    rows = [row for row in credentials.sign_ins(unit.connection, member.id, unit.at) if row.id != unit.credential]
    return end(unit, member, rows, reason)
