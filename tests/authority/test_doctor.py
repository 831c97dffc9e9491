"""`carnet-authority doctor`: each misconfiguration, made for real, is found, with what to do."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from authority.domain.disk import NotPermitted
from authority.domain.members import CONSOLE
from authority.domain.refusals import Refusal
from authority.services import examination
from authority.services.unit import Unit
from authority.storage.db import durability
from authority.storage.db.database import Database
from tests.support.authorities import Bench
from tests.support.console import Console
from tests.support.misconfigurations import (
    MISCONFIGURATIONS,
    Place,
    authorization_ended,
    authorization_ends_soon,
    backup_on_the_same_disk,
    database_gone,
    key_ends_soon,
    mode,
    mounted,
    passphrase_missing,
    product_ends_soon,
    too_many_members,
)
from tools.documentation import DOCS

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
    "nodes",
    "trust file",
    "seal",
    "backup",
    "notices",
    "address",
    "python",
]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the home of the first test is copied to, for the others."""
    return tmp_path_factory.mktemp("doctor") / "home"


@pytest.fixture
def place(empty: Console, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A home that was set up, with the member ada."""
    if not template.exists():
        empty.good("init", "--org", "Field Survey")
        empty.good("member", "add", "ada", "--type", "GIS Professional", "--group", "survey")
        shutil.copytree(empty.home, template)
    else:
        shutil.copytree(template, empty.home)
    return Place(empty, tmp_path, monkeypatch)


def examined(place: Place, status: int) -> dict[str, dict[str, Any]]:
    ended = place.console.run("doctor", "--json")
    assert ended.status == status, ended
    assert [row["subject"] for row in ended.json] == SUBJECTS
    return {row["subject"]: row for row in ended.json}


def test_a_new_home_is_well_and_people_are_told_the_same(place: Place) -> None:
    rows = examined(place, 0)
    assert all(row["ok"] for row in rows.values())
    printed = place.console.run("doctor")
    assert (printed.status, "WRONG" in printed.out) == (0, False)
    passphrase_missing(place)
    printed = place.console.run("doctor")
    assert (printed.status, printed.out.count("WRONG")) == (3, 3)


@pytest.mark.parametrize("case", MISCONFIGURATIONS)
def test_a_misconfiguration_is_found_with_what_to_do(place: Place, case: str) -> None:
    make, subject, said, advised = MISCONFIGURATIONS[case]
    make(place)
    row = examined(place, 3)[subject]
    assert not row["ok"]
    assert said in row["message"]
    assert advised in row["message"]
    assert "carnet-authority doctor" not in row["message"]


def test_each_line_is_described_and_can_be_wrong() -> None:
    """The table of docs/operations.md has every line, and each of them is wrong in some misconfiguration, but the last."""
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    table = text.partition("| line | wrong when |")[2].partition("\n\n")[0]
    lines = [row.split("|")[1] for row in table.splitlines()[2:]]
    described = {name.strip() for line in lines for name in line.split(",")}
    assert described == set(SUBJECTS)
    assert {subject for _, subject, _, _ in MISCONFIGURATIONS.values()} == described - {"python"}


@pytest.mark.parametrize(
    ("make", "subject", "said"),
    [
        (backup_on_the_same_disk, "backup", "to the disk that the database is on: keep a copy elsewhere"),
        (mounted("tmpfs"), "disk", "the home is in memory alone"),
        (key_ends_soon, "keys", "the status key ends at"),
        (product_ends_soon, "licenses", '"arcgis-pro" ends at'),
        (authorization_ends_soon, "authorization", "ask the vendor for a new one"),
    ],
    ids=["a backup", "a home", "a key", "a product", "the authorization"],
)
def test_what_is_not_wrong_yet_is_told(place: Place, make: Callable[[Place], None], subject: str, said: str) -> None:
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
        assert [rows[subject]["ok"] for subject in SUBJECTS[6:]] == [False, *[None] * 14, True]
        assert all("see tables" in rows[subject]["message"] for subject in SUBJECTS[7:21])
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
    url = database.url.update_query_dict({"options": "-c default_transaction_read_only=on"})
    with closing(Database(url.render_as_string(hide_password=False))) as fixed, pytest.raises(NotPermitted) as refused:
        durability.check(fixed)
    assert "set to read alone" in refused.value.message
    theirs = durability.time_of(database)
    assert theirs is not None
    assert abs(theirs - datetime.now(UTC)) < timedelta(minutes=5)
    (clock,) = [row for row in examination.examine(Unit(bench.authority, CONSOLE)) if row.subject == "clock"]
    assert "by the database's" in clock.message
    assert "by a time server" in clock.message
