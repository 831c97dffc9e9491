"""What commands that list borrows share: options that say which are meant, and the rows for a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from authority.cli.files import check_output, write_lines
from authority.cli.frame import Frame
from authority.cli.output import show
from authority.presentation import sheets
from authority.presentation.shown import Shown

Function = TypeVar("Function", bound=Callable[..., Any])
USUAL_LIMIT = 1000
SELECTION = (
    click.option("--search", metavar="TEXT", help="A part of the user name, the full name or a group, whatever its case."),
    click.option("--member", metavar="NAME"),
    click.option("--product", metavar="PRODUCT"),
    click.option("--machine", metavar="ID_OR_ALIAS", help="The id, or a part of the alias, whatever its case."),
    click.option("--group", metavar="GROUP", help="Of members of this group."),
    click.option("--type", "user_type", metavar="TYPE", help="Of members of this user type."),
)
SHEET = (
    click.option("--limit", type=click.IntRange(1, 1_000_000), help="Default: 1000; with --csv all."),
    click.option("--csv", "as_csv", is_flag=True, help="Write rows for a spreadsheet."),
    click.option("-o", "--output", metavar="FILE", help="With --csv: the file to write; default: stdout."),
)


def selection_options(command: Function) -> Function:
    """The command with an option for each way to say whose borrows are meant; they come by their names in a filter."""
    for option in reversed(SELECTION):
        command = option(command)
    return command


def sheet_options(command: Function) -> Function:
    """The command with options that say how many rows there are at most, and that they are written for a spreadsheet."""
    for option in reversed(SHEET):
        command = option(command)
    return command


def check_options(frame: Frame, selection: Mapping[str, str | None], output: str | None, *, as_csv: bool) -> None:
    """Wrong usage for options that do not go together, and where nothing can be written.

    Raises DiskFull, NotPermitted or DiskFailed when the operating system lets nobody write there.
    """
    if output is not None:
        check_output(output)
    if (output is not None and not as_csv) or (as_csv and frame.json and output is None):
        raise click.UsageError("-o FILE goes with --csv, and --csv on stdout goes without --json")
    # A script's empty variable must not become a list of everybody.
    if "" in selection.values():
        raise click.UsageError("--search, --member, --product, --machine, --group and --type each need a name")


def write_sheet(frame: Frame, shape: type[Shown], rows: Iterable[Shown], output: str | None) -> None:
    """Writes rows for a spreadsheet to the file, or to stdout; a file is named afterwards.

    Raises DiskFull, NotPermitted or DiskFailed for the file, ReaderGone or OutputNotWritten for stdout.
    """
    write_lines(output, sheets.lines_of(shape, rows))
    if output is not None:
        show(frame, {"file": output}, [f"wrote {output}"])
