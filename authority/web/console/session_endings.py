"""Ending sessions of others: what is said before, and of one what is said after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from flask import Response

from authority.domain.plurals import counted
from authority.domain.sessions import Session, SessionSettings
from authority.presentation.computers import name_of
from authority.services import organization_settings, sessions
from authority.services.unit import Unit
from authority.web.console.formats import utc
from authority.web.console.frame import confirm
from authority.web.console.visiting import product_name


def ask(work: Unit, ids: Sequence[str], back: str) -> Response | None:
    """The page before sessions are ended; None when it was agreed to. Raises Refusal when none can be ended."""
    outcomes = sessions.end_several(work, ids, one_by_one=True, dry_run=True)
    fit = [outcome.done() for outcome in outcomes if outcome.refusal is None]
    if not fit:
        outcomes[0].done()
    save = organization_settings.show(work, SessionSettings).save_minutes
    minutes, save_by = counted(save, "minute"), work.now + timedelta(minutes=save)
    last = utc(max(item.granted_until for item in fit))
    grants = f"when its last grant ends: {last}" if len(fit) == 1 else f"when the last grant of each ends: {last} at the latest"
    number = counted(len(fit), "session")
    return confirm(
        f"End {number}?",
        who=sorted({item.member for item in fit}),
        what=[_line(item) for item in fit],
        until=f"to save: {utc(save_by)}, {minutes} from now. The license ends {grants}",
        consequences=[
            f"The user is told when the application next asks, and has {minutes} to save the work.",
            "The license may end before the time to save does: saving takes none.",
            "Then the seat is free, and the place among the computers of the member.",
            [f"Left out: {outcome.refusal.message}" for outcome in outcomes if outcome.refusal is not None],
        ],
        action=f"End {number}",
        back=back,
    )


def sentence_after(item: Session) -> str:
    """What is said of a session that was just ended."""
    save_by = "" if item.save_by is None else f" {item.member} has until {utc(item.save_by)} to save."
    return f"The session of {item.member}, {_line(item)}, is ended.{save_by} Its seat is free at {utc(item.seat_free_at)}."


def _line(item: Session) -> str:
    return f"{product_name(item.product)} on {name_of(item.machine)}"
