"""Sealing: bytes that nobody can read from the database, because what opens them is only in the hands of whoever sent it."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
KEY = 32


def seal(data: bytes, secret: str, nonce: bytes) -> bytes:
    """The data as AES-256-GCM under a key that follows from the secret (HKDF, RFC 5869). `nonce`: 12 bytes that were never used with it."""
    return nonce + AESGCM(_key(secret)).encrypt(nonce, data, None)


def opened(sealed: bytes, secret: str) -> bytes | None:
    """The data, None when it was sealed with another secret or changed since."""
    try:
        return AESGCM(_key(secret)).decrypt(sealed[:NONCE], sealed[NONCE:], None)
    except InvalidTag:
        return None


def _key(secret: str) -> bytes:
    return HKDF(SHA256(), KEY, salt=None, info=b"carnet answer of an attempt").derive(secret.encode("utf-8", "surrogatepass"))
