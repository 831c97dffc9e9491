"""The notebooks of this library: where they are, what is in their cells, and what one showed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any

# What marks cells: values that may be set from outside, and the one that says what was found.
PARAMETERS, FINDING = "parameters", "finding"
# What is shown of a simulated organization alone, whose truth is known.
SIMULATED = "simulated"
# What a notebook needs and the page does not: it has that at another place, or leaves it out.
NOTEBOOK_ONLY = "notebook-only"


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that a cell showed: its forms by their types, bytes as they are, and what is said about them."""

    data: Mapping[str, Any]
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Cell:
    """A cell of a notebook. kind: markdown or code."""

    kind: str
    source: str
    tags: frozenset[str] = frozenset()
    outputs: list[Shown] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a notebook stopped: number of the cell, from 1, what it says, and the error."""

    cell: int
    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a notebook showed: its name, its cells with their outputs, and where it stopped if it did."""

    name: str
    cells: tuple[Cell, ...]
    failure: Failure | None

    @property
    def title(self) -> str:
        """The heading of its first cell, or its name."""
        first = self.cells[0].source.splitlines() if self.cells else []
        return first[0].removeprefix("# ") if first and first[0].startswith("# ") else self.name

    @property
    def findings(self) -> tuple[str, ...]:
        """The sentences in Markdown that say what was found."""
        shown = [output for cell in self.cells if FINDING in cell.tags for output in cell.outputs]
        return tuple(output.data["text/markdown"] for output in shown if "text/markdown" in output.data)


def cells(path: Path) -> list[Cell]:
    """The cells of a notebook file, without what they showed when it was written.

    A notebook is JSON; the library that checks every detail of one takes longer to load than a page to make.
    """
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [Cell(cell["cell_type"], "".join(cell["source"]), frozenset(cell["metadata"].get("tags", ()))) for cell in stored]


def paths() -> list[Path]:
    """The notebooks in order: beside the package in a working copy, inside of it where it was installed."""
    package = Path(str(files("checkout_log")))
    inside = sorted((package / "notebooks").glob("[0-9]*.ipynb"))
    return inside or sorted(package.parent.glob("[0-9]*.ipynb"))
