"""The vendor's folder: its root key, and what was issued with it. No authority needs it to serve."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from authority.domain.catalogue import Authorization
from authority.domain.disk import UNCHANGED, NoLocks, explained
from authority.domain.refusals import AlreadyExists, SpecificationInvalid, StorageUnavailable
from authority.signing import authorizations, keyring
from authority.signing.keyring import FileSigner
from authority.signing.vendor import authorizing, public_keys, rotation, specification
from authority.signing.vendor.public_keys import AuthorityKeys
from authority.signing.vendor.rotation import Rotated
from authority.signing.vendor.specification import Specification
from verifier.core import files, jose, keys
from verifier.core.keys import THUMBPRINT, digest_of
from verifier.core.times import timestamp
from verifier.errors import CarnetError
from verifier.workstation import disk

ISSUED = "issued.json"


@dataclass(frozen=True, slots=True)
class Issued:
    """What one organization was given: the highest number, and by thumbprint since when (seconds) each key is authorized.

    `authorizations` has the end (seconds) of each one by its digest: what a new root key has to say of them is that they stay good.
    """

    seq: int = 0
    keys: Mapping[str, int] = field(default_factory=dict)
    authorizations: Mapping[str, int] = field(default_factory=dict)

    def followed_by(self, compact: str) -> Issued:
        """What was given after this authorization too; a key that is not in it any more is still remembered."""
        claims = _claims(compact)
        return Issued(
            max(self.seq, claims["seq"]),
            {**self.keys, **{key["kid"]: key["nbf"] for key in claims["keys"]}},
            {**self.authorizations, digest_of(compact): claims["exp"]},
        )


@dataclass(frozen=True, slots=True)
class Made:
    """A signed authorization with its files, and the claims that were signed."""

    authorization: Authorization
    claims: Mapping[str, Any]
    root: str
    file: bytes
    trust_file: bytes


def make(folder: Path, passphrase: bytes | None) -> FileSigner:
    """Makes the root key of a folder that has none. Raises AlreadyExists."""
    if paths := sorted(folder.glob("root-*.pem")):
        raise AlreadyExists(f"{folder} has a root key already: {paths[0].name}", hint="Use it, or choose another folder.")
    return keyring.create(folder, "root", passphrase)


def load(folder: Path, passphrase: bytes | None) -> FileSigner:
    """The root key of a folder. Raises KeyUnusable, DemonstrationOnly."""
    return keyring.load(rotation.path_in_force(folder), passphrase)


def rotate(folder: Path, passphrase: bytes | None, now: datetime) -> Rotated:
    """Replaces the root key of a folder; every authorization that was issued and has not ended stays good.

    Raises KeyUnusable, DemonstrationOnly, SpecificationInvalid, StorageUnavailable.
    """
    with _alone(folder):
        former = load(folder, passphrase)
        ends = {digest: end for item in _issued(folder).values() for digest, end in item.authorizations.items()}
        known = [digest for digest, end in ends.items() if end > timestamp(now)]
        return rotation.rotate(folder, former, known, passphrase, now)


def trust_updates(folder: Path, passphrase: bytes | None) -> bytes | None:
    """The file with every trust update of a folder, made again; None when its root key was never replaced."""
    roots = rotation.of(folder, load(folder, passphrase).public)
    return files.render("trust-update", {"updates": list(roots.updates)}) if roots.updates else None


def authorize(root: FileSigner, folder: Path, written: bytes, keys_file: bytes, now: datetime, *, record: bool = True) -> Made:
    """The authorization for a TOML specification and an authority's public keys, signed with the folder's root key.

    What the verifier would not take is not signed. With `record` its number is kept in the folder before anything else is
    written, so that no number is ever used for two texts. Raises SpecificationInvalid, AuthorizationUnusable,
    StorageUnavailable for a damaged record.
    """
    wanted = specification.read(written, now)
    ring = public_keys.read(keys_file, wanted.organization)
    if not record:
        return _made(root, folder, wanted, ring, _issued(folder).get(wanted.organization, Issued()), now)
    with _alone(folder):
        every = _issued(folder)
        last = every.get(wanted.organization, Issued())
        made = _made(root, folder, wanted, ring, last, now)
        _write(folder, every | {wanted.organization: last.followed_by(made.authorization.compact)})
    return made


def remember(folder: Path, authorization: Authorization) -> None:
    """Keeps in the folder what was issued in another way, so that the next authorization goes on from it."""
    with _alone(folder):
        every = _issued(folder)
        last = every.get(authorization.organization, Issued())
        _write(folder, every | {authorization.organization: last.followed_by(authorization.compact)})


def _made(root: FileSigner, folder: Path, wanted: Specification, ring: AuthorityKeys, last: Issued, now: datetime) -> Made:
    # An organization may have had another vendor before, or been its own: numbers go on from what is in force there.
    highest = max(last.seq, ring.seq)
    seq = highest + 1 if wanted.seq is None else wanted.seq
    if seq <= highest:
        what = "was issued to" if highest == last.seq else "is in force at"
        raise SpecificationInvalid(
            f'"seq" is {seq}, but {highest} {what} "{wanted.organization}" already', hint="Leave it out to get the next number."
        )
    records = [
        entry | {"nbf": _begins(entry, last, now), **ring.retired.get(entry["kid"], {})}
        for entry in authorizing.key_records(ring.by_use, wanted.begins_at, wanted.ends_at)
    ]
    compact = authorizing.authorize(
        root, wanted.claims, records, seq=seq, now=now, begins_at=wanted.begins_at, ends_at=wanted.ends_at
    )
    trust_file = rotation.of(folder, root.public).trust_file(wanted.organization)
    data = files.render("authorization", {"authorization": compact})
    return Made(authorizations.read_file(data, trust_file), _claims(compact), root.public.kid, data, trust_file.encode())


def _begins(entry: Mapping[str, Any], last: Issued, now: datetime) -> int:
    """Since when (seconds) a key is authorized.

    Borrows that are out were signed since a key was first authorized: it must not begin later than that. A key beside earlier ones
    begins after them, for of several the authority signs with the one that began last.
    """
    if entry["kid"] in last.keys:
        return int(min(entry["nbf"], last.keys[entry["kid"]]))
    if not last.keys:
        return int(entry["nbf"])
    earliest = max(entry["nbf"], timestamp(now - specification.BEGINS_BEFORE_NOW), max(last.keys.values()) + 1)
    return int(min(earliest, timestamp(now)))


def _claims(compact: str) -> dict[str, Any]:
    return jose.strict_object(keys.decode(compact.split(".")[1]))


def _issued(folder: Path) -> dict[str, Issued]:
    """What was issued, by organization. Raises StorageUnavailable when the record cannot be read."""
    path = folder / ISSUED
    try:
        return {name: _entry(item) for name, item in jose.strict_object(disk.read_bytes(path)).items()}
    except FileNotFoundError:
        return {}
    except (OSError, CarnetError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise StorageUnavailable(
            f"the record of what was issued, {path}, cannot be read",
            hint="Put back a copy of it. Without one, move it away and say the next number in the specification: seq = N",
        ) from error


def _entry(item: Mapping[str, Any]) -> Issued:
    # The first versions did not record the authorizations themselves.
    seq, since, ends = item["seq"], item["keys"], item.get("authorizations", {})
    numbers = [seq, *since.values(), *ends.values()]
    if not all(type(number) is int and number >= 0 for number in numbers) or not all(map(THUMBPRINT.match, [*since, *ends])):
        raise ValueError("not a record of what was issued")
    return Issued(seq, since, ends)


def _write(folder: Path, issued: Mapping[str, Issued]) -> None:
    value = {
        name: {"seq": item.seq, "keys": dict(item.keys), "authorizations": dict(item.authorizations)}
        for name, item in issued.items()
    }
    with explained(folder / ISSUED, "written", UNCHANGED):
        disk.write_atomically(folder / ISSUED, (json.dumps(value, indent=2) + "\n").encode())


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Two at once would issue one number twice: the second waits."""
    if sys.platform == "win32":
        yield
        return
    import fcntl

    with explained(folder, "read", UNCHANGED):
        descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise NoLocks(f"{folder} cannot be locked: {error.strerror}{UNCHANGED}", path=str(folder)) from error
        yield
    finally:
        os.close(descriptor)
