"""Passwords as strangers try them: counted before they are compared, in the database, so that every node and restart knows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from authority.domain.events import Event, EventKind
from authority.domain.members import CredentialKind, Member, user_key
from authority.domain.plurals import counted
from authority.domain.refusals import NotAuthenticated
from authority.domain.sign_ins import (
    KNOWN_FOR,
    NO_ADDRESS,
    Budget,
    Origin,
    Tries,
    check_rate,
    check_wait,
    deserves_row,
    wait_after,
)
from authority.services import passwords
from authority.services.unit import Unit
from authority.signing.encoding import digest_of
from authority.storage import credentials, members, sign_in_tries


@dataclass(frozen=True, slots=True)
class Passed:
    """A member whose password was right, with the hash that it fitted."""

    member: Member
    password_hash: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who it may be, what the password has to fit, and in which rows a wrong one is counted."""

    member: Member | None
    password_hash: str | None
    rows: dict[str, Budget]

    @property
    def right(self) -> str | None:
        """The row in which right passwords are counted; None where there is no member whose they could be."""
        return None if self.member is None else sign_in_tries.key(Budget.RIGHT, self.member.id)

    @property
    def is_known(self) -> bool:
        return Budget.KNOWN in self.rows.values()


def not_authenticated() -> NotAuthenticated:
    """The one refusal of a name and password, whatever was wrong with them (seed S3)."""
    return NotAuthenticated(
        "invalid user name or password", hint="Check both and try again, or ask the administrator for a new password."
    )


def check_password(unit: Unit, username: str, password: str, origin: Origin) -> Passed:
    """The member with this name, whose password this is; no transaction of the unit is under way.

    Raises NotAuthenticated with one text, and TooManyRequests without a look at the password while it has to wait. A name that
    nobody has is counted like any other, and costs the same work.
    """
    with unit.reading():
        asked = _asked(unit, username, origin)
        check_wait(sign_in_tries.read(unit.connection, asked.rows).values(), unit.at)
        if asked.right is not None:
            check_rate(sign_in_tries.read(unit.connection, {asked.right: Budget.RIGHT}).get(asked.right), unit.at)
    lane = passwords.KNOWN if asked.is_known else passwords.STRANGERS
    with lane.place():
        # Counted first: of a thousand at once only those are compared that there is a try for.
        with unit.writing(beside=True):
            rows = sign_in_tries.lock_rows(unit.connection, asked.rows, unit.at)
            check_wait(rows.values(), unit.at)
            counted = sign_in_tries.count(unit.connection, rows, unit.at)
        # Outside of a transaction: it is slow on purpose.
        is_right = passwords.is_right(password, asked.password_hash)
    if not is_right or asked.member is None or asked.member.disabled or asked.password_hash is None:
        _log(unit, asked.member, counted.values(), origin)
        raise not_authenticated()
    _settle(unit, asked)
    return Passed(asked.member, asked.password_hash)


def _asked(unit: Unit, username: str, origin: Origin) -> _Asked:
    """Where the member signed in before, by the address or the device, their wrong passwords have a row of their own.

    A stranger has one for the account, whoever else tries it, and one for the address, whatever account they try.
    """
    member_id, password_hash = members.password_hash(unit.connection, username)
    member = None if member_id is None else members.by_id(unit.connection, member_id)
    place = _known_place(unit, member, origin)
    if member is not None and place is not None:
        return _Asked(member, password_hash, {sign_in_tries.key(Budget.KNOWN, member.id, place): Budget.KNOWN})
    rows = {
        sign_in_tries.key(Budget.ACCOUNT, user_key(username)): Budget.ACCOUNT,
        sign_in_tries.key(Budget.ADDRESS, origin.address): Budget.ADDRESS,
    }
    return _Asked(member, password_hash, rows)


def _known_place(unit: Unit, member: Member | None, origin: Origin) -> str | None:
    """The device or address at which the member signed in before, None for a strange one."""
    if member is None:
        return None
    if origin.device is not None:
        device = credentials.by_digest(unit.connection, digest_of(origin.device))
        if device is not None and (device.kind, device.member_id) == (CredentialKind.SIGN_IN, member.id):
            return f"device {device.id}"
    since = unit.at - KNOWN_FOR
    if origin.address != NO_ADDRESS and credentials.has_signed_in(unit.connection, member.id, origin.address, since):
        return origin.address
    return None


def _settle(unit: Unit, asked: _Asked) -> None:
    """The try was right: it is taken back and counted as such, and at a known place nothing is held against the member any more.

    What others tried on the account or from the address stays counted, or each sign-in would give them new tries.
    """
    with unit.writing(beside=True):
        if asked.right is not None:
            sign_in_tries.count_right(unit.connection, asked.right, unit.at)
        if asked.is_known:
            sign_in_tries.clear(unit.connection, asked.rows)
        else:
            sign_in_tries.take_back(unit.connection, asked.rows)


def _log(unit: Unit, member: Member | None, counted: Iterable[Tries], origin: Origin) -> None:
    """One row when waiting begins and one when it is the longest; a name that nobody has may be anything, also a password."""
    rows = [
        Event(
            kind=EventKind.SIGN_IN_SLOWED,
            actor=unit.actor.username,
            member=None if member is None or tried.budget is Budget.ADDRESS else member.username,
            reason=_words(tried, origin, is_member=member is not None),
        )
        for tried in counted
        if deserves_row(tried.budget, tried.wrong)
    ]
    if rows:
        with unit.writing(beside=True):
            unit.record(rows)


def _words(tried: Tries, origin: Origin, *, is_member: bool) -> str:
    whose = "" if is_member or tried.budget is Budget.ADDRESS else " for a name that nobody has"
    seconds = wait_after(tried.budget, tried.wrong).total_seconds()
    where = f"from {origin.address}" if tried.budget is not Budget.ACCOUNT else f"the last from {origin.address}"
    return f"{counted(tried.wrong, 'wrong password')}{whose}, {where}: the next try waits {counted(round(seconds), 'second')}"
