"""borrow: issue, list, show; the endings have a module of their own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import click

from authority.cli.borrow_lists import USUAL_LIMIT, check_options, selection_options, sheet_options, write_sheet
from authority.cli.endings import clone_lines, line_of
from authority.cli.files import check_output, make_folder, write_output
from authority.cli.frame import DATES, Frame, Group, pass_frame
from authority.cli.output import Columns, fields, show, show_count, show_table
from authority.cli.several import View, once, read_carried, show_carried
from authority.cli.table import CommandTable
from authority.domain import list_age
from authority.domain.borrows import BorrowState
from authority.domain.members import CONSOLE
from authority.presentation.borrows import BorrowShown, IssuedBorrow, WrittenBorrow
from authority.presentation.computers import name_of
from authority.services import borrow
from authority.services.borrow import Issued
from authority.services.context import Authority
from authority.services.several import each
from authority.services.unit import Unit
from authority.signing.inbox import member_of_file
from authority.storage.borrows import Filter

SORTS = NEWEST, DUE = "newest", "due"
ENDINGS = CommandTable(
    {
        "offline": "authority.cli.offline:list_offline",
        "revoke": "authority.cli.endings:revoke",
        "release": "authority.cli.endings:release",
        "check-in": "authority.cli.endings:check_in",
        "clock-reset": "authority.cli.clock_resets:clock_reset",
    }
)
COLUMNS: Columns[BorrowShown] = {
    "id": lambda row: row.id,
    "member": lambda row: row.member,
    "license": lambda row: [f"{row.product} {row.level}", *row.extensions],
    "machine": lambda row: name_of(row.machine),
    "since": lambda row: row.issued_at,
    "until": lambda row: row.expires_at,
    "days left": lambda row: row.days_left,
    "state": lambda row: row.state if row.clone_seen_at is None else [row.state, "CLONE?"],
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("since", "until", "machine", "license", "days left", "state")


@click.group(cls=Group, commands=ENDINGS, name="borrow")
def borrow_group() -> None:
    """Issue, watch and end borrows."""


@borrow_group.command("issue")
@click.argument("request_files", metavar="REQUEST_FILE...", nargs=-1, required=True)
@click.option("--member", metavar="NAME", help="For whom; default: whom the request names.")
@click.option(
    "--days", type=click.IntRange(1, 36_500), metavar="N", help="How long; default: what the request says, else the rule."
)
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    help="The borrow file to carry back; for several requests a folder for them, which is made where there is none.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be issued, or why not.")
@pass_frame
def issue(
    frame: Frame, request_files: tuple[str, ...], member: str | None, days: int | None, output: str | None, dry_run: bool
) -> int:
    """Answer carried requests with a borrow file each, one by one; the same request gets the same file."""
    if dry_run:
        return _preview(frame, once(request_files), member, days)
    if output is None:
        raise click.UsageError("say where to write the borrow file: -o FILE")
    outputs = _outputs(once(request_files), output)
    requests = read_carried(list(outputs))
    with frame.authority() as authority:

        def answer(name: str) -> _Answer:
            request = member_of_file(requests[name].done(), "request")
            issued = borrow.issue(Unit(authority, CONSOLE), request, member, days=days)
            if len(outputs) > 1:
                make_folder(output)
            write_output(outputs[name], issued.file)
            return _Answer(issued, outputs[name])

        now = authority.now()
        view = View[str, _Answer, WrittenBorrow](
            names=lambda name: {"request": name},
            resource="issued",
            shown=lambda item: WrittenBorrow(
                borrow=BorrowShown.of(item.issued.borrow, now), file=item.file, is_new=item.issued.is_new
            ),
            lines=_issued_lines,
            verb=("issued", ""),
        )
        return show_carried(frame, each(requests, answer), view)


def _preview(frame: Frame, names: Sequence[str], member: str | None, days: int | None) -> int:
    """Shows what the requests would get; nothing is issued, and nothing in the log."""
    requests = read_carried(names)
    with frame.authority() as authority:

        def answer(name: str) -> Issued:
            request = member_of_file(requests[name].done(), "request")
            return borrow.issue(Unit(authority, CONSOLE), request, member, days=days, dry_run=True)

        now = authority.now()
        view = View[str, Issued, IssuedBorrow](
            names=lambda name: {"request": name},
            resource="issued",
            shown=lambda issued: IssuedBorrow(borrow=BorrowShown.of(issued.borrow, now), file=None),
            lines=lambda shown: [f"would be: {line_of(shown.borrow)}", f"  allowed by: {shown.borrow.decided_by}"],
            verb=("would issue", ""),
        )
        return show_carried(frame, each(requests, answer), view)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What was issued for a request, and the file that was written."""

    issued: Issued
    file: str


