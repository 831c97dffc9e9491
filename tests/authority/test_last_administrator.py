"""One administrator at least is left: by command, route and import, one after the other and at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from authority.domain.members import CONSOLE, Role
from authority.domain.refusals import LastAdministrator
from authority.services import member_changes, member_files, members, removal
from authority.services.member_changes import Change
from authority.services.member_files import Line
from authority.services.unit import Unit
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import at_once, codes
from tests.support.console import Console, contents_of
from tests.support.database_contents import contents
from tests.support.web import API, make_web, problem

DEMOTED = Change(role=Role.LICENSE_MANAGER)
# Three ways to be an administrator no more; every bench has the administrator "admin".
WAYS: dict[str, Callable[[Bench, str], object]] = {
    "demoted": lambda bench, name: member_changes.change(Unit(bench.authority, CONSOLE), name, DEMOTED),
    "disabled": lambda bench, name: member_changes.change(Unit(bench.authority, CONSOLE), name, Change(disabled=True)),
    "removed": lambda bench, name: removal.remove(Unit(bench.authority, CONSOLE), [name]),
}
each_way = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@each_way
def test_the_last_one_stays_and_nothing_is_changed(bench: Bench, way: Callable[[Bench, str], object]) -> None:
    before = contents(bench.authority.database)
    with pytest.raises(LastAdministrator) as caught:
        way(bench, "ADMIN")
    assert caught.value.evidence == {"member": "admin"}
    assert contents(bench.authority.database) == before


@each_way
def test_with_a_second_one_the_first_can_go_and_the_second_is_the_last(
    bench: Bench, way: Callable[[Bench, str], object]
) -> None:
    bench.administrator()
    way(bench, "admin")
    with pytest.raises(LastAdministrator):
        way(bench, "chief")


@ON_SQLITE
@each_way
def test_one_who_is_disabled_is_no_second_one(bench: Bench, way: Callable[[Bench, str], object]) -> None:
    chief = bench.administrator()
    member_changes.change(Unit(bench.authority, CONSOLE), chief.username, Change(disabled=True))
    with pytest.raises(LastAdministrator):
        way(bench, "admin")
    way(bench, "chief")


@each_way
@pytest.mark.parametrize("other", WAYS.values(), ids=WAYS)
def test_two_at_once_leave_one(
    bench: Bench, way: Callable[[Bench, str], object], other: Callable[[Bench, str], object]
) -> None:
    for turn in range(3):
        people = [person for person in members.every(Unit(bench.authority, CONSOLE)) if person.role is Role.ADMINISTRATOR]
        acting = [person.username for person in people if person.administers()]
        assert len(acting) == 1
        second = bench.member(f"chief{turn}", "Viewer", role=Role.ADMINISTRATOR)
        ended = at_once([partial(way, bench, acting[0]), partial(other, bench, second.username)])
        assert codes(ended) == Counter({"done": 1, "last-administrator": 1})


def test_of_several_removed_in_one_the_last_is_named(bench: Bench) -> None:
    bench.administrator()
    with pytest.raises(LastAdministrator) as caught:
        removal.remove(Unit(bench.authority, CONSOLE), ["admin", "chief"])
    assert [item.refusal is None for item in caught.value.items] == [True, False]
    assert len(members.every(Unit(bench.authority, CONSOLE))) == 2


@ON_SQLITE
def test_an_import_row_by_row_leaves_the_last(bench: Bench) -> None:
    bench.administrator()
    lines = [Line(number, name, {"role": Role.MEMBER}) for number, name in enumerate(("admin", "chief"), 2)]
    lines.append(Line(4, "chief", {"disabled": True}))
    imported = member_files.import_lines(Unit(bench.authority, CONSOLE), lines, go_on=True)
    refusals = [outcome.refusal and outcome.refusal.code for outcome in imported.outcomes]
    assert refusals[:2] == [None, "last-administrator"]
    assert refusals[2] is not None
    assert [person.role for person in members.every(Unit(bench.authority, CONSOLE))] == [Role.MEMBER, Role.ADMINISTRATOR]


@ON_SQLITE
def test_who_is_made_one_in_a_row_before_can_take_over(bench: Bench) -> None:
    bench.member("eve")
    lines = [Line(2, "eve", {"role": Role.ADMINISTRATOR}), Line(3, "admin", {"role": Role.MEMBER})]
    assert member_files.import_lines(Unit(bench.authority, CONSOLE), lines).applied
    lines = [
        Line(2, "admin", {"role": Role.ADMINISTRATOR}),
        Line(3, "eve", {"role": Role.MEMBER}),
        Line(4, "eve", {"user_type": "none such"}),
    ]
    assert not member_files.import_lines(Unit(bench.authority, CONSOLE), lines).applied
    with pytest.raises(LastAdministrator):
        member_changes.change(Unit(bench.authority, CONSOLE), "eve", DEMOTED)


COMMANDS = {
    "demoted": ("member", "set", "admin", "--role", "member"),
    "disabled": ("member", "set", "admin", "--disable"),
    "removed": ("member", "remove", "admin"),
    "demoted in a dry run": ("member", "set", "admin", "--role", "member", "--dry-run"),
    "removed in a dry run": ("member", "remove", "admin", "--dry-run"),
}


@pytest.mark.parametrize("arguments", COMMANDS.values(), ids=COMMANDS)
def test_no_command_takes_the_last_one(console: Console, arguments: tuple[str, ...]) -> None:
    before = contents_of(console)
    console.refused("last-administrator", 1, *arguments)
    assert contents_of(console) == before


@pytest.mark.parametrize("row", ["admin,member,", "admin,,true"])
def test_no_file_takes_the_last_one(console: Console, tmp_path: Path, row: str) -> None:
    sheet = tmp_path / "members.csv"
    sheet.write_text(f"username,role,disabled\n{row}\n", encoding="utf-8")
    for more in ((), ("--go-on",), ("--dry-run",)):
        ended = console.run("--json", "member", "import", str(sheet), *more)
        assert ended.status == 1
        assert "last-administrator" in ended.out


def test_new_members_by_default_leave_the_role_of_those_who_are_there(console: Console) -> None:
    console.good("member", "defaults", "--role", "member")
    assert console.good("member", "show", "admin")["role"] == "administrator"


def test_no_route_takes_the_last_one(sqlite_bench: Bench) -> None:
    web = make_web(sqlite_bench)
    member_changes.change(Unit(web.bench.authority, CONSOLE), "admin", Change(disabled=True))
    for body in ({"role": "member"}, {"disabled": True}):
        answer = web.send("PATCH", f"{API}/members/administrator", json=body)
        assert problem(answer, 409, "last-administrator")["errors"] == [
            {"name": "member", "message": None, "value": "administrator"}
        ]
    problem(web.send("DELETE", f"{API}/members/administrator"), 403, "not-allowed")
    problem(web.send("DELETE", f"{API}/members/administrator", Role.LICENSE_MANAGER), 403, "not-allowed")


def test_of_several_administrators_none_is_called_the_last(console: Console) -> None:
    console.good("member", "add", "second", "--role", "administrator")
    ended = console.run("member", "set", "admin", "second", "--disable")
    assert ended.status == 1
    assert "without second nobody would be left who administers the organization [last-administrator]" in ended.err
    assert "admin: could be done without those that are refused" in ended.err
