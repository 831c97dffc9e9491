"""The page for administrators says what the code does: its commands, routes, codes, settings and roles are there."""

from __future__ import annotations

import itertools
import re
import shlex

import click
import pytest

from authority.cli.main import cli
from authority.cli.output import TROUBLES
from authority.domain.members import Role
from authority.domain.refusals import SpecificationInvalid, every_refusal
from authority.domain.sessions import BOUNDS, SessionSettings
from authority.web.problems import STATUS
from tests.support.routes import documented_routes
from tools.documentation import DOCS
from verifier.errors import every_error

PAGE = (DOCS / "administration.md").read_text(encoding="utf-8")
SPANS = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", PAGE, flags=re.MULTILINE | re.DOTALL))
# What an administrator does in everyday work is on the page; setting up, keys, logs and the vendor's side have their own.
GROUPS = ("member", "license", "policy", "borrow", "session", "pool", "api-key", "authorization")
# These codes are about the machinery or the vendor's side, and stand on the pages about those.
ELSEWHERE = {error.code for error in every_refusal() if issubclass(error, (*TROUBLES, SpecificationInvalid))}
# What may stand for these words on the page.
VALUES = {"NAME": "ada", "TYPE": "Creator", "FILE": "file", "GROUP": "survey", "ID": "x" * 22, "TEXT": "lost", "N": "7"}
METHODS = ("GET ", "POST ", "PUT ", "PATCH ", "DELETE ")


def commands() -> list[str]:
    """Every command on the page, once: the lines of the blocks, and those in the text."""
    blocks = re.findall(r"^```console\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    assert all(line.startswith("carnet-authority ") for line in lines)
    named = [line.removeprefix("carnet-authority ") for line in lines]
    return sorted({*named, *(span for span in SPANS if " " in span and span.split()[0] in cli.commands)})


def resolved(text: str) -> tuple[click.Command, list[str]]:
    """The command that a text begins with, and the words after it, with values for what stands in capitals."""
    command: click.Command = cli
    rest = [VALUES.get(word, word) for word in shlex.split(text)]
    while isinstance(command, click.Group):
        assert rest, f"{text}: names no command"
        assert rest[0] in command.commands, f"{text}: there is no command {rest[0]}"
        command = command.commands[rest.pop(0)]
    return command, rest


def rows_of(head: str) -> list[list[str]]:
    """The cells of the rows of the table with this head."""
    lines = PAGE[PAGE.index(head) :].splitlines()[2:]
    rows = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


@pytest.mark.parametrize("text", commands())
def test_every_command_on_the_page_can_be_typed(text: str) -> None:
    """The command is there, and takes the arguments and options that stand with it; without any it is only mentioned."""
    command, rest = resolved(text)
    if rest:
        command.make_context(text, rest)


@pytest.mark.parametrize("group", GROUPS)
def test_every_command_of_everyday_work_is_on_the_page(group: str) -> None:
    command = cli.commands[group]
    assert isinstance(command, click.Group)
    assert {text.split()[1] for text in commands() if text.split()[0] == group} == command.commands.keys()


def test_every_route_on_the_page_is_there() -> None:
    there = {f"{method} {path}" for method, path, _ in documented_routes()}
    assert {span for span in SPANS if span.startswith(METHODS)} <= there


def test_the_table_of_rules_has_every_code_with_its_status() -> None:
    """Every code but those of the machinery and of the vendor's side, once, with the status that the answer has."""
    table = [(row[1].strip("`"), int(row[2])) for row in rows_of("| rule | code | HTTP status | what to do next |")]
    expected = {error.code: STATUS[error.code] for error in every_refusal() if error.code not in ELSEWHERE}
    assert sorted(table) == sorted(expected.items())


def test_every_code_named_anywhere_on_the_page_is_one() -> None:
    """A span of lower-case words with hyphens between is a code, of the authority or a workstation, but for the name of the command itself."""
    known = {error.code for error in every_refusal()} | {error.code for error in every_error()} | {"carnet-authority"}
    assert {span for span in SPANS if re.fullmatch(r"[a-z]+(-[a-z]+)+", span)} <= known


def test_the_settings_of_sessions_stand_with_their_bounds() -> None:
    table = {row[0].strip("`"): tuple(map(int, row[1:4])) for row in rows_of("| setting | at first | from | to | says |")}
    usual = SessionSettings()
    assert table == {name: (getattr(usual, name), *bounds) for name, bounds in BOUNDS.items()}


def test_every_role_stands_in_its_table() -> None:
    assert [row[0] for row in rows_of("| role | may |")] == [str(role) for role in Role]
