"""Notebooks are run in this process, one after the other: libraries are imported and logs are read once for all of them."""

from __future__ import annotations

import base64
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, RichOutput, capture_output
from matplotlib import pyplot as plt
from nbformat import NotebookNode
from nbformat.v4 import new_output
from traitlets.config import Config

from checkout_log.report.notebooks import PARAMETERS, SIMULATED, Failure, Run, tags


def run(notebook: Path, parameters: Mapping[str, object]) -> Run:
    """What a notebook shows with these parameters, in a namespace of its own; one that fails says where.

    A parameter may be any object: a `Log` for SOURCES is read once for all notebooks.
    """
    cells = nbformat.read(notebook, as_version=4).cells
    if parameters.get("SOURCES"):
        cells = [cell for cell in cells if SIMULATED not in tags(cell)]
    with _shell() as shell:
        failure = _run_cells(shell, cells, parameters)
    return Run(notebook.stem, tuple(cells), failure)


def _run_cells(shell: InteractiveShell, cells: list[NotebookNode], parameters: Mapping[str, object]) -> Failure | None:
    """Runs the code of these cells and puts into each what it showed; nothing runs after an error."""
    for number, cell in enumerate(cells, 1):
        if cell.cell_type == "code":
            error = _run_cell(shell, cell)
            if error is not None:
                return Failure(number, cell.source, _told(error, cell.source))
            if PARAMETERS in tags(cell):
                shell.push(dict(parameters))
    return None


def _run_cell(shell: InteractiveShell, cell: NotebookNode) -> BaseException | None:
    """What stopped the cell, None if nothing did. Raises KeyboardInterrupt."""
    with capture_output() as shown:
        result = shell.run_cell(cell.source, store_history=True)
    cell.outputs, cell.execution_count = _outputs(shown), result.execution_count
    error: BaseException | None = result.error_before_exec or result.error_in_exec
    if isinstance(error, KeyboardInterrupt):
        raise error
    return error


def _outputs(shown: CapturedIO) -> list[NotebookNode]:
    """What a cell put on the page; what it printed is not for the page."""
    return [new_output("display_data", data=_plain(output), metadata=output.metadata) for output in shown.outputs]


def _plain(output: RichOutput) -> dict[str, Any]:
    """The data of an output as a notebook keeps them: bytes as base 64."""
    return {
        kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value for kind, value in output.data.items()
    }


def _told(error: BaseException, source: str) -> str:
    """The error in one line, and below it the line of the cell that it came from."""
    message = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    line = error.lineno if isinstance(error, SyntaxError) else _line_in_cell(error.__traceback__)
    lines = source.splitlines()
    return f"{message}\n{lines[line - 1].strip()}" if line and line <= len(lines) else message


def _line_in_cell(trace: TracebackType | None) -> int | None:
    """The line of the cell that was being run: the outermost code of a module is the cell's."""
    lines = (line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_name == "<module>")
    return next(lines, None)


@contextmanager
def _shell() -> Iterator[InteractiveShell]:
    """A shell of its own for each notebook; it leaves no history, no profile and no figure behind."""
    module, path = sys.modules["__main__"], list(sys.path)
    config = Config()
    config.HistoryManager.enabled = False
    with TemporaryDirectory() as folder:
        shell = InteractiveShell.instance(config=config, ipython_dir=folder, colors="nocolor")
        try:
            yield shell
        finally:
            InteractiveShell.clear_instance()
            plt.close("all")
            sys.modules["__main__"], sys.path[:] = module, path
