"""Wiring: settings become a running authority, here and nowhere else."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta

from authority.domain.refusals import NotSetUp, Refusal
from authority.services.context import Authority
from authority.signing import floors, issued_log, key_folder, keyring
from authority.signing.floors import Floors
from authority.signing.issued_log import IssuedLog
from authority.signing.keyring import KeyRing
from authority.storage.db import schema
from authority.storage.db.database import Database
from authority.wiring.settings import Settings


def system_clock() -> datetime:
    """The time by this machine's clock."""
    return datetime.now(UTC)


def wire(settings: Settings, ring: KeyRing) -> Authority:
    """An authority over the database of the settings, with these keys, this machine's clock and randomness."""
    return Authority(
        Database(settings.database_url),
        ring,
        system_clock,
        secrets.token_bytes,
        settings.trust_copy,
        timedelta(days=settings.warn_days),
        settings.containers,
        settings.public_url,
        floors=Floors(settings.home / floors.FILE),
        issued=IssuedLog(settings.home / issued_log.FOLDER),
    )


def open_authority(settings: Settings, *, check_tables: bool = True) -> Authority:
    """The authority of a home that was set up. Raises NotSetUp, KeyUnusable, DemonstrationOnly, StorageUnavailable."""
    if not settings.key_folder.is_dir():
        raise NotSetUp(f"{settings.home} is not the home of an authority", hint=NotSetUp.no_home_hint)
    passphrase = keyring.read_passphrase(settings.key_passphrase_file)
    ring = key_folder.load_ring(settings.key_folder, passphrase, demonstration=settings.demonstration)
    authority = wire(settings, ring)
    if check_tables:
        schema.check(authority.database)
    return authority


def open_as_far_as_possible(settings: Settings) -> tuple[Authority, Refusal | None]:
    """The authority of a home for `doctor`: without keys where they cannot be opened, and then with the reason.

    Raises NotSetUp when there is no such home, SettingsInvalid.
    """
    if not (settings.key_folder.is_dir() or settings.trust_copy.exists()):
        raise NotSetUp(f"{settings.home} is not the home of an authority", hint=NotSetUp.no_home_hint)
    try:
        passphrase = keyring.read_passphrase(settings.key_passphrase_file)
        ring = key_folder.load_ring(settings.key_folder, passphrase, demonstration=settings.demonstration)
    except Refusal as error:
        return wire(settings, KeyRing({})), error
    return wire(settings, ring), None
