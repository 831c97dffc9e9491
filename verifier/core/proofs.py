"""The proof in a request or a receipt: signed with the machine's key, an Ed25519 key or one that hardware keeps.

TPMs, security keys and smart cards have no Ed25519 but ECDSA on P-256 (ES256). Such a key proves possession and nothing else: what
an authority or a vendor signs stays Ed25519.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey, EllipticCurvePublicNumbers
from jwt.algorithms import ECAlgorithm

from verifier.core import jose
from verifier.core.keys import THUMBPRINT, decode, digest_of, from_jwk
from verifier.errors import BadSignature, Malformed

HARDWARE_ALGORITHM = "ES256"
_es256 = ECAlgorithm(ECAlgorithm.SHA256, SECP256R1)


class Proof(NamedTuple):
    """Claims whose signature was verified, and the thumbprint of the key that did it: the `jkt` of the borrow that answers.

    `digest` names the text, 43 characters of base64url: what was signed once has one digest, however often it is signed again.
    """

    claims: Mapping[str, Any]
    machine_key: str
    digest: str


@dataclass(frozen=True)
class HardwareKey:
    """A P-256 public key whose point lies on the curve. Only `hardware_key` makes one."""

    x: str
    y: str

    @cached_property
    def handle(self) -> EllipticCurvePublicKey:
        """The key as the cryptography library wants it. Raises ValueError for a point that is not on the curve."""
        x, y = (int.from_bytes(decode(text), "big") for text in (self.x, self.y))
        return EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()

    @property
    def kid(self) -> str:
        """RFC 7638 thumbprint, 43 characters."""
        return digest_of(f'{{"crv":"P-256","kty":"EC","x":"{self.x}","y":"{self.y}"}}')


def hardware_key(jwk: object) -> HardwareKey:
    """The key of a public JWK with exactly `kty`, `crv`, `x`, `y`. Raises Malformed, also for a point that is not on P-256.

    The curve has a prime order, so that it has no point of low order (NIST SP 800-186, section 3.2.1.3).
    """
    if not isinstance(jwk, Mapping) or set(jwk) != {"kty", "crv", "x", "y"}:
        raise Malformed('a public key of hardware is written with exactly the members "kty", "crv", "x" and "y"')
    if jwk["kty"] != "EC" or jwk["crv"] != "P-256":
        raise Malformed('a key for ES256 has "kty": "EC" and "crv": "P-256"')
    x, y = jwk["x"], jwk["y"]
    if not all(isinstance(text, str) and THUMBPRINT.match(text) for text in (x, y)):
        raise Malformed('the members "x" and "y" of a key are 43 characters of base64url')
    key = HardwareKey(x, y)
    try:
        key.handle  # noqa: B018
    except ValueError as error:
        raise Malformed("the public key is not a point of the curve P-256") from error
    return key


def open_proof(token: str, typ: str) -> Proof:
    """The proof in a compact JWS whose header is exactly `alg`, `typ`, `jwk`, with `alg` that of the key's kind.

    Raises Malformed, BadSignature.
    """
    parts = jose.take_apart(token, typ, "jwk", algorithms=(jose.ALGORITHM, HARDWARE_ALGORITHM))
    if parts.header["alg"] == jose.ALGORITHM:
        signed = jose.verified(parts, from_jwk(parts.header["jwk"]))
        return Proof(signed.claims, signed.key.kid, digest_of(token))
    key = hardware_key(parts.header["jwk"])
    if not _es256.verify(parts.signed, key.handle, parts.signature):
        raise BadSignature(f"the signature was not made with the key {key.kid} over this text", kid=key.kid)
    # ECDSA has many signatures for one text, and anybody can make a second one of the first: the text alone counts.
    return Proof(jose.strict_object(parts.payload), key.kid, digest_of(parts.signed))
