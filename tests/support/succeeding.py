"""Root keys that follow one another: trust updates with any claims, signed by whoever is to sign them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.support.chains import ORGANIZATION, START, Signer
from verifier.core import files
from verifier.core.succession import TRUST_UPDATE_TYP


def update_claims(roots: Sequence[Signer], seq: int = 1, known: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    """The claims of an update to these root keys."""
    jwks = [root.public.as_jwk() for root in roots]
    return {"ver": 1, "seq": seq, "iat": START, "roots": jwks, "known": list(known)} | more


def signed_by(signers: Sequence[Signer], claims: dict[str, Any]) -> list[str]:
    """The signatures of each of them over one text."""
    return [signer.token(TRUST_UPDATE_TYP, claims) for signer in signers]


def replaced(old: Signer, new: Signer, seq: int = 1, known: Sequence[str] = (), **more: Any) -> list[str]:
    """The update by which a new root key takes the place of an old one."""
    return signed_by([old, new], update_claims([new], seq, known, **more))


def trust_file(first: Signer, *updates: list[str], organization: str = ORGANIZATION) -> bytes:
    """The trust file that begins with a root key and goes on with updates."""
    signatures = [text for update in updates for text in update]
    return files.render("trust", {"roots": [first.public.as_jwk()], "organization": organization, "updates": signatures})


def update_file(*updates: list[str]) -> bytes:
    """The file that carries updates."""
    return files.render("trust-update", {"updates": [text for update in updates for text in update]})
