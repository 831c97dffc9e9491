"""member import, member export: members by a CSV file, out and in."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from authority.cli.files import check_output, opened, write_lines
from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import REFUSED, show
from authority.cli.selections import selected, selection_options
from authority.domain.members import CONSOLE, DownloadPermission
from authority.domain.plurals import counted
from authority.presentation import member_sheet, sheets
from authority.presentation.member_import import MemberImport, value_of
from authority.presentation.members import ListedMember
from authority.services import member_files
from authority.services.member_files import Imported, Line, Outcome
from authority.services.unit import Unit

# What need not be said of a new member.
USUAL: tuple[Any, ...] = ("", (), False, DownloadPermission.NONE)


@click.command("export", cls=Command)
@selection_options
@click.option("-o", "--output", metavar="FILE", help="Default: stdout.")
@pass_frame
def export_members(frame: Frame, /, output: str | None, **selection: Any) -> None:
    """Write members with what they hold as CSV; with --json alone as JSON. `member import` takes the file back."""
    if output is not None:
        check_output(output)
    with frame.authority() as authority:
        members = selected(authority, selection).members
    if frame.json and output is None:
        show(frame, list(map(ListedMember.listed, members)), [])
        return
    rows = (member_sheet.row_of(row.member, row.licenses) for row in members)
    write_lines(output, sheets.lines(member_sheet.COLUMNS, rows))
    if output is not None:
        show(frame, {"file": output, "members": len(members)}, [f"wrote {counted(len(members), 'member')} to {output}"])


@click.command("import", cls=Command)
@click.argument("file")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option(
    "--go-on", "--row-by-row", "go_on", is_flag=True, help="Take the good rows when there are bad ones; default: none."
)
@pass_frame
def import_members(frame: Frame, file: str, dry_run: bool, go_on: bool) -> int:
    """Add the members that are not there, and change those that are, as a CSV file says; nobody is removed.

    The columns are those of `member export`; only username must be there, and what has no column stays as it is.
    An empty cell of full_name, email, groups or licenses means none, of any other column that nothing is said. The column licenses
    is all that a member holds beside what the user type includes: arcgis-pro=Standard+3DAnalyst; arcgis-allsource=Basic.
    last_used_at is not taken. A single bad row, and nothing at all is changed, unless --go-on is given.
    """
    lines = _lines(file)
    with frame.authority() as authority, _progress(frame, len(lines)) as advance:
        imported = member_files.import_lines(Unit(authority, CONSOLE), lines, dry_run=dry_run, go_on=go_on, on_row=advance)
    show(frame, MemberImport.of(imported, file, dry_run=dry_run), list(_lines_of(imported, dry_run=dry_run)))
    return REFUSED if imported.count(member_files.REFUSED) else 0


def _lines(name: str) -> list[Line]:
    with opened(name) as stream:
        rows = sheets.read(stream, member_sheet.COLUMNS, [member_sheet.USERNAME], member_sheet.NEVER_HINTS)
    return [member_sheet.line_of(row) for row in rows]


@contextlib.contextmanager
def _progress(frame: Frame, total: int) -> Iterator[Callable[[], None]]:
    """Shows a person how far it is; what it gives is called after each row."""
    console = Console(stderr=True)
    is_shown = sys.stderr.isatty() and not frame.json
    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not is_shown, transient=True) as progress:
        task = progress.add_task("rows", total=total)
        yield lambda: progress.advance(task)


def _lines_of(imported: Imported, *, dry_run: bool) -> Iterator[str]:
    """What became of each row, or of the bad ones alone when nothing was changed because of them."""
    for outcome in imported.outcomes:
        if imported.applied or dry_run or outcome.refusal is not None:
            yield f"row {outcome.line.number}: {_what(outcome)}"
    counts = ", ".join(f"{action} {imported.count(action)}" for action in member_files.ACTIONS)
    yield f"{'done' if imported.applied else 'nothing was changed'}: {counts}"


def _what(outcome: Outcome) -> str:
    name, error = outcome.line.username, outcome.refusal
    if error is not None:
        return f"{name} refused: {error.message} [{error.code}]; what to do: {error.hint}"
    if outcome.action == member_files.UNCHANGED:
        return f"{name} unchanged"
    if outcome.action == member_files.ADD:
        fields = (f"{item.field} {_text(item.after)}" for item in outcome.differences if item.after not in USUAL)
        return f"add {name}: {', '.join(fields)}"
    changes = (f"{item.field} from {_text(item.before)} to {_text(item.after)}" for item in outcome.differences)
    return f"change {name}: {', '.join(changes)}"


def _text(value: Any) -> str:
    """A field for a person."""
    plain = value_of(value)
    if isinstance(plain, bool):
        return "yes" if plain else "no"
    return (sheets.joined(plain) if isinstance(plain, list) else str(plain)) or "none"
