"""Whatever the programs tell people to do exists: every command, option, page, section and route that a sentence names."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from authority.cli.main import cli
from authority.domain.refusals import SettingsInvalid, every_refusal
from authority.web.console.hints import ON_PAGES, hint_on_page
from authority.web.problems import FOR_THE_OPERATOR, HTTP_CODES, OVER_HTTP, hint_over_http
from authority.wiring.settings import PREFIX, SETTINGS
from checkout_log.report.command_line import parser as report_parser
from verifier.cli.main import build_parser
from verifier.errors import every_error

ROOT = Path(__file__).parents[1]
SOURCES = [path for room in ("authority", "verifier", "notebooks/checkout_log") for path in sorted((ROOT / room).rglob("*.py"))]
# A program's name and the words behind it that are no file, number or name of somebody: lower case, with hyphens.
COMMAND = re.compile(
    r"\b(carnet-authority|carnet-report|carnet(?!-))((?: [a-z][a-z-]+)*)((?: (?:--?[a-z-]+|[A-Z]+(?:\.[A-Za-z]+)?\b(?:\.\.\.)?))*)"
)
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*[a-z]")
PAGE = re.compile(r"\bdocs/([a-z-]+\.md)(?:, ([A-Z][^.]+))?")
ROUTE = re.compile(r"\b(GET|POST|PUT|PATCH|DELETE) (/[A-Za-z0-9/_.{}-]*)")
# Programs beside ours: their words are not for us to check.
OTHERS = re.compile(r"systemd-[a-z-]+|--enable-optimizations|pip install \S+|chmod [0-9]+ \S+|openssl [^.]*")


def sentences(path: Path) -> Iterator[str]:
    """The texts in a source file that are no docstring; what is put into one stands as {}."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, documented)]
    ours = {id(body[0].value) for body in bodies if body and isinstance(body[0], ast.Expr)}
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in ours | parts:
            yield node.value


@cache
def said() -> tuple[tuple[str, str], ...]:
    """Every sentence of the programs that names a command, an option, a page or a route, with the file it stands in."""
    named = re.compile(f"{COMMAND.pattern}|{OPTION.pattern}|{PAGE.pattern}|{ROUTE.pattern}")
    return tuple(
        (str(path.relative_to(ROOT)), text)
        for path in SOURCES
        for text in (OTHERS.sub("", sentence) for sentence in sentences(path))
        if " " in text and named.search(text)
    )


