"""Commands that take several names: all or none, each told; or one by one, each with its own result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from authority.cli.main import cli
from authority.domain.members import CONSOLE
from authority.services import access, endings
from authority.services.unit import Unit
from authority.wiring.app import open_authority
from authority.wiring.settings import load
from tests.support.authorities import Bench
from tests.support.borrowing import at_once, codes, issued_to, workstation
from tests.support.connecting import connected
from tests.support.console import Console, contents_of

UNKNOWN = "A" * 22
REASON = ("--reason", "lost")
# Commands whose several names are files that were carried here, or what is written to one place.
ONE_BY_ONE = {"borrow issue", "borrow check-in"}
# Commands whose several names are of one member's things: all or none, as the tests of sign-ins show.
OF_ONE_MEMBER = {"sign-in end"}


def borrows(console: Console) -> tuple[str, str]:
    first, second = (console.borrow(workstation(name), "ada", "arcgis-desktop") for name in ("laptop", "tower"))
    return first["id"], second["id"]


def sessions(console: Console) -> tuple[str, str]:
    authority = open_authority(load({}, str(console.home)))
    first, second = (connected(authority, name) for name in ("laptop", "tower"))
    authority.database.close()
    return first.id, second.id


def keys(console: Console) -> tuple[str, str]:
    first, second = (console.good("api-key", "create", "ada", "--name", name)["id"] for name in ("a", "b"))
    return first, second


def people(console: Console) -> tuple[str, str]:
    console.good("member", "add", "eve", "--type", "GIS Professional")
    return "ada", "eve"


# Command, how two good names are made, an unknown name, and what else is said.
CASES: dict[str, tuple[tuple[str, ...], Callable[[Console], tuple[str, str]], str, tuple[str, ...]]] = {
    "borrow release": (("borrow", "release"), borrows, UNKNOWN, (*REASON, "--accept-overlap")),
    "borrow revoke": (("borrow", "revoke"), borrows, UNKNOWN, REASON),
    "session end": (("session", "end"), sessions, UNKNOWN, ()),
    "api-key revoke": (("api-key", "revoke"), keys, UNKNOWN, ()),
    "member set": (("member", "set"), people, "nobody", ("--disable",)),
    "member remove": (("member", "remove"), people, "nobody", ()),
    "license assign": (("license", "assign"), people, "nobody", ("arcgis-allsource", "--level", "Basic")),
    "license unassign": (("license", "unassign"), people, "nobody", ("arcgis-pro",)),
}
each_command = pytest.mark.parametrize("case", CASES)


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command with its name."""
    yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


def test_every_command_that_takes_several_names_is_tried_here() -> None:
    several = {name for name, command in walk(cli) for item in command.params if item.nargs == -1}
    assert several == CASES.keys() | ONE_BY_ONE | OF_ONE_MEMBER


@each_command
def test_with_one_unknown_none_is_done_and_each_is_told(console: Console, case: str) -> None:
    command, make, unknown, more = CASES[case]
    first, second = make(console)
    before = contents_of(console)
    error = console.refused("not-found", 1, *command, first, unknown, second, *more)
    items = error["evidence"]["items"]
    assert [item["name"].split()[0] for item in items] == [first, unknown, second]
    assert [(item["ok"], item["code"]) for item in items] == [(False, None), (False, "not-found"), (False, None)]
    said = console.run(*command, first, unknown, second, *more).err
    assert all(name in said for name in (first, unknown, second, "nothing was done"))
    assert contents_of(console) == before


@each_command
def test_one_by_one_the_good_ones_are_done_and_each_has_its_item(console: Console, case: str) -> None:
    command, make, unknown, more = CASES[case]
    first, second = make(console)
    ended = console.run("--json", *command, first, unknown, second, *more, "--one-by-one")
    assert ended.status == 1
    assert [(item["ok"], item.get("code")) for item in ended.json] == [(True, None), (False, "not-found"), (True, None)]
    assert [next(iter(item.values())) for item in ended.json] == [first, unknown, second]


@each_command
def test_a_dry_run_makes_every_check_and_changes_nothing(console: Console, case: str) -> None:
    command, make, unknown, more = CASES[case]
    first, second = make(console)
    before = contents_of(console)
    assert len(console.good(*command, first, second, *more, "--dry-run")) == 2
    said = console.run(*command, first, second, *more, "--dry-run").out
    assert "would" in said
    assert first in said
    console.refused("not-found", 1, *command, first, unknown, *more, "--dry-run")
    assert contents_of(console) == before


@each_command
def test_all_good_ones_are_done_each_named_once(console: Console, case: str) -> None:
    command, make, _, more = CASES[case]
    first, second = make(console)
    before = contents_of(console)
    again = first.upper() if make is people else first
    assert len(console.good(*command, first, second, again, *more)) == 2
    assert contents_of(console) != before


def test_a_release_asks_for_the_overlap_of_each(console: Console) -> None:
    first, second = borrows(console)
    error = console.refused("overlap-not-accepted", 1, "borrow", "release", first, second, *REASON)
    assert [item["code"] for item in error["evidence"]["items"]] == ["overlap-not-accepted"] * 2


def test_who_is_still_offline_is_told_of_each_to_be_removed(console: Console) -> None:
    people(console)
    console.borrow(workstation("laptop"), "eve")
    error = console.refused("member-has-borrow", 1, "member", "remove", "ada", "eve")
    assert [(item["name"], item["code"]) for item in error["evidence"]["items"]] == [
        ("ada", None),
        ("eve", "member-has-borrow"),
    ]


