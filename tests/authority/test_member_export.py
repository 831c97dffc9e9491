"""All members as CSV, which the import takes back as they were."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authority.domain.members import CONSOLE, Assignment, DownloadPermission, Member, Role
from authority.domain.names import LONGEST_NAME, composed, key_of
from authority.domain.refusals import NotAllowed
from authority.presentation import member_sheet, sheets
from authority.services import licenses, member_changes, member_files, member_lists
from authority.services.member_changes import Change
from authority.services.member_lists import Listed
from authority.services.unit import Unit
from authority.storage.member_lists import Filter
from tests.support.authorities import ON_SQLITE, START, Bench, make_bench
from tests.support.borrowing import issued_to, workstation
from tests.support.connecting import started
from tests.support.console import Console
from tests.support.database_contents import contents

COLUMNS = "username,full_name,email,user_type,role,groups,disabled,vendor_access,download_permission,licenses,last_used_at"
# What a name or group can have in it: anything printable, in the one spelling that is kept.
CHARACTERS = st.one_of(st.sampled_from("=+-@ ';,\"\u200c"), st.characters(codec="utf-8").filter(str.isprintable))
NAMES = st.text(CHARACTERS, max_size=30).map(composed).filter(lambda name: len(key_of(name)) <= LONGEST_NAME)
GROUPS = st.lists(NAMES.filter(key_of), max_size=4, unique_by=key_of)


def listed(bench: Bench) -> list[Listed]:
    return member_lists.page(Unit(bench.authority, CONSOLE), Filter()).members


def exported(bench: Bench) -> str:
    rows = (member_sheet.row_of(row.member, row.licenses) for row in listed(bench))
    return "".join(sheets.lines(member_sheet.COLUMNS, rows))


def lines_of(text: str) -> list[member_files.Line]:
    rows = sheets.read(io.BytesIO(text.encode()), member_sheet.COLUMNS, ["username"])
    return [member_sheet.line_of(row) for row in rows]


def everything(bench: Bench) -> list[tuple[object, ...]]:
    """All members with what they hold, without what an import does not take over."""
    return [
        (
            member.username,
            member.full_name,
            member.email,
            member.user_type,
            member.role,
            member.groups,
            member.disabled,
            member.vendor_access,
            member.download_permission,
            held,
        )
        for member, held in ((row.member, row.licenses) for row in listed(bench))
    ]


def fill(bench: Bench) -> None:
    bench.member("ada", full_name='Ada "Countess", L.', groups=("=1+1", "a; b", '"c"', "north"))
    bench.member("Bob", "Creator", full_name=" =cmd|' /C calc'!A0", role=Role.ANALYST)
    bench.member("eve", "Viewer", full_name="\u0416\u0435\u043d\u044f", groups=("' @x ",))
    change = Change(
        email="eve@example.org", disabled=True, vendor_access=True, download_permission=DownloadPermission.REQUESTED
    )
    member_changes.change(Unit(bench.authority, CONSOLE), "eve", change)
    licenses.assign(Unit(bench.authority, CONSOLE), "ada", "arcgis-pro", "Standard", ("SpatialAnalyst", "3DAnalyst"))
    licenses.assign(Unit(bench.authority, CONSOLE), "bob", "arcgis-pro", "Basic", ())
    licenses.assign(Unit(bench.authority, CONSOLE), "bob", "arcgis-allsource", "Advanced", ("DataReviewer",))


def test_every_member_is_a_row_by_user_name(bench: Bench) -> None:
    fill(bench)
    text = exported(bench)
    assert text.split("\r\n")[0] == COLUMNS
    rows = {row["username"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
    assert list(rows) == ["ada", "admin", "Bob", "eve"]
    assert rows["ada"] == {
        "username": "ada",
        "full_name": 'Ada "Countess", L.',
        "email": "",
        "user_type": "GIS Professional",
        "role": "member",
        "groups": '"""c""";\' =1+1; "a; b"; north',
        "disabled": "false",
        "vendor_access": "false",
        "download_permission": "none",
        "licenses": "arcgis-pro=Standard+3DAnalyst+SpatialAnalyst",
        "last_used_at": "",
    }
    assert rows["Bob"]["licenses"] == "arcgis-allsource=Advanced+DataReviewer; arcgis-pro=Basic"
    assert rows["Bob"]["full_name"] == "'=cmd|' /C calc'!A0"
    assert (rows["eve"]["disabled"], rows["eve"]["vendor_access"], rows["eve"]["download_permission"]) == (
        "true",
        "true",
        "requested",
    )


def test_when_a_license_was_last_used_is_told(bench: Bench) -> None:
    started(bench, bench.member("ada"), workstation("laptop"))
    issued_to(bench, bench.member("eve"), workstation("other"), days=3)
    rows = {row["username"]: row["last_used_at"] for row in csv.DictReader(io.StringIO(exported(bench)))}
    assert rows["ada"] == "2026-03-02T09:00:00Z"
    assert rows["admin"] == ""


def test_what_was_exported_changes_nothing_when_it_is_imported(bench: Bench) -> None:
    fill(bench)
    before = contents(bench.authority.database)
    result = member_files.import_lines(Unit(bench.authority, CONSOLE), lines_of(exported(bench)))
    assert {outcome.action for outcome in result.outcomes} == {"unchanged"}
    assert contents(bench.authority.database) == before


def test_another_authority_takes_the_members_over_as_they_were(bench: Bench, tmp_path: Path) -> None:
    fill(bench)
    other = make_bench(f"sqlite:///{tmp_path / 'other.db'}", tmp_path / "other")
    result = member_files.import_lines(Unit(other.authority, CONSOLE), lines_of(exported(bench)))
    assert (result.applied, result.count("add"), result.count("unchanged")) == (True, 3, 1)
    assert everything(other) == everything(bench)
    assert exported(other) == exported(bench)
    other.authority.database.close()


def test_the_file_restores_what_changed_since(bench: Bench) -> None:
    fill(bench)
    before, text = everything(bench), exported(bench)
    member_changes.change(
        Unit(bench.authority, CONSOLE), "ada", Change(full_name="", user_type="Viewer", groups=("x",), role=Role.ANALYST)
    )
    member_changes.change(Unit(bench.authority, CONSOLE), "eve", Change(email=""))
    licenses.assign(Unit(bench.authority, CONSOLE), "bob", "arcgis-pro", "Advanced", ("3DAnalyst",))
    member_files.import_lines(Unit(bench.authority, CONSOLE), lines_of(text))
    # What the type included was taken and given anew, and is what it was.
    assert everything(bench) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(NAMES, GROUPS)
def test_any_name_and_group_comes_back_as_it_was(full_name: str, groups: list[str]) -> None:
    names = tuple(sorted(set(groups)))
    member = Member(1, "ada", full_name, "GIS Professional", Role.MEMBER, False, names, START)
    held = Assignment("arcgis-pro", "Advanced", ("3DAnalyst",), included=True)
    text = "".join(sheets.lines(member_sheet.COLUMNS, [member_sheet.row_of(member, [held])]))
    line = lines_of(text)[0]
    assert line.refusal is None
    assert (line.values["full_name"], line.values["groups"]) == (full_name, names)
    assert [(wish.product, wish.level, wish.extensions) for wish in line.licenses or ()] == [
        ("arcgis-pro", "Advanced", ("3DAnalyst",))
    ]


@ON_SQLITE
@pytest.mark.parametrize(("role", "may"), [(Role.LICENSE_MANAGER, True), (Role.ANALYST, False), (Role.MEMBER, False)])
def test_who_may_list_members_may_export_them(bench: Bench, role: Role, may: bool) -> None:
    who = bench.member("somebody", role=role)
    if may:
        assert member_lists.page(Unit(bench.authority, who), Filter()).total == 2
    else:
        with pytest.raises(NotAllowed):
            member_lists.page(Unit(bench.authority, who), Filter())


def test_the_command_writes_a_sheet_that_it_takes_back(console: Console, tmp_path: Path) -> None:
    ended = console.run("member", "export")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.split("\r\n")[0] == COLUMNS
    path = tmp_path / "members.csv"
    assert console.good("member", "export", "-o", str(path)) == {"file": str(path), "members": 2}
    assert path.read_bytes().decode() == ended.out
    assert console.good("member", "import", str(path))["unchanged"] == 2


def test_the_command_gives_objects_to_programs(console: Console) -> None:
    objects = console.good("member", "export")
    for member, name in zip(objects, ("ada", "admin"), strict=True):
        shown = console.good("member", "show", name)
        assert member == shown | {"state": "none", "offline_until": None, "version": member["version"]}
        assert member["version"] == shown["version"]


@pytest.mark.parametrize("output", [".", "nowhere/members.csv"])
def test_a_file_that_cannot_be_written_is_wrong_usage(console: Console, output: str) -> None:
    ended = console.run("member", "export", "-o", output)
    assert (ended.status, ended.out) == (2, "")
    assert output in ended.err
