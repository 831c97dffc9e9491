"""Making the home of an authority: folder, keys, authorization, database; what `init` and the demonstration share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from authority.domain.catalogue import KeyUse, check_made
from authority.domain.disk import explained
from authority.domain.refusals import AlreadyExists, InvalidInput
from authority.services import set_up
from authority.services.set_up import Administrator
from authority.signing import authorizations, keyring
from authority.signing.inbox import write_file
from authority.signing.keyring import FileSigner, KeyRing
from authority.signing.vendor import root_folder
from authority.wiring.app import wire
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
    if settings.key_folder.exists() and (vendor is None or vendor.keys is not None):
        raise AlreadyExists(f"{settings.home} is the home of an authority already", hint="Choose another --home.")
    with explained(settings.home, "made"):
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    ring = _ring(settings, vendor, passphrase)
    authority = wire(settings, ring)
    set_up.check_empty(authority)
    if vendor is None:
        root = FileSigner.fresh()
        found, trust_text = set_up.own_vendor(authority, root, name, authority.now(), wanted_id=wanted_id)
        keyring.write(settings.root_folder, "root", root, passphrase)
        root_folder.remember(settings.root_folder, found)
    else:
        trust_text = vendor.trust.decode("utf-8-sig", "replace")
        found = authorizations.read_file(vendor.authorization, trust_text)
    # What can be refused is refused before anything is written that would be in the way of another try.
    check_made(found, authority.now())
    set_up.check_keys(authority, found, trust_text)
    for (use, _), signer in ring.signers.items():
        keyring.write(settings.key_folder, use, signer, passphrase)
    administrator = set_up.create(authority, found, trust_text, admin=admin, demonstration=settings.demonstration)
    with explained(settings.trust_copy, "written"):
        write_file(settings.trust_copy, trust_text.encode())
    organization, roots = authorizations.organization_of(trust_text.encode())
    authority.database.close()
    return Installed(settings.home, organization, found.organization_name, settings.trust_copy, roots, administrator)


def _ring(settings: Settings, vendor: Vendor | None, passphrase: bytes | None) -> KeyRing:
    """Fresh keys, the keys that were given, or those that are in the home already."""
    if vendor is None:
        signers = [(use, FileSigner.fresh()) for use in KeyUse]
        return KeyRing({(use, signer.public.kid): signer for use, signer in signers})
    found = keyring.load_ring(vendor.keys or settings.key_folder, passphrase, demonstration=settings.demonstration)
    if not found.signers:
        raise InvalidInput(
            f"{vendor.keys or settings.key_folder} has no key files (borrow-*.pem, status-*.pem)",
            hint="Name the folder with the private keys that the authorization names: --keys DIR",
        )
    return found
