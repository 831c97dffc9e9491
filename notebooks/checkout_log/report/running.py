"""Notebooks are run in this process, one after the other: libraries are imported and logs are read once for all of them."""

from __future__ import annotations

import ast
import io
import traceback
from collections.abc import Mapping
from contextlib import redirect_stdout
from pathlib import Path
from types import TracebackType
from typing import Any

from checkout_log.report import notebooks
from checkout_log.report.display import collected
from checkout_log.report.notebooks import PARAMETERS, SIMULATED, Cell, Failure, Run


def run(notebook: Path, parameters: Mapping[str, object], *, for_page: bool = True) -> Run:
    """What a notebook shows with these parameters, in a namespace of its own; one that fails says where.

    A parameter may be any object: a `Log` for SOURCES is read once for all notebooks. for_page: pictures are those of a page.
    """
    cells = notebooks.cells(notebook)
    if parameters.get("SOURCES"):
        cells = [cell for cell in cells if SIMULATED not in cell.tags]
    return Run(notebook.stem, tuple(cells), _run_cells(cells, parameters, for_page=for_page))


def _run_cells(cells: list[Cell], parameters: Mapping[str, object], *, for_page: bool) -> Failure | None:
    """Runs the code of these cells and puts into each what it showed; nothing runs after an error."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(cells, 1):
        if cell.kind == "code":
            error = _run_cell(cell, names, for_page=for_page)
            if error is not None:
                return Failure(number, cell.source, _in_words(error, cell.source))
            if PARAMETERS in cell.tags:
                names |= parameters
    return None


def _run_cell(cell: Cell, names: dict[str, Any], *, for_page: bool) -> BaseException | None:
    """What stopped the cell, None if nothing did; what it printed is not for the page. Raises KeyboardInterrupt."""
    with collected(cell.outputs, for_page=for_page), redirect_stdout(io.StringIO()):
        try:
            code = compile(ast.parse(cell.source), "<cell>", "exec")
            exec(code, names)  # noqa: S102 - to run it is what a notebook is for
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, the other notebooks are still of use
            return error
    return None


def _in_words(error: BaseException, source: str) -> str:
    """The error in one line, and below it the line of the cell that it came from."""
    message = "".join(traceback.format_exception_only(error)).strip().splitlines()[-1]
    line = error.lineno if isinstance(error, SyntaxError) else _line_in_cell(error.__traceback__)
    lines = source.splitlines()
    return f"{message}\n{lines[line - 1].strip()}" if line and line <= len(lines) else message


def _line_in_cell(trace: TracebackType | None) -> int | None:
    """The line of the cell that was being run: the outermost code of a module is the cell's."""
    lines = (line for frame, line in traceback.walk_tb(trace) if frame.f_code.co_name == "<module>")
    return next(lines, None)
