"""`carnet-authority doctor`: each misconfiguration, made for real, is found, with what to do."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.catalogue import KeyUse
from authority.domain.refusals import Refusal
from authority.signing import keyring
from authority.storage.db import durability
from authority.storage.db.database import Database
from tests.support.authorities import Bench
from tests.support.borrowing import workstation
from tests.support.console import Console
from tests.support.vendors import sample_toml

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
SUBJECTS = [
    "home",
    "settings",
    "database",
    "passphrase",
    "disk",
    "network",
    "tables",
    "durability",
    "clock",
    "keys",
    "authorization",
    "members",
    "licenses",
    "status list",
    "what went out",
    "seal",
    "backup",
    "notices",
    "python",
]
PASSPHRASE = "a-passphrase-of-many-random-characters"


@dataclass
class Place:
    """A home that was set up, and what a misconfiguration is made with."""

    console: Console
    beside: Path
    patch: pytest.MonkeyPatch

    @property
    def home(self) -> Path:
        return self.console.home

    def authorize(self, **changes: Any) -> None:
        """A new authorization of the home's own root, installed."""
        specification, keys, output = (str(self.beside / name) for name in ("spec.toml", "keys.json", "new.authorization"))
        Path(specification).write_bytes(sample_toml(**changes))
        self.console.good("key", "list", "--public", "-o", keys)
        root = str(self.home / "root")
        self.console.good("root", "authorize", root, "--spec", specification, "--keys", keys, "-o", output)
        self.console.good("authorization", "install", output)

    def turn_clock(self, **forward: float) -> None:
        now = datetime.now(UTC) + timedelta(**forward)
        self.patch.setattr("authority.wiring.app.system_clock", lambda: now)

    def set(self, name: str, value: str) -> None:
        self.patch.setenv(f"CARNET_AUTHORITY_{name}", value)


def products(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    """A change of the product arcgis-pro in a specification."""

    def changed(members: dict[str, Any]) -> None:
        change(next(product for product in members["products"] if product["id"] == "arcgis-pro"))

    return changed


def too_many_members(place: Place) -> None:
    place.console.good("member", "add", "bea")
    place.authorize(members={"total": 2})


def too_many_licenses(place: Place) -> None:
    place.console.good("license", "assign", "ada", "arcgis-pro", "--level", "Advanced")
    place.authorize(change=products(lambda product: product["seats"].update(Advanced=0)))


def product_ended(place: Place) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=40)
    place.authorize(change=products(lambda product: product.update(until=soon)))
    place.turn_clock(days=41)


def product_ends_soon(place: Place) -> None:
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    place.authorize(change=products(lambda product: product.update(until=soon)))


def authorization_ended(place: Place) -> None:
    place.turn_clock(days=4 * 365)


def authorization_ends_soon(place: Place) -> None:
    place.turn_clock(days=3 * 365 - 10)
    place.console.good("log", "seal")


def clock_before_all(place: Place) -> None:
    place.turn_clock(days=-20_000)


def record_damaged(place: Place) -> None:
    (place.home / "floors.json").write_bytes(b"{}")


def tokens_lost(place: Place) -> None:
    """The log of tokens has one that the database does not have, as after an older copy was put back."""
    place.console.borrow(workstation("one"), "ada")
    with closing(sqlite3.connect(place.home / "authority.db")) as connection, connection:
        connection.execute("DELETE FROM tokens")


def clock_behind(place: Place) -> None:
    place.turn_clock(hours=-1)


def passphrase_missing(place: Place) -> None:
    place.set("KEY_PASSPHRASE_FILE", str(place.beside / "nowhere"))


def passphrase_open(place: Place) -> None:
    path = place.beside / "passphrase"
    path.write_text(PASSPHRASE)
    path.chmod(0o644)
    place.set("KEY_PASSPHRASE_FILE", str(path))


def keys_missing(place: Place) -> None:
    for path in (place.home / "keys").iterdir():
        path.unlink()


