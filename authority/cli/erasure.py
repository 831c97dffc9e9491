"""member erase and log prune: what leaves the log for good, and is said in it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from authority.cli.frame import DATES, Command, Frame, pass_frame
from authority.cli.output import show
from authority.cli.streams import tell
from authority.domain.members import CONSOLE
from authority.domain.plurals import counted
from authority.presentation.erasure import ErasureShown, PruningShown
from authority.presentation.shown import rfc3339
from authority.services import erasure, log_pruning
from authority.services.unit import Unit

NOT_REACHED = (
    "what was exported, backed up or carried to a computer before still has the person; the same goes for other systems"
)


@click.command(cls=Command, name="erase")
@click.argument("username")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it stays in the log, and does not name the person.")
@click.option("--dry-run", is_flag=True, help="Only say what would be erased.")
@pass_frame
def erase_member(frame: Frame, username: str, reason: str, dry_run: bool) -> None:
    """Erase a person who was removed: a pseudonym takes the place of what named them.

    In the log, whose seal still verifies, and in borrows and sessions. Counts of people and computers stay what they were.
    """
    with frame.authority() as authority:
        done = erasure.erase(Unit(authority, CONSOLE), username, reason, dry_run=dry_run)
    shown = ErasureShown.of(done, dry_run=dry_run)
    verb = "would be" if dry_run else "is"
    numbers = (
        f"{counted(shown.rows, 'row')} of the log, {counted(shown.borrows, 'borrow')}, {counted(shown.sessions, 'session')}"
    )
    lines = [f"{shown.member} {verb} {'a pseudonym' if dry_run else shown.pseudonym} from now on: {numbers}"]
    lines += [f"looked for: {', '.join(shown.names)}"] if shown.names else []
    lines += [f"left out, because somebody else has the name now: {', '.join(shown.left_out)}"] if shown.left_out else []
    show(frame, shown, lines)
    tell(f"note: {NOT_REACHED}")


@click.command(cls=Command, name="prune")
@click.option("--before", type=click.DateTime(DATES), metavar="DATE", help="Rows from before it; UTC, like 2026-03-31.")
@click.option(
    "--older-than", "days", type=click.IntRange(1, 36_500), metavar="DAYS", help="Rows that are older than so many days."
)
@click.option("--dry-run", is_flag=True, help="Only say how many rows would be removed.")
@pass_frame
def prune_log(frame: Frame, before: datetime | None, days: int | None, dry_run: bool) -> None:
    """Remove old rows from the beginning of the log, with a signed cut: what remains still verifies.

    Only rows that are sealed, and only after the log was verified. Export them first if they are still wanted.
    """
    if (before is None) == (days is None):
        raise click.UsageError("say either --before DATE or --older-than DAYS")
    with frame.authority() as authority:
        at = authority.now() - timedelta(days=days or 0) if before is None else before.replace(tzinfo=UTC)
        shown = PruningShown.of(log_pruning.prune(Unit(authority, CONSOLE), at, dry_run=dry_run), dry_run=dry_run)
    show(frame, shown, [_pruning_line(shown)])


def _pruning_line(shown: PruningShown) -> str:
    before = rfc3339(shown.before)
    if shown.rows:
        return f"{counted(shown.rows, 'row')} from before {before} {'were' if shown.applied else 'would be'} removed, up to row {shown.last}"
    if shown.oldest is None:
        return "nothing is removed: the log has no row"
    why = "no row is from before" if shown.oldest >= shown.before else "no sealed row is from before"
    return f"nothing is removed: {why} {before}; the oldest row is of {rfc3339(shown.oldest)}"
