"""`carnet-authority` and files that are not what they should be: every command that reads one, and nothing is changed."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE
from authority.services import overview
from authority.services.unit import Unit
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.borrowing import workstation
from tests.support.console import Console, contents_of
from verifier.core.files import render

MEGABYTES = 3 * 1024 * 1024


def fifo(path: Path) -> None:
    os.mkfifo(path)


def link(path: Path) -> None:
    path.with_suffix(".target").write_bytes(render("request", {"request": "x"}))
    path.symlink_to(path.with_suffix(".target"))


def write(data: bytes) -> Callable[[Path], None]:
    return lambda path: (path.write_bytes(data), None)[1]


REFUSED: dict[str, Callable[[Path], object]] = {
    "pipe": fifo,
    "link": link,
    "empty": write(b""),
    "random": write(random.Random(7).randbytes(5000)),
    "3 MB of text": write(b"x" * MEGABYTES),
    "3 MB of JSON": write(b'{"carnet": "request", "version": 1, "request": "' + b"x" * MEGABYTES + b'"}'),
    "half a file": write(render("request", {"request": "x"})[:-5]),
    "another kind": write(render("clock-reset", {"authorization": "x", "reset": "x"})),
    "another version": write(render("request", {"request": "x"}).replace(b'"version": 1', b'"version": 2')),
    "no kind": write(b"{}"),
    "array": write(b"[]"),
    "deep": write(b"[" * 100_000),
    "member is a number": write(b'{"carnet": "request", "version": 1, "request": 7}'),
    "member twice": write(b'{"carnet": "request", "carnet": "return", "version": 1, "request": "x"}'),
    "no token": write(render("request", {"request": "x"})),
    "byte order mark": write(b"\xef\xbb\xbf" + render("request", {"request": "x"})),
    "UTF-16": write(render("request", {"request": "x"}).decode().encode("utf-16")),
}


def arguments(command: str, path: Path) -> tuple[str, ...]:
    if command == "issue":
        return ("borrow", "issue", str(path), "--member", "ada", "-o", str(path.with_name("out.borrow")))
    return ("borrow", "check-in", str(path))


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("command", ["issue", "check-in"])
@pytest.mark.timeout(30)
def test_a_carried_file_that_is_not_good_is_refused(
    console: Console, tmp_path: Path, command: str, make: Callable[[Path], object]
) -> None:
    path = tmp_path / "carried"
    make(path)
    before = contents_of(console)
    error = console.refused("request-invalid", 1, *arguments(command, path))
    assert error["message"]
    assert contents_of(console) == before
    assert not (tmp_path / "out.borrow").exists()


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "directory"])
@pytest.mark.parametrize("command", ["issue", "check-in"])
def test_a_file_that_cannot_be_read_is_wrong_usage(console: Console, tmp_path: Path, command: str, is_there: bool) -> None:
    path = tmp_path / "carried"
    if is_there:
        path.mkdir()
    before = contents_of(console)
    ended = console.run(*arguments(command, path))
    assert (ended.status, ended.out) == (2, "")
    assert str(path) in ended.err
    assert contents_of(console) == before


@pytest.mark.parametrize(
    "command", [("borrow", "check-in"), ("inspect",), ("member", "import"), ("member", "list"), ("log", "export", "-o")]
)
def test_what_was_typed_wrongly_moves_no_cursor(console: Console, command: tuple[str, ...]) -> None:
    ended = console.run(*command, "/nowhere/x\u202e\x1b[31m\ncarnet-authority: all is well")
    assert ended.status == 2
    assert "/nowhere/x\\u202e\\u001b[31m\\u000acarnet-authority: all is well" in ended.err


def test_the_days_are_chosen_where_the_request_does_not_say(console: Console, tmp_path: Path) -> None:
    issue = ("borrow", "issue", console.request(workstation("one")), "--member", "ada", "--days", "12")
    assert console.good(*issue, "--dry-run")["borrow"]["days_left"] == 12
    assert console.good(*issue, "-o", str(tmp_path / "ada.borrow"))["borrow"]["days_left"] == 12
    console.refused("invalid-input", 1, *issue[:2], console.request(workstation("two"), days=3), *issue[3:], "--dry-run")


def test_a_refused_file_is_closed(console: Console, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    console.run(*arguments("check-in", tmp_path))
    before = len(os.listdir("/proc/self/fd"))
    for path in [tmp_path, tmp_path / "pipe"] * 5:
        console.run(*arguments("check-in", path))
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_receipt_is_no_request_and_a_request_is_no_receipt(console: Console, tmp_path: Path) -> None:
    laptop = workstation("laptop")
    console.borrow(laptop, "ada")
    request, receipt = str(tmp_path / "machine-laptop.request"), console.receipt(laptop)
    console.refused("request-invalid", 1, "borrow", "check-in", request)
    console.refused("request-invalid", 1, "borrow", "issue", receipt, "-o", str(tmp_path / "x"))
    console.refused("request-invalid", 1, "borrow", "check-in", str(tmp_path / "machine-laptop.borrow"))


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("which", ["authorization", "trust"])
@pytest.mark.timeout(30)
def test_init_refuses_a_vendors_file_that_is_not_good_and_makes_nothing(
    empty: Console, tmp_path: Path, which: str, make: Callable[[Path], object]
) -> None:
    good = Console(tmp_path / "vendor", empty.capture)
    good.good("init", "--org", "Field Survey")
    keys, trust, bad = good.home / "keys", good.home / "organization.trust", tmp_path / "carried"
    make(bad)
    files = (
        {"authorization": str(bad), "trust": str(trust)}
        if which == "authorization"
        else {
            "authorization": authorization_of(good, tmp_path),
            "trust": str(bad),
        }
    )
    command = ("init", "--org", "Field Survey", "--keys", str(keys))
    ended = empty.run(*command, "--authorization", files["authorization"], "--trust", files["trust"], "--json")
    assert ended.status == 1, ended
    assert ended.json["code"] in {"authorization-unusable", "request-invalid"}
    assert ended.json["hint"]
    assert not (empty.home / "authority.db").exists() or counts_of_file(empty.home / "authority.db") == 0


@pytest.mark.parametrize("which", ["authorization", "trust"])
def test_after_a_refused_file_init_works_with_the_right_one(empty: Console, tmp_path: Path, which: str) -> None:
    good = Console(tmp_path / "vendor", empty.capture)
    good.good("init", "--org", "Field Survey")
    bad, trust = tmp_path / "carried", good.home / "organization.trust"
    bad.write_bytes(b"random")
    right = {"authorization": authorization_of(good, tmp_path), "trust": str(trust)}
    command = ("init", "--org", "Field Survey", "--keys", str(good.home / "keys"))
    for files, status in ((right | {which: str(bad)}, 1), (right, 0)):
        ended = empty.run(*command, "--authorization", files["authorization"], "--trust", files["trust"], "--json")
        assert ended.status == status, ended


def counts_of_file(path: Path) -> int:
    """How many tables a SQLite file has."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])