def key_folder_missing(place: Place) -> None:
    keys_missing(place)
    (place.home / "keys").rmdir()


def key_open(place: Place) -> None:
    next((place.home / "keys").glob("status-*.pem")).chmod(0o644)


def database_gone(place: Place) -> None:
    for path in place.home.glob("authority.db*"):
        path.unlink()


def keys_open(place: Place) -> None:
    for path in (place.home / "keys").glob("*.pem"):
        path.chmod(0o644)


def folders_open(place: Place) -> None:
    for name in ("keys", "root"):
        (place.home / name).chmod(0o755)


def keys_of_others(place: Place) -> None:
    keys_missing(place)
    for use in KeyUse:
        keyring.create(place.home / "keys", use, None)


def nobody_seals(place: Place) -> None:
    place.turn_clock(days=2)


def row_changed(place: Place) -> None:
    place.console.good("log", "seal")
    with contextlib.closing(sqlite3.connect(place.home / "authority.db", isolation_level=None)) as connection:
        connection.execute("UPDATE events SET member = 'eve' WHERE id = 2")


def disk_nearly_full(place: Place) -> None:
    usage = type(shutil.disk_usage("/"))(100 << 30, (100 << 30) - (200 << 20), 200 << 20)
    place.patch.setattr("authority.wiring.surroundings.shutil.disk_usage", lambda _: usage)


def anybody_is_a_proxy(place: Place) -> None:
    place.set("TRUSTED_PROXIES", "10.0.0.0/8, 0.0.0.0/0")


def anybody_is_a_scraper(place: Place) -> None:
    place.set("METRICS_NETWORKS", "2000::/3")


def of_another_user(place: Place) -> None:
    """What a command leaves that ran as another user. Only root can make that; for others the system is made to say so."""
    path = place.home / "authority.db"
    if os.geteuid() == 0:
        os.chown(path, 1, -1)
    else:
        lstat = Path.lstat
        other = os.stat_result((0o100600, 0, 0, 1, os.geteuid() + 1, 0, 0, 0, 0, 0))
        place.patch.setattr(Path, "lstat", lambda self: other if self == path else lstat(self))


def mode(name: str, number: int) -> Callable[[Place], None]:
    def change(place: Place) -> None:
        (place.home / name).chmod(number)

    return change


