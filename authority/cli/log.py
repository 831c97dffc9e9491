"""log: the checkout log, for analysts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from authority.cli.frame import Frame, Group, check_output, pass_frame, show, write_lines
from authority.domain import disk
from authority.domain.members import CONSOLE
from authority.presentation import parquet, sheets
from authority.presentation.log import with_texts
from authority.services import log
from authority.services.unit import Unit

PARQUET = "parquet"


@click.group(cls=Group, name="log")
def log_group() -> None:
    """The checkout log."""


@log_group.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", PARQUET]), default="jsonl", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Default: stdout; Parquet needs a file.")
@pass_frame
def export_log(frame: Frame, form: str, output: str | None) -> None:
    """Write the checkout log, one row for each level and extension of each event."""
    if output is not None:
        check_output(output)
    elif form == PARQUET:
        raise click.UsageError("say where to write the Parquet file: -o FILE")
    with frame.authority() as authority:
        _write_log(form, output, log.checkout_log(Unit(authority, CONSOLE)))
    if output is not None:
        show(frame, {"file": output}, [f"wrote {output}"])


def _write_log(form: str, output: str | None, rows: Iterable[dict[str, Any]]) -> None:
    if form == PARQUET and output is not None:
        with disk.explained(output, "written"):
            parquet.write(Path(output), rows)
        return
    texts = map(with_texts, rows)
    write_lines(output, _json_lines(texts) if form == "jsonl" else sheets.lines(log.COLUMNS, texts))


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
