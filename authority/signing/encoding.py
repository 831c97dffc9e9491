"""Base64url texts and digests, as tokens have them."""

from __future__ import annotations

import hashlib

from verifier.core import keys


def encode(data: bytes) -> str:
    """Base64url without padding."""
    return keys.encode(data)


def digest(text: str) -> str:
    """SHA-256 of a text as 43 characters of base64url."""
    return keys.encode(hashlib.sha256(text.encode()).digest())
