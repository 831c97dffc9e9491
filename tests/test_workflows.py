"""What runs at every push: actions by their digest, and every Python that the package names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").iterdir())


def test_an_action_is_named_by_the_digest_of_its_commit() -> None:
    """A tag can be moved to other code by whoever gets hold of the action."""
    uses = [line.strip() for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    assert uses
    for line in uses:
        assert re.fullmatch(r"- uses: [\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_every_python_that_the_package_names_is_tried() -> None:
    classifiers = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["classifiers"]
    named = [match[1] for text in classifiers if (match := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", text))]
    rows = [match for path in WORKFLOWS for match in re.findall(r"python: \[(.*)\]", path.read_text())]
    whole, *others = [re.findall(r'"([\d.]+)"', row) for row in rows]
    assert whole == named == ["3.11", "3.12", "3.13", "3.14"]
    # Where only a part of the tests runs, the oldest and the newest are enough.
    assert others == [[named[0], named[-1]]]


def test_the_lines_of_the_kit_for_powershell_run_on_a_real_windows() -> None:
    """Those that compare and install, as README.txt of the kit has them."""
    readme = (ROOT / "tools" / "kit" / "README.txt").read_text(encoding="utf-8")
    lines = [
        line
        for line in re.findall(r"^ {3}(?:PowerShell)? +(\S.*)$", readme, re.MULTILINE)
        if "ForEach-Object" in line or "py -m venv" in line
    ]
    assert len(lines) == 2
    text = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    assert all(line in text for line in lines)
