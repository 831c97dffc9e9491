"""What administrators set about sessions: how long, on how many computers, how long without a line, the time to save."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from sqlalchemy import Connection

from authority.domain.events import Event, EventKind
from authority.domain.members import Actor, Privilege
from authority.domain.refusals import InvalidInput
from authority.domain.sessions import BOUNDS, SessionSettings
from authority.services.context import Authority
from authority.storage import events, organization, preferences

PREFERENCE = "sessions"


def settings(connection: Connection) -> SessionSettings:
    """The settings of sessions in force. Raises InvalidInput when what is kept makes no sense."""
    return SessionSettings.of(preferences.get(connection, PREFERENCE))


def show_settings(authority: Authority, actor: Actor) -> SessionSettings:
    """The settings of sessions in force. Raises NotAllowed."""
    actor.needs(Privilege.VIEW_BORROWS)
    with authority.database.read() as connection:
        return settings(connection)


def change_settings(authority: Authority, actor: Actor, changes: Mapping[str, int]) -> SessionSettings:
    """The settings after these changes by name; what is not named stays as it is.

    They are for the next start, renewal or end: a session that is active keeps its time until it is renewed.

    Raises NotAllowed, InvalidInput (nothing named, no such setting, or outside its bounds).
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    if not changes:
        raise InvalidInput(f"nothing to change is named: say {', '.join(BOUNDS)}")
    with authority.database.write() as connection:
        # Two who change different settings at the same time each keep what the other changed.
        organization.get(connection, lock=True)
        kept = preferences.get(connection, PREFERENCE)
        after = SessionSettings.of({**kept, **changes})
        words = _difference(asdict(SessionSettings()) | kept, asdict(after))
        if words:
            preferences.put(connection, PREFERENCE, asdict(after))
            event = Event(kind=EventKind.SESSION_SETTINGS_CHANGED, actor=actor.username, reason=words)
            events.append(connection, [event], authority.clock())
    return after


def _difference(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    return "; ".join(f"{name} {before[name]} to {value}" for name, value in after.items() if before[name] != value)
