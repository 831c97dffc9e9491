"""The help of every command has examples, and each of them can be typed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from authority.cli.examples import EXAMPLES
from authority.cli.main import cli
from tests.support.console import Console


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Every command and group with the words that name it."""
    yield " ".join(path), command
    for name, child in getattr(command, "commands", {}).items():
        yield from walk(child, (*path, name))


COMMANDS = dict(walk(cli))


def test_every_command_has_examples_and_every_example_a_command() -> None:
    without = {name for name, command in COMMANDS.items() if not isinstance(command, click.Group)}
    assert EXAMPLES.keys() == without | {""}


@pytest.mark.parametrize("name", COMMANDS)
def test_its_help_shows_them(empty: Console, name: str) -> None:
    said = empty.bare(*name.split(), "--help").out
    assert f"\nexamples:\n  carnet-authority {name}" in said
    for line in EXAMPLES.get(name, ()):
        assert f"  carnet-authority {line}\n" in said


@pytest.mark.parametrize("line", sorted({line for lines in EXAMPLES.values() for line in lines}))
def test_an_example_can_be_typed(line: str) -> None:
    """Command, arguments and options are there and fit together; nothing is run."""
    words = shlex.split(line)
    command: click.Command = cli
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    command.make_context(line, words)
