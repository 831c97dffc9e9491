"""The published sample keys: made from fixed texts, so that anyone can make them again and nobody can rely on them."""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from verifier.core import keys

NAMES = ("root", "borrow", "status", "machine")


def sample_key(name: str) -> Ed25519PrivateKey:
    """The sample private key of this name; everybody has it."""
    return Ed25519PrivateKey.from_private_bytes(
        hashlib.sha256(f"carnet sample key, public knowledge: {name}".encode()).digest()
    )


# What the authority refuses to sign with outside a demonstration.
SAMPLE_KIDS = frozenset(keys.from_raw(sample_key(name).public_key().public_bytes_raw()).kid for name in NAMES)
