"""The documentation says what the code does."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tools.documentation import DOCS, pages

ROOT = DOCS.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize("name", sorted(pages()))
def test_written_pages_equal_the_code(name: str) -> None:
    """`make docs` was run after the last change of a command, code, setting or route."""
    assert (DOCS / name).read_text(encoding="utf-8") == pages()[name]


def test_links_in_the_documentation_lead_somewhere() -> None:
    """Every relative link of every page names a file that is there."""
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *(ROOT / "keys.example").glob("*.md")]
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    assert broken == []


def test_every_test_that_the_page_on_security_names_is_there() -> None:
    """A row that no test holds is a promise."""
    named = set(re.findall(r"`(test_\w+(?:\.py)?)`", (DOCS / "security.md").read_text(encoding="utf-8")))
    files = list((ROOT / "tests").rglob("test_*.py"))
    defined = {
        name for path in files for name in re.findall(r"^def (test_\w+)\(", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert len(named) > 30
    assert named - defined - {path.name for path in files} == set()


@pytest.mark.slow
def test_the_five_minute_walk_of_the_readme_works(tmp_path: Path) -> None:
    """Every command of the walk runs as it stands, in order, in one folder."""
    commands = commands_of("walk")
    assert len(commands) >= 8
    run_all(commands, tmp_path)


@pytest.mark.slow
def test_the_borrow_in_two_commands_works(tmp_path: Path) -> None:
    """What stands before it, then its commands, as they stand, in one folder and with one user's home."""
    commands = [*commands_of("before"), *commands_of("borrow"), "carnet check arcgis-pro"]
    assert len(commands) == 7
    run_all(commands, tmp_path)


def commands_of(part: str) -> list[str]:
    """The commands of one part of the README."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^\$ (.+)$", text[text.index(f"<!-- {part} -->") : text.index(f"<!-- /{part} -->")], re.MULTILINE)


def run_all(commands: list[str], tmp_path: Path) -> None:
    """Runs the commands in an empty folder; those that say so are refused, all others end well."""
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(tmp_path)}
    for command in commands:
        expected = 1 if "# refused" in command else 0
        process = subprocess.run(
            ["bash", "-c", command], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert process.returncode == expected, (shlex.split(command), process.stdout, process.stderr)
