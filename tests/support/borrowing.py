"""Short ways to borrow in a test, and to look into the database behind the services."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, func, select, text, update

from authority.domain.members import Actor
from authority.domain.refusals import Refusal
from authority.services import borrow
from authority.services.borrow import Issued
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage.db.database import Database
from authority.storage.db.tables import holds, members
from tests.support.authorities import Bench
from tests.support.workstations import SimulatedWorkstation
from verifier.core.jose import strict_object
from verifier.core.keys import decode
from verifier.workstation.carry import Wish
from verifier.workstation.identity import OsUser


def issued_to(bench: Bench, actor: Actor, laptop: SimulatedWorkstation, product: str = "arcgis-pro", **wish: Any) -> Issued:
    """A borrow, asked for now by this member on this machine."""
    return borrow.issue(Unit(bench.authority, actor), laptop.request(Wish(product, **wish), bench.clock()))


def workstation(name: str) -> SimulatedWorkstation:
    """A machine of its own with a user of its own."""
    return SimulatedWorkstation(name, OsUser("uid:1000", name))


def claims_of(borrow_file: bytes) -> dict[str, Any]:
    """The claims of the token in a borrow file, unverified."""
    return strict_object(decode(json.loads(borrow_file)["borrow"].split(".")[1]))


def seats_held(bench_or: Bench | Authority, product: str, feature: str) -> int:
    """The seats in use, counted from the table itself."""
    authority = bench_or.authority if isinstance(bench_or, Bench) else bench_or
    query = select(func.count()).where(
        holds.c.product == product, holds.c.feature == feature, holds.c.free_at > authority.now()
    )
    with authority.database.read() as connection:
        return connection.execute(query).scalar_one()


def disable(bench: Bench, username: str) -> None:
    """Disables a member in the table."""
    with bench.authority.database.write() as connection:
        connection.execute(update(members).where(members.c.username == username).values(disabled=True))


def fail_inserts(database: Database, table: str, kind: str) -> Callable[[], None]:
    """Makes the database itself refuse rows of one kind in a table; returns what takes that back."""
    when = f"WHEN (NEW.kind = '{kind}')"
    if database.is_sqlite:
        make = [f"CREATE TRIGGER disk_full BEFORE INSERT ON {table} {when} BEGIN SELECT RAISE(ABORT, 'disk full'); END"]
        drop = "DROP TRIGGER disk_full"
    else:
        body = "$$ BEGIN RAISE EXCEPTION 'disk full'; END $$"
        make = [
            f"CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS {body}",
            f"CREATE TRIGGER disk_full BEFORE INSERT ON {table} FOR EACH ROW {when} EXECUTE FUNCTION disk_full()",
        ]
        drop = f"DROP TRIGGER disk_full ON {table}"

    def run(connection: Connection, statements: Sequence[str]) -> None:
        for statement in statements:
            connection.execute(text(statement))

    with database.write() as connection:
        run(connection, make)

    def restore() -> None:
        with database.write() as connection:
            run(connection, [drop])

    return restore


def at_once(calls: Sequence[Callable[[], object]], threads: int | None = None) -> list[object]:
    """What each call returned, or the refusal that it raised, when all ran at the same time."""

    def outcome(call: Callable[[], object]) -> object:
        try:
            return call()
        except Refusal as error:
            return error

    with ThreadPoolExecutor(threads or len(calls)) as pool:
        return list(pool.map(outcome, calls))


def codes(outcomes: Sequence[object]) -> Counter[str]:
    """How many calls were answered, and how many refused with which code."""
    return Counter(item.code if isinstance(item, Refusal) else "done" for item in outcomes)


def with_random(bench: Bench, random_bytes: Callable[[int], bytes]) -> Authority:
    """The authority of a bench with another source of randomness."""
    return replace(bench.authority, random_bytes=random_bytes)
