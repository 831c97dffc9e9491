"""log: what happened, and the checkout log for analysts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from authority.cli.erasure import prune_log
from authority.cli.files import check_output, write_lines
from authority.cli.frame import DATES, Frame, Group, pass_frame
from authority.cli.log_seal import export_checkpoint, seal_log, verify_log
from authority.cli.output import Columns, fields, show, show_count, show_table
from authority.domain import disk
from authority.domain.members import CONSOLE
from authority.presentation import parquet, sheets
from authority.presentation.log import EventShown, event_of, instant, with_texts
from authority.services import log, log_files, sessions
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage.events import Filter

PARQUET, SEALED = "parquet", "sealed"
COLUMNS: Columns[EventShown] = {
    "number": lambda event: event.id,
    "at": lambda event: instant(event.at),
    "what": lambda event: event.what,
    "by": lambda event: event.done_by,
    "member": lambda event: event.member,
    "license": lambda event: " ".join(filter(None, (event.product, event.feature))),
    "said about it": lambda event: event.said,
}


# What a narrow window has no room for, the least wanted first.
MAY_GO = ("said about it", "by", "license", "member")


@click.group(cls=Group, name="log")
def log_group() -> None:
    """The checkout log."""


for command in (seal_log, verify_log, export_checkpoint, prune_log):
    log_group.add_command(command)


@log_group.command("export")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", PARQUET, SEALED]), default="jsonl", show_default=True)
@click.option("-o", "--output", metavar="FILE", help="Default: stdout; Parquet needs a file.")
@pass_frame
def export_log(frame: Frame, form: str, output: str | None) -> None:
    """Write the checkout log, one row for each level and extension of each event.

    The format sealed has every sealed row of the log with its seal, and is verified without this authority: log verify --file FILE.
    """
    if output is not None:
        check_output(output)
    elif form == PARQUET:
        raise click.UsageError("say where to write the Parquet file: -o FILE")
    with frame.authority() as authority:
        unit = _complete(authority)
        if form == SEALED:
            write_lines(output, log_files.lines(unit))
        else:
            _write_log(form, output, log.checkout_log(unit))
    if output is not None:
        show(frame, {"file": output}, [f"wrote {output}"])


@log_group.command("list")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Like denial; may be given several times.")
@click.option("--member", metavar="NAME", help="About this member.")
@click.option("--actor", metavar="NAME", help="Done by this member; console and time are no members.")
@click.option("--product", metavar="PRODUCT")
@click.option("--machine", metavar="ID_OR_ALIAS")
@click.option("--handle", metavar="ID", help="Of this borrow or session.")
@click.option("--since", type=click.DateTime(DATES), metavar="DATE", help="UTC, like 2026-03-31 or 2026-03-31T12:00:00Z.")
@click.option("--until", type=click.DateTime(DATES), metavar="DATE", help="Before that time.")
@click.option("--oldest", is_flag=True, help="The oldest first; default: the newest.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=100, show_default=True)
@pass_frame
def list_log(
    frame: Frame,
    kinds: tuple[str, ...],
    member: str | None,
    actor: str | None,
    product: str | None,
    machine: str | None,
    handle: str | None,
    since: datetime | None,
    until: datetime | None,
    oldest: bool,
    limit: int,
) -> None:
    """What happened, the newest first: borrows and sessions, and what administrators did."""
    if "" in (member, actor, product, machine, handle):
        raise click.UsageError("--member, --actor, --product, --machine and --handle each need a name")
    wanted = Filter(
        kinds=kinds or None,
        actor=actor,
        product=product,
        machine=machine,
        handle=handle,
        since=_in_utc(since),
        until=_in_utc(until),
        newest=not oldest,
        limit=limit,
    )
    with frame.authority() as authority:
        rows = list(map(event_of, log.listed(_complete(authority), wanted, member)))
    show_table(frame, rows, COLUMNS, MAY_GO)
    show_count(frame, len(rows), "event", "more" if len(rows) == limit else None)


@log_group.command("show")
@click.argument("number", type=int)
@pass_frame
def show_event(frame: Frame, number: int) -> None:
    """Show one event with all its columns."""
    with frame.authority() as authority:
        shown = event_of(log.show(_complete(authority), number))
    words = {"kind": f"{shown.what} ({shown.kind})", "actor": shown.done_by, "reason": shown.said}
    values = shown.model_dump(mode="json") | words
    show(frame, shown, list(fields(values)))


def _complete(authority: Authority) -> Unit:
    """The unit of work of a command that shows the log, with the ends of sessions that time ended in it: no server may be running."""
    unit = Unit(authority, CONSOLE)
    sessions.log_ended_by_time(unit)
    return unit


def _in_utc(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC)


def _write_log(form: str, output: str | None, rows: Iterable[dict[str, Any]]) -> None:
    if form == PARQUET and output is not None:
        with disk.explained(output, "written"):
            parquet.write(Path(output), rows)
        return
    texts = map(with_texts, rows)
    write_lines(output, _json_lines(texts) if form == "jsonl" else sheets.lines(log.COLUMNS, texts))


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
