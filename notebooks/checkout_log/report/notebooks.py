"""The notebooks of this library: where they are, and what one showed."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from nbformat import NotebookNode

# What marks cells: values that may be set from outside, and the one that says what was found.
PARAMETERS, FINDING = "parameters", "finding"
# What is shown of a simulated organization alone, whose truth is known.
SIMULATED = "simulated"


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a notebook stopped: number of the cell, from 1, what it says, and the error."""

    cell: int
    source: str
    error: str


@dataclass(frozen=True, slots=True)
class Run:
    """What a notebook showed: its name, the cells that it has itself, and where it stopped if it did."""

    name: str
    cells: tuple[NotebookNode, ...]
    failure: Failure | None

    @property
    def title(self) -> str:
        """The heading of its first cell, or its name."""
        first = self.cells[0].source.splitlines() if self.cells else []
        return first[0].removeprefix("# ") if first and first[0].startswith("# ") else self.name

    @property
    def findings(self) -> tuple[str, ...]:
        """The sentences in Markdown that say what was found."""
        shown = [output for cell in self.cells if FINDING in tags(cell) for output in cell.get("outputs", ())]
        return tuple(output["data"]["text/markdown"] for output in shown if "text/markdown" in output.get("data", {}))


def tags(cell: NotebookNode) -> set[str]:
    """The marks of a cell."""
    return set(cell.metadata.get("tags", ()))


def paths() -> list[Path]:
    """The notebooks in order: beside the package in a working copy, inside of it where it was installed."""
    package = Path(str(files("checkout_log")))
    inside = sorted((package / "notebooks").glob("[0-9]*.ipynb"))
    return inside or sorted(package.parent.glob("[0-9]*.ipynb"))
