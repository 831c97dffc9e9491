"""A large organization in a moment: members, and borrows with their seats, tokens and log rows, written as the services write them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from authority.domain.borrows import Borrow, Ending, Machine, OsUser
from authority.domain.catalogue import Authorization, KeyUse
from authority.domain.events import EventKind, borrow_events
from authority.domain.members import CONSOLE, Assignment, Member, Role
from authority.domain.tokens import Token
from authority.services.context import Authority
from authority.signing import issuing
from authority.storage import assignments, borrows, events, member_lists, members, tokens
from authority.storage.assignments import LicenseChange
from authority.storage.counts import Counts
from authority.storage.member_lists import Filter
from authority.storage.members import MemberChange
from tests.support.authorities import START

NAMED, CONCURRENT = "arcgis-pro", "arcgis-desktop"
GROUPS = 50


def room_for(count: int) -> Callable[[dict[str, Any]], None]:
    """What gives a specification room for twice so many members and seats of everything."""

    def change(specification: dict[str, Any]) -> None:
        specification["members"] = {"total": 2 * count, "types": {}}
        for product in specification["products"]:
            product["seats"] = dict.fromkeys(product["levels"], 2 * count)

    return change


def _member(number: int) -> Member:
    groups = (f"group{number % GROUPS}", f"group{number * 7 % GROUPS}x")
    return Member(0, f"member{number}", f"Member {number}", "GIS Professional", Role.MEMBER, False, groups, START)


class Filling:
    """An organization of so many members, as rows that the services would write, many in one transaction."""

    def __init__(self, authority: Authority, connection: Connection, members: int) -> None:
        self._authority, self._connection, self._members = authority, connection, members
        terms = authority.terms(connection)
        self._authorization: Authorization = terms.authorization
        self._uri = terms.organization.status_uri
        issuer = issuing.Issuer(authority.ring, terms.authorization, terms.trust_file)
        self._kid = issuer.current_kid(KeyUse.BORROW, authority.now())

    def add_members(self) -> None:
        """Members of one type in groups, each with the license of a named product."""
        made = [_member(number) for number in range(self._members)]
        held = Assignment(NAMED, "Advanced", (), included=True)
        counts = Counts(self._connection)
        numbers = members.add(self._connection, [MemberChange(None, member) for member in made])
        assignments.put(self._connection, [LicenseChange(number, NAMED, None, held) for number in numbers], START)
        for member in made:
            counts.count_member(None, member)
            counts.count_license(None, held)
        counts.write(self._connection)

    def add_borrows(self, numbers: range, shaped: Callable[[Borrow], Borrow]) -> None:
        """Borrows with their seats, tokens and log rows; the first member has the first."""
        rows = member_lists.listed(self._connection, Filter(), self._authority.now())
        by_name = {member.username: member for member in rows}
        for number in numbers:
            member = by_name[f"member{number % (self._members - 1)}"]
            made = shaped(_borrow(self._authority, member, number))
            borrows.insert(self._connection, made, member.id)
            tokens.insert(self._connection, self._token(made, number))
            kinds = (EventKind.CHECKOUT,) if made.ended_by is None else (EventKind.CHECKOUT, EventKind.CHECK_IN)
            for kind in kinds:
                events.append(self._connection, [(made.issued_at, row) for row in borrow_events(kind, made, CONSOLE)])

    def _token(self, made: Borrow, number: int) -> Token:
        jti = self._authority.fresh_id()
        return Token(
            jti=jti,
            borrow_id=made.id,
            request_jti=self._authority.fresh_id(),
            request_digest="D" * 43,
            payload=issuing.payload(
                made.license(), self._authorization, jti=jti, now=made.issued_at, status_index=number, status_uri=self._uri
            ),
            kid=self._kid,
            status_index=number,
            status_seq=1,
            authorization_seq=self._authorization.seq,
            expires_at=made.expires_at,
        )


def _borrow(authority: Authority, member: Member, number: int) -> Borrow:
    issued_at = START - timedelta(minutes=number % 5000)
    return Borrow(
        id=authority.fresh_id(),
        member_id=member.id,
        member=member.username,
        user_type=member.user_type,
        groups=member.groups,
        product=(NAMED, CONCURRENT)[number % 2],
        level="Advanced",
        extensions=(),
        machine=Machine(f"machine-{number}", "simulated", None, f"laptop{number}", "K" * 43),
        user=OsUser("uid:1000", member.username),
        issued_at=issued_at,
        expires_at=issued_at + timedelta(days=20),
        ended_at=None,
        ended_by=None,
        end_reason=None,
        seat_free_at=issued_at + timedelta(days=20),
        decided_by="organization",
    )


def now_out(made: Borrow) -> Borrow:
    """One that is out."""
    return made


def long_past(made: Borrow) -> Borrow:
    """One of the last two years; every other was checked in, the others ended by themselves."""
    back = timedelta(days=30 + int(made.machine.id.removeprefix("machine-")) % 700)
    begins, ends = made.issued_at - back, made.expires_at - back
    past = replace(made, issued_at=begins, expires_at=ends, seat_free_at=ends)
    if int(made.machine.id.removeprefix("machine-")) // 2 % 2:
        return past
    ended_at = begins + timedelta(days=2)
    return replace(past, ended_at=ended_at, ended_by=Ending.CHECKED_IN, seat_free_at=ended_at)
