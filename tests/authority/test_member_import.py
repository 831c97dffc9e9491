"""Members from a CSV file: many added and changed at once, held to the same rules as one by one."""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from authority.domain.members import CONSOLE, Actor, Member, Role
from authority.domain.refusals import NotAllowed
from authority.presentation import member_sheet, sheets
from authority.services import defaults, licenses, member_changes, member_files, members
from authority.services.defaults import Defaults
from authority.services.member_changes import Change
from authority.services.member_files import Imported
from authority.services.unit import Unit
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.database_contents import contents, log_rows
from tests.support.organizations import actor, authorize, available, held, members_at_most, seats


def imported(bench: Bench, text: str, who: Actor = CONSOLE, *, dry_run: bool = False, go_on: bool = False) -> Imported:
    """What became of a file with this text."""
    rows = sheets.read(io.BytesIO(text.encode()), member_sheet.COLUMNS, ["username"], member_sheet.NEVER_HINTS)
    lines = [member_sheet.line_of(row) for row in rows]
    return member_files.import_lines(Unit(bench.authority, who), lines, dry_run=dry_run, go_on=go_on)


def results(result: Imported) -> list[tuple[int, str, str | None]]:
    """Number, action and code of each row."""
    return [(item.line.number, item.action, None if item.refusal is None else item.refusal.code) for item in result.outcomes]


def changes(result: Imported, row: int = 0) -> dict[str, tuple[Any, Any]]:
    return {item.field: (item.before, item.after) for item in result.outcomes[row].differences}


def member(bench: Bench, username: str) -> Member:
    return members.show(Unit(bench.authority, CONSOLE), username)[0]


def usernames(bench: Bench) -> list[str]:
    return [item.username for item in members.every(Unit(bench.authority, CONSOLE)) if item.username != "admin"]


FULL = """\
username,full_name,email,user_type,role,groups,disabled,vendor_access,download_permission,licenses,last_used_at
ada,Ada Lovelace, ada@example.org ,GIS Professional,license-manager,survey; north,no,yes,granted,arcgis-pro=Advanced+3DAnalyst,2026-01-01T00:00:00Z
bob,,,Creator,,,TRUE,,,arcgis-pro=Standard+SpatialAnalyst+3DAnalyst; arcgis-allsource=Basic,
eve,Eve,,Viewer,member,,false,false,none,,
"""


def test_members_who_are_not_there_are_added_with_all_that_the_row_says(bench: Bench) -> None:
    result = imported(bench, FULL)
    assert (results(result), result.applied) == ([(2, "add", None), (3, "add", None), (4, "add", None)], True)
    ada, bob = member(bench, "ada"), member(bench, "bob")
    assert (ada.full_name, ada.user_type, ada.role, ada.groups) == (
        "Ada Lovelace",
        "GIS Professional",
        Role.LICENSE_MANAGER,
        ("north", "survey"),
    )
    assert (ada.email, bob.email) == ("ada@example.org", "")
    assert (ada.disabled, ada.vendor_access, ada.download_permission, ada.last_used_at) == (False, True, "granted", None)
    assert (bob.full_name, bob.role, bob.groups, bob.disabled, bob.vendor_access) == ("", Role.MEMBER, (), True, False)
    assert held(bench, "ada") == {"arcgis-pro": ("Advanced", ("3DAnalyst",))}
    assert held(bench, "bob") == {
        "arcgis-allsource": ("Basic", ()),
        "arcgis-pro": ("Standard", ("3DAnalyst", "SpatialAnalyst")),
    }
    assert held(bench, "eve") == {}
    assert available(bench, "3DAnalyst") == 50 - 2 - 0


def test_the_log_has_the_rows_that_it_has_one_by_one(bench: Bench) -> None:
    before = len(log_rows(bench.authority.database, "license-assigned"))
    imported(bench, "username,user_type,licenses\nbob,Creator,arcgis-pro=Basic+3DAnalyst\n")
    imported(bench, "username,full_name,email\nbob,Bob,bob@example.org\n")
    imported(bench, "username,licenses\nbob,\n")
    log = bench.authority.database
    assert [row["reason"] for row in log_rows(log, "member-added") if row["member"] == "bob"] == ["Creator"]
    assert [row["feature"] for row in log_rows(log, "license-assigned")[before:]] == ["Basic", "3DAnalyst"]
    assert [row["reason"] for row in log_rows(log, "member-changed")] == [
        "full name: none, from now on Bob; another e-mail address"
    ]
    assert [row["feature"] for row in log_rows(log, "license-unassigned")] == ["Basic", "3DAnalyst"]
    assert {row["actor"] for row in log_rows(log, "member-changed")} == {"console"}


