"""Every page of the documentation, walked as it stands: its blocks in their order, in one empty folder."""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shlex
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from authority.cli.main import cli
from authority.domain.events import EventKind
from tools.documentation import DOCS, pages
from verifier.cli.main import build_parser

BIN = Path(sys.executable).parent
# A block, with the remark that may stand before it: what file it is, or why it is not walked.
BLOCK = re.compile(
    r"(?:^<!-- (?P<remark>file|not walked): (?P<what>[^\n]+) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
# Pages that the code writes have the help of commands in blocks, which another test holds to the code.
BY_HAND = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if path.name not in pages())
WALKED = {
    "administration.md": 2,
    "analytics.md": 4,
    "drills/restore.md": 7,
    "drills/stolen-key.md": 8,
    "embedding.md": 4,
    "operations.md": 1,
    "vendor.md": 6,
}
# What stands on a page to be a file: settings, and programs that another test runs.
FILES = frozenset({"toml", "sh", "perl", "javascript", "yaml"})
# How many blocks say that they cannot be walked, and why. A new one is a decision, and not a way to make this test pass.
# The page on the API is run by its own test, against a server.
NOT_WALKED = {"analytics.md": 5, "api.md": 8, "metrics.md": 1, "notices.md": 2, "operations.md": 3}
# Runs each line that comes, a text in JSON, where the one before ended.
LOOP = """
import json, sys
names = {}
for line in sys.stdin:
    exec(json.loads(line), names)
    print("done", flush=True)
"""
# Words that stand for something in a command that a text names.
VALUES = {"FILE": "file", "ID": "x" * 22, "NAME": "ada", "TEXT": "lost", "N": "7", "DIR": "folder", "URL": "http://localhost"}


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    language: str
    text: str
    remark: str | None
    what: str | None


def blocks(page: str) -> list[Block]:
    text = (DOCS / page).read_text(encoding="utf-8")
    in_page = [Block(match["language"], match["text"], match["remark"], match["what"]) for match in BLOCK.finditer(text)]
    assert len(in_page) * 2 == len(re.findall(r"^```", text, re.MULTILINE)), f"{page}: a block is not closed"
    return in_page


def walked(page: str) -> list[Block]:
    return [block for block in blocks(page) if block.language in ("console", "python") and block.remark is None]


def test_every_block_is_walked_or_says_why_not() -> None:
    """Blocks are commands, Python, a file that commands read, or what a command prints (text)."""
    by_page = {page: blocks(page) for page in BY_HAND}
    assert {block.language for own in by_page.values() for block in own} <= {"console", "python", "text", *FILES}
    assert {page: len(walked(page)) for page in BY_HAND if walked(page)} == WALKED
    left_out = Counter(page for page, own in by_page.items() for block in own if block.remark == "not walked")
    assert left_out == NOT_WALKED
    assert all(block.remark == "file" for own in by_page.values() for block in own if block.language in FILES)


@pytest.mark.slow
@pytest.mark.timeout(1200)  # the page on analytics reads a year and runs all notebooks
@pytest.mark.parametrize("page", sorted(WALKED))
def test_a_page_works_as_it_stands(page: str, tmp_path: Path) -> None:
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path / "home")}
    folder = tmp_path / "empty"
    folder.mkdir()
    with interpreter(folder, environment) as python:
        for block in blocks(page):
            if block.remark == "file":
                (folder / str(block.what)).write_text(block.text, encoding="utf-8")
            elif block.remark is not None or block.language not in ("console", "python"):
                continue
            elif block.language == "console":
                for line in block.text.splitlines():
                    run(["bash", "-c", line], folder, environment)
            else:
                python(block.text)


@contextlib.contextmanager
def interpreter(folder: Path, environment: dict[str, str]) -> Iterator[Callable[[str], None]]:
    """Runs blocks of Python, which go on from one another, in one process."""
    command = [sys.executable, "-c", LOOP]
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        reads, writes = process.stdout, process.stdin
        assert reads is not None
        assert writes is not None

        def execute(text: str) -> None:
            print(json.dumps(text), file=writes, flush=True)
            assert reads.readline() == "done\n", text

        yield execute
        writes.close()
    assert process.returncode == 0


def run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    process = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert process.returncode == 0, (command[-1], process.stdout, process.stderr)


def named_commands() -> list[tuple[str, str]]:
    """Every command of ours that a page or the README names in its text, with its page."""
    texts = {page: (DOCS / page).read_text(encoding="utf-8") for page in BY_HAND}
    texts["README.md"] = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    spans = {
        (page, span)
        for page, text in texts.items()
        for span in re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL))
    }
    return sorted((page, span) for page, span in spans if span.startswith(("carnet ", "carnet-authority ")))


@pytest.mark.parametrize(("page", "span"), named_commands())
def test_a_command_that_a_text_names_is_there(page: str, span: str) -> None:
    """The command is there, and takes the arguments and options that stand with it; without any it is only mentioned."""
    # A shell of POSIX takes the backslash of a Windows path for a mark of its own.
    command = span.split(" | ", maxsplit=1)[0].replace("\\", "/")
    program, *words = [VALUES.get(word, word) for word in shlex.split(command)]
    if program == "carnet":
        takes_of_workstation(words)
    else:
        takes_of_authority(span, words)


def takes_of_workstation(words: list[str]) -> None:
    parser = build_parser()
    names = next(action.choices for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    assert words[0] in names
    options = {option for action in names[words[0]]._actions for option in action.option_strings}
    assert {word for word in words[1:] if word.startswith("-")} <= options


def takes_of_authority(span: str, words: list[str]) -> None:
    command: click.Command = cli
    words = [word for word in words if word != "--version"]
    context = click.Context(cli)
    while isinstance(command, click.Group) and words:
        child = command.get_command(context, words[0])
        assert child is not None, f"{span}: there is no command {words[0]}"
        command = child
        words = words[1:]
    if words and not isinstance(command, click.Group):
        command.make_context(span, words)


def test_a_kind_of_event_that_a_text_names_is_one_that_is_written() -> None:
    """Clones, clock resets and keys stand in the log that the text sends people to."""
    named = {kind for page in BY_HAND for kind in re.findall(r"--kind ([a-z-]+)", (DOCS / page).read_text(encoding="utf-8"))}
    assert {"clone-suspected", "clock-reset", "key-retired"} <= named <= set(EventKind)
