"""Options that contradict each other are refused, never one of them silently dropped; and what a change takes is shown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from authority.cli.main import cli
from authority.domain.members import Role
from tests.support.authorities import Bench
from tests.support.console import Console, contents_of
from tests.support.web import API, make_web, problem

PRO = "arcgis-pro"
CONTRADICTIONS: dict[str, tuple[str, ...]] = {
    "groups and none": ("member", "set", "ada", "--group", "x", "--no-groups"),
    "groups and one more": ("member", "set", "ada", "--group", "x", "--add-group", "y"),
    "no groups and one less": ("member", "set", "ada", "--no-groups", "--remove-group", "survey"),
    "one more and one less": ("member", "set", "ada", "--add-group", "y", "--remove-group", "y"),
    "one more and one less by another spelling": ("member", "set", "ada", "--add-group", "yard", "--remove-group", "Ｙard "),
    "default groups and none": ("member", "defaults", "--group", "x", "--no-groups"),
    "add-ons and none": ("member", "defaults", "--add-on", f"{PRO}=Basic", "--no-add-ons"),
    "an add-on at two levels": ("member", "defaults", "--add-on", f"{PRO}=Basic", "--add-on", f"{PRO}=Standard"),
    "all extensions and one more": (
        "license",
        "assign",
        "ada",
        PRO,
        "--extension",
        "3DAnalyst",
        "--add-extension",
        "DataReviewer",
    ),
    "one extension more and less": ("license", "assign", "ada", PRO, "--add-extension", "X", "--remove-extension", "X"),
    "a file and a level": ("license", "assign", "--file", "FILE", "--level", "Basic"),
    "a file and an extension": ("license", "assign", "--file", "FILE", "--extension", "3DAnalyst"),
    "a file and an extension more": ("license", "assign", "--file", "FILE", "--add-extension", "3DAnalyst"),
    "a file and names": ("license", "assign", "ada", PRO, "--file", "FILE"),
    "a file and a product": ("license", "assign", PRO, "--file", "FILE"),
    "names and a file to unassign": ("license", "unassign", "ada", PRO, "--file", "FILE"),
    "a table and an id": ("borrow", "release", "A" * 22, "--from", "FILE", "--reason", "x"),
    "an empty group": ("pool", "set", "arcgis-desktop", "Advanced", "--group", "", "--low-water", "1"),
    "an empty group to remove": ("pool", "remove", "arcgis-desktop", "Advanced", "--group", ""),
    "two homes": ("member", "list", "--home", "elsewhere"),
}


@pytest.mark.parametrize("arguments", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_what_contradicts_itself_is_wrong_usage_and_changes_nothing(
    console: Console, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    sheet = tmp_path / "licenses.csv"
    sheet.write_text(f"username,product,level\nada,{PRO},Basic\n", encoding="utf-8")
    before = contents_of(console)
    ended = console.run(*(str(sheet) if word == "FILE" else word for word in arguments))
    assert ended.status == 2, ended
    assert ended.err
    assert contents_of(console) == before


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that name it."""
    if not isinstance(command, click.Group):
        yield path, command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


SINGLE = {
    f"{' '.join(path)} {option.opts[-1]}": (path, option)
    for path, command in walk(cli)
    for option in command.params
    if isinstance(option, click.Option) and not option.multiple and (option.secondary_opts or not option.is_flag)
}


@pytest.mark.parametrize("case", [name for name in SINGLE if not name.endswith("--home")])
def test_an_option_with_one_value_is_not_given_twice(empty: Console, case: str) -> None:
    """The last one would win without a word: --level Basic --level Standard, --allow --deny."""
    path, option = SINGLE[case]
    twice = [option.opts[-1], *(option.secondary_opts or option.opts)[-1:]]
    words = twice if option.secondary_opts else [twice[0], "1", twice[1], "2"]
    ended = empty.run(*path, *words)
    assert ended.status == 2
    assert "given twice" in ended.err


def test_flags_that_say_the_same_twice_are_fine(console: Console) -> None:
    assert console.run("--json", "member", "list", "--json").status == 0
    assert console.run("member", "list", "--home", str(console.home)).status == 0