def test_the_same_file_again_changes_nothing_and_logs_nothing(bench: Bench) -> None:
    imported(bench, FULL)
    before = contents(bench.authority.database)
    result = imported(bench, FULL)
    assert {action for _, action, _ in results(result)} == {"unchanged"}
    assert contents(bench.authority.database) == before


@ON_SQLITE
def test_only_the_columns_of_the_file_change(bench: Bench) -> None:
    imported(bench, FULL)
    before = member(bench, "ada")
    result = imported(bench, "role,username\nanalyst,ADA\n")
    assert changes(result) == {"role": (Role.LICENSE_MANAGER, Role.ANALYST)}
    after = member(bench, "ada")
    assert (after.username, after.role, after.groups, after.full_name) == ("ada", Role.ANALYST, before.groups, before.full_name)
    assert held(bench, "ada") == {"arcgis-pro": ("Advanced", ("3DAnalyst",))}
    assert usernames(bench) == ["ada", "bob", "eve"]


@ON_SQLITE
def test_an_empty_cell_is_no_name_and_no_group_and_says_nothing_of_the_rest(bench: Bench) -> None:
    imported(bench, FULL)
    result = imported(
        bench, "username,full_name,email,user_type,role,groups,disabled,vendor_access,download_permission\nada,,,,,,,,\n"
    )
    assert changes(result) == {
        "full_name": ("Ada Lovelace", ""),
        "email": ("ada@example.org", ""),
        "groups": (("north", "survey"), ()),
    }
    assert (member(bench, "ada").role, member(bench, "ada").vendor_access) == (Role.LICENSE_MANAGER, True)


@ON_SQLITE
def test_a_change_of_type_takes_and_gives_licenses_and_says_so(bench: Bench) -> None:
    imported(bench, FULL)
    result = imported(bench, "username,user_type\nada,Viewer\nbob,GIS Professional\n")
    assert changes(result, 0)["user_type"] == ("GIS Professional", "Viewer")
    removed, added = changes(result, 0)["licenses"], changes(result, 1)["licenses"]
    assert ([item.product for item in removed[0]], removed[1]) == (["arcgis-pro"], ())
    assert {item.product: item.level for item in added[1]} == {"arcgis-pro": "Advanced", "arcgis-allsource": "Basic"}
    assert held(bench, "ada") == {}


def test_the_licenses_of_a_row_are_all_that_is_held_beside_what_the_type_includes(bench: Bench) -> None:
    imported(bench, FULL)
    imported(bench, "username,licenses\nada,arcgis-allsource=Basic\nbob,arcgis-pro=Advanced\n")
    assert held(bench, "ada") == {"arcgis-allsource": ("Basic", ()), "arcgis-pro": ("Advanced", ("3DAnalyst",))}
    assert held(bench, "bob") == {"arcgis-pro": ("Advanced", ())}
    imported(bench, "username,licenses\nada,\nbob,\n")
    assert (held(bench, "ada"), held(bench, "bob")) == ({"arcgis-pro": ("Advanced", ("3DAnalyst",))}, {})


@ON_SQLITE
def test_new_members_get_the_defaults_where_the_file_has_no_column(bench: Bench) -> None:
    usual = Defaults("Creator", "analyst", ("new",), (("arcgis-pro", "Basic"),), vendor_access=True)
    defaults.put(Unit(bench.authority, CONSOLE), usual)
    imported(bench, "username\nada\n")
    imported(bench, "username,user_type,role,groups,vendor_access,licenses\nbob,,,,,\neve,,member,x,no,arcgis-pro=Standard\n")
    ada, bob, eve = (member(bench, name) for name in ("ada", "bob", "eve"))
    assert (ada.user_type, ada.role, ada.groups, ada.vendor_access) == ("Creator", Role.ANALYST, ("new",), True)
    assert (bob.user_type, bob.role, bob.groups, bob.vendor_access) == ("Creator", Role.ANALYST, (), True)
    assert (eve.role, eve.groups, eve.vendor_access) == (Role.MEMBER, ("x",), False)
    assert [held(bench, name) for name in ("ada", "bob", "eve")] == [
        {"arcgis-pro": ("Basic", ())},
        {},
        {"arcgis-pro": ("Standard", ())},
    ]


