"""Lists for people: what stands in them by default, in which order, how many, and at any width."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import pytest
from click.shell_completion import BashComplete
from rich.cells import cell_len

from authority.cli.main import cli
from authority.cli.tables import lines_of
from authority.domain.members import CONSOLE
from authority.domain.refusals import NotFound
from authority.services import borrow, endings
from authority.services.unit import Unit
from authority.storage.borrows import Filter
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.web import make_web, problem
from tests.support.workstations import SimulatedWorkstation

LOST = ("--reason", "lost", "--accept-overlap")


def two(console: Console) -> tuple[str, str]:
    """An active borrow of three days, and one that was released."""
    first = console.borrow(workstation("laptop"), "ada", "arcgis-desktop", days=3)
    second = console.borrow(workstation("tower"), "ada", "arcgis-desktop", days=1)
    console.good("borrow", "release", second["id"], *LOST)
    return first["id"], second["id"]


def ids(console: Console, *arguments: str) -> list[str]:
    return [row["id"] for row in console.good("borrow", "list", *arguments)]


def test_who_is_offline_has_nothing_that_ended_unless_it_is_asked_for(console: Console, tmp_path: Path) -> None:
    active, ended = two(console)
    assert ids(console) == [active]
    assert set(ids(console, "--all")) == {ended, active}
    assert ids(console, "--state", "released") == [ended]
    # Of one member or machine: what was, too, as of a member who was removed.
    assert set(ids(console, "--member", "ada")) == {ended, active}
    assert ids(console, "--machine", "tower") == [ended]
    console.good("borrow", "list", "--csv", "-o", str(tmp_path / "offline.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "offline.csv").read_text(encoding="utf-8-sig"))))
    assert [(row["id"], row["days_left"]) for row in rows] == [(active, "3")]


def test_a_list_says_how_many_and_that_there_are_others(console: Console) -> None:
    two(console)
    assert "1 active borrow; --all shows also those that ended" in console.run("borrow", "list").err
    assert "2 borrows\n" in console.run("borrow", "list", "--all").err
    assert "there are more than 1" in console.run("borrow", "list", "--all", "--limit", "1").err
    assert console.run("--json", "borrow", "list").err == ""
    assert "0 sessions; --all shows also those that ended" in console.run("session", "list").err
    assert "1 API key\n" in console.run("api-key", "list").err
    assert "1 rule\n" in console.run("policy", "show").err
    assert "1 shown; 2 of 50 members" in console.run("member", "list", "--group", "survey").err


def test_days_left_are_in_the_table(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    two(console)
    said = console.run("borrow", "list", "--all").out.splitlines()
    assert re.search(r"until +days left +state", said[0])
    assert sum(bool(re.search(r"Z +released", line)) for line in said) == 1
    assert sum(bool(re.search(r"Z +3 +active", line)) for line in said) == 1


@ON_SQLITE
def test_days_left_are_as_the_workstation_counts_them(bench: Bench) -> None:
    issued = issued_to(bench, bench.member("ada"), workstation("laptop"), days=2).borrow
    now = bench.clock()
    assert issued.days_left(now) == 2
    assert issued.days_left(now + timedelta(seconds=1)) == 2
    assert issued.days_left(now + timedelta(days=1)) == 1
    assert issued.days_left(now + timedelta(days=2)) is None


def test_those_that_end_first_come_first_over_all_pages(bench: Bench) -> None:
    days = {"ada": 9, "bob": 2, "eve": 5, "joe": 2}
    for name, count in days.items():
        issued_to(bench, bench.member(name), workstation(f"{name}s"), days=count)
        bench.clock.turn(minutes=1)
    names, wanted = [], Filter(limit=1, by_end=True)
    while True:
        page, cursor = borrow.listed(Unit(bench.authority, CONSOLE), wanted)
        names += [item.member for item in page]
        if cursor is None:
            break
        wanted = Filter(limit=1, by_end=True, after=cursor)
    assert names == ["bob", "joe", "eve", "ada"]
    assert [item.member for item in borrow.every(Unit(bench.authority, CONSOLE), Filter(by_end=True))] == names
    web = make_web(bench)
    assert [item["member"] for item in web.get("/borrows?sort=due").get_json()["items"]] == names
    assert [item["member"] for item in web.get("/borrows").get_json()["items"]] == ["joe", "eve", "bob", "ada"]
    problem(web.get("/borrows?sort=length"), 400, "invalid-input")


def test_due_within_sorts_by_the_end(console: Console) -> None:
    soon = console.borrow(workstation("laptop"), "ada", "arcgis-desktop", days=5)["id"]
    late = console.borrow(workstation("tower"), "ada", "arcgis-desktop", days=6)["id"]
    assert ids(console, "--sort", "due") == [soon, late]
    assert ids(console, "--due-within", "7") == [soon, late]
    assert ids(console, "--due-within", "7", "--sort", "newest") == ids(console)


@pytest.mark.parametrize("part", ["büro", "BÜRO-L", "laptop von ada", "Bu\u0308ro-Laptop", "aptop v"])
def test_an_alias_is_found_by_a_part_whatever_its_case(bench: Bench, part: str) -> None:
    ada = bench.member("ada")
    laptop = SimulatedWorkstation("laptop", alias="Büro-Laptop von Ada")
    borrow_id = issued_to(bench, ada, laptop, product="arcgis-desktop").borrow.id
    issued_to(bench, ada, workstation("tower"), product="arcgis-desktop")
    assert [item.id for item in borrow.listed(Unit(bench.authority, CONSOLE), Filter(machine=part))[0]] == [borrow_id]


@pytest.mark.parametrize("part", ["%", "_", "*", "büro laptop", "\\"])
def test_no_sign_of_an_alias_stands_for_others(sqlite_bench: Bench, part: str) -> None:
    laptop = SimulatedWorkstation("laptop", alias="Büro-Laptop")
    issued_to(sqlite_bench, sqlite_bench.member("ada"), laptop, product="arcgis-desktop")
    with pytest.raises(NotFound):
        borrow.listed(Unit(sqlite_bench.authority, CONSOLE), Filter(machine=part))


@pytest.mark.parametrize(
    "arguments",
    [("--all", "--state", "active"), ("--all", "--due-within", "3"), ("--member", ""), ("--group", ""), ("--machine", "")],
)
def test_filters_that_contradict_or_say_nothing_are_wrong_usage(console: Console, arguments: tuple[str, ...]) -> None:
    assert console.run("borrow", "list", *arguments).status == 2


NAMES = ["id", "member", "license", "since", "until", "state"]
ROWS = [
    [f"Id{n:020}", f"user{n}@example.org", "arcgis-pro Advanced, 3DAnalyst", "2026-03-02T09:00:00Z", "2026-04-01", "active"]
    for n in range(200)
]


@pytest.mark.parametrize("width", [40, 60, 72, 80, 100, 120, 160, None])
def test_two_hundred_rows_are_whole_at_every_width(width: int | None) -> None:
    lines = list(lines_of(NAMES, ROWS, width))
    assert width is None or max(map(cell_len, lines)) <= width
    text = "\n".join(lines)
    for row in ROWS:
        for word in " ".join(row).split():
            assert re.search(rf"(?<!\S){re.escape(word)}(?!\S)", text), word
    assert not any(line != line.rstrip() for line in lines)


def test_where_it_fits_a_row_is_a_line_and_columns_stand_below_each_other() -> None:
    lines = list(lines_of(NAMES, ROWS, None))
    assert len(lines) == 1 + len(ROWS)
    for name, cell in zip(NAMES, ROWS[7], strict=True):
        assert lines[0].index(name) == lines[8].index(cell)


def test_cells_are_wrapped_between_words_where_that_is_enough() -> None:
    assert list(lines_of(["id", "license"], [["A" * 10, "arcgis-pro Advanced, 3DAnalyst"]], 24)) == [
        "id          license",
        "AAAAAAAAAA  arcgis-pro",
        "            Advanced,",
        "            3DAnalyst",
    ]


def test_where_columns_have_no_room_each_row_is_a_record() -> None:
    rows = [["A" * 10, "ada", "arcgis-pro Advanced"], ["B" * 10, "", "arcgis-pro"]]
    assert list(lines_of(["id", "member", "license"], rows, 22)) == [
        "id       AAAAAAAAAA",
        "member   ada",
        "license  arcgis-pro",
        "         Advanced",
        "",
        "id       BBBBBBBBBB",
        "license  arcgis-pro",
    ]


def test_wide_letters_count_twice() -> None:
    lines = list(lines_of(["name", "state"], [["山田太郎", "on"], ["ada", "off"]], None))
    assert [cell_len(line.rsplit("o", 1)[0]) for line in lines[1:]] == [10, 10]


def test_a_word_longer_than_the_line_has_a_line_of_its_own() -> None:
    assert list(lines_of(["id"], [["A" * 30]], 10)) == ["id  " + "A" * 30]


@pytest.mark.parametrize("columns", ["60", "80"])
def test_the_width_that_is_set_is_kept(console: Console, monkeypatch: pytest.MonkeyPatch, columns: str) -> None:
    two(console)
    monkeypatch.setenv("COLUMNS", columns)
    for command in (
        ("borrow", "list", "--all"),
        ("member", "list"),
        ("pool", "show"),
        ("license", "availability"),
        ("key", "list"),
        ("log", "list"),
        ("borrow", "offline"),
    ):
        lines = console.run(*command).out.splitlines()
        assert lines
        assert max(map(cell_len, lines)) <= int(columns), command


def test_a_file_has_each_row_in_one_line(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    groups = [word for number in range(40) for word in ("--group", f"a-long-name-of-a-group-{number}")]
    console.good("member", "add", "eve", *groups)
    assert len(console.run("member", "list").out.splitlines()) == 4


@ON_SQLITE
def test_a_revoked_borrow_is_no_active_one(bench: Bench) -> None:
    issued = issued_to(bench, bench.member("ada"), workstation("laptop")).borrow
    after = endings.revoke(Unit(bench.authority, CONSOLE), issued.id, "lost")
    assert after.days_left(bench.clock()) is None


def test_many_members_are_a_row_each_in_a_narrow_window(
    console: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has no room is left out and said; the columns that stay are whole."""
    table = tmp_path / "members.csv"
    rows = [f"member.number.{number},Somebody With A Long Name {number},Viewer,north; survey\n" for number in range(40)]
    table.write_text("username,full_name,user_type,groups\n" + "".join(rows), encoding="utf-8")
    console.good("member", "import", str(table))
    monkeypatch.setenv("COLUMNS", "60")
    ended = console.run("member", "list", "--type", "Viewer")
    head, *lines = ended.out.splitlines()
    assert {"username", "user_type", "state"} <= set(head.split())
    assert len([line for line in lines if "member.number." in line]) == 40
    assert max(map(cell_len, [head, *lines])) <= 60
    assert re.search(r"no room for .*groups, last used", ended.err)
    assert "no room" not in console.run("--json", "member", "list").err


@pytest.mark.parametrize(
    ("words", "offered"), [("member li", "list"), ("borrow re", "release"), ("member add ada --ro", "--role")]
)
def test_a_shell_completes_commands_and_options(words: str, offered: str) -> None:
    complete = BashComplete(cli, {}, "carnet-authority", "_CARNET_AUTHORITY_COMPLETE")
    *before, last = words.split()
    assert offered in [item.value for item in complete.get_completions(before, last)]
    assert "_CARNET_AUTHORITY_COMPLETE=bash_complete" in complete.source()