@cache
def commands() -> dict[str, frozenset[str]]:
    """The options of every command of every program, by its words."""
    options: dict[str, frozenset[str]] = {}
    parser = build_parser()
    options["carnet"] = options_of(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            options |= {f"carnet {name}": options_of(child) for name, child in action.choices.items()}
    options["carnet-report"] = options_of(report_parser())
    return options | dict(authority_commands(cli, "carnet-authority"))


def options_of(parser: argparse.ArgumentParser) -> frozenset[str]:
    return frozenset(option for action in parser._actions for option in action.option_strings)


def authority_commands(command: click.Command, name: str) -> Iterator[tuple[str, frozenset[str]]]:
    own = {option for item in command.params for option in (*item.opts, *item.secondary_opts)}
    yield name, frozenset(own | {"--help", "--home", "--json"})
    if isinstance(command, click.Group):
        for child in command.commands:
            yield from authority_commands(command.commands[child], f"{name} {child}")


def wrong_commands(text: str) -> Iterator[str]:
    """Commands in a sentence that there are not, and options that their command does not take."""
    for program, words, rest in COMMAND.findall(text):
        path = program
        for word in words.split():
            if f"{path} {word}" not in commands():
                # A word of the sentence, unless a command has to stand here.
                if path == program and rest and program != "carnet-report":
                    yield f"{path} {word}"
                break
            path = f"{path} {word}"
        for option in re.findall(r"(?<= )--?[a-z-]+", rest):
            if option not in commands()[path]:
                yield f"{path} {option}"


def test_every_command_that_is_named_exists_with_its_options() -> None:
    assert [(where, wrong) for where, text in said() for wrong in wrong_commands(text)] == []


def test_every_option_that_is_named_is_one_of_the_program() -> None:
    programs = {"verifier": "carnet", "authority": "carnet-authority", "notebooks": "carnet-report"}
    wrong = []
    for where, text in said():
        program = programs[where.split("/", maxsplit=1)[0]]
        options = {option for name, own in commands().items() if name.split()[0] == program for option in own}
        # A sentence about another program's command has that one's options.
        others = {option for name, own in commands().items() if f"{name.split()[0]} " in text for option in own}
        wrong += [(where, option) for option in OPTION.findall(text) if option not in options | others]
    assert wrong == []


def test_every_page_and_section_that_is_named_exists() -> None:
    wrong = []
    for where, text in said():
        for page, section in PAGE.findall(text):
            path = ROOT / "docs" / page
            if not path.exists() or (section and f"# {section}" not in path.read_text(encoding="utf-8")):
                wrong.append((where, page, section))
    assert wrong == []


def test_the_page_that_describes_every_setting_does() -> None:
    page = PAGE.search(SettingsInvalid.default_hint)
    assert page is not None
    text = (ROOT / "docs" / page[1]).read_text(encoding="utf-8")
    assert [name for name in SETTINGS if f"`{PREFIX}{name.upper()}`" not in text] == []


@cache
def routes() -> frozenset[tuple[str, str]]:
    text = (ROOT / "docs" / "routes.md").read_text(encoding="utf-8")
    return frozenset(re.findall(r"`(GET|POST|PUT|PATCH|DELETE) (/[^`]*)`", text))


def is_route(method: str, path: str) -> bool:
    """Whether there is such a route; words in capitals stand for a parameter."""
    form = re.sub(r"\b[A-Z]{2,}\b", "{}", path.removeprefix("/api/v1").rstrip("."))
    return (method, form) in {(verb, re.sub(r"\{[^}]*\}", "{}", own)) for verb, own in routes()}


def test_every_route_that_is_named_exists() -> None:
    wrong = [(where, route) for where, text in said() for route in ROUTE.findall(text) if not is_route(*route)]
    assert wrong == []


# Rooms and modules that no route asks: commands, the making of a home, the vendor's side, what doctor finds, and restoring.
OF_COMMANDS = frozenset({"cli", "wiring", "vendor", "examination.py", "seal_health.py", "restoring.py"})


@cache
def hints() -> set[str]:
    """Every hint that the authority says where a refusal is raised, unless it is one of commands alone."""
    paths = [path for path in sorted((ROOT / "authority").rglob("*.py")) if not OF_COMMANDS & set(path.parts)]
    nodes = [node for path in paths for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    values = [node.value for node in nodes if isinstance(node, ast.keyword) and node.arg == "hint"]
    values += [node.value for node in nodes if isinstance(node, ast.Assign) and any(map(is_hint, node.targets))]
    items = (item for value in values for item in ast.walk(value) if isinstance(item, ast.Constant))
    return {item.value for item in items if isinstance(item.value, str)}


def is_hint(target: ast.expr) -> bool:
    """A hint of an object, or several by what is wrong, which have a name of their own."""
    if isinstance(target, ast.Name):
        return target.id.endswith("_HINTS")
    return isinstance(target, ast.Attribute) and target.attr == "hint"


# What only a command or whoever runs the server is told: over HTTP nobody asks for it, or `FOR_THE_OPERATOR` stands in its place.
NOT_OVER_HTTP = (
    "migrate",
    "key list",
    "key rotate",
    "key retire",
    "--format",
    "--home",
    "status-list export",
    "trust export",
    "chmod",
    "doctor",
)


@pytest.mark.parametrize("hint_there", [hint_over_http, hint_on_page])
def test_answers_over_http_and_pages_speak_of_routes_and_pages_and_not_of_commands(
    hint_there: Callable[[str, str], str],
) -> None:
    wrong = []
    for refusal in every_refusal():
        answer = hint_there(refusal.code, refusal.default_hint)
        if refusal.code not in FOR_THE_OPERATOR and re.search(r"carnet-authority|(?<![\w-])--[a-z]", answer):
            wrong.append((refusal.code, answer))
    for hint in hints():
        answer = hint_there("invalid-input", hint)
        if re.search(r"carnet-authority|(?<![\w-])--[a-z]", answer) and not any(word in hint for word in NOT_OVER_HTTP):
            wrong.append(("", answer))
    assert wrong == []


def test_pages_speak_of_no_route() -> None:
    for hint in [*hints(), *(hint for _, hint in HTTP_CODES.values())]:
        assert re.search(r"/api/|openapi|JSON\b", hint_on_page("invalid-input", hint)) is None, hint


@pytest.mark.parametrize("words", sorted({*OVER_HTTP, *ON_PAGES}))
def test_words_that_are_put_in_place_over_http_still_stand_in_a_hint(words: str) -> None:
    usual = {refusal.default_hint for refusal in every_refusal()} | {hint for _, hint in HTTP_CODES.values()}
    assert any(words in hint for hint in hints() | usual)


def test_every_error_says_what_to_do() -> None:
    usual = {error.code: error.default_hint for error in every_error()}
    usual |= {refusal.code: refusal.default_hint for refusal in every_refusal()}
    assert [code for code, hint in usual.items() if not hint.endswith((".", "FILE", "NAME", "administrator"))] == []


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("Run carnet-authority frobnicate FILE", ["carnet-authority frobnicate"]),
        ("Run: carnet-authority member set NAME --no-such", ["carnet-authority member set --no-such"]),
        ("carnet lend PRODUCT", ["carnet lend"]),
        ("Ask with carnet status; carnet-authority doctor says more.", []),
    ],
)
def test_the_walk_sees_what_does_not_exist(text: str, wrong: list[str]) -> None:
    assert list(wrong_commands(text)) == wrong
