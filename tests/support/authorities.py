"""An authority made for one test: real keys, a real database, a clock that the test turns."""

from __future__ import annotations

import functools
import secrets
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.catalogue import KeyUse
from authority.domain.members import CONSOLE, Actor, Member, Role
from authority.services import members, set_up
from authority.services.context import Authority
from authority.services.members import NewMember
from authority.services.unit import Secret, Unit
from authority.signing import authorizations, key_folder, keyring
from authority.signing.keyring import FileSigner, KeyRing
from authority.signing.vendor import authorizing
from authority.storage.db import migrating
from authority.storage.db.database import Database
from tests.support.workstations import SimulatedWorkstation

# For a test of a rule, a message or a form, which no database makes different; without it a test with `bench` runs on both.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
START = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


class TestClock:
    """A clock that stands still until it is turned."""

    __test__ = False

    def __init__(self, at: datetime = START) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def turn(self, **forward: float) -> datetime:
        """Moves the clock and returns the new time."""
        self.at += timedelta(**forward)
        return self.at


@dataclass
class Bench:
    """An authority with all that a test wants to reach."""

    authority: Authority
    clock: TestClock
    root: FileSigner
    trust_file: str
    home: Path
    # On which machine a session was started, by its id.
    machines: dict[str, SimulatedWorkstation] = field(default_factory=dict)

    def member(self, username: str, user_type: str = "GIS Professional", **more: Any) -> Actor:
        """Adds a member and returns who they are as an actor."""
        added: Member = members.add(Unit(self.authority, CONSOLE), NewMember(username, user_type=user_type, **more))
        return Actor(added.id, added.username, added.role)

    def administrator(self) -> Actor:
        """An administrator who is a member."""
        return self.member("chief", user_type="Viewer", role=Role.ADMINISTRATOR)


def actor_of(bench: Bench, secret: str) -> Actor:
    """Who is behind a bearer token. Raises NotAuthenticated."""
    unit = Unit(bench.authority, Secret(secret), open_over_limit=True)
    with unit.reading():
        return unit.actor


def make_bench(
    url: str,
    home: Path,
    *,
    clock: TestClock | None = None,
    change: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Bench:
    """A new authority over the database at `url`, with the sample specification after `change`.

    The database has no organization; the file of a SQLite database is not there yet.
    """
    used_clock = clock or TestClock()
    for use in KeyUse:
        keyring.create(home / "keys", use, None)
    root = keyring.create(home / "root", "root", None)
    ring: KeyRing = key_folder.load_ring(home / "keys", None)
    authority = Authority(Database(url), ring, used_clock, secrets.token_bytes, home / "organization.trust")
    _copy_tables(authority.database)
    trust_file = authorizing.trust_file("field-survey", [root.public])
    compact = authorization_text(authority, root, used_clock(), change=change)
    authorization = authorizations.read(compact, trust_file)
    set_up.create(authority, authorization, trust_file, admin="admin")
    return Bench(authority, used_clock, root, trust_file, home)


def _copy_tables(database: Database) -> None:
    """Gives a SQLite database the tables that were made before, which is much faster than to make them."""
    if database.is_sqlite:
        Path(str(database.url.database)).write_bytes(_migrated())


@functools.cache
def _migrated() -> bytes:
    """The file of a SQLite database with all tables and no row in them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "authority.db"
        database = Database(f"sqlite:///{file}")
        migrating.migrate(database)
        database.close()
        return file.read_bytes()


def authorization_text(
    authority: Authority,
    root: FileSigner,
    now: datetime,
    *,
    seq: int = 1,
    lasts: timedelta = timedelta(days=1000),
    change: Callable[[dict[str, Any]], None] = lambda _: None,
) -> str:
    """The compact authorization of the sample specification after `change`, for the keys of the authority."""
    specification = authorizing.sample_specification("field-survey", "Field Survey", "maker")
    change(specification)
    ring = {use: [authority.ring.signer(use, kid).public for kid in authority.ring.kids(use)] for use in KeyUse}
    begins_at = now - timedelta(days=1)
    records = authorizing.key_records(ring, begins_at, now + lasts)
    return authorizing.authorize(root, specification, records, seq=seq, now=now, begins_at=begins_at, ends_at=now + lasts)
