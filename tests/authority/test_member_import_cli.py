"""`member import`, as an administrator types it: what it says, and files that are not what they should be."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.authorities import make_bench
from tests.support.console import Console
from tests.support.servers import COMMAND, ROOT, environment

MEGABYTE = 1024 * 1024


def test_the_command_says_what_would_change(console: Console, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(
        "username,full_name,user_type,licenses\nada,Ada,,\neve,,Creator,arcgis-pro=Basic\nadmin,,,\n"
    )
    planned = console.run("member", "import", str(tmp_path / "m.csv"), "--dry-run")
    assert (planned.status, planned.err) == (0, "")
    assert planned.out.splitlines() == [
        "row 2: change ada: full_name from none to Ada",
        "row 3: add eve: user_type Creator, role member, licenses arcgis-pro=Basic",
        "row 4: admin unchanged",
        "nothing was changed: add 1, change 1, unchanged 1, refused 0",
    ]
    assert [row["username"] for row in console.good("member", "list")] == ["ada", "admin"]
    imported = console.run("member", "import", str(tmp_path / "m.csv"))
    assert imported.out.splitlines() == [*planned.out.splitlines()[:-1], "done: add 1, change 1, unchanged 1, refused 0"]
    assert console.good("member", "show", "eve")["licenses"][0]["level"] == "Basic"


def test_the_command_gives_the_rows_to_programs(console: Console, tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("username,role,groups\nada,analyst,survey\neve,boss,\n")
    ended = console.run("member", "import", str(path), "--json")
    result = ended.json
    assert (ended.status, ended.err) == (1, "")
    assert {name: value for name, value in result.items() if name != "rows"} == {
        "file": str(path),
        "dry_run": False,
        "applied": False,
        "added": 0,
        "changed": 1,
        "unchanged": 0,
        "refused": 1,
    }
    good, bad = result["rows"]
    assert good == {
        "row": 2,
        "username": "ada",
        "action": "change",
        "changes": [{"field": "role", "from": "member", "to": "analyst"}],
    }
    assert (bad["row"], bad["username"], bad["action"], bad["changes"], bad["code"]) == (
        3,
        "eve",
        "refused",
        [],
        "invalid-input",
    )
    assert bad["evidence"]["cells"][0]["value"] == "boss"
    assert "license-manager" in bad["hint"]
    assert console.good("member", "show", "ada")["role"] == "member"


@pytest.mark.parametrize("option", ["--go-on", "--row-by-row"])
def test_the_command_tells_bad_rows_and_ends_with_1(console: Console, tmp_path: Path, option: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text("username,role\nada,analyst\neve,boss\n")
    bad = 'row 3: eve refused: role "boss": there is no such value [invalid-input]; what to do: Write one of '
    ended = console.run("member", "import", str(path))
    lines = ended.out.splitlines()
    assert (ended.status, len(lines)) == (1, 2)
    assert lines[0].startswith(bad)
    assert lines[1] == "nothing was changed: add 0, change 1, unchanged 0, refused 1"
    ended = console.run("member", "import", str(path), option)
    lines = ended.out.splitlines()
    assert (ended.status, lines[0]) == (1, "row 2: change ada: role from member to analyst")
    assert lines[1].startswith(bad)
    assert lines[2] == "done: add 0, change 1, unchanged 0, refused 1"
    assert console.good("member", "show", "ada")["role"] == "analyst"


FILES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "empty"),
    "header alone": (b"username,role\n", "no row"),
    "another header": (b"user,role\neve,member\n", 'unknown: "user"'),
    "no user names": (b"full_name\nEve\n", 'missing: "username"'),
    "column twice": (b"username,username\neve,eve\n", "named twice"),
    "columns of a license file": (b"username,product,level\neve,arcgis-pro,Basic\n", "unknown"),
    "password": (b"username,password\neve,correct horse battery\n", "password"),
    "ragged": (b"username,role\neve,member,x\n", "row 2 has 3 cells"),
    "NUL": (b"username,role\neve,mem\0ber\n", "NUL"),
    "Latin-1": (b"username,full_name\neve,M\xfcller\n", "UTF-8"),
    "binary": (bytes(range(256)) * 100, "UTF-8"),
    "50 MB": (b"username,full_name\n" + b"eve," + b"x" * (50 * MEGABYTE), "larger than 16 MiB"),
    "a request": (b'{"carnet": "request", "version": 1, "request": "x"}', "unknown"),
}


@pytest.mark.parametrize(("data", "message"), FILES.values(), ids=FILES)
def test_a_file_that_is_no_sheet_of_members_is_refused_whole(
    console: Console, tmp_path: Path, data: bytes, message: str
) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(data)
    error = console.refused("invalid-input", 1, "member", "import", str(path), "--go-on")
    assert message in error["message"]
    assert [row["username"] for row in console.good("member", "list")] == ["ada", "admin"]


def test_passwords_are_pointed_elsewhere(console: Console, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("username,password\neve,correct horse battery\n")
    error = console.refused("invalid-input", 1, "member", "import", str(tmp_path / "m.csv"))
    assert "--password-file" in error["hint"]
    assert "correct horse" not in str(error)


@pytest.mark.parametrize("is_there", [False, True], ids=["missing", "directory"])
def test_a_file_that_cannot_be_read_is_wrong_usage(console: Console, tmp_path: Path, is_there: bool) -> None:
    path = tmp_path / "m.csv"
    if is_there:
        path.mkdir()
    ended = console.run("member", "import", str(path))
    assert (ended.status, ended.out) == (2, "")
    assert str(path) in ended.err


def test_mixed_ends_of_lines_and_semicolons_are_read(console: Console, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_bytes(b'\xef\xbb\xbfusername;full_name;groups\r\neve;"E; v";"a; b"\rfay;F;\ngus;;\r\n')
    result = console.good("member", "import", str(tmp_path / "m.csv"))
    assert result["added"] == 3
    assert console.good("member", "show", "eve")["groups"] == ["a", "b"]


def test_a_person_at_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    home = tmp_path / "home"
    bench = make_bench(f"sqlite:///{home / 'authority.db'}", home)
    bench.authority.database.close()
    (tmp_path / "m.csv").write_text("username\n" + "".join(f"m{number}\n" for number in range(20)))
    ours, theirs = os.openpty()
    arguments = [*COMMAND, "member", "import", str(tmp_path / "m.csv"), "--home", str(home)]
    ended = subprocess.run(
        arguments, stdout=subprocess.PIPE, stderr=theirs, check=True, cwd=ROOT, env=environment(TERM="xterm"), timeout=60
    )
    os.close(theirs)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert b"20/20" in shown
    assert ended.stdout.splitlines()[-1] == b"done: add 20, change 0, unchanged 0, refused 0"
