"""The console over a large organization on SQLite: server time and weight of every page, list and file, the worst first."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.notices import ChannelType
from authority.domain.pools import PoolRule
from authority.services import access, channels, pages, policies, pools, seals
from authority.services.channels import NewChannel
from authority.services.unit import Unit
from authority.storage import borrows, members
from authority.web.application import create_app
from tests.bench.timing import per_call_microseconds
from tests.support.authorities import Bench, make_bench
from tests.support.browsing import form_token
from tests.support.connecting import started
from tests.support.filling import CONCURRENT, GROUPS, NAMED, Filling, long_past, now_out, room_for
from tests.support.web import sign_in_of
from tests.support.workstations import SimulatedWorkstation

MEMBERS, OFFLINE, PAST, SESSIONS, IMPORTED = 11_000, 4_000, 30_000, 300, 10_000
MOST_MILLISECONDS, MOST_KILOBYTES = 300, 150
ROUNDS = 3
# Files are as long as what is listed.
WHOLE = (".csv", ".jsonl", ".parquet")
LAST = pages.cursor("member9500")
FILTERED = (
    *(
        f"/console/members?sort={sort}"
        for sort in ("-username", "full_name", "user_type", "-role", "last_used_at", "-last_used_at")
    ),
    *(
        f"/console/members?{query}"
        for query in ("search=ember 99", "search=group1", "group=group7", "offline=true", "unused_for=30")
    ),
    *(f"/console/members?cursor={LAST}&sort={sort}" for sort in ("username", "-full_name", "last_used_at")),
    "/console/members?search=nobody",
    *(
        f"/console/licenses?{query}"
        for query in (
            "search=ember 99",
            f"product={NAMED}",
            f"product={NAMED}&feature=Advanced",
            f"cursor={LAST}",
            "search=nobody",
        )
    ),
    *(f"/console/activity?product={product}" for product in (NAMED, CONCURRENT)),
    *(
        f"/console/activity?product={product}&{query}"
        for product in (NAMED, CONCURRENT)
        for query in ("state=red", "state=green", "unused_for=30", "search=ember 99", f"cursor={LAST}", "search=nobody")
    ),
    *(
        f"/console/offline?{query}"
        for query in (
            *(
                "sort=newest",
                "member=member77",
                "machine=laptop77",
                f"product={CONCURRENT}",
                "group=group7",
                "due_within=7",
                "search=ember 99",
            ),
            *("stuck=true", "clones=true", "type=Viewer", "which=revoked", "which=not-returned"),
        )
    ),
    *(
        f"/console/log?{query}"
        for query in (
            *("oldest=true", "kind=checkin", "kind=denial", "member=member77", "actor=nobody", f"product={CONCURRENT}"),
            *("machine=laptop77", "since=2026-03-01", "until=2025-01-01", "cursor=9000", "member=admin"),
        )
    ),
    *(f"/console/rules?{query}" for query in ("level=group", f"member=member77&product={NAMED}")),
)


@dataclass(frozen=True, slots=True)
class Line:
    """What a page took: milliseconds of processor time, how often the floor that is, and its bytes before compression."""

    path: str
    milliseconds: float
    ratio: float
    size: int

    @property
    def is_over(self) -> bool:
        """True for a page that is too slow or too heavy."""
        return self.milliseconds > MOST_MILLISECONDS or self.size > MOST_KILOBYTES * 1000

    def __str__(self) -> str:
        return f"{self.path:<72.72} {self.milliseconds:8.1f} {self.ratio:7.1f} {self.size / 1e3:8.1f}"


def bench_console() -> None:
    """Every page of the console for an administrator, with 11,000 members, 4,000 of them offline, on SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        made = _organization(Path(folder))
        app = create_app(made.authority)
        client = app.test_client()
        secret = sign_in_of(made.authority, "admin")
        client.set_cookie("carnet", secret)
        paths = sorted({*_addresses(app, _names(made)), *FILTERED})
        lines = [_line(path, client) for path in paths]
        _print("pages", [line for line in lines if not _is_whole(line.path)], has_aims=True)
        _print("an import of 10,000 rows, which says how long it takes", _import(client))
        _print("files, which are as long as what they list", [line for line in lines if _is_whole(line.path)])
        made.authority.database.close()


def _is_whole(path: str) -> bool:
    return path.partition("?")[0].endswith(WHOLE)