def assign(console: Console, *arguments: str) -> Any:
    return console.good("license", "assign", "ada", PRO, *arguments)


def test_one_extension_is_added_and_one_removed_and_the_others_stay(console: Console) -> None:
    assign(console, "--extension", "3DAnalyst", "--extension", "SpatialAnalyst")
    changed = assign(console, "--add-extension", "DataReviewer", "--remove-extension", "3DAnalyst")
    assert changed["extensions"] == ["DataReviewer", "SpatialAnalyst"]
    assert (changed["taken"], changed["given"], changed["level"]) == (["3DAnalyst"], ["DataReviewer"], "Advanced")
    again = assign(console, "--add-extension", "DataReviewer", "--remove-extension", "3DAnalyst")
    assert (again["taken"], again["given"]) == ([], [])
    console.refused("no-such-product", 1, "license", "assign", "ada", PRO, "--remove-extension", "Mars")


def test_what_an_assignment_takes_is_shown_also_before(console: Console) -> None:
    assign(console, "--extension", "3DAnalyst", "--extension", "SpatialAnalyst")
    command = ("license", "assign", "ada", PRO, "--level", "Standard", "--extension", "SpatialAnalyst")
    before = contents_of(console)
    assert console.run(*command, "--dry-run").out == (
        f"ada would hold {PRO}: Standard, SpatialAnalyst; taken: 3DAnalyst, Advanced\n"
    )
    assert contents_of(console) == before
    assert console.run(*command).out == f"ada holds {PRO}: Standard, SpatialAnalyst; taken: 3DAnalyst, Advanced\n"


def test_licenses_are_taken_by_file(console: Console, tmp_path: Path) -> None:
    console.good("member", "add", "eve", "--type", "GIS Professional")
    sheet = tmp_path / "licenses.csv"
    sheet.write_text(f"username,product,level,extensions\nada,{PRO},Advanced,\neve,{PRO},,\nADA,arcgis-allsource,,\n")
    error = console.refused("not-found", 1, "license", "unassign", "--file", str(sheet))
    assert [item["code"] for item in error["evidence"]["items"]] == [None, None, "not-found"]
    rows = console.run("--json", "license", "unassign", "--file", str(sheet), "--one-by-one").json
    assert [(row["member"], row["product"], row["ok"]) for row in rows] == [
        ("ada", PRO, True),
        ("eve", PRO, True),
        ("ADA", "arcgis-allsource", False),
    ]
    assert console.good("member", "show", "ada")["licenses"] == []


def test_groups_are_added_and_removed_and_what_changed_is_shown(console: Console) -> None:
    console.good("member", "set", "ada", "--group", "survey", "--group", "night")
    said = console.run("member", "set", "ada", "--add-group", "crew", "--remove-group", "NIGHT").out
    assert "groups: night, survey, from now on crew, survey" in said
    assert console.good("member", "show", "ada")["groups"] == ["crew", "survey"]
    said = console.run("member", "set", "ada", "--group", "crew", "--dry-run").out
    assert "groups: crew, survey, from now on crew" in said
    changed = console.good("member", "set", "ada", "--no-groups")
    assert (changed["before"]["groups"], changed["member"]["groups"]) == (["crew", "survey"], [])


def test_defaults_are_emptied_one_by_one_and_all_at_once(console: Console) -> None:
    console.good("member", "defaults", "--type", "Creator", "--group", "crew", "--add-on", f"{PRO}=Basic", "--vendor-access")
    assert console.good("member", "defaults", "--no-groups")["groups"] == []
    assert console.good("member", "defaults")["add_ons"] == {PRO: "Basic"}
    before = contents_of(console)
    assert console.good("member", "defaults", "--no-add-ons", "--dry-run")["add_ons"] == {}
    assert contents_of(console) == before
    assert console.good("member", "defaults", "--no-add-ons")["add_ons"] == {}
    console.good("member", "defaults", "--group", "crew", "--role", "analyst")
    last = console.good("member", "defaults", "--reset")
    assert last == {
        "version": last["version"],
        "user_type": "Creator",
        "role": "member",
        "groups": [],
        "add_ons": {},
        "vendor_access": False,
    }


