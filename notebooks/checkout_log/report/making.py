"""The page is made: logs are read, a part of them chosen, the notebooks run on it, and what they showed is put together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import Progress

from checkout_log import timezones
from checkout_log.errors import NothingDated, NothingLeft
from checkout_log.log import Log
from checkout_log.measuring import hours
from checkout_log.reading import read
from checkout_log.report import notebooks, running, summary
from checkout_log.report.notebooks import Failure, Run
from checkout_log.report.page import rendered
from checkout_log.sources.part import FLEXNET

# The notebook on what debug logs of FlexNet must be read with.
ON_FLEXNET = "05-flexnet-site"


@dataclass(frozen=True, slots=True)
class Part:
    """What of the logs is wanted: days in the time zone of the server, features, the group of each member, and groups."""

    since: date | None = None
    until: date | None = None
    features: tuple[str, ...] = ()
    departments: Mapping[str, str] | None = None
    groups: tuple[str, ...] = ()

    def of(self, log: Log) -> Log:
        """This part of a log. Raises NothingDated, NothingLeft."""
        quality = log.stored.quality
        if not quality["events"].sum() and quality["undated"].sum():
            raise NothingDated(
                f"none of {quality['undated'].sum():,} events could be dated",
                hint="A piece of a log without any date stamp has no dates: give whole files, or those before and after it.",
            )
        if self == Part():
            return log
        after = None if self.until is None else self.until + timedelta(days=1)
        begin, end = (None if day is None else _midnight(day, log.timezone) for day in (self.since, after))
        part = log.only(
            since=begin,
            until=None if end is None else end - 1,
            features=self.features,
            departments=self.departments,
            groups=self.groups,
        )
        if part.is_empty:
            raise NothingLeft(
                "no event of the logs is left", hint="Ask for other days, features or groups, or for more of them."
            )
        return part


def _midnight(day: date, timezone: str) -> int:
    """When a day begins in this zone, in whole microseconds since 1970 UTC."""
    local = pd.Series([pd.Timestamp(day)])
    return int(hours.beginning(local, timezones.named(timezone)).iloc[0].value) // 1_000


def page(
    logs: Sequence[str],
    timezone: str | None,
    *,
    made_at: str,
    part: Part | None = None,
    tables: Path | None = None,
    cache: Path | None = None,
    servers: Mapping[str, Sequence[str]] | None = None,
) -> tuple[str, list[str]]:
    """The page as HTML, and a sentence for each notebook that failed; the tables go to a file or a folder, where one is named.

    servers: the logs of each license server that is kept apart, by its name. Raises what `read` raises, NothingDated and NothingLeft, and OSError where the tables cannot be written.
    """
    log = (part or Part()).of(read(*logs, timezone=timezone, cache=cache, servers=servers))
    if tables is not None:
        # Most pages are made without, and it takes a library of its own.
        from checkout_log.report.tables import write

        write(log, tables)
    runs = list(_runs(log))
    html = rendered(runs, summary.of(log), timezone=log.timezone, made_at=made_at)
    return html, [_sentence(run.name, run.failure) for run in runs if run.failure is not None]


def _sentence(name: str, failure: Failure) -> str:
    return f"{name} failed in cell {failure.cell}: {', at: '.join(failure.error.splitlines())}"


def _runs(log: Log) -> Iterator[Run]:
    """Every notebook that has something to say of the log that was read, one after the other."""
    has_flexnet = bool((log.stored.quality["kind"] == FLEXNET).any())
    paths = [path for path in notebooks.paths() if has_flexnet or path.stem != ON_FLEXNET]
    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("Notebooks", total=len(paths))
        for notebook in paths:
            progress.update(task, description=notebook.stem)
            yield running.run(notebook, {"SOURCES": log, "TIMEZONE": log.timezone})
            progress.advance(task)
