"""The notebooks with their outputs, as a reader opens them: run anew from top to bottom, with nothing of the machine in them.

`python -m tools.notebooks` writes them, and the gallery of the documentation, which shows their pictures and those of the page.
"""

from __future__ import annotations

import base64
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_output

from checkout_log.report import notebooks, running
from checkout_log.report.notebooks import Shown
from checkout_log.report.site import real_logs
from tools import gallery, report_pictures

# It shows what real logs say, which are not in the repository; what it showed is.
ON_REAL_LOGS = "05-flexnet-site"


def run_anew(path: Path) -> None:
    """Runs a notebook as it stands and writes its outputs into it; nothing changes where it fails."""
    ran = running.run(path, {}, for_page=False)
    if ran.failure is not None:
        raise SystemExit(f"{ran.name} failed in cell {ran.failure.cell}: {ran.failure.error}")
    notebook = nbformat.read(path, as_version=4)
    for cell, fresh in zip(notebook.cells, ran.cells, strict=True):
        if cell.cell_type == "code":
            cell.outputs = [output_of(shown) for shown in fresh.outputs]
    # One that takes parameters had a cell of them before the others.
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
        cell.execution_count = number
    nbformat.write(notebook, path)


def output_of(shown: Shown) -> NotebookNode:
    """The output as a notebook keeps it: bytes as base 64."""
    data = {kind: base64.b64encode(value).decode() if isinstance(value, bytes) else value for kind, value in shown.data.items()}
    output: NotebookNode = new_output("display_data", data=data, metadata=dict(shown.metadata))
    return output


def main() -> None:
    """Runs all of them, and draws the gallery."""
    for path in notebooks.paths():
        if path.stem == ON_REAL_LOGS and not real_logs()[0]:
            print(f"{path.name} stays: CARNET_LOG_CORPUS names no folder with the logs that it shows")
            continue
        print(path.name)
        run_anew(path)
    report_pictures.main()
    gallery.write()


if __name__ == "__main__":
    main()
