"""`carnet install` with a whole folder: what it says, and the exit status by which a script knows."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import HOUR
from tests.support.real_workstation import RealWorkstation, make_workstation
from tests.support.systems import ON_POSIX, make_link
from verifier.cli.main import main
from verifier.core import files


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RealWorkstation:
    """A workstation of an hour ago, and an empty folder named stick, beside which the commands run."""
    (tmp_path / "stick").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CARNET_HOME", str(tmp_path / "home"))
    return make_workstation(tmp_path / "home", int(time.time()) - HOUR)


def put(name: str, data: bytes) -> None:
    Path("stick", name).write_bytes(data)


def newer(here: RealWorkstation, seq: int) -> bytes:
    here.chain.set_status(0, seq=seq, iat=here.chain.status_list["iat"] + 1)
    return here.chain.status_file()


def object_of(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(capsys.readouterr().out)
    return value


def test_a_folder_is_installed_and_told(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    here.install(newer(here, 5), int(time.time()))
    put("1.status", newer(here, 4))
    put("2.status", newer(here, 6))
    put("3.borrow", here.chain.borrow_file())
    put("4.jpg", b"picture")
    put("trip.request", files.render("request", {"request": "a.b.c"}))
    assert main(["install", "stick"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    lines = [line.split(" of 2")[0].split(" until ")[0] for line in printed.out.splitlines()]
    assert lines == [
        "installed: the status list with seq 6",
        'installed: "arcgis-pro" Standard with 3DAnalyst',
        f"no longer of use, {Path('stick', '1.status')}: the status list has seq 4, but seq 5 is known",
        f"left alone, no Carnet file: {Path('stick', '4.jpg')}",
        f"left alone, for the administrator: {Path('stick', 'trip.request')}",
    ]
    assert main(["install", "stick", "--json"]) == 0
    value = object_of(capsys)
    assert [(item["kind"], item["is_new"]) for item in value["installed"]] == [("status", False), ("borrow", False)]
    for item, name in zip(value["installed"], ("issued_at", "expires_at"), strict=True):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item[name])
    assert [item["code"] for item in value["old"]] == ["status-list-rolled-back"]
    assert [item["reason"] for item in value["passed_over"]] == ["foreign", "for-the-authority"]
    assert value["needs"] == []


def test_a_damaged_file_in_a_folder_is_a_failure_that_hinders_no_other(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    put("a.borrow", b"{")
    put("b.status", newer(here, 2))
    assert main(["install", "stick"]) == 1
    printed = capsys.readouterr()
    assert printed.out.startswith("installed: the status list with seq 2")
    assert printed.err.startswith(f"carnet: {Path('stick', 'a.borrow')}: ")


def test_each_of_several_files_is_told_whatever_is_wrong_with_another(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    put("bad.borrow", b'{"x":1}')
    put("newest.status", newer(here, 2))
    Path("empty").mkdir()
    names = ["none.borrow", "stick/bad.borrow", "empty", "stick/newest.status"]
    assert main(["install", *names]) == 1
    printed = capsys.readouterr()
    lines = printed.out.splitlines()
    assert lines[0].startswith("installed: the status list with seq 2")
    assert lines[-1] == "installed 1 of 4"
    sentences = [line.removeprefix("carnet: ") for line in printed.err.splitlines() if "what to do" not in line]
    assert sorted(sentences) == [
        "empty has no file to install [malformed]",
        "none.borrow cannot be read: No such file or directory [malformed]",
        'stick/bad.borrow: the file does not say with "carnet" which kind it is [malformed]',
    ]
    assert main(["install", *names, "--json"]) == 1
    evidence = object_of(capsys)["evidence"]
    assert {item["file"] for item in evidence["refused"]} == {*names} - {"stick/newest.status"}
    assert [item["file"] for item in evidence["installed"]] == ["stick/newest.status"]
    assert main(["install", "none.borrow"]) == 2


def test_a_link_is_told_and_hinders_no_other(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    put("newest.status", newer(here, 2))
    make_link(Path("link.borrow"), Path("stick", "newest.status"))
    assert main(["install", "link.borrow", "stick/newest.status"]) == 1
    printed = capsys.readouterr()
    assert printed.out.splitlines()[-1] == "installed 1 of 2"
    assert "carnet: link.borrow is a link; name the file itself [malformed]" in printed.err.splitlines()


def test_a_folder_with_nothing_but_what_is_over_is_a_failure(here: RealWorkstation, capsys: pytest.CaptureFixture[str]) -> None:
    put("old.borrow", here.chain.borrow_file())
    here.give_up(int(time.time()))
    assert main(["install", "stick", "--json"]) == 1
    assert object_of(capsys)["code"] == "given-up"


@pytest.mark.parametrize("name", [None, "photo.jpg"])
def test_a_folder_without_a_file_of_ours_is_wrong_usage(
    name: str | None, here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    if name is not None:
        put(name, b"picture")
    assert main(["install", "stick"]) == 2
    message = capsys.readouterr().err
    assert "stick has no file to install" in message
    assert name is None or name in message


def test_a_first_installation_says_what_is_still_needed(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    put("org.trust", here.chain.trust_file())
    assert main(["install", "stick", "--home", str(tmp_path / "new")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert (
        lines[1]
        == f"still needed: compare the root key with what the administrator tells you by another way: {here.chain.root.kid}"
    )
    assert lines[2].startswith("still needed: a license; ask for one with: carnet request")
    assert main(["install", "stick", "--home", str(tmp_path / "newer"), "--json"]) == 0
    assert [item["code"] for item in object_of(capsys)["needs"]] == ["compare-root", "license"]


@ON_POSIX
def test_t39_a_file_name_that_moves_the_cursor_is_shown_by_its_codes(
    here: RealWorkstation, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, name in enumerate(("a\x1b[2Jb", "c\nd", "e\u202ef")):
        put(f"{name}.borrow", b"{")
        put(f"{name}.jpg", b"picture")
        put(f"{number}.status", newer(here, 2 + number))
    assert main(["install", "stick"]) == 1
    printed = capsys.readouterr()
    assert all(line.isprintable() for line in (printed.out + printed.err).split("\n"))
    assert printed.err.count("\\u001b") == 1
    assert [line.partition(":")[0] for line in printed.out.splitlines()[:4]] == [
        *["installed"] * 3,
        "left alone, no Carnet file",
    ]
