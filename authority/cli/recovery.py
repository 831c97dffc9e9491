"""catch-up: a database that is behind what went out, and what `doctor --reconcile` shows of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from authority.cli.frame import Command, Frame, pass_frame
from authority.cli.output import Columns, show, show_table
from authority.cli.streams import safe, tell
from authority.domain.members import CONSOLE
from authority.domain.plurals import counted
from authority.presentation.reconciliation import CaughtUpShown, ComparisonShown, OrphanShown
from authority.services import catching_up, reconciling
from authority.services.reconciling import Node
from authority.services.unit import Unit

ORPHANS: Columns[OrphanShown] = {
    "borrow": lambda orphan: orphan.borrow_id,
    "member": lambda orphan: orphan.member,
    "product": lambda orphan: orphan.product,
    "machine": lambda orphan: orphan.machine,
    "issued": lambda orphan: orphan.issued_at,
    "expires": lambda orphan: orphan.expires_at,
    "ended": lambda orphan: "yes" if orphan.ended else "no",
    "place is of": lambda orphan: orphan.clash,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("place is of", "issued", "expires", "machine", "product", "ended")
NODE_HELP = "Home of another node, or a copy of its floors.json and folder issued; as often as there are nodes."


def nodes_of(folders: Sequence[str]) -> list[Node]:
    """What the homes of other nodes say. Wrong usage for what is no folder."""
    for folder in folders:
        if not Path(folder).is_dir():
            raise click.UsageError(f"--node {folder}: there is no such folder")
    return [reconciling.node_in(Path(folder)) for folder in folders]


def reconcile(frame: Frame, folders: Sequence[str]) -> bool:
    """Shows what went out and is not in the database. Returns whether it lacks nothing that could be taken in."""
    nodes = nodes_of(folders)
    with frame.authority() as authority:
        shown = ComparisonShown.of(reconciling.compare(Unit(authority, CONSOLE), nodes))
    if frame.json:
        show(frame, shown, [])
    else:
        _show_lines(frame, shown)
        tell("nothing is missing" if shown.ok else "take it in with: carnet-authority catch-up")
    return shown.ok


def _show_lines(frame: Frame, shown: ComparisonShown) -> None:
    for problem in shown.problems:
        print(safe(problem))
    if shown.orphans:
        show_table(frame, shown.orphans, ORPHANS, MAY_GO)
    for borrow_id in shown.revived:
        print(f"ended in a status list that went out: {borrow_id}")


@click.command("catch-up", cls=Command)
@click.option("--node", "nodes", multiple=True, metavar="DIR", help=NODE_HELP)
@click.option(
    "--jump", is_flag=True, help="Jump though nothing is missing: the records of the home were lost with the database."
)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@pass_frame
def catch_up(frame: Frame, nodes: Sequence[str], jump: bool, dry_run: bool) -> None:
    """Take in what went out and the database has lost, and let the numbers jump over it.

    Borrows are there again with their seats, what a status list ended stays ended, and the next list has a number that
    no workstation has seen.
    """
    others = nodes_of(nodes)
    with frame.authority() as authority:
        result = catching_up.catch_up(Unit(authority, CONSOLE), others, jump=jump, dry_run=dry_run)
        shown = CaughtUpShown.of_result(result)
    if frame.json:
        show(frame, shown, [])
        return
    _show_lines(frame, shown)
    if shown.next_status_list is None:
        tell("nothing is missing, nothing was done")
        return
    done = "would be taken in, and the next status list would be" if dry_run else "taken in; the newest status list is"
    tell(f"{counted(shown.taken_in, 'token')} {done} number {shown.next_status_list}")
