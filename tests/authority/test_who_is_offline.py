"""Who is offline: filters, rows for a spreadsheet and JSON, from the command and from the API, without a query per row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from authority.domain.members import CONSOLE, Actor, Role
from authority.presentation import sheets
from authority.presentation.borrows import BorrowShown
from authority.services import borrow, endings, licenses
from authority.services.unit import Unit
from authority.storage.borrows import MOST_VALUES, Filter
from authority.storage.db.tables import borrows, member_groups
from authority.storage.db.tables import members as members_table
from tests.support.authorities import Bench
from tests.support.borrowing import issued_to, workstation
from tests.support.console import Console
from tests.support.organizations import actor
from tests.support.statements import statements
from tests.support.web import Web, make_web, problem

COLUMNS = (
    "id,member,user_type,groups,product,level,extensions,machine_id,machine_alias,user_id,user_name,"
    "issued_at,expires_at,state,ended_at,seat_free_at,decided_by,reason,copy_may_run_until,days_left,"
    "clone_seen_at,clone_evidence,status_max_age"
)
# More than one page of a CSV.
MANY = borrow.PAGE + 3


@pytest.fixture
def people(bench: Bench) -> dict[str, str]:
    return three_are_offline(bench)


def three_are_offline(bench: Bench) -> dict[str, str]:
    """Three members of different groups and types who are offline until different days: member to borrow."""
    licenses.assign(
        Unit(bench.authority, CONSOLE), bench.member("bob", "Creator", groups=("north",)).username, "arcgis-pro", "Basic", ()
    )
    bench.member("ada", groups=("north", "survey"))
    bench.member("eve")
    return {name: offline(bench, name, days) for name, days in (("ada", 3), ("bob", 7), ("eve", 14))}


def offline(bench: Bench, name: str, days: int) -> str:
    member = actor(bench, name)
    return issued_to(bench, member, workstation(f"{name}s-laptop"), days=days).borrow.id


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def listed(bench: Bench, wanted: Filter, who: Actor = CONSOLE) -> list[str]:
    return sorted(item.member for item in borrow.listed(Unit(bench.authority, who), wanted)[0])


def days_from(bench: Bench, days: int) -> datetime:
    return bench.clock() + timedelta(days=days)


FILTERS: dict[str, tuple[Callable[[Bench], Filter], list[str]]] = {
    "group": (lambda _: Filter(group="north"), ["ada", "bob"]),
    "group in another case": (lambda _: Filter(group="North"), ["ada", "bob"]),
    "type": (lambda _: Filter(user_type="Creator"), ["bob"]),
    "type of nobody": (lambda _: Filter(user_type="Viewer"), []),
    "group and type": (lambda _: Filter(group="north", user_type="GIS Professional"), ["ada"]),
    "ends before": (lambda bench: Filter(expires_before=days_from(bench, 10)), ["ada", "bob"]),
    "ends at that very time": (lambda bench: Filter(expires_before=days_from(bench, 3)), []),
    "all of it": (
        lambda bench: Filter(
            "active", "ada", "arcgis-pro", "adas-laptop", None, 1, "survey", "GIS Professional", days_from(bench, 4)
        ),
        ["ada"],
    ),
}


@pytest.mark.parametrize(("wanted", "names"), FILTERS.values(), ids=FILTERS)
@pytest.mark.usefixtures("people")
def test_borrows_are_found_by_group_type_and_end(bench: Bench, wanted: Callable[[Bench], Filter], names: list[str]) -> None:
    assert listed(bench, wanted(bench)) == names


def test_a_member_finds_only_their_own_whatever_is_asked(bench: Bench, people: dict[str, str]) -> None:
    bob = actor(bench, "bob")
    assert listed(bench, Filter(group="north"), bob) == ["bob"]
    assert listed(bench, Filter(group="survey"), bob) == []
    assert [item.id for item in borrow.every(Unit(bench.authority, bob), Filter())] == [people["bob"]]


def insert_many(bench: Bench, count: int, members: int = 50) -> None:
    """So many borrows of so many other members, every second one past, as rows."""
    now = bench.clock()
    with bench.authority.database.write() as connection:
        columns = {"role": "member", "full_name": "", "disabled": False, "created_at": now, "user_type": "Creator"}
        connection.execute(
            insert(members_table),
            [{"id": 1000 + n, "username": f"m{n}", "username_key": f"m{n}", **columns} for n in range(members)],
        )
        connection.execute(insert(borrows), [values(number, now, members) for number in range(count)])


def values(number: int, now: datetime, members: int) -> dict[str, Any]:
    # Several are of one second, so that pages end within it.
    issued_at = now - timedelta(minutes=number // 7)
    ends_at = now + timedelta(days=1 if number % 2 else -1)
    return {
        "id": f"B{number:021}",
        "member_id": 1000 + number % members,
        "product": "arcgis-pro",
        "level": "Advanced",
        "extensions": "[]",
        "machine_id": f"machine-{number}",
        "machine_source": "simulated",
        "machine_key": "K" * 43,
        "user_id": "uid:1000",
        "user_name": "x",
        "issued_at": issued_at,
        "expires_at": ends_at,
        "seat_free_at": ends_at,
        "decided_by": "organization",
    }


@pytest.mark.usefixtures("people")
def test_a_page_is_one_query_and_one_for_the_groups(bench: Bench) -> None:
    insert_many(bench, 500)
    for limit in (2, 400):
        selects = statements(bench, lambda limit=limit: borrow.listed(Unit(bench.authority, CONSOLE), Filter(limit=limit)))  # type: ignore[misc]
        assert len(selects) == 2
    everything = statements(bench, lambda: list(borrow.every(Unit(bench.authority, CONSOLE), Filter())))
    assert len(everything) == 2


def test_active_borrows_are_found_by_an_index(sqlite_bench: Bench) -> None:
    insert_many(sqlite_bench, 500)
    wanted = Filter(state="active")
    query, parameters = statements(sqlite_bench, lambda: borrow.listed(Unit(sqlite_bench.authority, CONSOLE), wanted))[0]
    with sqlite_bench.authority.database.read() as connection:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)]
    assert plan[0] == "SEARCH borrows USING INDEX ix_borrows_seat_free_at (seat_free_at>?)"


def test_everything_comes_once_and_in_order_over_many_pages(bench: Bench) -> None:
    insert_many(bench, MANY)
    rows = list(borrow.every(Unit(bench.authority, CONSOLE), Filter(limit=10)))
    assert len({item.id for item in rows}) == len(rows) == MANY
    assert [(item.issued_at, item.id) for item in rows] == sorted(((item.issued_at, item.id) for item in rows), reverse=True)


def test_a_list_of_more_members_than_a_statement_takes_values_is_whole(sqlite_bench: Bench) -> None:
    count = MOST_VALUES + 1
    insert_many(sqlite_bench, count, members=count)
    with sqlite_bench.authority.database.write() as connection:
        connection.execute(insert(member_groups), [{"member_id": 1000 + n, "name": f"g{n}"} for n in range(count)])
    rows = borrow.listed(Unit(sqlite_bench.authority, CONSOLE), Filter(limit=count))[0]
    assert {item.member: item.groups for item in rows} == {f"m{n}": (f"g{n}",) for n in range(count)}


@pytest.fixture
def web(sqlite_bench: Bench) -> Web:
    three_are_offline(sqlite_bench)
    return make_web(sqlite_bench)


def test_rows_say_the_same_as_objects(bench: Bench, people: dict[str, str]) -> None:
    endings.release(Unit(bench.authority, CONSOLE), people["eve"], "lost", accept_overlap=True)
    web = make_web(bench)
    answer = web.get("/borrows?format=csv")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="borrows.csv"'
    text = answer.get_data(as_text=True)
    assert text.split("\r\n")[0] == COLUMNS
    assert len(text.split("\r\n")) == 5
    objects = web.get("/borrows").get_json()["items"]
    assert len(objects) == 3
    for row, shown in zip(rows_of(text), objects, strict=True):
        flat = shown | {
            "groups": "; ".join(shown["groups"]),
            "extensions": "; ".join(shown["extensions"]),
            "machine_id": shown["machine"]["id"],
            "machine_alias": shown["machine"]["alias"],
            "user_id": shown["user"]["id"],
            "user_name": shown["user"]["name"],
        }
        assert row == {name: "" if flat[name] is None else str(flat[name]) for name in COLUMNS.split(",")}
    lost = next(row for row in rows_of(text) if row["member"] == "eve")
    assert (lost["state"], lost["reason"], lost["copy_may_run_until"]) == ("released", "lost", lost["expires_at"])


@pytest.mark.parametrize(
    ("query", "accept", "is_csv"),
    [
        ("", "text/csv", True),
        ("", "text/csv;q=0.9, */*;q=0.1", True),
        ("", "*/*", False),
        ("", "application/json, text/csv", False),
        ("", "text/html", False),
        ("?format=csv", "application/json", True),
        ("?format=json", "text/csv", False),
    ],
)
def test_the_form_is_what_is_accepted_or_asked_for(web: Web, query: str, accept: str, is_csv: bool) -> None:
    answer = web.get(f"/borrows{query}", headers={"Accept": accept})
    assert answer.content_type.startswith("text/csv" if is_csv else "application/json")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("group=north", ["ada", "bob"]),
        ("type=Creator", ["bob"]),
        ("group=north&type=Viewer", []),
        ("state=active&group=survey", ["ada"]),
        ("search=NOR", ["ada", "bob"]),
        ("search=surv&group=north", ["ada"]),
    ],
)
def test_both_forms_are_filtered_alike(web: Web, query: str, names: list[str]) -> None:
    assert sorted(item["member"] for item in web.get(f"/borrows?{query}").get_json()["items"]) == names
    text = web.get(f"/borrows?{query}&format=csv").get_data(as_text=True)
    assert sorted(row["member"] for row in rows_of(text)) == names
    assert text.startswith(COLUMNS)


def test_a_sheet_has_all_rows_unless_a_limit_is_given(web: Web) -> None:
    insert_many(web.bench, MANY)
    assert len(rows_of(web.get("/borrows?format=csv").get_data(as_text=True))) == MANY + 3
    assert len(rows_of(web.get("/borrows?format=csv&limit=10").get_data(as_text=True))) == 10
    page = web.get("/borrows?limit=10").get_json()
    rest = web.get(f"/borrows?format=csv&cursor={page['next']}").get_data(as_text=True)
    assert len(rows_of(rest)) == MANY + 3 - 10


@pytest.mark.parametrize(
    ("role", "count"), [(Role.ADMINISTRATOR, 3), (Role.LICENSE_MANAGER, 3), (Role.ANALYST, 0), (Role.MEMBER, 0)]
)
def test_who_may_not_view_all_gets_a_sheet_of_their_own(web: Web, role: Role, count: int) -> None:
    assert len(rows_of(web.get("/borrows?format=csv", role).get_data(as_text=True))) == count


@pytest.mark.parametrize(
    "query", ["format=xlsx", "format=csv&limit=0", "format=csv&cursor=x", "group=%07&format=csv", "typ=Creator"]
)
def test_a_wrong_question_is_answered_by_a_problem_not_by_a_sheet(web: Web, query: str) -> None:
    problem(web.get(f"/borrows?{query}", headers={"Accept": "text/csv"}), 400, "invalid-input")


def test_what_a_spreadsheet_would_run_is_defused(web: Web) -> None:
    with web.bench.authority.database.write() as connection:
        connection.execute(update(borrows).values(machine_alias="=1+1", user_name="@SUM(A1)", end_reason=" -1"))
    for row in rows_of(web.get("/borrows?format=csv").get_data(as_text=True)):
        assert (row["machine_alias"], row["user_name"], row["reason"]) == ("'=1+1", "'@SUM(A1)", "' -1")


def test_the_sheet_is_documented(web: Web) -> None:
    operation = web.client.get("/openapi.json").get_json()["paths"]["/api/v1/borrows"]["get"]
    assert operation["responses"]["200"]["content"].keys() == {"application/json", "text/csv"}
    assert {"group", "type", "format"} <= {item["name"] for item in operation["parameters"]}


def test_the_command_lists_by_group_type_and_end(console: Console) -> None:
    console.good("member", "add", "eve", "--type", "GIS Professional")
    console.borrow(workstation("one"), "ada", days=3)
    console.borrow(workstation("two"), "eve", days=20)
    expected = {
        "--group survey": ["ada"],
        "--search SURV": ["ada"],
        "--search eve": ["eve"],
        "--type Creator": [],
        "--due-within 7": ["ada"],
        "--due-within 0": [],
        "--expires-before 2999-01-01": ["ada", "eve"],
        "--expires-before 2026-01-01T00:00:00Z": [],
    }
    for options, names in expected.items():
        rows = console.good("borrow", "list", *options.split(" "))
        assert sorted(row["member"] for row in rows) == names, options
    # Both were issued in the same second, as it may be: which of them comes first is not ours to say.
    assert console.good("borrow", "list", "--limit", "1") == console.good("borrow", "list")[:1]


def test_what_is_due_is_active(console: Console) -> None:
    lost = console.borrow(workstation("one"), "ada", days=3)
    console.good("borrow", "release", lost["id"], "--reason", "lost", "--accept-overlap")
    assert console.good("borrow", "list", "--due-within", "7") == []


def test_the_command_writes_a_sheet(console: Console, tmp_path: Path) -> None:
    console.borrow(workstation("laptop"), "ada", days=3)
    ended = console.run("borrow", "list", "--csv")
    assert (ended.status, ended.err) == (0, "")
    row = rows_of(ended.out)[0]
    assert list(row) == list(sheets.columns_of(BorrowShown))
    assert (row["member"], row["groups"], row["machine_alias"]) == ("ada", "survey", "laptop")
    path = tmp_path / "offline.csv"
    assert console.good("borrow", "list", "--csv", "-o", str(path)) == {"file": str(path)}
    assert path.read_bytes().decode() == ended.out
    assert len(rows_of(console.run("borrow", "list", "--csv", "--state", "expired").out)) == 0
    assert len(rows_of(console.run("borrow", "list", "--csv", "--limit", "1").out)) == 1


@pytest.mark.parametrize(
    "options",
    [
        ("-o", "x.csv"),
        ("--csv", "--json"),
        ("--csv", "-o", "nowhere/x.csv"),
        ("--csv", "-o", "."),
        ("--expires-before", "soon"),
        ("--due-within", "-1"),
        ("--due-within", "3", "--state", "expired"),
        ("--due-within", "3", "--expires-before", "2030-01-01"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_fit_are_wrong_usage(console: Console, options: tuple[str, ...]) -> None:
    ended = console.run("borrow", "list", *options)
    assert ended.status == 2
    assert "wrong-usage" in ended.out if "--json" in options else ended.out == ""
    assert ended.err or "--json" in options


def test_group_and_type_are_those_of_now(bench: Bench) -> None:
    bench.member("ada", groups=("north",))
    offline(bench, "ada", 3)
    with bench.authority.database.write() as connection:
        connection.execute(update(members_table).where(members_table.c.username == "ada").values(user_type="Creator"))
    assert listed(bench, Filter(user_type="Creator", group="north")) == ["ada"]
    assert listed(bench, Filter(user_type="GIS Professional")) == []
