"""The machine key: made at first use, kept for its user alone, and the proof in every request and receipt."""

from __future__ import annotations

import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from verifier.core import jose, keys
from verifier.core.keys import PublicKey
from verifier.errors import StateDamaged
from verifier.workstation.disk import write_atomically


class MachineKey:
    """The private key of this workstation and user."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private

    @property
    def public(self) -> PublicKey:
        """The public half, screened like any other key."""
        return keys.from_raw(self._private.public_key().public_bytes_raw())

    def sign(self, typ: str, claims: Mapping[str, Any]) -> str:
        """A compact JWS with the header `alg`, `typ`, `jwk`; the same claims give the same bytes (RFC 8032)."""
        return jose.compact({"alg": "EdDSA", "typ": typ, "jwk": self.public.as_jwk()}, jose.payload(claims), self._private.sign)


def load_or_create(path: Path) -> MachineKey:
    """The key in this file; made there, readable by its owner alone, when there is none. Raises StateDamaged."""
    if not path.exists():
        private = Ed25519PrivateKey.generate()
        write_atomically(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return load(path)


def load(path: Path) -> MachineKey:
    """The key in this file. Raises StateDamaged when it is missing, unreadable, of another kind, or open to other users."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise StateDamaged(f"the machine key {path} cannot be read", path=str(path)) from error
    if sys.platform != "win32" and mode & 0o077:
        raise StateDamaged(
            f"the machine key {path} is open to other users (mode {mode:o})", hint=f"Run: chmod 600 {path}", path=str(path)
        )
    if not isinstance(private, Ed25519PrivateKey):
        raise StateDamaged(f"the machine key {path} is not an Ed25519 key", path=str(path))
    return MachineKey(private)
