"""The commands for members, licenses and rules, as an administrator types them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.console import Console


def test_a_change_of_type_is_shown_before_it_is_done(console: Console) -> None:
    planned = console.good("member", "set", "ada", "--type", "Viewer", "--dry-run")
    assert [item["product"] for item in planned["licenses"]["taken"]] == ["arcgis-pro"]
    assert console.good("member", "show", "ada")["user_type"] == "GIS Professional"
    console.good("member", "set", "ada", "--type", "Viewer")
    assert console.good("member", "show", "ada")["licenses"] == []


def test_members_are_removed_from_a_file_after_a_dry_run(console: Console, tmp_path: Path) -> None:
    for name in ("eve", "bob"):
        console.good("member", "add", name)
    (tmp_path / "leavers.txt").write_text("eve\n\nBOB\n")
    arguments = ("member", "remove", "--file", str(tmp_path / "leavers.txt"))
    assert [row["member"] for row in console.good(*arguments, "--dry-run")] == ["eve", "bob"]
    assert len(console.good("member", "list")) == 4
    console.good(*arguments)
    assert [row["username"] for row in console.good("member", "list")] == ["ada", "admin"]


def test_administrators_are_not_removed_with_their_type_or_group(console: Console) -> None:
    console.good("member", "set", "admin", "--group", "survey")
    console.good("member", "remove", "--group", "survey")
    assert [row["username"] for row in console.good("member", "list")] == ["admin"]
    error = console.refused("not-found", 1, "member", "remove", "--type", "Creator", "--group", "survey")
    assert 'no member of the type "Creator" in the group "survey" who is no administrator' in error["message"]


def test_a_file_that_names_nobody_removes_nobody(console: Console, tmp_path: Path) -> None:
    (tmp_path / "leavers.txt").write_text("username\n")
    error = console.refused("invalid-input", 1, "member", "remove", "--file", str(tmp_path / "leavers.txt"))
    assert "leavers.txt names nobody" in error["message"]


def test_licenses_are_assigned_from_a_file_row_by_row(console: Console, tmp_path: Path) -> None:
    console.good("member", "add", "eve", "--type", "Creator")
    rows = "username,product,level,extensions\neve,arcgis-pro,Standard,3DAnalyst DataReviewer\nbob,arcgis-pro,Basic,\n"
    (tmp_path / "licenses.csv").write_text(rows)
    arguments = ("license", "assign", "--file", str(tmp_path / "licenses.csv"))
    assert console.run("--json", *arguments).json["code"] == "not-found"
    assert console.good("member", "show", "eve")["licenses"] == []
    ended = console.run("--json", *arguments, "--row-by-row")
    assert (ended.status, [row["ok"] for row in ended.json]) == (1, [True, False])
    held = console.good("member", "show", "eve")["licenses"][0]
    assert (held["level"], held["extensions"]) == ("Standard", ["3DAnalyst", "DataReviewer"])


def test_availability_counts_what_is_assigned(console: Console) -> None:
    rows = console.good("license", "availability", "--product", "arcgis-pro")
    advanced = next(row for row in rows if row["feature"] == "Advanced")
    assert (advanced["licensed"], advanced["used"], advanced["available"]) == (50, 1, 49)
    console.good("license", "unassign", "ada", "arcgis-pro")
    rows = console.good("license", "availability", "--product", "arcgis-pro")
    assert next(row for row in rows if row["feature"] == "Advanced")["available"] == 50


def test_a_rule_is_set_explained_and_removed(console: Console) -> None:
    console.good("policy", "set", "--group", "survey", "--product", "arcgis-pro", "--longest-days", "60")
    rule = console.good("policy", "explain", "ada", "arcgis-pro")
    assert rule["explanation"] == "member none; group survey, arcgis-pro: 60 days; capped by authorization 365: 60"
    assert [row["level"] for row in console.good("policy", "show")] == ["group", "organization"]
    console.good("policy", "remove", "--group", "survey", "--product", "arcgis-pro")
    assert console.good("policy", "explain", "ada", "arcgis-pro")["longest_days"] == 30


def test_defaults_are_shown_and_set(console: Console) -> None:
    assert console.good("member", "defaults")["user_type"] == "Creator"
    console.good("member", "defaults", "--group", "new", "--add-on", "arcgis-pro=Basic", "--vendor-access")
    console.good("member", "add", "eve")
    member = console.good("member", "show", "eve")
    assert (member["groups"], member["vendor_access"], member["licenses"][0]["level"]) == (["new"], True, "Basic")


WRONG: dict[str, tuple[tuple[str, ...], int]] = {
    "remove nobody": (("member", "remove"), 2),
    "remove an unknown member": (("member", "remove", "bob"), 1),
    "remove from a file that is not there": (("member", "remove", "--file", "nowhere"), 2),
    "change an unknown member": (("member", "set", "bob", "--name", "B"), 1),
    "an unknown type": (("member", "set", "ada", "--type", "Guest"), 1),
    "an unknown role": (("member", "set", "ada", "--role", "king"), 2),
    "an add-on without level": (("member", "defaults", "--add-on", "arcgis-pro"), 2),
    "an add-on of an unknown product": (("member", "defaults", "--add-on", "arcgis-mars=Basic"), 1),
    "assign without product": (("license", "assign", "ada"), 2),
    "assign a file that is not there": (("license", "assign", "--file", "nowhere"), 2),
    "unassign what is not held": (("license", "unassign", "ada", "arcgis-allsource"), 1),
    "unassign nobody": (("license", "unassign", "arcgis-pro"), 2),
    "availability of nothing": (("license", "availability", "--product", "arcgis-mars"), 1),
    "a rule that changes nothing": (("policy", "set", "--group", "survey"), 2),
    "a rule for two": (("policy", "set", "--group", "survey", "--member", "ada", "--deny"), 2),
    "remove the organization's rule": (("policy", "remove"), 1),
    "remove no rule": (("policy", "remove", "--member", "ada"), 1),
    "explain an unknown product": (("policy", "explain", "ada", "arcgis-mars"), 1),
}


@pytest.mark.parametrize(("arguments", "status"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_told_and_changes_nothing(console: Console, arguments: tuple[str, ...], status: int) -> None:
    def state() -> list[object]:
        reads = (
            ("member", "list"),
            ("member", "show", "ada"),
            ("member", "defaults"),
            ("policy", "show"),
            ("license", "availability"),
        )
        return [console.good(*command) for command in reads]

    before = state()
    ended = console.run("--json", *arguments)
    assert ended.status == status, ended
    if status == 1:
        assert ended.json["code"]
        assert ended.json["hint"]
    assert state() == before
