"""status-list, trust, authorization, key, log: what is given to others to read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import click

from authority.cli.frame import Frame, Group, check_output, pass_frame, show, show_table, write_lines, write_output
from authority.cli.table import CommandTable
from authority.domain.members import CONSOLE
from authority.presentation import parquet, sheets
from authority.presentation.authorization import AuthorizationShown
from authority.presentation.log import with_texts
from authority.presentation.shown import rfc3339
from authority.services import log as log_service
from authority.services import overview, status_lists
from authority.services.unit import Unit

PARQUET = "parquet"


@click.group(cls=Group, name="status-list")
def status_list() -> None:
    """The signed list of what has ended."""


@status_list.command("export")
@click.option("-o", "--output", required=True, metavar="FILE")
@pass_frame
def export_status_list(frame: Frame, output: str) -> None:
    """Write the newest status file, to be carried to any workstation."""
    check_output(output)
    with frame.authority() as authority:
        write_output(output, status_lists.export(Unit(authority, CONSOLE)))
    show(frame, {"file": output}, [f"wrote {output}; install it on workstations: carnet install {output}"])


@click.group(cls=Group)
def trust() -> None:
    """What workstations trust."""


@trust.command("export")
@click.option("-o", "--output", required=True, metavar="FILE")
@pass_frame
def export_trust(frame: Frame, output: str) -> None:
    """Write the trust file that workstations install first."""
    check_output(output)
    with frame.authority() as authority:
        write_output(output, overview.trust_file(authority))
    show(frame, {"file": output}, [f"wrote {output}; install it on workstations: carnet trust {output}"])


@click.group(cls=Group, commands=CommandTable({"install": "authority.cli.authorizations:install"}))
def authorization() -> None:
    """What the vendor lets the organization give."""


@authorization.command("show")
@pass_frame
def show_authorization(frame: Frame) -> None:
    """Show what is licensed and what of it is used."""
    with frame.authority() as authority:
        value = AuthorizationShown.of(*overview.authorization(authority, CONSOLE), authority.now())
    maximum = "any number" if value.members.maximum is None else value.members.maximum
    lines = [
        f"{value.organization_name} ({value.organization}), authorized by {value.vendor}, seq {value.seq}",
        f"until {rfc3339(value.ends_at)}, {value.days_left} days left; longest borrow {value.max_borrow_days} days",
        f"members {value.members.current} of {maximum}",
    ]
    for product in value.products:
        lines.append(f"{product.name} ({product.id}), {product.mode}")
        lines += [f"  {feature:<18} {seats.used} of {seats.licensed} used" for feature, seats in product.seats.items()]
    show(frame, value, [*lines, *([f"warning: {value.warning}"] if value.warning else [])])


@click.group(cls=Group)
def key() -> None:
    """The authority's own keys."""


@key.command("list")
@click.option("--public", is_flag=True, help="Write the public keys for the vendor.")
@click.option("-o", "--output", metavar="FILE", help="With --public: the file to write.")
@pass_frame
def list_keys(frame: Frame, public: bool, output: str | None) -> None:
    """List the keys, and which of them sign now."""
    if public != (output is not None):
        raise click.UsageError("--public and -o FILE go together")
    if output is not None:
        check_output(output)
        with frame.authority() as authority:
            keys = overview.public_keys(authority)
        write_output(output, (json.dumps(keys, indent=2) + "\n").encode())
        show(frame, {"file": output, **keys}, [f"wrote {output}; send it to the vendor"])
        return
    with frame.authority() as authority:
        rows = overview.keys(authority)
    columns = {
        "use": lambda row: row["use"],
        "thumbprint": lambda row: row["kid"],
        "signs now": lambda row: "yes" if row["signs_now"] else "no",
    }
    show_table(frame, rows, columns)


@click.group(cls=Group)
def log() -> None:
    """The checkout log."""


@log.command("export")
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
        _write_log(form, output, log_service.checkout_log(authority, CONSOLE))
    if output is not None:
        show(frame, {"file": output}, [f"wrote {output}"])


def _write_log(form: str, output: str | None, rows: Iterable[dict[str, Any]]) -> None:
    if form == PARQUET and output is not None:
        try:
            parquet.write(Path(output), rows)
        except OSError as error:
            raise click.UsageError(f"{output} cannot be written: {error.strerror}") from error
        return
    texts = map(with_texts, rows)
    write_lines(output, _json_lines(texts) if form == "jsonl" else sheets.lines(log_service.COLUMNS, texts))


def _json_lines(rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    return (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