def test_a_dry_run_says_the_same_and_changes_nothing(bench: Bench) -> None:
    imported(bench, "username,full_name\nada,A\n")
    before = contents(bench.authority.database)
    planned = imported(bench, FULL, dry_run=True)
    assert not planned.applied
    assert contents(bench.authority.database) == before
    assert usernames(bench) == ["ada"]
    assert [item.differences for item in imported(bench, FULL).outcomes] == [item.differences for item in planned.outcomes]


BAD_ROWS = """\
username,full_name,user_type,role,licenses
ada,Ada,GIS Professional,,
bob,Bob,Creator,,arcgis-pro=Basic+Teleport
eve,Eve,Butler,,
-x,X,Creator,boss,arcgis-pro
ADA,Again,Creator,,
fay,Fay,Viewer,,arcgis-pro=Basic
gus,Gus,GIS Professional,,arcgis-pro=Basic; arcgis-desktop=Advanced
"""
TOLD = [
    (2, "add", None),
    (3, "refused", "no-such-product"),
    (4, "refused", "no-such-product"),
    (5, "refused", "invalid-input"),
    (6, "refused", "invalid-input"),
    (7, "refused", "type-not-compatible"),
    (8, "refused", "invalid-input"),
]


def test_one_bad_row_and_nothing_is_changed_and_all_of_them_are_told(bench: Bench) -> None:
    before = contents(bench.authority.database)
    result = imported(bench, BAD_ROWS)
    assert (results(result), result.applied) == (TOLD, False)
    assert contents(bench.authority.database) == before
    wrong = result.outcomes[3].refusal
    assert wrong is not None
    assert [(item["column"], item["value"]) for item in wrong.evidence["cells"]] == [
        ("username", "-x"),
        ("role", "boss"),
        ("licenses", "arcgis-pro"),
    ]
    assert all(item.refusal.hint and item.refusal.message for item in result.outcomes if item.refusal is not None)
    assert result.outcomes[4].refusal is not None
    assert result.outcomes[4].refusal.message == '"ADA" is in row 2 already'


def test_going_on_takes_the_good_rows_and_nothing_of_the_bad_ones(bench: Bench) -> None:
    result = imported(bench, BAD_ROWS, go_on=True)
    assert (results(result), result.applied) == (TOLD, True)
    assert usernames(bench) == ["ada"]
    assert member(bench, "ada").full_name == "Ada"
    log = bench.authority.database
    assert [row["member"] for row in log_rows(log, "member-added")] == ["admin", "ada"]
    assert {row["member"] for row in log_rows(log, "license-assigned")} == {"ada"}
    assert (available(bench, "Advanced"), available(bench, "Basic")) == (49, 50)


def test_going_on_in_a_dry_run_still_changes_nothing(bench: Bench) -> None:
    result = imported(bench, BAD_ROWS, go_on=True, dry_run=True)
    assert (results(result), result.applied) == (TOLD, False)
    assert usernames(bench) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (members_at_most(3), "member-limit-reached"),
        (lambda specification: specification["members"]["types"].update({"GIS Professional": 2}), "member-limit-reached"),
        (seats("Advanced", 2), "pool-exhausted"),
    ],
    ids=["members", "members of a type", "licenses"],
)
def test_limits_are_those_of_adding_one_by_one(bench: Bench, change: Callable[[dict[str, Any]], None], code: str) -> None:
    authorize(bench, change)
    text = "username,user_type\n" + "".join(f"m{number},GIS Professional\n" for number in range(4))
    expected = [(2, "add", None), (3, "add", None), (4, "refused", code), (5, "refused", code)]
    assert results(imported(bench, text)) == expected
    assert usernames(bench) == []
    assert results(imported(bench, text, go_on=True)) == expected
    assert usernames(bench) == ["m0", "m1"]
    assert available(bench, "Advanced") == (0 if code == "pool-exhausted" else 48)


