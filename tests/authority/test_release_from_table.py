"""borrow release --from: what an analyst's table names is released row by row, and each row is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.borrowing import workstation
from tests.support.console import Console

REASON = ("--reason", "machines gone", "--accept-overlap")
HEADER = "cause,product,feature,member,machine,handle,since,due,confidence,evidence,action"


def table(folder: Path, *handles: str) -> str:
    rows = [
        f'machine-gone,arcgis-pro,Advanced,ada,laptop,{handle},2026-01-01,,0.9,"silent, since March",Release it'
        for handle in handles
    ]
    path = folder / "stuck.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return str(path)


def states(console: Console) -> set[str]:
    return {row["state"] for row in console.good("borrow", "list", "--all")}


def test_the_borrows_of_a_table_are_released_each_once(console: Console, tmp_path: Path) -> None:
    borrows = [console.borrow(workstation(name), "ada", "arcgis-desktop") for name in ("desk", "laptop")]
    # One row for each feature, and one of a server that has no ids.
    file = table(tmp_path, borrows[0]["id"], borrows[0]["id"], "", borrows[1]["id"])
    rows = console.good("borrow", "release", "--from", file, *REASON)
    assert [(row["id"], row["ok"], row["borrow"]["state"]) for row in rows] == [
        (item["id"], True, "released") for item in borrows
    ]
    assert states(console) == {"released"}


def test_a_dry_run_tells_and_changes_nothing(console: Console, tmp_path: Path) -> None:
    borrow = console.borrow(workstation("laptop"), "ada")
    ended = console.run("borrow", "release", "--from", table(tmp_path, borrow["id"]), "--dry-run", *REASON)
    assert "would release 1 of 1" in ended.out
    assert states(console) == {"active"}


def test_what_cannot_be_released_is_told_and_the_rest_goes_on(console: Console, tmp_path: Path) -> None:
    borrow = console.borrow(workstation("laptop"), "ada")
    file = table(tmp_path, "A" * 22, "=cmd", borrow["id"])
    ended = console.run("--json", "borrow", "release", "--from", file, *REASON)
    assert ended.status == 1
    assert [row.get("code") for row in ended.json] == ["not-found", "not-found", None]
    again = console.run("--json", "borrow", "release", "--from", table(tmp_path, borrow["id"]), *REASON)
    assert (again.status, again.json[0]["code"]) == (1, "borrow-already-ended")


def test_the_overlap_has_to_be_accepted_for_a_table_too(console: Console, tmp_path: Path) -> None:
    borrow = console.borrow(workstation("laptop"), "ada")
    ended = console.run("--json", "borrow", "release", "--from", table(tmp_path, borrow["id"]), "--reason", "gone")
    assert (ended.status, ended.json[0]["code"]) == (1, "overlap-not-accepted")
    assert states(console) == {"active"}


def test_the_sheet_of_who_is_offline_will_do_as_well(console: Console, tmp_path: Path) -> None:
    console.borrow(workstation("laptop"), "ada")
    sheet = str(tmp_path / "offline.csv")
    console.good("borrow", "list", "--csv", "-o", sheet)
    assert console.good("borrow", "release", "--from", sheet, *REASON)[0]["ok"]


@pytest.mark.parametrize(
    ("content", "status"),
    [(b"", 1), (b"cause,handle\n", 1), (b"cause,member\nx,ada\n", 1), (b"handle,admin\nx,y\n", 1), (b"\xff\xfe\0", 1)],
    ids=["empty", "no rows", "no id", "unknown column", "binary"],
)
def test_a_wrong_table_is_refused_and_changes_nothing(console: Console, tmp_path: Path, content: bytes, status: int) -> None:
    console.borrow(workstation("laptop"), "ada")
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    console.refused("invalid-input", status, "borrow", "release", "--from", str(path), *REASON)
    assert states(console) == {"active"}


@pytest.mark.parametrize("arguments", [(), ("A" * 22, "--from", "x.csv"), ("--from", "missing.csv"), ("--from", ".")])
def test_ids_or_a_file_that_can_be_read_are_needed(console: Console, arguments: tuple[str, ...]) -> None:
    assert console.run("borrow", "release", *arguments, *REASON).status == 2
