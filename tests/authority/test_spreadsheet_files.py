"""Every command that reads a table reads it as spreadsheets of many countries save it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.borrowing import workstation
from tests.support.console import Console, contents_of

FORMS: dict[str, Callable[[list[list[str]]], str]] = {
    "commas": lambda rows: joined(rows, ","),
    "semicolons": lambda rows: "\ufeff" + joined(rows, ";"),
    "tabs": lambda rows: joined(rows, "\t"),
    "a first line that says the delimiter": lambda rows: "sep=;\r\n" + joined(rows, ";"),
    "columns beside the table": lambda rows: joined([[*row, "", ""] for row in rows], ","),
    "rows without their last cells": lambda rows: joined([cut(row) for row in rows], ";"),
    "blank rows below": lambda rows: joined([*rows, ["" for _ in rows[0]]], ";"),
}


def joined(rows: list[list[str]], delimiter: str) -> str:
    return "".join(delimiter.join(row) + "\r\n" for row in rows)


def cut(row: list[str]) -> list[str]:
    """The row without the empty cells at its end."""
    return cut(row[:-1]) if row and not row[-1] else row


@pytest.fixture(params=FORMS, ids=str)
def save(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., str]:
    """Saves rows in one of the forms; the path of the file."""

    def saved(*rows: list[str]) -> str:
        path = tmp_path / "saved.csv"
        path.write_text(FORMS[request.param](list(rows)), encoding="utf-8", newline="")
        return str(path)

    return saved


def test_members_are_imported(console: Console, save: Callable[..., str]) -> None:
    file = save(["username", "full_name", "disabled", "groups"], ["k1", "Kay", "FALSCH", "north"], ["k2", "Lou", "VRAI", ""])
    assert console.good("member", "import", file)["added"] == 2
    kay, lou = (console.good("member", "show", name) for name in ("k1", "k2"))
    assert (kay["full_name"], kay["disabled"], kay["groups"]) == ("Kay", False, ["north"])
    assert (lou["full_name"], lou["disabled"], lou["groups"]) == ("Lou", True, [])


@pytest.mark.parametrize("header", [["username", "full_name"], None], ids=["a table", "names alone"])
def test_members_are_removed(console: Console, save: Callable[..., str], header: list[str] | None) -> None:
    for name in ("eve", "bob"):
        console.good("member", "add", name)
    rows = [["eve"], ["BOB"]] if header is None else [header, ["eve", "Eve"], ["bob", ""]]
    assert [row["member"] for row in console.good("member", "remove", "--file", save(*rows))] == ["eve", "bob"]


def test_licenses_are_assigned(console: Console, save: Callable[..., str]) -> None:
    for name in ("eve", "bob"):
        console.good("member", "add", name, "--type", "Creator")
    rows = [["eve", "arcgis-pro", "Standard", "3DAnalyst DataReviewer"], ["bob", "arcgis-pro", "Basic", ""]]
    assigned = console.good("license", "assign", "--file", save(["username", "product", "level", "extensions"], *rows))
    assert [(row["level"], row["extensions"]) for row in assigned] == [
        ("Standard", ["3DAnalyst", "DataReviewer"]),
        ("Basic", []),
    ]


def test_borrows_are_released(console: Console, save: Callable[..., str]) -> None:
    borrow = console.borrow(workstation("laptop"), "ada")
    file = save(["cause", "handle", "action"], ["machine-gone", borrow["id"], ""])
    rows = console.good("borrow", "release", "--from", file, "--reason", "gone", "--accept-overlap")
    assert [row["ok"] for row in rows] == [True]


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (("member", "import"), "username,,full_name\nk1,oh,Kay\n", 'row 2 has "oh" in column 2, which has no name'),
        (("member", "import"), "username,full_name\nk1,Kay,oh\n", "row 2 has 3 cells, the header has 2"),
        (("member", "remove", "--file"), "member,since\nada,x\n", 'row 1 has 2 cells, and no column is named "username"'),
        (("license", "assign", "--file"), "username,product,\nada,arcgis-pro,x\n", "row 2 has 3 cells, the header has 2"),
    ],
)
def test_what_to_delete_is_said(
    console: Console, tmp_path: Path, arguments: tuple[str, ...], content: str, message: str
) -> None:
    path = tmp_path / "table.csv"
    path.write_text(content)
    before = contents_of(console)
    ended = console.run("--json", *arguments, str(path))
    assert ended.status == 1
    assert contents_of(console) == before
    assert message in ended.json["message"]
    assert "delete in them what belongs to no column" in ended.json["hint"]
