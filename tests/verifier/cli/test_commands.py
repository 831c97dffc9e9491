"""The `carnet` command with wrong files: the exit status of the contract, a code and a hint, and nothing written."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

import verifier.cli.main
from tests.support.chains import Chain, make_chain
from tests.support.systems import ON_POSIX, make_link
from verifier.cli.main import WrongUsage, build_parser, joined, main
from verifier.core import files
from verifier.core.jose import strict_object
from verifier.core.keys import decode
from verifier.workstation.store import Store


def missing(path: Path, chain: Chain) -> None:
    """Nothing is there."""


def folder(path: Path, chain: Chain) -> None:
    path.mkdir()


def link(path: Path, chain: Chain) -> None:
    target = path.with_suffix(".target")
    target.write_bytes(chain.borrow_file())
    make_link(path, target)


def broken_link(path: Path, chain: Chain) -> None:
    make_link(path, path.with_suffix(".nowhere"))


def pipe(path: Path, chain: Chain) -> None:
    if sys.platform == "win32":
        pytest.skip("pipes that stand in a folder are of POSIX")
    os.mkfifo(path)


def containing(make: Callable[[Chain], bytes]) -> Callable[[Path, Chain], None]:
    def write(path: Path, chain: Chain) -> None:
        path.write_bytes(make(chain))

    return write


# How the file comes to be, and the exit status when it is named.
INPUTS: dict[str, tuple[Callable[[Path, Chain], None], int]] = {
    "missing": (missing, 2),
    "folder": (folder, 2),
    "link": (link, 1),
    "broken link": (broken_link, 1),
    "pipe": (pipe, 1),
    "empty": (containing(lambda chain: b""), 1),
    "3 MB": (containing(lambda chain: chain.borrow_file() + b" " * 3_000_000), 1),
    "random": (containing(lambda chain: bytes(range(256)) * 9), 1),
    "cut short": (containing(lambda chain: chain.borrow_file()[:-40]), 1),
    "wrong kind": (containing(lambda chain: files.render("request", {"request": "a.b.c"})), 1),
    "unknown kind": (containing(lambda chain: b'{"carnet":"gold","version":1}'), 1),
    "later version": (containing(lambda chain: b'{"carnet":"borrow","version":2}'), 1),
    "deep": (containing(lambda chain: b'{"carnet":' + b"[" * 200_000), 1),
    "UTF-16": (containing(lambda chain: chain.borrow_file().decode().encode("utf-16")), 1),
    "escapes": (containing(lambda chain: b'{"carnet":"\\u001b[31m\\u009b31m","version":1}'), 1),
}
COMMANDS: dict[str, list[str]] = {
    "trust": ["trust", "BAD"],
    "install": ["install", "BAD"],
    "inspect": ["inspect", "BAD"],
    "verify": ["verify", "BAD", "--trust", "good.trust"],
    "verify under": ["verify", "good.borrow", "--trust", "BAD"],
    "verify with": ["verify", "good.borrow", "--trust", "good.trust", "--status", "BAD"],
}


# Only inspect shows a file of every kind.
CASES = [
    pytest.param(command, name, id=f"{label}: {name}")
    for label, command in COMMANDS.items()
    for name in INPUTS
    if (label, name) != ("inspect", "wrong kind")
]


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chain:
    """A folder with good files of one chain, where the commands run, and a home beside it."""
    chain = make_chain()
    medium = tmp_path / "medium"
    medium.mkdir()
    for kind, data in (("trust", chain.trust_file()), ("borrow", chain.borrow_file()), ("status", chain.status_file())):
        (medium / f"good.{kind}").write_bytes(data)
    monkeypatch.chdir(medium)
    monkeypatch.setenv("CARNET_HOME", str(tmp_path / "home"))
    return chain


def left(folder_: Path) -> dict[str, bytes]:
    """Every file below, without the lock, which says nothing."""
    return {str(path): path.read_bytes() for path in folder_.rglob("*") if path.is_file() and path.name != ".lock"}


def is_plain(text: str) -> bool:
    """True when a terminal would take no part of it for a command."""
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize(("command", "name"), CASES)
def test_a_wrong_file_is_told_with_code_and_hint_and_nothing_is_written(
    command: list[str], name: str, carried: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """To programs as an object on stdout, to people in words on stderr."""
    make, status = INPUTS[name]
    make(tmp_path / "medium" / "BAD", carried)
    before = left(tmp_path)
    assert main([*command, "--json"]) == status
    printed = capsys.readouterr()
    refusal = json.loads(printed.out)
    assert refusal["ok"] is False
    assert all(refusal[part] for part in ("code", "message", "hint"))
    assert is_plain(printed.out)
    assert main(command) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("carnet: ")
    assert "Traceback" not in printed.err
    assert "please report" not in printed.err
    assert not re.search(r"carnet:  |--until 9999-12-3\d: write a day", printed.err)
    assert is_plain(printed.err)
    assert left(tmp_path) == before


def test_what_passes_is_installed_and_what_does_not_is_told(
    carried: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("BAD").write_bytes(b"{")
    assert main(["install", "BAD", "good.status", "good.trust", "--json"]) == 1
    refusal = json.loads(capsys.readouterr().out)
    assert refusal["code"] == "malformed"
    assert [item["file"] for item in refusal["evidence"]["installed"]] == ["good.trust", "good.status"]
    store = Store(tmp_path / "home")
    assert [file.compact for file in store.status_files(store.trust())] == [carried.status_token()]


def test_files_with_a_byte_order_mark_are_taken(carried: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("trust", "status"):
        path = Path(f"good.{kind}")
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert main(["install", "good.trust", "good.status"]) == 0
    at = ["--at", "2026-03-02T10:00:00Z"]
    assert main(["verify", "good.borrow", "--trust", "good.trust", "--status", "good.status", *at]) == 0
    capsys.readouterr()
    assert main(["inspect", "good.trust", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "trust"
    assert len(Store(tmp_path / "home").status_files(Store(tmp_path / "home").trust())) == 1


def test_a_checkpoint_of_the_log_is_shown_and_not_installed(carried: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside files that are, in a folder, it is passed over; with a member too many it is none."""
    path = Path("newest.checkpoint")
    members = {"authorization": carried.authorization_token(), "checkpoint": carried.status_token()}
    path.write_bytes(files.render("checkpoint", members))
    assert main(["inspect", str(path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["verified"], shown["kind"], shown["members"].keys()) == (False, "checkpoint", members.keys())
    assert shown["members"]["checkpoint"]["header"]["kid"]
    assert main(["install", "good.trust"]) == 0
    assert main(["install", str(path)]) == 1
    assert "nothing to install" in capsys.readouterr().err
    assert main(["install", "."]) == 0
    path.write_bytes(files.render("checkpoint", members | {"more": 1}))
    assert main(["inspect", str(path)]) == 1


def test_a_file_that_is_not_there_keeps_no_other_out_and_alone_is_wrong_usage(carried: Chain, tmp_path: Path) -> None:
    assert main(["install", "missing"]) == 2
    assert not (tmp_path / "home").exists()
    assert main(["install", "good.trust", "missing"]) == 1
    assert list(Store(tmp_path / "home").trust().roots) == [carried.root.kid]


USAGE: dict[str, list[str]] = {
    "no command": [],
    "unknown command": ["borrow-everything"],
    "unknown option": ["check", "arcgis-pro", "--free"],
    "check without product": ["check"],
    "request without output": ["request", "arcgis-pro"],
    "request for days and until": ["request", "arcgis-pro", "--days", "3", "--until", "2030-01-01", "-o", "out"],
    "request for days as a word": ["request", "arcgis-pro", "--days", "many", "-o", "out"],
    "verify without trust": ["verify", "good.borrow"],
    "install nothing": ["install"],
    "request for no day": ["request", "arcgis-pro", "--days", "0", "-o", "out"],
    "request for a negative day": ["request", "arcgis-pro", "--days", "-1", "-o", "out"],
    "request for more days than are written": ["request", "arcgis-pro", "--days", str(2**53), "-o", "out"],
    "request for endless days": ["request", "arcgis-pro", "--days", "9" * 30, "-o", "out"],
    "request until nonsense": ["request", "arcgis-pro", "--until", "tomorrow", "-o", "out"],
    "request until a time without zone": ["request", "arcgis-pro", "--until", "2030-01-01T12:00:00", "-o", "out"],
    "request until the past": ["request", "arcgis-pro", "--until", "2001-01-01", "-o", "out"],
    "request until the end of days": ["request", "arcgis-pro", "--until", "9999-12-31", "-o", "out"],
    "request until the day before": ["request", "arcgis-pro", "--until", "9999-12-30", "-o", "out"],
    "request for a member with a blank": ["request", "arcgis-pro", "--member", "a b", "-o", "out"],
    "request for a member of blanks": ["request", "arcgis-pro", "--member", " ", "-o", "out"],
    "check of no product": ["check", ""],
    "check of no extension": ["check", "arcgis-pro", "--extension", ""],
    "check of no level": ["check", "arcgis-pro", "--level="],
    "return into no file": ["return", "arcgis-pro", "-o", ""],
    "no home": ["--home", "", "status"],
    "inspect no file": ["inspect", ""],
    "request for a path": ["request", "../arcgis-pro", "-o", "out"],
    "request for a member with an escape": ["request", "arcgis-pro", "--member", "a\x1b[31m", "-o", "out"],
    "request for a level with an escape": ["request", "arcgis-pro", "--level", "a\x9b31m", "-o", "out"],
    "request for an extension twice": ["request", "arcgis-pro", "--extension", "A", "--extension", "A", "-o", "out"],
    "request for an extension and for none": ["request", "arcgis-pro", "--extension", "A", "--no-extensions", "-o", "out"],
    "request into a folder": ["request", "arcgis-pro", "-o", "."],
    "request into nowhere": ["request", "arcgis-pro", "-o", "nowhere/out"],
    "return into nowhere": ["return", "arcgis-pro", "-o", "nowhere/out"],
    "return into a folder": ["return", "arcgis-pro", "-o", "."],
    "verify at nonsense": ["verify", "good.borrow", "--trust", "good.trust", "--at", "now"],
    "verify at a time without zone": ["verify", "good.borrow", "--trust", "good.trust", "--at", "2026-03-02"],
    "empty alias": ["alias", ""],
    "alias of spaces": ["alias", "   "],
    "alias with an escape": ["alias", "laptop\x1b[31m"],
    "alias with a line break": ["alias", "a\nb"],
    "alias with a direction mark": ["alias", "a\u202eb"],
    "alias with half a character": ["alias", "a\udc80"],
    "endless alias": ["alias", "a" * 65],
}


def run(argv: list[str]) -> int:
    """The exit status, also where the parser itself gives it."""
    try:
        return main(argv)
    except SystemExit as ended:
        return int(ended.code or 0)


@pytest.mark.parametrize("argv", USAGE.values(), ids=USAGE)
def test_wrong_usage_ends_with_2_and_writes_no_file(
    argv: list[str], carried: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name for name in left(tmp_path) if not name.endswith("machine-key.pem")}
    assert run(argv) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err
    assert "please report" not in printed.err
    assert {name for name in left(tmp_path) if not name.endswith("machine-key.pem")} == before
    assert is_plain(printed.err)


@pytest.mark.parametrize(
    ("typed", "spelling"),
    [
        ("測量車\u3000２号", "測量車 ２号"),
        (" Bu\u0308ro  Laptop\u00a0", "Büro Laptop"),
        ("نقشه\u200cبرداری", "نقشه\u200cبرداری"),
    ],
    ids=ascii,
)
def test_an_alias_is_kept_in_one_spelling_and_goes_into_the_request(
    typed: str, spelling: str, carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alias", typed, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["alias"] == spelling
    assert main(["identity"]) == 0
    assert spelling in capsys.readouterr().out
    assert main(["request", "arcgis-pro", "-o", "out"]) == 0
    compact = json.loads(Path("out").read_bytes())["request"]
    assert strict_object(decode(compact.split(".")[1]))["machine"]["alias"] == spelling


@pytest.mark.parametrize(
    ("alias", "character"), [("a\u202eb", "U+202E (RIGHT-TO-LEFT OVERRIDE)"), ("a\nb", "U+000A"), ("a\u200bb", "U+200B (ZERO")]
)
def test_a_character_that_no_alias_can_have_is_named(
    alias: str, character: str, carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["alias", alias]) == 2
    assert f"an alias cannot have the character {character}" in capsys.readouterr().err


@pytest.mark.parametrize("claim", ["member", "alias"])
@pytest.mark.parametrize("name", ["امیر\u200cحسین", "横山\u3000美咲", "CORP\\müller", "o\u2019brien"], ids=ascii)
def test_a_borrow_with_a_name_as_people_write_it_is_verified(
    claim: str, name: str, carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = {"member": carried.borrow, "alias": carried.borrow["machine"]}[claim]
    holder[claim] = name
    Path("named.borrow").write_bytes(carried.borrow_file())
    where = [f"--machine={carried.borrow['machine']['id']}", f"--user={carried.borrow['sub']}"]
    key, at = f"--machine-key={carried.borrow['cnf']['jkt']}", "--at=2026-03-02T10:00:00Z"
    assert main(["verify", "named.borrow", "--trust", "good.trust", *where, key, at, "--json"]) == 0
    assert name in json.loads(capsys.readouterr().out)["grant"].values()
    assert main(["inspect", "named.borrow"]) == 0
    assert json.dumps(name) in capsys.readouterr().out


@ON_POSIX
@pytest.mark.parametrize(
    ("zone", "end"),
    [("Africa/Cairo", "2027-04-30T01:00:00+03:00"), ("Europe/Berlin", "2027-04-30T00:00:00+02:00")],
)
def test_a_request_through_a_day_ends_with_the_last_moment_of_the_day_here(
    zone: str, end: str, carried: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as environment:
        environment.setenv("TZ", zone)
        time.tzset()
        assert main(["request", "arcgis-pro", "--until", "2027-04-29", "-o", "out"]) == 0
    time.tzset()
    _, members = files.parse(Path("out").read_bytes())
    claims = strict_object(decode(members["request"].split(".")[1]))
    assert claims["until"] == datetime.fromisoformat(end).timestamp()


@pytest.mark.parametrize("argv", [["check", "arcgis-pro"], ["status"], ["return", "arcgis-pro", "-o", "out"]], ids=str)
def test_without_trust_nothing_could_be_checked(
    argv: list[str], carried: Chain, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*argv, "--json"]) == 3
    assert json.loads(capsys.readouterr().out)["code"] == "no-trust"
    assert not (tmp_path / "medium" / "out").exists()


def test_with_trust_but_without_a_borrow_nothing_could_be_checked(carried: Chain, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trust", "good.trust"]) == 0
    assert carried.root.kid in capsys.readouterr().out
    for argv in (["check", "arcgis-pro"], ["return", "arcgis-pro", "-o", "out"]):
        assert main(["--json", *argv]) == 3
        refusal = json.loads(capsys.readouterr().out)
        assert (refusal["code"], refusal["evidence"]["product"]) == ("no-borrow", "arcgis-pro")
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["licenses"] == []


def inspected(value: Any) -> bytes:
    return files.render("request", {"request": value})


@pytest.mark.parametrize("character", ["\x1b", "\x9b", "\u202e", "\u2066", "\u2028", "\x85"], ids=ascii)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_what_a_file_says_never_reaches_the_terminal_raw(
    character: str, as_json: bool, carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("evil").write_bytes(inspected(f"a{character}[31mb"))
    assert main(["inspect", "evil", *(["--json"] if as_json else [])]) == 0
    assert is_plain(capsys.readouterr().out)


@pytest.mark.parametrize("claim", ["member", "alias", "level"])
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_names_with_escapes_in_signed_tokens_never_reach_the_terminal_raw(
    claim: str, as_json: bool, carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = {"member": carried.borrow, "alias": carried.borrow["machine"], "level": carried.borrow["lic"]}[claim]
    holder[claim] = "ada\x1b]0;owned\x07\x9b31m\u202e"
    Path("evil.borrow").write_bytes(carried.borrow_file())
    flags = ["--json"] if as_json else []
    assert main(["verify", "evil.borrow", "--trust", "good.trust", *flags]) == 1
    assert main(["inspect", "evil.borrow", *flags]) == 0
    printed = capsys.readouterr()
    assert is_plain(printed.out)
    assert is_plain(printed.err)


@ON_POSIX
@pytest.mark.parametrize("name", ["evil\x1b[31m", "evil\x9b31m", "evil\nline", "evil\u202e"], ids=ascii)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "people"])
def test_file_names_never_reach_the_terminal_raw(
    name: str, as_json: bool, carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_bytes(carried.borrow_file())
    flags = ["--json"] if as_json else []
    for command, status in (["inspect", name], 0), (["install", name], 3), (["trust", name], 1), (["trust", f"{name}x"], 2):
        assert main([*command, *flags]) == status
    printed = capsys.readouterr()
    assert is_plain(printed.out)
    assert is_plain(printed.err)


def test_every_file_that_does_not_pass_is_told_and_the_first_decides_the_status(
    carried: Chain, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("BAD").write_bytes(b"{")
    Path("REQUEST").write_bytes(files.render("request", {"request": "a.b.c"}))
    assert main(["install", "REQUEST", "BAD", "good.trust"]) == 1
    errors = capsys.readouterr().err
    assert errors.index("BAD: ") < errors.index("REQUEST: ")


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"carnet {version('carnet')}\n")


@pytest.mark.parametrize("name", verifier.cli.main.COMMANDS)
def test_a_command_says_the_same_whether_it_stands_first_or_not(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Only a command that stands first is built alone."""
    said = []
    for arguments in ([name, "--help"], ["--json", name, "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]
    assert said[0].startswith(f"usage: carnet {name} ")


def test_an_id_that_begins_with_a_hyphen_is_a_value_and_no_option() -> None:
    thumbprint, machine = "-" + "A" * 42, "-" + "b" * 21
    arguments = build_parser().parse_args(joined(["check", "arcgis-pro", "--root", thumbprint, "--root", "B" * 43]))
    assert arguments.roots == [thumbprint, "B" * 43]
    words = ["verify", "x", "--trust", "y", "--machine", machine, "--machine-key", thumbprint]
    arguments = build_parser().parse_args(joined(words))
    assert (arguments.machine, arguments.machine_key) == (machine, thumbprint)
    assert build_parser().parse_args(joined(["authority", "u", "--accept-trust", thumbprint])).accept_trust == [thumbprint]
    with pytest.raises(WrongUsage):
        build_parser().parse_args(joined(["check", "arcgis-pro", "--root", "--json"]))
