"""Replacing the vendor's root key: the record in the folder says which key is in force, and keeps every trust update."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from authority.domain.disk import UNCHANGED, explained
from authority.domain.plurals import counted
from authority.domain.refusals import KeyUnusable, SpecificationInvalid, StorageUnavailable
from authority.signing import keyring
from authority.signing.keyring import FileSigner, Signer
from verifier.core import files, jose, keys
from verifier.core.files import LARGEST_FILE
from verifier.core.keys import PublicKey
from verifier.core.succession import TRUST_UPDATE_TYP, Succession
from verifier.core.times import timestamp
from verifier.errors import CarnetError
from verifier.workstation import disk

RECORD = "roots.json"


@dataclass(frozen=True, slots=True)
class Roots:
    """The root keys of a folder: the first one, every trust update since, and by that the one in force."""

    first: PublicKey
    updates: tuple[str, ...] = ()

    @property
    def succession(self) -> Succession:
        """What a workstation makes of them."""
        return Succession.of({self.first.kid: self.first}).followed_by(self.updates)

    @property
    def in_force(self) -> str:
        """The thumbprint of the root key that signs."""
        return next(iter(self.succession.roots))

    def trust_file(self, organization: str) -> str:
        """The trust file of an organization, checked as a workstation will check it."""
        members = {"roots": [self.first.as_jwk()], "organization": organization, "updates": list(self.updates)}
        return files.render("trust", members).decode()


@dataclass(frozen=True, slots=True)
class Rotated:
    """A root key that was replaced, the one in its place, and the file with every trust update of the folder."""

    former: str
    root: str
    seq: int
    path: Path
    file: bytes


def of(folder: Path, root: PublicKey) -> Roots:
    """The root keys of a folder whose root key in force is `root`. Raises StorageUnavailable for a damaged record."""
    return _recorded(folder) or Roots(root)


def path_in_force(folder: Path) -> Path:
    """The file of the root key that signs. Raises KeyUnusable when there is none, or the record does not say which."""
    recorded = _recorded(folder)
    if recorded is not None:
        return folder / f"root-{recorded.in_force}.pem"
    paths = sorted(folder.glob("root-*.pem"))
    if len(paths) != 1:
        raise KeyUnusable(
            f"{folder} has {counted(len(paths), 'root key')} (root-*.pem), exactly one is wanted",
            hint="Make one with: carnet-authority root init DIR",
        )
    return paths[0]


def rotate(folder: Path, former: FileSigner, known: Sequence[str], passphrase: bytes | None, now: datetime) -> Rotated:
    """Makes a root key that takes the place of the former one; the authorizations with the digests `known` stay good.

    The new key is written first and the record last: what is cut short between leaves the former key in force, and may be done
    again. Raises SpecificationInvalid when more is known than a file has room for, StorageUnavailable for a damaged record.
    """
    roots = of(folder, former.public)
    # Written before there are two keys, so that it is never in doubt which one is in force.
    _write(folder, roots)
    new = FileSigner.fresh()
    seq = roots.succession.seq + 1
    update = _signatures([former, new], seq, known, now)
    rotated = replace(roots, updates=(*roots.updates, *update))
    file = files.render("trust-update", {"updates": list(rotated.updates)})
    if len(file) > LARGEST_FILE:
        raise SpecificationInvalid(
            f"the trust update would name {counted(len(known), 'authorization')} and have {len(file)} bytes, {LARGEST_FILE} are read",
            hint="Authorizations that have ended are left out: wait until enough have, or use a folder for each group of "
            "organizations.",
        )
    # A workstation will follow it, or nothing is written.
    rotated.succession  # noqa: B018
    path = keyring.write(folder, "root", new, passphrase)
    _write(folder, rotated)
    return Rotated(former.public.kid, new.public.kid, seq, path, file)


def _signatures(signers: Sequence[Signer], seq: int, known: Sequence[str], now: datetime) -> list[str]:
    """The signatures of all these over the update that leaves the last one alone in force."""
    claims = {
        "ver": 1,
        "seq": seq,
        "iat": timestamp(now),
        "roots": [signers[-1].public.as_jwk()],
        "known": sorted(known),
    }
    text = jose.payload(claims)
    return [
        jose.compact({"alg": "EdDSA", "typ": TRUST_UPDATE_TYP, "kid": item.public.kid}, text, item.sign) for item in signers
    ]


def _recorded(folder: Path) -> Roots | None:
    """What the record of a folder says; None in one whose root key was never replaced."""
    path = folder / RECORD
    try:
        return _roots(jose.strict_object(disk.read_bytes(path)))
    except FileNotFoundError:
        return None
    except (OSError, CarnetError, LookupError, TypeError, ValueError) as error:
        raise StorageUnavailable(
            f"the record of the root keys, {path}, cannot be read",
            hint="Put back a copy of it, which every backup of the folder has.",
        ) from error


def _roots(members: Mapping[str, Any]) -> Roots:
    """Raises CarnetError for updates that do not follow from the first root key."""
    roots = Roots(keys.from_jwk(members["first"]), tuple(members["updates"]))
    roots.succession  # noqa: B018
    return roots


def _write(folder: Path, roots: Roots) -> None:
    value = {"first": roots.first.as_jwk(), "updates": list(roots.updates)}
    with explained(folder / RECORD, "written", UNCHANGED):
        disk.write_atomically(folder / RECORD, (json.dumps(value, indent=2) + "\n").encode())
