"""The help of every command of `carnet` has examples, each can be typed; wrong usage is an object for programs."""

from __future__ import annotations

import json
import shlex

import pytest

from verifier.cli.main import COMMANDS, EXAMPLES_OF, HYPHENATED, build_parser, joined, main

LINES = sorted({line for lines in EXAMPLES_OF.values() for line in lines})


def test_every_command_has_examples() -> None:
    assert EXAMPLES_OF.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_its_help_shows_them(capsys: pytest.CaptureFixture[str], name: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert all(f"\n  carnet {line}\n" in said for line in EXAMPLES_OF[name])


@pytest.mark.parametrize("line", LINES)
def test_an_example_can_be_typed(line: str) -> None:
    assert build_parser().parse_args(shlex.split(line)).run


WRONG = [
    (),
    ("nonsense",),
    ("check",),
    ("check", "arcgis-pro", "--nonsense"),
    ("request", "arcgis-pro", "--days", "many", "-o", "x"),
    ("request", "arcgis-pro", "--days", "3", "--until", "2026-12-24", "-o", "x"),
]


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(words) or "nothing")
def test_wrong_usage_is_an_object_for_programs(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    assert main([*words, "--json"]) == 2
    out, err = capsys.readouterr()
    refusal = json.loads(out)
    assert err == ""
    assert refusal.keys() == {"ok", "code", "message", "hint", "evidence"}
    assert (refusal["ok"], refusal["code"]) == (False, "wrong-usage")
    assert refusal["message"]


@pytest.mark.parametrize("words", WRONG, ids=lambda words: " ".join(words) or "nothing")
def test_people_are_told_on_stderr_as_before(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(list(words))
    out, err = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert err.startswith("usage: carnet")
    assert "error: " in err


@pytest.mark.parametrize("value", ["-" + "A" * 21, "-0hOq4rgJSJcFgi8vzhEtt1jEIEucATiASuJdroOjQk", "--" + "B" * 41])
def test_a_thumbprint_or_machine_id_that_begins_with_a_hyphen_is_a_value(value: str) -> None:
    words = ["verify", "x", "--trust", "t", "--machine-key", value, "--machine", value, "--json"]
    arguments = build_parser().parse_args(joined(words))
    assert (arguments.machine_key, arguments.machine, arguments.json) == (value, value, True)
    assert joined(["check", "arcgis-pro", f"--root={value}", value]) == ["check", "arcgis-pro", f"--root={value}", value]


def test_no_option_looks_like_one() -> None:
    commands = next(action for action in build_parser()._actions if action.choices)
    assert isinstance(commands.choices, dict)
    options = [name for parser in commands.choices.values() for action in parser._actions for name in action.option_strings]
    assert len(options) > 20
    assert not any(map(HYPHENATED.match, options))
