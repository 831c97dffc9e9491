"""`carnet-authority` where the operating system refuses: its own code and words, nothing changed, and no mistake of the program."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from authority.cli.main import main
from authority.domain import disk
from authority.domain.disk import NotPermitted
from authority.domain.refusals import Refusal
from authority.storage.db.database import Database
from tests.support.borrowing import workstation
from tests.support.console import Console, contents_of
from tests.support.full_disk import DISK_REFUSALS, too_little_room
from tests.support.outputs import closed, encoded_output, full_output, reader_gone

# Every way in which a command prints: lines, tables, JSON, rows for other programs, help.
PRINTS: dict[str, list[str]] = {
    "lines": ["member", "show", "ada"],
    "a table": ["member", "list"],
    "an empty table": ["borrow", "list"],
    "findings": ["doctor"],
    "JSON": ["member", "list", "--json"],
    "rows": ["member", "export"],
    "the log": ["log", "export", "--format", "csv"],
    "a sheet": ["borrow", "list", "--csv"],
    "help": ["--help"],
    "the version": ["--version"],
}


def status_of(*arguments: str) -> int:
    """The exit status of one command; what it prints goes where it goes."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize("arguments", PRINTS.values(), ids=PRINTS)
def test_a_reader_that_has_gone_ends_a_command_quietly(
    console: Console, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with reader_gone("stdout"):
        assert status_of("--home", str(console.home), *arguments) == 141
    assert "[" not in capsys.readouterr().err


@pytest.mark.parametrize("arguments", PRINTS.values(), ids=PRINTS)
def test_an_output_without_room_is_told_as_such(
    console: Console, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with full_output():
        assert status_of("--home", str(console.home), *arguments) == 3
    error = capsys.readouterr().err
    assert "[output-not-written]" in error
    assert "[disk-full]" not in error


@pytest.mark.parametrize("arguments", PRINTS.values(), ids=PRINTS)
def test_an_output_that_was_closed_before_is_no_mistake(
    console: Console, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with closed("stdout"):
        assert status_of("--home", str(console.home), *arguments) == 0
    assert "mistake" not in capsys.readouterr().err


def test_where_all_three_are_closed_a_command_is_done_all_the_same(console: Console) -> None:
    (console.home / "in.csv").write_text("username,user_type\nnoel,GIS Professional\n")
    with closed("stdin", "stdout", "stderr"):
        assert status_of("--home", str(console.home), "member", "import", str(console.home / "in.csv")) == 0
        assert status_of("--home", str(console.home), "member", "set", "noel", "--password-file", "-") == 1


def test_a_refusal_that_nobody_reads_ends_quietly(console: Console, capsys: pytest.CaptureFixture[str]) -> None:
    with reader_gone("stderr"):
        assert status_of("--home", str(console.home), "member", "show", "nobody") == 141
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
@pytest.mark.parametrize("flags", [[], ["--json"]], ids=["people", "json"])
def test_what_the_output_cannot_show_is_shown_by_its_code(console: Console, encoding: str, flags: list[str]) -> None:
    """The work is done: its answer may not end as if it were not."""
    laptop = workstation("laptop")
    console.good("member", "add", "lukasz", "--type", "GIS Professional", "--name", "Łukasz \N{SNOWMAN}")
    console.good("license", "assign", "lukasz", "arcgis-pro", "--level", "Advanced")
    borrow = console.borrow(laptop, "lukasz")
    commands = (
        ["member", "list"],
        ["member", "show", "lukasz"],
        ["member", "export"],
        ["borrow", "list"],
        ["borrow", "show", borrow["id"]],
        ["log", "export"],
        ["borrow", "release", borrow["id"], "--reason", "lost Ł", "--accept-overlap"],
    )
    for arguments in commands:
        with encoded_output(encoding) as printed:
            assert status_of("--home", str(console.home), *flags, *arguments) == 0, arguments
        if flags and arguments[-1] != "export":
            assert printed.getvalue().isascii()
            json.loads(printed.getvalue())
    assert console.good("borrow", "show", borrow["id"])["state"] == "released"


def test_columns_stand_below_each_other_where_letters_are_shown_by_their_codes(console: Console) -> None:
    console.good("member", "add", "müller", "--type", "GIS Professional", "--name", "Jürgen Müller")
    with encoded_output("ascii") as printed:
        assert status_of("--home", str(console.home), "member", "list") == 0
    lines = printed.getvalue().decode("ascii").splitlines()
    column = lines[0].index("user_type")
    assert len(lines) > 2
    assert {line[column - 2 : column] for line in lines} == {"  "}
    assert all(line[column] != " " for line in lines)


def in_little_room(console: Console, *arguments: str) -> tuple[int, Any]:
    command = [sys.executable, "-m", "authority.cli.main", "--json", "--home", str(console.home), *arguments]
    process = subprocess.run(command, capture_output=True, text=True, preexec_fn=too_little_room, check=False)
    assert "Traceback" not in process.stderr
    return process.returncode, json.loads(process.stdout)


@pytest.mark.parametrize(
    "arguments",
    [
        ("member", "add", "noel", "--type", "GIS Professional"),
        ("member", "export", "-o", "members.csv"),
        ("log", "export", "-o", "log.jsonl"),
        ("status-list", "export", "-o", "s.status"),
        ("trust", "export", "-o", "t.trust"),
        ("key", "list", "--public", "-o", "keys.json"),
        ("root", "init", "vendor"),
    ],
    ids=" ".join,
)
def test_a_full_disk_is_told_as_such_and_changes_nothing(
    console: Console, arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    before = contents_of(console)
    status, answer = in_little_room(console, *arguments)
    assert (status, answer["ok"]) == (3, False)
    assert answer["code"] in ("disk-full", "disk-failed")
    assert "try again in a moment" not in answer["hint"]
    assert contents_of(console) == before
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and console.home not in path.parents]


def test_a_request_is_not_answered_when_the_answer_cannot_be_written(console: Console, tmp_path: Path) -> None:
    request, before = console.request(workstation("laptop")), contents_of(console)
    status, answer = in_little_room(console, "borrow", "issue", request, "--member", "ada", "-o", str(tmp_path / "x.borrow"))
    assert (status, answer["code"]) == (3, "disk-full")
    assert "nothing was changed" in answer["message"]
    assert contents_of(console) == before


READS = (
    ("member", "import"),
    ("member", "remove", "--file"),
    ("license", "assign", "--file"),
    ("borrow", "release", "--reason", "lost", "--file"),
    ("member", "set", "ada", "--password-file"),
    ("member", "add", "noel", "--password-file"),
)


@pytest.mark.parametrize("command", READS, ids=" ".join)
def test_a_pipe_that_nobody_writes_into_and_a_device_are_refused_at_once(
    console: Console, command: tuple[str, ...], tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in (str(tmp_path / "pipe"), "/dev/zero", ""):
        assert console.run(*command, name).status == 2, name
    assert console.run(*command, str(tmp_path)).status == 2


def test_a_pipe_that_the_shell_opened_is_read(console: Console, tmp_path: Path) -> None:
    """As `<(...)` and `/dev/stdin` are, also when the writer has gone by then."""
    read, write = os.pipe()
    os.write(write, b"username,user_type\nnoel,GIS Professional\n")
    os.close(write)
    assert console.run("member", "import", f"/dev/fd/{read}").status == 0
    os.close(read)


@pytest.mark.parametrize(("number", "code"), DISK_REFUSALS.values(), ids=DISK_REFUSALS)
def test_what_the_disk_refuses_has_its_code(number: int, code: str) -> None:
    with pytest.raises(Refusal) as caught, disk.explained("x", "written"):
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert caught.value.hint


@pytest.mark.parametrize(("number", "code"), DISK_REFUSALS.values(), ids=DISK_REFUSALS)
@pytest.mark.parametrize("command", ["member remove --file", "license assign --file", "member import", "borrow check-in"])
def test_a_file_that_cannot_be_read_is_told_by_what_the_system_says(
    console: Console, command: str, number: int, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "carried"
    path.write_text("x")
    real_open, real = open, os.open

    def refusing(name: Any, *more: Any, **named: Any) -> Any:
        if str(name) == str(path):
            raise OSError(number, os.strerror(number), str(name))
        return real_open(name, *more, **named)

    def refusing_low(name: Any, *more: Any, **named: Any) -> int:
        if str(name) == str(path):
            raise OSError(number, os.strerror(number), str(name))
        return real(name, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr("builtins.open", refusing)
        patch.setattr(os, "open", refusing_low)
        console.refused(code, 3, *command.split(), str(path))


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (sqlite3.SQLITE_FULL, "disk-full"),
        (sqlite3.SQLITE_READONLY, "not-permitted"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "not-permitted"),
        (sqlite3.SQLITE_IOERR_WRITE, "disk-failed"),
        (sqlite3.SQLITE_CANTOPEN, "storage-unavailable"),
        (sqlite3.SQLITE_NOTADB, "storage-unavailable"),
    ],
)
def test_what_sqlite_says_of_the_disk_is_told_as_such(tmp_path: Path, number: int, code: str) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.make_private()
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = number
    with pytest.raises(Refusal) as caught, database.read():
        raise error
    assert caught.value.code == code
    assert "try again in a moment" not in caught.value.hint
    database.close()


def test_a_database_that_may_only_be_read_is_told_as_such(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'a.db'}")
    database.make_private()
    event.listen(database.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = 1"))
    with pytest.raises(NotPermitted), database.write() as connection:
        connection.execute(text("CREATE TABLE a (b)"))
    database.close()


def test_a_share_without_locks_still_serves_one_at_a_time(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """The queue of writers is a courtesy; the lock that counts is SQLite's own."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    console.good("member", "add", "noel", "--type", "GIS Professional")


def test_a_vendors_folder_on_a_share_without_locks_is_told(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once would issue one number twice."""

    def flock(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    console.home.rename(tmp_path / "elsewhere")
    console.refused("no-locks", 3, "init", "--org", "Field Survey")


@pytest.mark.usefixtures("nobody")
@pytest.mark.parametrize("arguments", [("init", "--org", "X"), ("doctor",), ("member", "list"), ("serve",)], ids=" ".join)
def test_without_a_home_a_folder_has_to_be_named(empty: Console, arguments: tuple[str, ...]) -> None:
    ended = empty.bare("--json", *arguments)
    assert (ended.status, ended.json["code"]) == (3, "no-home")
    assert "--home" in ended.json["hint"]


@pytest.mark.parametrize("name", ["/dev/null", "pipe", "link", "link to a file", "missing/out"])
@pytest.mark.parametrize("write", [("trust", "export"), ("log", "export"), ("member", "export")], ids=" ".join)
def test_an_output_that_is_no_file_is_refused(
    console: Console, write: tuple[str, ...], name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file renamed over a device would take its place."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("file").write_text("mine")
    Path("link").symlink_to("elsewhere")
    Path("link to a file").symlink_to("file")
    assert console.run(*write, "-o", name).status == 2
    assert Path("file").read_text() == "mine"


@pytest.mark.parametrize(
    "break_it", [lambda home: (home / "organization.trust").mkdir()], ids=["a folder in place of the copy"]
)
def test_init_tells_what_it_could_not_write(empty: Console, break_it: Callable[[Path], None]) -> None:
    empty.home.mkdir()
    break_it(empty.home)
    error = empty.run("--json", "init", "--org", "Field Survey")
    assert (error.status, error.json["code"]) == (3, "disk-failed")