def test_a_name_or_a_password_is_for_one_member(console: Console) -> None:
    people(console)
    assert console.run("member", "set", "ada", "eve", "--name", "One").status == 2


def requests(console: Console) -> list[str]:
    files = [console.request(workstation(name), "arcgis-desktop", member="ada") for name in ("laptop", "tower")]
    (console.home.parent / "wrong.request").write_bytes(b"{}")
    return [files[0], str(console.home.parent / "wrong.request"), files[1]]


def test_several_requests_are_answered_one_by_one_each_with_its_file(console: Console, tmp_path: Path) -> None:
    files = requests(console)
    ended = console.run("--json", "borrow", "issue", *files, "-o", str(tmp_path / "answers"))
    assert ended.status == 1
    assert [(row["request"], row["ok"]) for row in ended.json] == list(zip(files, [True, False, True], strict=True))
    assert [row.get("code") for row in ended.json] == [None, "request-invalid", None]
    written = {Path(row["issued"]["file"]).name for row in ended.json if row["ok"]}
    assert written == {path.name for path in (tmp_path / "answers").iterdir()}
    assert len(console.good("borrow", "list")) == 2


@pytest.mark.parametrize("output", ["a file", "no folder", "same names"])
def test_where_several_answers_cannot_be_written_nothing_is_issued(console: Console, tmp_path: Path, output: str) -> None:
    files = requests(console)
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "other").mkdir()
    if output == "same names":
        Path(tmp_path, "other", Path(files[0]).name).write_bytes(Path(files[2]).read_bytes())
        files = [files[0], str(Path(tmp_path, "other", Path(files[0]).name))]
    name = {"a file": "file", "no folder": "none/answers", "same names": "other"}[output]
    assert console.run("borrow", "issue", *files, "-o", str(tmp_path / name)).status == 2
    assert console.good("borrow", "list") == []


def test_several_receipts_are_taken_one_by_one(console: Console) -> None:
    laptop, tower = workstation("laptop"), workstation("tower")
    for machine in (laptop, tower):
        console.borrow(machine, "ada", "arcgis-desktop")
    wrong = console.home.parent / "wrong.return"
    wrong.write_bytes(b"{}")
    files = [console.receipt(laptop), str(wrong), console.receipt(tower)]
    ended = console.run("--json", "borrow", "check-in", *files)
    assert ended.status == 1
    rows: list[dict[str, Any]] = ended.json
    assert [(row["file"], row["ok"]) for row in rows] == list(zip(files, [True, False, True], strict=True))
    assert {row["borrow"]["state"] for row in rows if row["ok"]} == {"checked-in"}


def test_of_several_carried_files_those_that_are_not_there_are_told_and_the_others_are_done(console: Console) -> None:
    laptop, answers, none = workstation("laptop"), str(console.home.parent / "answers"), str(console.home.parent / "none")
    link = console.home.parent / "link"
    link.symlink_to(console.home.parent / "laptop.return")
    request = console.request(laptop, "arcgis-desktop", member="ada")
    ended = console.run("--json", "borrow", "issue", none, request, "-o", answers)
    assert ended.status == 1
    assert [row.get("code") for row in ended.json] == ["not-found", None]
    Path(ended.json[1]["issued"]["file"]).rename(console.home.parent / f"{laptop.machine.id}.borrow")
    ended = console.run("borrow", "check-in", none, console.receipt(laptop), str(link), answers)
    assert ended.status == 1
    lines = [line for line in ended.out.splitlines() if not line.startswith("  ")]
    assert lines[0] == f"{none} cannot be read: No such file or directory [not-found]"
    assert "checked-in" in lines[1]
    assert lines[2].startswith(f"{link} is a link")
    assert lines[3].startswith(f"{answers} cannot be read: ")
    assert lines[4] == "checked in 1 of 4"
    assert [row["state"] for row in console.good("borrow", "list", "--all")] == ["checked-in"]


@pytest.mark.parametrize("command", [("borrow", "issue", "-o", "answer"), ("borrow", "check-in")], ids=" ".join)
def test_the_only_file_that_is_named_and_is_not_there_is_wrong_usage(console: Console, command: tuple[str, ...]) -> None:
    assert console.run(*command, str(console.home / "none")).status == 2


def test_two_who_end_the_same_borrows_in_another_order_do_not_wait_for_each_other(bench: Bench) -> None:
    ids = [issued_to(bench, bench.member(name), workstation(name)).borrow.id for name in ("ada", "eve", "bob", "joe")]
    ended = at_once(
        [
            lambda: endings.revoke_several(Unit(bench.authority, CONSOLE), ids, "lost"),
            lambda: endings.revoke_several(Unit(bench.authority, CONSOLE), ids[::-1], "lost"),
        ]
        * 4
    )
    assert codes(ended) == {"done": 1, "borrow-already-ended": 7}


def test_of_a_refused_call_nothing_is_kept_on_either_database(bench: Bench) -> None:
    chief = bench.administrator()
    _, key = access.create_api_key(Unit(bench.authority, CONSOLE), chief.username, "nightly")
    outcomes = access.revoke_api_keys(Unit(bench.authority, CONSOLE), [key.id, UNKNOWN], one_by_one=True, dry_run=True)
    assert [outcome.refusal is None for outcome in outcomes] == [True, False]
    assert access.api_keys(Unit(bench.authority, CONSOLE))[0][0].revoked_at is None