def _outputs(names: Sequence[str], output: str) -> dict[str, str]:
    """The file to be written for each request. Wrong usage when nothing can be written there, or two would be one file."""
    if len(names) == 1:
        check_output(output)
        if Path(output).exists() and Path(output).samefile(names[0]):
            raise click.UsageError(f"{output} is the request; name another file for the borrow")
        return {names[0]: output}
    if Path(output).exists() and not Path(output).is_dir():
        raise click.UsageError(f"{output} is no folder; several borrow files go into one")
    outputs = {name: str(Path(output, f"{Path(name).stem}.borrow")) for name in names}
    if len(set(outputs.values())) < len(names):
        raise click.UsageError("two requests have the same name, so that their borrow files would be one")
    for file in outputs.values() if Path(output).is_dir() else [output]:
        check_output(file)
    return outputs


def _issued_lines(issued: WrittenBorrow) -> list[str]:
    file = issued.file
    features = f"  level {issued.borrow.level}, extensions: {', '.join(issued.borrow.extensions) or 'none'}"
    lines = [line_of(issued.borrow), features, f"wrote {file}; carry it to the workstation: carnet install {file}"]
    advice = list_age.advice(issued.borrow.status_max_age)
    lines += [] if advice is None else [advice]
    lines += clone_lines(issued.borrow)
    return lines if issued.is_new else [*lines, "this very request was answered before; the file is the same"]


@borrow_group.command("list")
@click.option("--state", type=click.Choice([str(state) for state in BorrowState]))
@click.option("--all", "ended", is_flag=True, help="Also those that ended; so it is with --member and --machine.")
@click.option("--sort", type=click.Choice(SORTS), help="due: those that end first come first; default: the newest.")
@selection_options
@click.option(
    "--expires-before", type=click.DateTime(DATES), metavar="DATE", help="UTC, like 2026-03-31 or 2026-03-31T12:00:00Z."
)
@click.option("--due-within", type=click.IntRange(0, 36_500), metavar="DAYS", help="The active ones that end in so many days.")
@click.option("--clones", is_flag=True, help="Those whose machine may be two, by what came from it.")
@sheet_options
@pass_frame
def list_borrows(
    frame: Frame,
    /,
    state: str | None,
    ended: bool,
    sort: str | None,
    expires_before: datetime | None,
    due_within: int | None,
    clones: bool,
    limit: int | None,
    as_csv: bool,
    output: str | None,
    **selection: Any,
) -> None:
    """Who is offline, since and until when; of one member or machine also what ended."""
    if ended and (state is not None or due_within is not None):
        raise click.UsageError("--all goes with no --state and no --due-within")
    if due_within is not None and (state not in (None, BorrowState.ACTIVE) or expires_before is not None):
        raise click.UsageError("--due-within is about active borrows and goes with no other --state and no --expires-before")
    check_options(frame, selection, output, as_csv=as_csv)
    before = None if expires_before is None else expires_before.replace(tzinfo=UTC)
    if state is None and not (ended or selection["member"] or selection["machine"]):
        state = BorrowState.ACTIVE
    wanted = Filter(
        **selection, state=state, limit=limit or USUAL_LIMIT, expires_before=before, by_end=sort == DUE, clones=clones
    )
    with frame.authority() as authority:
        if due_within is not None:
            wanted = replace(
                wanted,
                state=BorrowState.ACTIVE,
                by_end=sort in (None, DUE),
                expires_before=authority.now() + timedelta(days=due_within),
            )
        if as_csv:
            now = authority.now()
            rows = (BorrowShown.of(item, now) for item in islice(borrow.every(Unit(authority, CONSOLE), wanted), limit))
            write_sheet(frame, BorrowShown, rows, output)
        else:
            _show_page(frame, authority, wanted)


def _show_page(frame: Frame, authority: Authority, wanted: Filter) -> None:
    page, more = borrow.listed(Unit(authority, CONSOLE), wanted)
    now = authority.now()
    show_table(frame, [BorrowShown.of(item, now) for item in page], COLUMNS, MAY_GO)
    is_active = wanted.state == BorrowState.ACTIVE
    show_count(
        frame,
        len(page),
        "active borrow" if is_active else "borrow",
        more,
        "--all shows also those that ended" if is_active else "",
    )


@borrow_group.command("show")
@click.argument("borrow_id", metavar="ID")
@pass_frame
def show_borrow(frame: Frame, borrow_id: str) -> None:
    """Show one borrow, and whether a copy of it may still run."""
    with frame.authority() as authority:
        shown = BorrowShown.of(borrow.show(Unit(authority, CONSOLE), borrow_id), authority.now())
    lines = list(fields(shown.model_dump(mode="json")))
    advice = list_age.advice(shown.status_max_age)
    lines += [] if advice is None else [advice]
    show(frame, shown, lines)
