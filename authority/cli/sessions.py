"""session: list, end, settings."""

from __future__ import annotations

import click

from authority.cli.frame import Frame, Group, pass_frame
from authority.cli.output import Columns, fields, show, show_count, show_table
from authority.cli.several import View, dry_run_option, once, one_by_one_option, show_outcomes
from authority.domain.members import CONSOLE
from authority.domain.sessions import Session, SessionSettings
from authority.presentation.computers import name_of
from authority.presentation.sessions import SessionShown, SettingsShown
from authority.presentation.shown import rfc3339
from authority.services import organization_settings, sessions
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
    "seat free at": lambda session: session.seat_free_at,
}
# What a narrow window has no room for, the least wanted first.
MAY_GO = ("created", "last used", "seat free at", "computer", "license", "active until", "state")


@click.group(cls=Group, name="session")
def session_group() -> None:
    """Watch and end connected uses, and set how long they last."""


@session_group.command("list")
@click.option("--member", metavar="NAME")
@click.option("--product", metavar="PRODUCT")
@click.option("--all", "ended", is_flag=True, help="Also the sessions that ended and hold no seat.")
@click.option("--limit", type=click.IntRange(1, 1_000_000), default=1000, show_default=True)
@pass_frame
def list_sessions(frame: Frame, member: str | None, product: str | None, ended: bool, limit: int) -> None:
    """Who is connected, on which computer, since when and until when, and whose seats are still taken; newest first."""
    with frame.authority() as authority:
        page, more = sessions.listed(Unit(authority, CONSOLE), Filter(member, product, ended, None, limit, holding=True))
        now = authority.now()
        rows = [SessionShown.of(item, now) for item in page]
    show_table(frame, rows, COLUMNS, MAY_GO)
    show_count(
        frame,
        len(rows),
        "session",
        more,
        "" if ended else "--all shows also those that ended",
    )


@session_group.command("show")
@click.argument("session_id", metavar="ID")
@pass_frame
def show_session(frame: Frame, session_id: str) -> None:
    """Show one session."""
    with frame.authority() as authority:
        shown = SessionShown.of(sessions.show(Unit(authority, CONSOLE), session_id), authority.now())
    show(frame, shown, list(fields(shown.model_dump(mode="json"))))


@session_group.command("end")
@click.argument("session_ids", metavar="ID...", nargs=-1, required=True)
@one_by_one_option
@dry_run_option
@pass_frame
def end(frame: Frame, session_ids: tuple[str, ...], one_by_one: bool, dry_run: bool) -> int:
    """End sessions, all or none: there is no new grant, and the user is told at the next use and has time to save."""
    with frame.authority() as authority:
        unit = Unit(authority, CONSOLE)
        outcomes = sessions.end_several(unit, once(session_ids), one_by_one=one_by_one, dry_run=dry_run)
        now = authority.now()
        view = View[str, Session, SessionShown](
            names=lambda session_id: {"id": session_id},
            resource="session",
            shown=lambda session: SessionShown.of(session, now),
            lines=lambda shown: [f"would end {_words(shown)}" if dry_run else _line(shown)],
            verb=("ended", "would end"),
        )
        return show_outcomes(frame, outcomes, view, one_by_one=one_by_one, dry_run=dry_run)


def _line(ended: SessionShown) -> str:
    return (
        f"{_words(ended)}, ended; the user can save until {rfc3339(ended.save_by)}, "
        f"the seat is free at {rfc3339(ended.seat_free_at)}"
    )


def _words(session: SessionShown) -> str:
    features = ", ".join([session.level, *session.extensions])
    return f"{session.id}: {session.product} {features} for {session.member} on {name_of(session.machine)}"


@session_group.command("settings")
@click.option("--minutes", type=int, metavar="N", help="Minutes that a session lasts from its last use.")
@click.option("--computers", type=int, metavar="N", help="Computers that a member can be signed in on at once.")
@click.option(
    "--grant-minutes",
    type=int,
    metavar="N",
    help="Minutes that a grant is good for, and its seat taken; 0: as long as the session lasts without use.",
)
@click.option("--save-minutes", type=int, metavar="N", help="Minutes to save in after an administrator ended a session.")
@dry_run_option
@pass_frame
def settings(
    frame: Frame,
    minutes: int | None,
    computers: int | None,
    grant_minutes: int | None,
    save_minutes: int | None,
    dry_run: bool,
) -> None:
    """Show the settings of sessions, or change them; a session that is active keeps its time until it is used again."""
    options = {"minutes": minutes, "computers": computers, "grant_minutes": grant_minutes, "save_minutes": save_minutes}
    changes = {name: value for name, value in options.items() if value is not None}
    with frame.authority() as authority:
        if changes:
            value = SettingsShown.of(
                organization_settings.change(Unit(authority, CONSOLE), SessionSettings, changes, dry_run=dry_run)
            )
        else:
            value = SettingsShown.of(organization_settings.show(Unit(authority, CONSOLE), SessionSettings))
    lines = [f"{name.replace('_', ' '):<14} {number}" for name, number in value if name != "version"]
    show(frame, value, ["would be:", *lines] if dry_run else lines)
