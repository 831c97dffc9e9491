"""What administrators set about sessions and about notices: shown, changed, and in force from the next transaction on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TypeVar

from sqlalchemy import Connection

from authority.domain.changes import differences
from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege
from authority.domain.notices import NoticeSettings
from authority.domain.refusals import InvalidInput
from authority.domain.sessions import SessionSettings
from authority.domain.settings import Settings
from authority.services.unit import Unit
from authority.storage import preferences

Kind = TypeVar("Kind", bound=Settings)
# Who may see the settings of each kind, and what the log says of a change of them.
SEEN_BY: Mapping[type[Settings], Privilege] = {
    SessionSettings: Privilege.VIEW_BORROWS,
    NoticeSettings: Privilege.MANAGE_AUTHORITY,
}
CHANGED: Mapping[type[Settings], EventKind] = {
    SessionSettings: EventKind.SESSION_SETTINGS_CHANGED,
    NoticeSettings: EventKind.NOTICE_SETTINGS_CHANGED,
}


def in_force(connection: Connection, kind: type[Kind]) -> Kind:
    """The settings of a kind that are in force. Raises InvalidInput when what is kept makes no sense."""
    return kind.of(preferences.get(connection, kind.subject))


def show(unit: Unit, kind: type[Kind]) -> Kind:
    """The settings of a kind that are in force, for who may see them. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(SEEN_BY[kind])
        return in_force(unit.connection, kind)


def change(unit: Unit, kind: type[Kind], changes: Mapping[str, int], *, dry_run: bool = False) -> Kind:
    """The settings of a kind after these changes by name; what is not named stays as it is.

    Those of sessions are for the next start, renewal or end: a session that is active keeps its time until it is renewed.
    With `dry_run` every check is made and nothing changed.

    Raises NotAllowed, InvalidInput (nothing named, no such setting, or outside its bounds), ChangedMeanwhile.
    """
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        if not changes:
            raise InvalidInput(f"nothing to change is named: say {', '.join(kind.bounds)}")
        # Two who change different settings at the same time each keep what the other changed.
        unit.lock_organization()
        values = preferences.get(unit.connection, kind.subject)
        # What is kept may make no sense, and is put right by this.
        before = asdict(kind()) | values
        unit.compare(f"the settings of {kind.subject}", before)
        after = kind.of({**values, **changes})
        words = "; ".join(differences(before, asdict(after)))
        if words:
            preferences.put(unit.connection, kind.subject, asdict(after))
            unit.record([Event(kind=CHANGED[kind], actor=unit.actor.username, reason=words)])
    return after