# What is made, the subject that is wrong, a part of what is said, and a part of what to do.
MISCONFIGURATIONS: dict[str, tuple[Callable[[Place], None], str, str, str]] = {
    "more members than allowed": (too_many_members, "members", "3 members, 2 are allowed", "Remove members"),
    "more licenses than seats": (too_many_licenses, "licenses", "is assigned, there are 0", "license unassign"),
    "a product ended": (product_ended, "licenses", '"arcgis-pro" ended at', "authorization install"),
    "the authorization ended": (authorization_ended, "authorization", "the authorization ended at", "authorization install"),
    "a clock before all that is here": (clock_before_all, "authorization", "begins at", "clock right"),
    "a clock before the keys": (clock_before_all, "keys", "is authorized from", "clock right"),
    "a damaged record": (record_damaged, "what went out", "cannot be read", "Put back a copy of it"),
    "an older copy of the database": (tokens_lost, "what went out", "1 token went out", "carnet-authority catch-up"),
    "a clock before the log": (clock_behind, "clock", "the last row of the log is of", "clock right"),
    "a clock far ahead, by the keys": (authorization_ended, "keys", "the authorization has ended", "clock right"),
    "a clock far ahead": (authorization_ended, "authorization", "the authorization ended at", "clock right"),
    "a folder that others write": (mode("", 0o777), "home", "open to other users (mode 777)", "chmod 700"),
    "a folder that a group writes": (mode("", 0o770), "home", "open to other users (mode 770)", "chmod 700"),
    "a key folder that others list": (mode("keys", 0o755), "home", "open to other users (mode 755)", "chmod 700"),
    "a root folder that others list": (mode("root", 0o750), "home", "open to other users (mode 750)", "chmod 700"),
    "a database that others read": (mode("authority.db", 0o644), "database", "open to other users (mode 644)", "chmod 600"),
    "a database that a group writes": (mode("authority.db", 0o660), "database", "open to other users (mode 660)", "chmod 600"),
    "no passphrase file": (passphrase_missing, "passphrase", "nowhere", "key_passphrase_file"),
    "an open passphrase file": (passphrase_open, "passphrase", "open to other users", "chmod 600"),
    "no keys": (keys_missing, "keys", "key can sign now", "Put the key files back"),
    "no key folder": (key_folder_missing, "keys", "key can sign now", "Put the key files back"),
    "an open key": (key_open, "keys", "open to other users", "chmod 600"),
    "two open keys": (keys_open, "keys", "; the private key", "; chmod 600"),
    "two open folders": (folders_open, "home", "; the folder", "root"),
    "keys of another authority": (keys_of_others, "keys", "the authorization names others", "key list shows them"),
    "a log that nobody seals": (nobody_seals, "seal", "the log was never sealed", "log seal"),
    "a row of the log that was changed": (row_changed, "seal", "row 2: it is not what was sealed", "log verify"),
    "a disk that is nearly full": (disk_nearly_full, "disk", "200 MiB are free", "Make room"),
    "a proxy that anybody may be": (anybody_is_a_proxy, "network", '"trusted_proxies" has 0.0.0.0/0', "the proxies"),
    "a scraper that anybody may be": (anybody_is_a_scraper, "network", '"metrics_networks" has 2000::/3', "scrapers alone"),
    "a file of another user": (of_another_user, "home", "these are not: ", "chown -R"),
    "no database": (database_gone, "tables", "there is no database", "When the database is gone"),
}


