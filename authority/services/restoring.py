"""Restoring: the rows of a backup in the place of all there are, in one transaction, and never behind what went out unless told."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, inspect

from authority.domain.events import Event, EventKind
from authority.domain.members import Privilege
from authority.domain.refusals import AlreadyExists, BackupUnusable, DatabaseBehind
from authority.services import backing_up, catching_up, reconciling
from authority.services.catching_up import Beyond, CaughtUp
from authority.services.context import Authority
from authority.services.reconciling import Node
from authority.services.unit import Unit
from authority.signing.floors import Floor, Numbered
from authority.storage import archive as archives
from authority.storage import (
    backups,
    credentials,
    deliveries,
    events,
    organization,
    preferences,
    seals,
    status_lists,
    tokens,
)
from authority.storage.archive import Archive, Manifest
from authority.storage.db import migrating, schema
from authority.storage.db.database import Database, sqlite_file
from authority.storage.deliveries import Outbox


@dataclass(frozen=True, slots=True)
class Replaced:
    """What of the database that is replaced must not be forgotten: what went out, how far its log went, and who may get in."""

    node: Node
    last_event: int
    access: credentials.Access
    # What was told, and what became of messages.
    outbox: Outbox


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored, or would be. `came_back` says of credentials and members what is again as it was when the backup was made.

    `sign_ins` is how many sign-ins were ended, and `api_keys` how many API keys work.
    """

    manifest: Manifest
    caught_up: CaughtUp
    sign_ins: int
    api_keys: int
    came_back: tuple[str, ...]
    # How many messages that waited are not sent, for they went out since, or may have.
    held_back: int


@dataclass(frozen=True, slots=True)
class Terms:
    """How a backup is restored: in the place of what is there, catching up with what went out, with API keys revoked."""

    replace: bool = False
    catch_up: bool = False
    revoke_keys: bool = False
    dry_run: bool = False


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """A backup that was read through, with the tables of this program. Raises BackupUnusable, OSError."""
    with archives.opened(path) as archive:
        if archive.manifest.revision == schema.NEWEST:
            yield archive
        else:
            with tempfile.TemporaryDirectory() as folder, _brought_up_to_date(archive, Path(folder)) as newer:
                yield newer


@contextlib.contextmanager
def _brought_up_to_date(archive: Archive, folder: Path) -> Iterator[Archive]:
    """A backup of earlier tables, with those of now: by way of a database of then, which is migrated."""
    if archive.manifest.revision not in migrating.revisions():
        raise BackupUnusable(
            f"the backup has tables of revision {archive.manifest.revision}, this program has {schema.NEWEST}",
            hint="Nothing was changed. Update Carnet.",
        )
    database, path = Database(f"sqlite:///{folder / 'then.db'}"), folder / "now.backup"
    with contextlib.closing(database):
        migrating.make_tables(database, archive.manifest.revision)
        with database.write() as connection:
            backups.replace_all(connection, archive)
        migrating.migrate(database)
        with database.read() as connection, path.open("wb") as stream:
            archives.write(stream, archive.manifest, backups.content_of(connection))
    with archives.opened(path) as newer:
        yield newer


def has_organization(database: Database) -> bool:
    """Whether there is anything that a restore would replace."""
    with database.read() as connection:
        return inspect(connection).has_table("organization") and organization.get(connection) is not None


def restore(unit: Unit, archive: Archive, terms: Terms) -> Restored:
    """Puts a backup in the place of what is there, all of it or nothing. The tables are those of this program.

    Sign-ins end. What this home, and the database that is replaced, know to have gone out is taken in with `catch_up`, and is a
    refusal without it. Raises NotAllowed, AlreadyExists without `replace`, BackupUnusable, DatabaseBehind.
    """
    if has_organization(unit.authority.database) and not terms.replace:
        raise AlreadyExists(
            "the database has an organization already",
            hint="Restore into an empty database; or say that all of this one is to be replaced: --replace",
        )
    nodes: list[Node] = []
    replaced: Replaced | None = None

    def put_in(connection: Connection) -> None:
        nonlocal replaced
        # What is answered until the lock is had went out too, and what comes later waits.
        backups.lock_all(connection)
        if organization.get(connection) is not None:
            replaced = _replaced(unit.authority, connection)
        nodes.extend([reconciling.this_node(unit)] if replaced is None else [reconciling.this_node(unit), replaced.node])
        _check_same_organization(archive.manifest, nodes)
        unit.authority.remembered.clear()
        backups.replace_all(connection, archive)

    unit.authority.remembered.clear()
    try:
        with unit.writing(keep=not terms.dry_run, alone=True, first=put_in):
            restored = _finished(unit, archive.manifest, terms, nodes, replaced)
    finally:
        unit.authority.remembered.clear()
    if not terms.dry_run:
        catching_up.raise_floor(unit, restored.caught_up)
    return restored