DRY: dict[str, tuple[str, ...]] = {
    "policy set": ("policy", "set", "--group", "crew", "--longest-days", "3"),
    "the switch of the organization": ("policy", "set", "--deny"),
    "policy remove": ("policy", "remove", "--group", "survey"),
    "pool set": ("pool", "set", "arcgis-desktop", "Advanced", "--low-water", "2"),
    "pool remove": ("pool", "remove", "arcgis-desktop", "Standard"),
    "session settings": ("session", "settings", "--computers", "2"),
    "member defaults": ("member", "defaults", "--type", "Viewer"),
}


@pytest.mark.parametrize("arguments", DRY.values(), ids=DRY)
def test_a_dry_run_says_what_would_be_and_changes_nothing(console: Console, arguments: tuple[str, ...]) -> None:
    console.good("policy", "set", "--group", "survey", "--deny")
    console.good("pool", "set", "arcgis-desktop", "Standard", "--most-borrowed", "0")
    before = contents_of(console)
    assert console.good(*arguments, "--dry-run")
    assert console.run(*arguments, "--dry-run").out.startswith("would ")
    assert contents_of(console) == before
    console.good(*arguments)
    assert contents_of(console) != before


@pytest.mark.parametrize("arguments", [("policy", "set", "--longest-days", "0"), ("policy", "remove", "--group", "none")])
def test_a_dry_run_refuses_what_would_be_refused(console: Console, arguments: tuple[str, ...]) -> None:
    assert console.run(*arguments, "--dry-run").status == 1


def test_a_rule_about_seats_says_what_it_takes_the_place_of(console: Console) -> None:
    console.good("pool", "set", "arcgis-desktop", "Advanced", "--low-water", "2", "--most-borrowed", "5")
    changed = console.good("pool", "set", "arcgis-desktop", "Advanced", "--low-water", "3")
    assert changed["note"] == "in place of: 2 never borrowed, 5 borrowed at most"
    assert console.good("pool", "set", "arcgis-desktop", "Advanced", "--low-water", "3")["note"] is None


def test_routes_refuse_contradictions_and_take_parts(sqlite_bench: Bench) -> None:
    web = make_web(sqlite_bench)
    sqlite_bench.member("ada", groups=("crew",))
    for body in ({"groups": ["x"], "add_groups": ["y"]}, {"add_groups": ["y"], "remove_groups": ["Y"]}):
        problem(web.send("PATCH", f"{API}/members/ada", json=body), 400, "invalid-input")
    answer = web.send("PATCH", f"{API}/members/ada", json={"add_groups": ["night"], "remove_groups": ["crew"]}).get_json()
    assert (answer["before"]["groups"], answer["member"]["groups"]) == (["crew"], ["night"])

    def send(**more: Any) -> Any:
        wish = {"username": "ada", "product": PRO, **more}
        return web.send("POST", f"{API}/assignments", Role.LICENSE_MANAGER, json={"assignments": [wish]})

    problem(send(extensions=["3DAnalyst"], add_extensions=["DataReviewer"]), 400, "invalid-input")
    problem(send(remove_extensions=["DataReviewer"], add_extensions=["DataReviewer"]), 400, "invalid-input")
    assert send(add_extensions=["3DAnalyst"]).get_json()["assignments"][0]["extensions"] == ["3DAnalyst"]
    added = send(add_extensions=["DataReviewer"]).get_json()["assignments"][0]
    assert (added["extensions"], added["given"], added["taken"]) == (["3DAnalyst", "DataReviewer"], ["DataReviewer"], [])
    assert send().get_json()["assignments"][0]["taken"] == ["3DAnalyst", "DataReviewer"]


def test_a_dry_run_over_http_assigns_nothing(sqlite_bench: Bench) -> None:
    web = make_web(sqlite_bench)
    sqlite_bench.member("ada")
    body = {"assignments": [{"username": "ada", "product": "arcgis-allsource", "level": "Basic"}], "dry_run": True}
    assert web.post("/assignments", body).get_json()["assignments"][0]["given"] == ["Basic"]
    assert web.get("/assignments?username=ada&product=arcgis-allsource").get_json()["items"] == []