def _print(title: str, lines: list[Line], *, has_aims: bool = False) -> None:
    print(f"{title + ', the slowest first':<72} {'ms':>8} {'x floor':>7} {'kB':>8}")
    for line in sorted(lines, key=lambda line: -line.milliseconds):
        print(f"{line}{' OVER' if has_aims and line.is_over else ''}")
    heaviest = max(lines, key=lambda line: line.size)
    words = f"heaviest: {heaviest.path}, {heaviest.size / 1e3:.1f} kB"
    aims = f"{MOST_MILLISECONDS} ms and {MOST_KILOBYTES} kB"
    print(words + (f"; {sum(line.is_over for line in lines)} of {len(lines)} over {aims}" if has_aims else ""), flush=True)


def _line(path: str, client: FlaskClient) -> Line:
    """A page beside the sign-in page, which reads the name of the organization alone: processor time of this process, that of SQLite with it."""
    return _measured(path, lambda: client.get(path), client, ROUNDS)


def _measured(label: str, send: Callable[[], TestResponse], client: FlaskClient, rounds: int) -> Line:
    answers: list[TestResponse] = []

    def call() -> None:
        answer = send()
        assert answer.status_code in (200, 303), (label, answer.status_code, answer.get_data(as_text=True)[:2000])
        answers[:] = [answer]
        answer.get_data()

    def floor() -> None:
        client.get("/console/sign-in")

    taken, least = per_call_microseconds([call, floor], rounds=rounds, each=1, clock=time.process_time)
    return Line(label, taken / 1e3, taken / least, len(answers[0].get_data()))


def _import(client: FlaskClient) -> list[Line]:
    """A file of which half changes somebody and half adds somebody, looked at and done; two rows are no good."""
    rows = [f"member{number},Renamed {number}," for number in range(IMPORTED // 2)]
    rows += [f"new{number},New {number}," for number in range(IMPORTED // 2 - 2)]
    data = "\n".join(["username,full_name,user_type", *rows, "new1,Twice,", "wrong,Wrong,No Such Type"]).encode()
    address = "/console/members/import"

    def look() -> TestResponse:
        token = form_token(client.get(address).text)
        return client.post(address, data={"form_token": token, "file": (io.BytesIO(data), "members.csv")})

    return [_measured(f"POST {address} of {IMPORTED:,} rows", look, client, 1)]


def _addresses(app: Flask, arguments: dict[str, Any]) -> Iterator[str]:
    """The address of every page, as the application itself has them."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("console.") and "GET" in (rule.methods or ()) and rule.endpoint != "console.static":
            if rule.endpoint.startswith("console.oidc."):
                continue  # there is no provider
            built = rule.build(arguments, append_unknown=False)
            assert built is not None, rule
            yield built[1]


def _names(made: Bench) -> dict[str, Any]:
    """The arguments of the addresses, as what a member has who is offline and was often before."""
    with made.authority.database.read() as connection:
        member = members.by_username(connection, "member7")
        assert member is not None
        (borrow, *_) = borrows.listed(connection, borrows.Filter(member="member7"), made.clock())
    channel = channels.add(
        Unit(made.authority, CONSOLE), NewChannel("sample", ChannelType.WEBHOOK, "https://hooks.example.org/carnet")
    )
    seals.seal(Unit(made.authority, CONSOLE))
    _, key = access.create_api_key(Unit(made.authority, CONSOLE), "admin", "sample")
    return {
        "username": "member7",
        "borrow_id": borrow.id,
        "event_id": 77,
        "ending": "csv",
        "product": NAMED,
        "name": "x",
        "channel_id": channel.id,
        "key_id": key.id,
    }


def _organization(folder: Path) -> Bench:
    made = make_bench(f"sqlite:///{folder}/console.db", folder / "home", change=room_for(MEMBERS))
    with made.authority.database.write() as connection:
        filling = Filling(made.authority, connection, MEMBERS)
        filling.add_members()
        filling.add_borrows(range(OFFLINE), now_out)
        filling.add_borrows(range(OFFLINE, OFFLINE + PAST), long_past)
    work = Unit(made.authority, CONSOLE)
    for group in range(GROUPS):
        policies.change(work, "group", f"group{group}", "", allowed=True, longest_days=10 + group, default_days=None)
    for number in range(500):
        policies.change(work, "member", f"member{number}", "", allowed=True, longest_days=9, default_days=None)
        access.create_api_key(work, f"member{number}", f"script {number}")
    pools.change(work, PoolRule(CONCURRENT, "Advanced", low_water=5))
    with made.authority.database.read() as connection:
        people = [members.by_username(connection, f"member{10_999 - number}") for number in range(SESSIONS)]
    for member in people:
        assert member is not None
        started(made, Actor(member.id, member.username, Role.MEMBER), SimulatedWorkstation(f"desk-{member.id}"), CONCURRENT)
    return made
