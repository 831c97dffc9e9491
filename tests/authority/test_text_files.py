"""Text files as Windows saves them: with a byte order mark before them they are read, in UTF-16 they are named as such."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from authority.domain.texts import NotText, text_of
from tests.support.borrowing import workstation
from tests.support.console import Console
from tests.support.vendors import sample_toml

MARK = b"\xef\xbb\xbf"


def marked(path: Path) -> str:
    """The file again, with a byte order mark before it."""
    copy = path.with_name(f"marked-{path.name}")
    copy.write_bytes(MARK + path.read_bytes())
    return str(copy)


def utf16(path: Path) -> str:
    """The file again, as PowerShell 5 writes what `>` redirects."""
    copy = path.with_name(f"utf16-{path.name}")
    copy.write_bytes(path.read_bytes().decode().encode("utf-16"))
    return str(copy)


def test_carried_files_with_a_mark_are_taken(console: Console, tmp_path: Path) -> None:
    laptop = workstation("laptop")
    request = marked(Path(console.request(laptop)))
    output = tmp_path / "machine-laptop.borrow"
    console.good("borrow", "issue", request, "--member", "ada", "-o", str(output))
    ended = console.good("borrow", "check-in", marked(Path(console.receipt(laptop))))
    assert ended["state"] == "checked-in"


@pytest.mark.parametrize("command", ["issue", "check-in"])
def test_carried_files_in_utf_16_are_named_as_such(console: Console, tmp_path: Path, command: str) -> None:
    path = utf16(Path(console.request(workstation("laptop"))))
    more = ("--member", "ada", "-o", str(tmp_path / "x.borrow")) if command == "issue" else ()
    assert "UTF-16" in console.refused("request-invalid", 1, "borrow", command, path, *more)["message"]


@pytest.mark.parametrize(
    "command",
    ["member remove --dry-run --file", "member import --dry-run", "license assign --file", "borrow release --reason x --from"],
)
def test_tables_and_names_in_utf_16_are_named_as_such(console: Console, tmp_path: Path, command: str) -> None:
    (tmp_path / "names.csv").write_text("username,product,level,id\nada,arcgis-pro,Basic,x\n")
    error = console.refused("invalid-input", 1, *command.split(), utf16(tmp_path / "names.csv"))
    assert "UTF-16" in error["message"]
    assert "UTF-8" in error["hint"]


def test_names_with_a_mark_are_taken(console: Console, tmp_path: Path) -> None:
    (tmp_path / "names").write_text("ada\n")
    assert len(console.good("member", "remove", "--dry-run", "--file", marked(tmp_path / "names"))) == 1


SETTINGS: dict[str, Callable[[Path], str]] = {"marked": marked, "utf16": utf16}


def test_settings_with_a_mark_are_taken_and_in_utf_16_named_as_such(console: Console, tmp_path: Path) -> None:
    (tmp_path / "authority.toml").write_text("demonstration = false\n")
    settings = console.home / "authority.toml"
    settings.write_bytes(Path(marked(tmp_path / "authority.toml")).read_bytes())
    assert console.run("member", "list").status == 0
    settings.write_bytes(Path(utf16(tmp_path / "authority.toml")).read_bytes())
    assert "UTF-16" in console.refused("settings-invalid", 3, "member", "list")["message"]
    settings.write_bytes(b"a = '\xfc'")
    assert "save it as UTF-8" in console.refused("settings-invalid", 3, "member", "list")["message"]


def test_what_a_vendor_reads_may_have_a_mark(console: Console, tmp_path: Path) -> None:
    console.good("key", "list", "--public", "-o", str(tmp_path / "keys.json"))
    organization = json.loads((tmp_path / "keys.json").read_text())["organization"]
    (tmp_path / "spec.toml").write_bytes(sample_toml(sub=organization))
    console.good("root", "init", str(tmp_path / "vendor"))
    authorize = ("root", "authorize", str(tmp_path / "vendor"), "--dry-run", "--spec")
    spec, keys = tmp_path / "spec.toml", tmp_path / "keys.json"
    assert console.good(*authorize, marked(spec), "--keys", marked(keys))["organization"] == organization
    for arguments in ((utf16(spec), "--keys", str(keys)), (str(spec), "--keys", utf16(keys))):
        assert "UTF-16" in console.refused("specification-invalid", 1, *authorize, *arguments)["message"]


def test_a_trust_file_with_a_mark_is_kept_without_it(console: Console, tmp_path: Path) -> None:
    """`init` for a vendor: what workstations are given later is the plain file."""
    trust = marked(console.home / "organization.trust")
    sample = tmp_path / "sample"
    authorization = tmp_path / "own.authorization"
    console.good("key", "list", "--public", "-o", str(tmp_path / "keys.json"))
    (tmp_path / "spec.toml").write_bytes(sample_toml(iss="field-survey"))
    arguments = ("--spec", str(tmp_path / "spec.toml"), "--keys", str(tmp_path / "keys.json"), "-o", str(authorization))
    console.good("root", "authorize", str(console.home / "root"), *arguments)
    files = ("--authorization", marked(authorization), "--trust", trust, "--keys", str(console.home / "keys"))
    made = console.bare("--json", "--home", str(sample), "init", "--org", "Field Survey", *files)
    assert made.status == 0, made
    assert not (sample / "organization.trust").read_bytes().startswith(MARK)


@pytest.mark.parametrize("data", ["ä".encode("utf-16"), "a".encode("utf-16-le"), "a".encode("utf-16-be")])
def test_utf_16_is_told_from_utf_8(data: bytes) -> None:
    with pytest.raises(NotText, match="UTF-16"):
        text_of(data)
    assert text_of(MARK + "ä".encode()) == text_of("ä".encode()) == "ä"
