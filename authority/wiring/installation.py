"""Making the home of an authority: folder, keys, authorization, database; what `init` and the demonstration share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from authority.domain.catalogue import Authorization, KeyUse, check_made
from authority.domain.disk import UNCHANGED, explained
from authority.domain.refusals import AlreadyExists, InvalidInput
from authority.services import set_up
from authority.services.context import Authority
from authority.services.set_up import Administrator
from authority.signing import authorizations, key_folder, keyring
from authority.signing.inbox import write_file
from authority.signing.keyring import FileSigner, KeyRing
from authority.signing.vendor import root_folder
from authority.storage.db.database import sqlite_file
from authority.wiring.app import wire
from authority.wiring.new_home import new_home
from authority.wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Vendor:
    """What a vendor sent: an authorization file, a trust file, and the folder with the private keys that it names."""

    authorization: bytes
    trust: bytes
    keys: Path | None


@dataclass(frozen=True, slots=True)
class Installed:
    """What `init` made."""

    home: Path
    organization: str
    organization_name: str
    trust_file: Path
    roots: list[str]
    administrator: Administrator


def install(settings: Settings, name: str, admin: str, vendor: Vendor | None, *, wanted_id: str | None = None) -> Installed:
    """Sets an authority up in the home of the settings.

    Without a vendor the organization is its own: a root key and the sample authorization are made, with the id that is wanted
    or one made from the name.
    Raises AlreadyExists when the home or its database is in use, and what `set_up.create` raises.
    """
    set_up.check_names(name, wanted_id, admin)
    passphrase = keyring.read_passphrase(settings.key_passphrase_file)
    with new_home(settings.home, [settings.key_folder, settings.root_folder], _files(settings)):
        if settings.key_folder.exists() and (vendor is None or vendor.keys is not None):
            raise AlreadyExists(f"{settings.home} is the home of an authority already", hint="Choose another --home.")
        ring = _ring(settings, vendor, passphrase)
        authority = wire(settings, ring)
        try:
            set_up.check_empty(authority)
            if vendor is None:
                authorization, trust_text = _own_vendor(settings, authority, passphrase, name, wanted_id)
            else:
                trust_text = vendor.trust.decode("utf-8-sig", "replace")
                authorization = authorizations.read_file(vendor.authorization, trust_text)
            return _installed(settings, authority, authorization, trust_text, admin, passphrase)
        finally:
            authority.database.close()


def _files(settings: Settings) -> list[Path]:
    """The files that `install` makes: the copy of the trust file, and a SQLite database with what lies beside it.

    What lies beside a database that is there already belongs to it, and to whoever else has it open.
    """
    database = sqlite_file(settings.database_url)
    if database is None or database.exists():
        return [settings.trust_copy]
    return [settings.trust_copy, *(database.with_name(database.name + end) for end in ("", "-wal", "-shm", ".queue"))]


def _own_vendor(
    settings: Settings, authority: Authority, passphrase: bytes | None, name: str, wanted_id: str | None
) -> tuple[Authorization, str]:
    """The sample authorization and its trust file; the root key that signed it is in the home."""
    root = FileSigner.fresh()
    sample, trust_text = set_up.own_vendor(authority, root, name, authority.now(), wanted_id=wanted_id)
    keyring.write(settings.root_folder, "root", root, passphrase)
    root_folder.remember(settings.root_folder, sample)
    return sample, trust_text


def _installed(
    settings: Settings,
    authority: Authority,
    authorization: Authorization,
    trust_text: str,
    admin: str,
    passphrase: bytes | None,
) -> Installed:
    # What can be refused is refused before anything is written that would be in the way of another try.
    check_made(authorization, authority.now())
    set_up.check_keys(authority, authorization, trust_text)
    organization, roots = authorizations.organization_of(trust_text.encode())
    for (use, _), signer in authority.ring.signers.items():
        keyring.write(settings.key_folder, use, signer, passphrase)
    with explained(settings.trust_copy, "written", UNCHANGED):
        write_file(settings.trust_copy, trust_text.encode())
    administrator = set_up.create(authority, authorization, trust_text, admin=admin, demonstration=settings.demonstration)
    return Installed(settings.home, organization, authorization.organization_name, settings.trust_copy, roots, administrator)


def _ring(settings: Settings, vendor: Vendor | None, passphrase: bytes | None) -> KeyRing:
    """Fresh keys, the keys that were given, or those that are in the home already."""
    if vendor is None:
        signers = [(use, FileSigner.fresh()) for use in KeyUse]
        return KeyRing({(use, signer.public.kid): signer for use, signer in signers})
    ring = key_folder.load_ring(vendor.keys or settings.key_folder, passphrase, demonstration=settings.demonstration)
    if not ring.signers:
        raise InvalidInput(
            f"{vendor.keys or settings.key_folder} has no key files (borrow-*.pem, status-*.pem)",
            hint="Name the folder with the private keys that the authorization names: --keys DIR",
        )
    return ring
