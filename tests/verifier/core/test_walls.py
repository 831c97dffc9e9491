"""What import rules cannot see: the core calls nothing that opens a file, asks the clock or prints."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import verifier.core

FORBIDDEN = {
    "open",
    "print",
    "input",
    "exec",
    "eval",
    "breakpoint",
    "__import__",
    "now",
    "utcnow",
    "today",
    "fromfile",
}
SOURCES = sorted(Path(verifier.core.__file__).parent.glob("*.py"))


def calls(text: str) -> set[str]:
    """The names of all functions and methods that are called in a source text."""
    called = (node.func for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    return {
        item.attr if isinstance(item, ast.Attribute) else item.id
        for item in called
        if isinstance(item, ast.Attribute | ast.Name)
    }


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_the_core_opens_nothing_and_asks_no_clock(path: Path) -> None:
    assert calls(path.read_text(encoding="utf-8")) & FORBIDDEN == set()


def test_what_is_forbidden_would_be_seen() -> None:
    assert calls("open('x')\ndatetime.now()") & FORBIDDEN == {"open", "now"}
