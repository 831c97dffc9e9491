"""The page is made: logs are read, the notebooks run on them, and what they showed is put together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.progress import Progress

from checkout_log import captions
from checkout_log.log import Log
from checkout_log.reading import read
from checkout_log.report import notebooks, running
from checkout_log.report.notebooks import Failure, Run
from checkout_log.report.page import rendered


def page(logs: Sequence[str], timezone: str, *, made_at: str) -> tuple[str, list[str]]:
    """The page as HTML, and a sentence for each notebook that failed. Raises what `read` raises."""
    log = read(*logs, timezone=timezone)
    runs = list(_runs(log, timezone))
    html = rendered(runs, captions.files(log.quality()), timezone=timezone, made_at=made_at)
    return html, [_sentence(run.name, run.failure) for run in runs if run.failure is not None]


def _sentence(name: str, failure: Failure) -> str:
    return f"{name} failed in cell {failure.cell}: {', at: '.join(failure.error.splitlines())}"


def _runs(log: Log, timezone: str) -> Iterator[Run]:
    """Every notebook, one after the other, on the log that was read."""
    paths = notebooks.paths()
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Notebooks", total=len(paths))
        for notebook in paths:
            progress.update(task, description=notebook.stem)
            yield running.run(notebook, {"SOURCES": log, "TIMEZONE": timezone})
            progress.advance(task)
