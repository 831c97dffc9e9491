"""The notebooks with their outputs, as a reader opens them: run anew from top to bottom, with nothing of the machine in them.

`python -m tools.notebooks` writes them, and the gallery of the documentation that shows their pictures.
"""

from __future__ import annotations

from pathlib import Path

import nbformat

from checkout_log.report import notebooks, running
from tools import gallery


def run_anew(path: Path) -> None:
    """Runs a notebook as it stands and writes its outputs into it; nothing changes where it fails."""
    ran = running.run(path, {})
    if ran.failure is not None:
        raise SystemExit(f"{ran.name} failed in cell {ran.failure.cell}: {ran.failure.error}")
    notebook = nbformat.read(path, as_version=4)
    for cell, fresh in zip(notebook.cells, ran.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = fresh.outputs, fresh.execution_count
    # One that takes parameters had a cell of them before the others.
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
    nbformat.write(notebook, path)


def main() -> None:
    """Runs all of them, and draws the gallery."""
    for path in notebooks.paths():
        print(path.name)
        run_anew(path)
    gallery.write()


if __name__ == "__main__":
    main()