def test_however_many_rows_each_count_is_locked_and_written_once(bench: Bench) -> None:
    """On PostgreSQL a row that is written once for each member is slower each time."""
    written: Counter[str] = Counter()
    engine = bench.authority.database.engine

    def see(_connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        table = re.match(r"UPDATE (pools|member_counts) |SELECT organization.id .*FOR UPDATE", " ".join(statement.split()))
        if table:
            written.update(f"{table[1] or 'lock'} {values}" for values in (parameters if many else [parameters]))

    event.listen(engine, "before_cursor_execute", see)
    bench.member("ada", "Viewer")
    text = "ada,Creator,\n" + "".join(f"m{number},GIS Professional,arcgis-pro=Advanced+3DAnalyst\n" for number in range(20))
    written.clear()
    result = imported(bench, "username,user_type,licenses\n" + text + "bad,Creator,arcgis-pro=Best\n", go_on=True)
    event.remove(engine, "before_cursor_execute", see)
    assert [result.count(action) for action in member_files.ACTIONS] == [20, 1, 0, 1]
    assert set(written.values()) == {1}, written
    tables = Counter(what.split()[0] for what in written)
    assert (tables["pools"], tables["member_counts"]) == (2, 3)
    assert tables["lock"] == (0 if bench.authority.database.is_sqlite else 1)
    assert (available(bench, "Advanced"), available(bench, "3DAnalyst")) == (30, 30)
    assert members.membership(Unit(bench.authority, CONSOLE)).by_type["GIS Professional"] == (20, None)


def test_what_a_row_gives_up_the_next_can_have(bench: Bench) -> None:
    imported(bench, "username,user_type,licenses\nada,Creator,arcgis-pro=Standard\n")
    authorize(bench, seats("Standard", 1))
    assert results(imported(bench, "username,licenses\neve,arcgis-pro=Standard\nada,\n"))[0][2] == "pool-exhausted"
    assert [action for _, action, _ in results(imported(bench, "username,licenses\nada,\neve,arcgis-pro=Standard\n"))] == [
        "change",
        "add",
    ]
    # A refused row, and what a row before it gave up for nothing, is free again.
    text = "username,licenses\nbob,arcgis-pro=Standard\neve,\nfay,arcgis-pro=Standard+Teleport\ngus,arcgis-pro=Standard\n"
    assert [code for _, _, code in results(imported(bench, text, go_on=True))] == [
        "pool-exhausted",
        None,
        "no-such-product",
        None,
    ]
    assert held(bench, "gus") == {"arcgis-pro": ("Standard", ())}


def test_while_there_are_too_many_members_those_who_are_there_can_be_changed(bench: Bench) -> None:
    imported(bench, "username\nada\neve\n")
    authorize(bench, members_at_most(2))
    result = imported(bench, "username,full_name\nada,Ada\nbob,Bob\n", go_on=True)
    assert results(result) == [(2, "change", None), (3, "refused", "member-limit-reached")]
    assert result.outcomes[1].refusal is not None
    assert result.outcomes[1].refusal.evidence["maximum"] == 2


def test_a_product_that_is_held_but_no_longer_licensed_is_no_obstacle(bench: Bench) -> None:
    imported(bench, FULL)
    authorize(bench, seats("SpatialAnalyst", None), seats("Standard", 0))
    assert {action for _, action, _ in results(imported(bench, FULL))} == {"unchanged"}


@ON_SQLITE
@pytest.mark.parametrize("role", [Role.LICENSE_MANAGER, Role.ANALYST, Role.MEMBER])
def test_only_administrators_import(bench: Bench, role: Role) -> None:
    who = bench.member("somebody", role=role)
    before = contents(bench.authority.database)
    with pytest.raises(NotAllowed):
        imported(bench, FULL, who)
    assert contents(bench.authority.database) == before
    assert results(imported(bench, FULL, bench.administrator()))[0][1] == "add"


CELLS: dict[str, tuple[str, str, str]] = {
    "no user name": ("username", "", "cannot be a user name"),
    "user name of spaces": ("username", '"  "', "cannot be a user name"),
    "user name with a space": ("username", "a da", "cannot be a user name"),
    "user name that is a formula": ("username", "=1+1", "cannot be a user name"),
    "defused user name": ("username", "'=1+1", "cannot be a user name"),
    "user name of 129": ("username", "a" * 129, "cannot be a user name"),
    "user name of other letters": ("username", "\u0430da", "cannot be a user name"),
    "user name with another meaning": ("username", "defaults", "another meaning"),
    "name of 129": ("full_name", "x" * 129, "at most 128"),
    "name with a line break": ("full_name", '"a\nb"', "U+000A"),
    "name with an escape": ("full_name", "\x1b[2J", "U+001B"),
    "address with a name": ("email", "Ada <ada@example.org>", "is no e-mail address"),
    "two addresses": ("email", '"a@example.org,b@example.org"', "is no e-mail address"),
    "address with a header": ("email", '"a@example.org\nBcc: b@example.org"', "is no e-mail address"),
    "address without a host": ("email", "ada@", "is no e-mail address"),
    "address that begins with a dot": ("email", ".ada@example.org", "is no e-mail address"),
    "address with two dots": ("email", "ada@example..org", "is no e-mail address"),
    "long address": ("email", f"ada@{'x' * 252}", "is no e-mail address"),
    "type that is not there": ("user_type", "Butler", "there is no user type"),
    "role that is not there": ("role", "boss", "there is no such value"),
    "group of 129": ("groups", "ok; " + "g" * 129, "at most 128"),
    "group without a name": ("groups", '"a; """""', "needs a name"),
    "group with a bell": ("groups", "a\a", "U+0007"),
    "groups with an open quote": ("groups", "'\"a", "quotes do not match"),
    "neither true nor false": ("disabled", "perhaps", "there is no such value"),
    "vendor access by date": ("vendor_access", "2026-01-01", "there is no such value"),
    "permission that is not there": ("download_permission", "always", "there is no such value"),
    "license without a level": ("licenses", "arcgis-pro", "is no license"),
    "license with an empty level": ("licenses", "arcgis-pro=", "is no license"),
    "license without a product": ("licenses", "=Basic", "is no license"),
    "license with an empty extension": ("licenses", "arcgis-pro=Basic+", "is no license"),
    "license twice": ("licenses", "arcgis-pro=Basic; arcgis-pro=Basic", "is there twice"),
    "license of a product that is not there": ("licenses", "arcgis-x=Basic", "no product"),
    "license of a level that is not there": ("licenses", "arcgis-pro=Best", "has no level"),
    "license of a concurrent product": ("licenses", "arcgis-desktop=Advanced", "concurrent-use"),
}


@pytest.mark.parametrize(("column", "cell", "message"), CELLS.values(), ids=CELLS)
def test_a_cell_that_makes_no_sense_is_told_and_changes_nothing(
    sqlite_bench: Bench, column: str, cell: str, message: str
) -> None:
    sqlite_bench.member("ada", "Creator")
    before = contents(sqlite_bench.authority.database)
    name, more = ("", "") if column == "username" else ("ada,", "username,")
    result = imported(
        sqlite_bench, f"{more}{column},role\n{name}{cell},analyst\n" if column != "role" else f"username,role\nada,{cell}\n"
    )
    assert result.outcomes[0].action == "refused"
    refusal = result.outcomes[0].refusal
    assert refusal is not None
    assert message in refusal.message
    assert refusal.hint
    assert contents(sqlite_bench.authority.database) == before


@ON_SQLITE
def test_names_of_128_characters_and_formulas_are_names(bench: Bench) -> None:
    name = "a" * 128
    imported(
        bench, f"username,full_name,groups\n{name},'=1+1,'@x; \u0434\u0440\u0443\u0437\u044c\u044f\neve,=2+2,{'g' * 128}\n"
    )
    assert (member(bench, name).full_name, member(bench, name).groups) == (
        "=1+1",
        ("@x", "\u0434\u0440\u0443\u0437\u044c\u044f"),
    )
    assert (member(bench, "eve").full_name, member(bench, "eve").groups) == ("=2+2", ("g" * 128,))


def test_a_change_by_somebody_else_meanwhile_is_not_undone(bench: Bench) -> None:
    imported(bench, FULL)
    member_changes.change(Unit(bench.authority, CONSOLE), "ada", Change(full_name="Countess"))
    licenses.assign(Unit(bench.authority, CONSOLE), "bob", "arcgis-pro", "Advanced", ())
    result = imported(bench, "username,role\nada,member\nbob,analyst\n")
    assert [set(changes(result, row)) for row in (0, 1)] == [{"role"}, {"role"}]
    assert (member(bench, "ada").full_name, held(bench, "bob")["arcgis-pro"][0]) == ("Countess", "Advanced")
    assert actor(bench, "bob").role is Role.ANALYST
