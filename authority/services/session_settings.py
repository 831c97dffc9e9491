"""What administrators set about sessions: how long, on how many computers, how long without a line, the time to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection

from authority.domain.changes import differences
from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege
from authority.domain.refusals import InvalidInput
from authority.domain.sessions import BOUNDS, SessionSettings
from authority.services.unit import Unit
from authority.storage import preferences

PREFERENCE = "sessions"


def settings(connection: Connection) -> SessionSettings:
    """The settings of sessions in force. Raises InvalidInput when what is kept makes no sense."""
    return SessionSettings.of(preferences.get(connection, PREFERENCE))


def show(unit: Unit) -> SessionSettings:
    """The settings of sessions in force. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        return settings(unit.connection)


def change(unit: Unit, changes: Mapping[str, int], *, dry_run: bool = False) -> SessionSettings:
    """The settings after these changes by name; what is not named stays as it is.

    They are for the next start, renewal or end: a session that is active keeps its time until it is renewed.
    With `dry_run` every check is made and nothing changed.

    Raises NotAllowed, InvalidInput (nothing named, no such setting, or outside its bounds), ChangedMeanwhile.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        if not changes:
            raise InvalidInput(f"nothing to change is named: say {', '.join(BOUNDS)}")
        # Two who change different settings at the same time each keep what the other changed.
        unit.lock_organization()
        before = preferences.get(unit.connection, PREFERENCE)
        # What is kept may make no sense, and is put right by this.
        unit.compare("the settings of sessions", asdict(SessionSettings()) | before)
        after = SessionSettings.of({**before, **changes})
        words = "; ".join(differences(asdict(SessionSettings()) | before, asdict(after)))
        if words:
            preferences.put(unit.connection, PREFERENCE, asdict(after))
            unit.record([Event(kind=EventKind.SESSION_SETTINGS_CHANGED, actor=unit.actor.username, reason=words)])
    return after