@pytest.fixture
def place(console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    return Place(console, tmp_path, monkeypatch)


def examined(place: Place, status: int) -> dict[str, dict[str, Any]]:
    ended = place.console.run("doctor", "--json")
    assert ended.status == status, ended
    assert [row["subject"] for row in ended.json] == SUBJECTS
    command = place.console.run("doctor")
    assert command.status == status
    return {row["subject"]: row for row in ended.json}


@pytest.mark.parametrize("case", MISCONFIGURATIONS)
def test_a_misconfiguration_is_found_with_what_to_do(place: Place, case: str) -> None:
    make, subject, said, advised = MISCONFIGURATIONS[case]
    assert all(row["ok"] for row in examined(place, 0).values())
    make(place)
    row = examined(place, 3)[subject]
    assert not row["ok"]
    assert said in row["message"]
    assert advised in row["message"]
    assert "carnet-authority doctor" not in row["message"]


@pytest.mark.parametrize(
    ("make", "subject", "said"),
    [
        (product_ends_soon, "licenses", '"arcgis-pro" ends at'),
        (authorization_ends_soon, "authorization", "ask the vendor for a new one"),
    ],
    ids=["a product", "the authorization"],
)
def test_what_ends_soon_is_told_and_is_not_wrong_yet(
    place: Place, make: Callable[[Place], None], subject: str, said: str
) -> None:
    make(place)
    row = examined(place, 0)[subject]
    assert row["ok"]
    assert said in row["message"]


def test_settings_that_others_change_are_found(place: Place) -> None:
    path = place.home / "authority.toml"
    path.write_text("demonstration = false\n")
    path.chmod(0o644)
    assert examined(place, 0)["settings"]["ok"]
    path.chmod(0o666)
    row = examined(place, 3)["settings"]
    assert "chmod 600" in row["message"]


def test_what_stands_in_tables_is_not_looked_at_where_there_are_none(place: Place) -> None:
    """The advice is said once, and nothing is called good or wrong that nobody saw."""
    database_gone(place)
    for state in ("gone", "empty"):
        rows = examined(place, 3)
        assert [rows[subject]["ok"] for subject in SUBJECTS[6:]] == [False, *[None] * 11, True]
        assert all("see tables" in rows[subject]["message"] for subject in SUBJECTS[7:18])
        messages = "".join(row["message"] for row in rows.values())
        assert messages.count("docs/operations.md") == 1
        assert "OperationalError" not in messages
        assert rows["database"]["ok"] is (state == "empty")
        (place.home / "authority.db").touch(0o600)


def test_a_database_that_the_settings_name_wrongly_is_said_to_be_perhaps_that(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.beside)
    place.set("DATABASE_URL", "sqlite:///nowhere/x.db")
    rows = examined(place, 3)
    assert rows["database"]["message"].startswith(f"there is no file {place.beside / 'nowhere' / 'x.db'}")
    assert "setting database_url" in rows["tables"]["message"]
    assert "setting database_url" in place.console.refused("database-lost", 3, "member", "list")["hint"]


def test_wrong_settings_are_one_line_of_all(place: Place) -> None:
    for name, value in (("KEY_PASSPHRASE_FIL", "x"), ("DATABASE_URL", "nonsense")):
        with place.patch.context() as patch:
            patch.setenv(f"CARNET_AUTHORITY_{name}", value)
            rows = examined(place, 3)
        assert {subject for subject, row in rows.items() if row["ok"] is False} == {"settings"}
        assert "docs/settings.md" in rows["settings"]["message"]
        assert rows["keys"]["message"] == "not looked at, see settings"


def test_an_authorization_that_ended_is_why_no_key_signs_and_no_product_can_be_had(place: Place) -> None:
    authorization_ended(place)
    rows = examined(place, 3)
    for subject in ("keys", "authorization", "licenses"):
        assert "the authorization " in rows[subject]["message"]
        assert "ended" in rows[subject]["message"]
        assert "authorization install" in rows[subject]["message"]
        assert "Put the key" not in rows[subject]["message"]


def test_a_clock_that_python_cannot_count_is_told_as_that(place: Place) -> None:
    def beyond() -> float:
        raise OverflowError("timestamp too large to convert to C _PyTime_t")

    with place.patch.context() as patch:
        patch.setattr("authority.cli.main.time.time", beyond)
        for command in (("borrow", "list"), ("doctor",), ("serve",)):
            assert "beyond the year 2261" in place.console.refused("clock-in-doubt", 3, *command)["message"]


def test_what_is_asked_for_at_a_wrong_time_names_the_clock(place: Place) -> None:
    place.turn_clock(days=-20_000)
    output = str(place.beside / "s.status")
    assert "clock" in place.console.refused("key-unusable", 3, "status-list", "export", "-o", output)["hint"]
    place.turn_clock(days=4 * 365)
    assert "clock" in place.console.refused("key-unusable", 3, "status-list", "export", "-o", output)["hint"]


def test_several_are_all_told(place: Place) -> None:
    too_many_members(place)
    passphrase_missing(place)
    mode("", 0o777)(place)
    wrong = {subject for subject, row in examined(place, 3).items() if not row["ok"]}
    assert {"members", "passphrase", "home"} <= wrong


def test_a_postgresql_that_answers_before_it_writes_is_found(bench: Bench) -> None:
    """Where the server is one on which tests switched that off for good, the rest is said too."""
    database = bench.authority.database
    if database.is_sqlite:
        assert durability.check(database) == "what is committed is on the disk before it is answered"
        return
    url = database.url.update_query_dict({"options": "-c synchronous_commit=off"})
    with closing(Database(url.render_as_string(hide_password=False))) as careless, pytest.raises(Refusal) as caught:
        durability.check(careless)
    assert "PostgreSQL has synchronous_commit = off: borrows that were answered are lost" in caught.value.message
    assert "synchronous_commit = on" in caught.value.hint