def _check_same_organization(manifest: Manifest, nodes: Iterable[Node]) -> None:
    named = {node.floor.organization for node in nodes} - {None, manifest.organization}
    if named:
        raise BackupUnusable(f'the backup is of "{manifest.organization}", this is the home of "{", ".join(map(str, named))}"')


def _replaced(authority: Authority, connection: Connection) -> Replaced:
    """What is known of what went out by the database that is there: also what ended and is in no list yet."""
    now = authority.now()
    terms, newest = authority.terms(connection), status_lists.newest(connection)
    floor = Floor(
        terms.organization.id,
        None if newest is None else Numbered(newest.seq, newest.compact),
        Numbered(terms.authorization.seq, terms.authorization.compact),
        None if (sealed := seals.newest(connection)) is None else Numbered(sealed.number, sealed.compact),
    )
    issued = tuple(tokens.out(connection, now))
    ended = frozenset(tokens.ended_indexes(connection, now))
    node = Node("the database that is replaced", floor, issued, 0, ended)
    access = credentials.access(connection, now)
    return Replaced(node, events.last(connection), access, deliveries.outbox(connection))


def _finished(unit: Unit, manifest: Manifest, terms: Terms, nodes: list[Node], replaced: Replaced | None) -> Restored:
    """What is to be done with rows that were just put in; the transaction is under way."""
    unit.actor.needs(Privilege.MANAGE_AUTHORITY)
    comparison = reconciling.compared(unit, nodes)
    if comparison.takes_in and not terms.catch_up:
        raise _would_fall_back(reconciling.sentences(comparison), manifest.made_at)
    before = credentials.access(unit.connection, unit.at)
    sign_ins = credentials.remove_sign_ins(unit.connection)
    if terms.revoke_keys:
        credentials.revoke_api_keys(unit.connection, unit.at)
    preferences.put(unit.connection, backing_up.PREFERENCE, {"made_at": int(manifest.made_at.timestamp())})
    words = f"the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC, up to event {manifest.last_event}"
    unit.record([Event(kind=EventKind.RESTORED, actor=unit.actor.username, reason=words)])
    held_back = _not_told_again(unit, manifest, replaced)
    # Where nothing here knows what went out, and where there were numbers that a backup does not have, they jump in any case.
    jump = replaced is not None or nodes[0].floor.status_list is None
    beyond = None if replaced is None else Beyond(replaced.last_event)
    caught_up = catching_up.caught_up(unit, comparison, jump=jump, beyond=beyond)
    came_back = () if replaced is None else tuple(before.differences(replaced.access, without_keys=terms.revoke_keys))
    return Restored(manifest, caught_up, sign_ins, 0 if terms.revoke_keys else len(before.api_keys), came_back, held_back)


def _not_told_again(unit: Unit, manifest: Manifest, replaced: Replaced | None) -> int:
    """What was told after the backup was made is not told a second time, as far as that is known; how many messages are held back."""
    if replaced is not None:
        return deliveries.put_back(unit.connection, replaced.outbox)
    reason = f"not sent again: it may have gone out before the backup of {manifest.made_at:%Y-%m-%d %H:%M} UTC was put back"
    return deliveries.hold_back(unit.connection, unit.at, reason)


def _would_fall_back(sentences: list[str], made_at: datetime) -> DatabaseBehind:
    return DatabaseBehind(
        f"the backup of {made_at:%Y-%m-%d %H:%M} UTC is behind what went out: {'; '.join(sentences)}",
        hint="Nothing was changed. Restore a later backup; or say that what went out is to be taken in, and the numbers are to jump: --catch-up",
    )


def prepare(database: Database) -> None:
    """Makes the tables where there are none, and brings older ones up to date. Raises NotSetUp for those of a newer program."""
    if not has_tables(database) or schema.current(database) != schema.NEWEST:
        migrating.migrate(database)


def has_tables(database: Database) -> bool:
    """Whether there is a database with tables: an empty file, or none, has none."""
    path = sqlite_file(str(database.url.render_as_string(hide_password=False)))
    if path is not None and (not path.exists() or path.stat().st_size == 0):
        return False
    return schema.current(database) is not None
