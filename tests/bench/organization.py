"""A large organization on SQLite: what an administrator waits for, and whether a borrow gets dearer with the years."""

from __future__ import annotations

import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from authority.domain.borrows import Borrow, Ending, Machine, OsUser
from authority.domain.catalogue import Authorization, KeyUse
from authority.domain.events import EventKind, borrow_events
from authority.domain.members import CONSOLE, Actor, Assignment, Member, Role
from authority.services import access, borrow, endings, policies
from authority.services.context import Authority, Remembered
from authority.services.unit import Unit
from authority.signing import issuing
from authority.storage import assignments, events, member_lists, members, tokens
from authority.storage import borrows as stored
from authority.storage.assignments import LicenseChange
from authority.storage.counts import Counts
from authority.storage.db.database import Database
from authority.storage.member_lists import Filter
from authority.storage.members import MemberChange
from authority.storage.tokens import Token
from authority.web.application import create_app
from tests.bench.timing import per_call_microseconds
from tests.support.authorities import START, Bench, make_bench
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish

MEMBERS, OFFLINE = 11_000, 4_000
FEW, MANY = 1_000, 100_000
NAMED, CONCURRENT = "arcgis-pro", "arcgis-desktop"
GROUPS = 50
ROUNDS = 300


def bench_organization() -> None:
    """An organization of 11,000 members with 4,000 of them offline, on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        young, old = _organizations(Path(folder))
        _print_reads(old)
        for product, label in ((NAMED, "named"), (CONCURRENT, "concurrent")):
            _print_borrows(label, _Borrower(young, product), _Borrower(old, product))
        for made in (young, old):
            made.authority.database.close()


def _print_reads(made: Bench) -> None:
    secret, _ = access.create_api_key(Unit(made.authority, CONSOLE), "admin", "bench")
    client, headers = create_app(made.authority).test_client(), {"Authorization": f"Bearer {secret}"}

    def getting(path: str) -> Callable[[], int]:
        def get() -> int:
            answer = client.get(f"/api/v1{path}", headers=headers)
            assert answer.status_code == 200, answer.get_data()
            return len(answer.get_data())

        return get

    paths = {
        "who is offline, first page of 100": "/borrows?state=active",
        f"who is offline, all {OFFLINE:,} as CSV": "/borrows?state=active&format=csv",
        "policy explain": f"/policies/effective?member=member{MEMBERS - 1}&product={NAMED}",
        "availability": "/availability",
    }
    taken = per_call_microseconds([getting(path) for path in paths.values()], rounds=7, each=1)
    for label, microseconds in zip(paths, taken, strict=True):
        print(f"{label:<43} {microseconds / 1e3:8.1f} ms   (aim: under 1000)")


def _print_borrows(label: str, young: _Borrower, old: _Borrower) -> None:
    """A borrow of each in turn, so that a machine that slows down slows both."""
    taken = [(young.once(), old.once()) for _ in range(ROUNDS)]
    few, many = (statistics.median(times) * 1e3 for times in zip(*taken, strict=True))
    print(f"one {label + ' borrow, ' + format(FEW, ',') + ' past ones':<39} {few:8.2f} ms")
    print(f"the same, {MANY:,} past ones{'':<16} {many:8.2f} ms   {many / few:5.2f} x (aim: at most 1.30)")


class _Borrower:
    """A member who borrows and gives back; the time is that of the borrow alone."""

    def __init__(self, made: Bench, product: str) -> None:
        self._made, self._product = made, product
        self._laptop = SimulatedWorkstation(f"bench-{product}")
        with made.authority.database.read() as connection:
            member = members.by_username(connection, f"member{MEMBERS - 1}")
        assert member is not None
        self._actor = Actor(member.id, member.username, member.role)

    def once(self) -> float:
        authority, now = self._made.authority, self._made.clock()
        request = self._laptop.request(Wish(self._product, days=3), now)
        began = time.perf_counter()
        issued = borrow.issue(Unit(authority, self._actor), request)
        taken = time.perf_counter() - began
        endings.check_in(Unit(authority, self._actor), self._laptop.receipt_for(issued.file, now))
        return taken


def _organizations(folder: Path) -> tuple[Bench, Bench]:
    """One organization twice: with few borrows of the past, and with many."""
    young = make_bench(f"sqlite:///{folder}/young.db", folder / "home", change=_room_for_all)
    with young.authority.database.write() as connection:
        filling = _Filling(young.authority, connection)
        filling.add_members()
        filling.add_borrows(range(OFFLINE), _now_out)
        filling.add_borrows(range(OFFLINE, OFFLINE + FEW), _long_past)
    for group in range(GROUPS):
        policies.change(
            Unit(young.authority, CONSOLE),
            "group",
            f"group{group}",
            "",
            allowed=True,
            longest_days=10 + group,
            default_days=None,
        )
    young.authority.database.close()
    shutil.copy(folder / "young.db", folder / "old.db")
    database = Database(f"sqlite:///{folder}/old.db")
    old = replace(young, authority=replace(young.authority, database=database, remembered=Remembered()))
    with database.write() as connection:
        _Filling(old.authority, connection).add_borrows(range(OFFLINE + FEW, OFFLINE + MANY), _long_past)
    return young, old


def _room_for_all(specification: dict[str, Any]) -> None:
    specification["members"] = {"total": 2 * MEMBERS, "types": {}}
    for product in specification["products"]:
        product["seats"] = dict.fromkeys(product["levels"], 2 * MEMBERS)


def _member(number: int) -> Member:
    groups = (f"group{number % GROUPS}", f"group{number * 7 % GROUPS}x")
    return Member(0, f"member{number}", f"Member {number}", "GIS Professional", Role.MEMBER, False, groups, START)


class _Filling:
    """Rows as the services write them, many in one transaction."""

    def __init__(self, authority: Authority, connection: Connection) -> None:
        self._authority, self._connection = authority, connection
        terms = authority.terms(connection)
        self._authorization: Authorization = terms.authorization
        self._uri = terms.organization.status_uri
        issuer = issuing.Issuer(authority.ring, terms.authorization, terms.trust_file)
        self._kid = issuer.current_kid(KeyUse.BORROW, authority.now())

    def add_members(self) -> None:
        made = [_member(number) for number in range(MEMBERS)]
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
            member = by_name[f"member{number % (MEMBERS - 1)}"]
            made = shaped(_borrow(self._authority, member, number))
            stored.insert(self._connection, made, member.id)
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


def _now_out(made: Borrow) -> Borrow:
    return made


def _long_past(made: Borrow) -> Borrow:
    """One of the last two years; every other was checked in, the others ended by themselves."""
    back = timedelta(days=30 + int(made.machine.id.removeprefix("machine-")) % 700)
    begins, ends = made.issued_at - back, made.expires_at - back
    past = replace(made, issued_at=begins, expires_at=ends, seat_free_at=ends)
    if int(made.machine.id.removeprefix("machine-")) // 2 % 2:
        return past
    ended_at = begins + timedelta(days=2)
    return replace(past, ended_at=ended_at, ended_by=Ending.CHECKED_IN, seat_free_at=ended_at)
