"""session: list, end, settings."""

from __future__ import annotations

import click

from authority.cli.frame import Columns, Frame, Group, pass_frame, show, show_rest, show_table
from authority.domain.members import CONSOLE
from authority.domain.refusals import Refusal
from authority.domain.sessions import Session
from authority.presentation.computers import name_of
from authority.presentation.sessions import SessionShown, SettingsShown
from authority.presentation.shown import rfc3339
from authority.services import session_settings, sessions
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage.sessions import Filter

COLUMNS: Columns[SessionShown] = {
    "id": lambda session: session.id,
    "member": lambda session: session.member,
    "license": lambda session: [f"{session.product} {session.level}", *session.extensions],
    "computer": lambda session: name_of(session.machine),
    "created": lambda session: session.created_at,
    "last used": lambda session: session.last_used_at,
    "active until": lambda session: session.active_until,
    "state": lambda session: session.state,
}


@click.group(cls=Group, name="session")
def session_group() -> None:
    """Watch and end connected uses, and set how long they last."""


@session_group.command("list")
@click.option("--member", metavar="NAME")
@click.option("--product", metavar="PRODUCT")
@click.option("--all", "ended", is_flag=True, help="Also the sessions that ended.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def list_sessions(frame: Frame, member: str | None, product: str | None, ended: bool, limit: int) -> None:
    """Who is connected, on which computer, since when and until when; newest first."""
    with frame.authority() as authority:
        page, more = sessions.listed(Unit(authority, CONSOLE), Filter(member, product, ended, None, limit))
        now = authority.now()
        rows = [SessionShown.of(item, now) for item in page]
    show_table(frame, rows, COLUMNS)
    show_rest(more, limit, "narrow the list or raise --limit")


@session_group.command("end")
@click.argument("session_ids", metavar="ID...", nargs=-1, required=True)
@pass_frame
def end(frame: Frame, session_ids: tuple[str, ...]) -> None:
    """End sessions; each seat is free at once, and the user is told at the next use and has time to save."""
    with frame.authority() as authority:
        rows = _end_each(authority, session_ids)
        now = authority.now()
        ended = [SessionShown.of(row, now) for row in rows]
    show(frame, ended if len(ended) > 1 else ended[0], [_line(item) for item in ended])


def _end_each(authority: Authority, session_ids: tuple[str, ...]) -> list[Session]:
    """Ends one after the other; a refusal in the midst says which were ended before it."""
    ended: list[Session] = []
    for session_id in session_ids:
        try:
            ended += [sessions.end(Unit(authority, CONSOLE), session_id)]
        except Refusal as error:
            error.done["ended"] = [item.id for item in ended]
            raise
    return ended


def _line(ended: SessionShown) -> str:
    features = ", ".join([ended.level, *ended.extensions])
    who = f"{ended.member} on {name_of(ended.machine)}"
    save_by = rfc3339(ended.save_by)
    return f"{ended.id}: {ended.product} {features} for {who}, ended; the user can save until {save_by}"


@session_group.command("settings")
@click.option("--minutes", type=int, metavar="N", help="Minutes that a session lasts from its last use.")
@click.option("--computers", type=int, metavar="N", help="Computers that a member can be signed in on at once.")
@click.option("--offline-hours", type=int, metavar="N", help="Hours that a session goes on without a line.")
@click.option("--save-minutes", type=int, metavar="N", help="Minutes to save in after an administrator ended a session.")
@pass_frame
def settings(
    frame: Frame, minutes: int | None, computers: int | None, offline_hours: int | None, save_minutes: int | None
) -> None:
    """Show the settings of sessions, or change them; a session that is active keeps its time until it is used again."""
    options = {"minutes": minutes, "computers": computers, "offline_hours": offline_hours, "save_minutes": save_minutes}
    changes = {name: value for name, value in options.items() if value is not None}
    with frame.authority() as authority:
        if changes:
            value = SettingsShown.of(session_settings.change(Unit(authority, CONSOLE), changes))
        else:
            value = SettingsShown.of(session_settings.show(Unit(authority, CONSOLE)))
    show(frame, value, [f"{name.replace('_', ' '):<14} {number}" for name, number in value])
