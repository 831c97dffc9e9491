"""The notebooks of this library: where they are, how one is run, and what it showed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError

# What marks cells: values that may be set from outside, and the one that says what was found.
PARAMETERS, INJECTED, FINDING = "parameters", "injected-parameters", "finding"
# What colors a traceback on a terminal.
_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_MADE_BY_PAPERMILL = {INJECTED, "papermill-error-cell-tag"}


class OwnKernel(AsyncKernelManager):
    """A kernel of the Python that runs this: one that somebody registered may lack this library."""

    def __init__(self, **more: Any) -> None:
        super().__init__(kernel_spec_manager=KernelSpecManager(kernel_dirs=[]), **more)
        if self.has_trait("transport_encryption"):
            # Names of users go over a local port.
            self.transport_encryption = "auto"


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


def run(notebook: Path, parameters: Mapping[str, object]) -> Run:
    """What a notebook shows with these parameters, in a kernel of its own; one that fails says where."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / notebook.name
        error = ""
        try:
            papermill.execute_notebook(
                notebook,
                target,
                parameters=dict(parameters),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                cwd=os.getcwd(),
                kernel_manager_class=OwnKernel,
                # What the kernel itself has to say is nothing for the terminal of a user.
                extra_arguments=["--log-level=CRITICAL"],
            )
        except PapermillExecutionError as failed:
            error = _error_text(failed)
        except DeadKernelError:
            error = "The process ended on its own; perhaps there was too little memory."
        cells = [cell for cell in nbformat.read(target, as_version=4).cells if not tags(cell) & _MADE_BY_PAPERMILL]
    return Run(notebook.stem, tuple(cells), _failure(cells, error) if error else None)


def _error_text(failed: PapermillExecutionError) -> str:
    """The error in one line, and below it the line of the cell that it came from."""
    plain = _COLOR.sub("", "\n".join(failed.traceback))
    lines = re.findall(r"^-+> *\d+ (.*)$", plain, re.MULTILINE)
    message = f"{failed.ename}: {failed.evalue}" if failed.evalue else failed.ename
    return f"{message}\n{lines[0].strip()}" if lines else message


def _failure(cells: Sequence[NotebookNode], error: str) -> Failure:
    """The cell that was begun last: nothing runs after an error."""
    begun = [
        Failure(number, cell.source, error)
        for number, cell in enumerate(cells, 1)
        if cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("start_time")
    ]
    return begun[-1] if begun else Failure(0, "", error)