def authorization_of(console: Console, folder: Path) -> str:
    """The authorization of a home as a vendor's file."""
    authority = open_authority(load({}, str(console.home)))
    compact = overview.authorization(Unit(authority, CONSOLE))[0].compact
    authority.database.close()
    path = folder / "vendor.authorization"
    path.write_bytes(render("authorization", {"authorization": compact}))
    return str(path)


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(write(b"\xff\xfe" * 50), id="not UTF-8"),
        pytest.param(write(b""), id="empty"),
        pytest.param(lambda path: path.mkdir(), id="directory"),
        pytest.param(write(b"x" * MEGABYTES), id="3 MB"),
    ],
)
def test_a_password_file_that_is_not_good_adds_nobody(console: Console, tmp_path: Path, make: Callable[[Path], object]) -> None:
    make(tmp_path / "password")
    before = contents_of(console)
    ended = console.run("member", "add", "eve", "--password-file", str(tmp_path / "password"), "--json")
    assert ended.status in {1, 2}
    assert contents_of(console) == before


def test_no_output_takes_the_place_of_what_the_authority_lives_on(console: Console) -> None:
    console.good("log", "seal")
    (key,) = (console.home / "keys").glob("borrow-*.pem")
    own = ["authority.db", "authority.db-wal", "authority.toml", "floors.json", f"keys/{key.name}", "keys/new", "issued/x"]
    (console.home / "issued").mkdir(exist_ok=True)
    before = {path: path.read_bytes() for path in [key, console.home / "floors.json"]}
    for name in own:
        for command in (["backup"], ["log", "checkpoint"]):
            ended = console.run(*command, "-o", str(console.home / "keys" / ".." / name))
            assert (ended.status, "the authority lives on it" in ended.err) == (2, True), (command, name)
    assert {path: path.read_bytes() for path in before} == before
    console.good("backup", "-o", str(console.home / "night.backup"))


def test_no_output_takes_the_place_of_a_key_a_database_or_the_request(console: Console, tmp_path: Path) -> None:
    (key,) = (console.home / "keys").glob("borrow-*.pem")
    elsewhere = [tmp_path / "other.pem", tmp_path / "other.db"]
    elsewhere[0].write_bytes(key.read_bytes())
    elsewhere[1].write_bytes(b"SQLite format 3\0" + bytes(84))
    request = Path(console.request(workstation("one")))
    before = {path: path.read_bytes() for path in [*elsewhere, request]}
    for path in elsewhere:
        ended = console.run("status-list", "export", "-o", str(path))
        assert (ended.status, "a private key or a database" in ended.err) == (2, True), path
    ended = console.run("borrow", "issue", str(request), "--member", "ada", "-o", str(request))
    assert (ended.status, "is the request" in ended.err) == (2, True)
    assert {path: path.read_bytes() for path in before} == before


def test_what_has_parts_of_its_own_stands_above_them(console: Console, tmp_path: Path) -> None:
    trip = str(tmp_path / "ada.borrow")
    console.good("borrow", "issue", console.request(workstation("one")), "--member", "ada", "-o", trip)
    lines = console.run("inspect", trip).out.splitlines()
    assert lines[:3] == ["kind       borrow", "next_step  It is for a workstation: carnet install FILE.", "borrow"]
    assert lines.index("  machine") + 1 == next(place for place, line in enumerate(lines) if line.startswith("    id      "))
    assert "  member              ada" in lines
