"""Backing up: one state of the whole database in one file, made while it is served."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection

from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege
from authority.services.context import Authority
from authority.services.unit import Unit
from authority.storage import archive, backups, events, organization, preferences, status_lists
from authority.storage.archive import Manifest
from authority.storage.db import schema

__all__ = [
    "IS_OLD_AFTER",
    "PREFERENCE",
    "LastBackup",
    "Manifest",
    "Place",
    "last_made",
    "last_made_at",
    "last_made_by",
    "note",
    "place_of",
    "write",
]
# A night that was missed is no reason to warn, two are.
IS_OLD_AFTER = timedelta(hours=49)
# Under which name the time of the last backup is kept.
PREFERENCE = "last-backup"


class Place(StrEnum):
    """Where a backup lies, by what it is a backup of."""

    BESIDE = "beside"
    ON_ITS_DISK = "on-its-disk"
    ELSEWHERE = "elsewhere"


@dataclass(frozen=True, slots=True)
class LastBackup:
    """When the last backup was made, and where it was written then; None where that is not known."""

    made_at: datetime
    file: str | None
    place: Place | None


def write(unit: Unit, stream: BinaryIO) -> Manifest:
    """Writes a backup. The stream is good once its block has ended well; then say `note`. Raises NotAllowed."""
    with unit.reading():
        unit.actor.needs(Privilege.MANAGE_AUTHORITY)
        return archive.write(
            stream, _head(unit.connection, unit.organization.id, unit.now), backups.content_of(unit.connection)
        )


def _head(connection: Connection, organization_id: str, made_at: datetime) -> Manifest:
    return Manifest(
        organization=organization_id,
        made_at=made_at,
        revision=schema.NEWEST,
        status_list=status_lists.last_seq(connection),
        authorization=organization.newest_seq(connection) or 0,
        last_event=events.last(connection),
        tables={},
    )


def place_of(file: Path, authority: Authority) -> Place:
    """Where a file of a backup lies, by the folders that have a database that is a file, and the home. Raises OSError."""
    database, trust = authority.database.file, authority.trust_copy
    folders = [path.resolve().parent for path in (database, trust) if path is not None and database is not None]
    written = file.resolve()
    if any(folder in written.parents for folder in folders):
        return Place.BESIDE
    disk = written.stat().st_dev
    return Place.ON_ITS_DISK if any(folder.stat().st_dev == disk for folder in folders) else Place.ELSEWHERE


def note(unit: Unit, manifest: Manifest, file: Path | None = None, place: Place | None = None) -> None:
    """Keeps when the last backup was made, for `doctor` and for who watches, and that somebody has all there is to read."""
    with unit.writing():
        where = {} if file is None or place is None else {"file": str(file), "place": str(place)}
        preferences.put(unit.connection, PREFERENCE, {"made_at": int(manifest.made_at.timestamp()), **where})
        words = f"{manifest.rows()} rows, up to event {manifest.last_event}"
        unit.record([Event(kind=EventKind.BACKUP_MADE, actor=unit.actor.username, reason=words)])


def last_made(authority: Authority) -> LastBackup | None:
    """The last backup, by whatever node; None when there never was one."""
    with authority.database.read() as connection:
        value = preferences.get(connection, PREFERENCE)
    made_at = _made_at(value)
    if made_at is None:
        return None
    place = value.get("place")
    return LastBackup(made_at, value.get("file"), Place(place) if isinstance(place, str) and place in {*Place} else None)


def last_made_at(authority: Authority) -> datetime | None:
    """When the last backup was made, by whatever node; None when there never was one."""
    with authority.database.read() as connection:
        return last_made_by(connection)


def last_made_by(connection: Connection) -> datetime | None:
    """When the last backup was made, by the database of a transaction that is under way."""
    return _made_at(preferences.get(connection, PREFERENCE))


def _made_at(value: Mapping[str, Any]) -> datetime | None:
    made_at = value.get("made_at")
    return datetime.fromtimestamp(made_at, UTC) if isinstance(made_at, int) else None
