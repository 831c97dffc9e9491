"""The machine key: made at first use, kept for its user alone, and the proof in every request and receipt."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from verifier.core import jose, keys
from verifier.core.keys import PublicKey
from verifier.errors import Malformed, StateDamaged
from verifier.workstation import sealing
from verifier.workstation.disk import read_with_mode, trouble
from verifier.workstation.sealing import NotSealed

NEW_KEY = (
    "A machine key belongs to the user and the machine that made it. Remove the file and make a new request here; "
    "the administrator releases the old borrow."
)

# Borrows are bound to the key that is lost.
LOST = (
    "Put it back from a backup; or move it away and make a new request, and have the old borrow released by the administrator."
)


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


def make() -> tuple[MachineKey, bytes]:
    """A new machine key, and the text of the file that keeps it."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    if sys.platform == "win32":
        return MachineKey(private), sealing.seal(pem)
    return MachineKey(private), pem


def load(path: Path) -> MachineKey | None:
    """The key in this file, None when there is none.

    Raises StateDamaged when it is no key, of another kind or open to other users, NotPermitted or DiskFailed when the operating
    system does not let it be read.
    """
    try:
        text, mode = read_with_mode(path)
        private = load_pem_private_key(_opened(text), password=None)
    except FileNotFoundError:
        return None
    except NotSealed as error:
        raise StateDamaged(f"the machine key {path} {error}", hint=NEW_KEY, path=str(path)) from error
    except (IsADirectoryError, Malformed, ValueError, TypeError, UnsupportedAlgorithm, InternalError) as error:
        raise StateDamaged(f"the machine key {path} cannot be read", hint=LOST, path=str(path)) from error
    except OSError as error:
        raise trouble(error, f"the machine key {path}", "read") from error
    if sys.platform != "win32" and mode & 0o077:
        raise StateDamaged(
            f"the machine key {path} is open to other users (mode {mode:o})",
            hint=f"Run: chmod 600 {path}. Where that does not last, keep the state on a disk that has permissions: CARNET_HOME.",
            path=str(path),
        )
    if not isinstance(private, Ed25519PrivateKey):
        raise StateDamaged(f"the machine key {path} is not an Ed25519 key", hint=LOST, path=str(path))
    return MachineKey(private)


def _opened(text: bytes) -> bytes:
    """The key in the text of its file. Raises NotSealed."""
    if sys.platform == "win32":
        return sealing.unseal(text)
    if text.startswith(sealing.BEGIN):
        raise NotSealed("was sealed by Windows, which alone can open it")
    return text
