"""Which Ed25519 keys may be used at all: every key is screened where it enters, and named by its RFC 7638 thumbprint."""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from verifier.errors import Malformed

# Curve constants of RFC 8032, section 5.1.
FIELD_PRIME = 2**255 - 19
CURVE_D = -121665 * pow(121666, -1, FIELD_PRIME) % FIELD_PRIME
SIGN_BIT = 1 << 255
KEY_BYTES = 32

_URL_SAFE, _STANDARD = bytes.maketrans(b"+/", b"-_"), bytes.maketrans(b"-_", b"+/")
THUMBPRINT = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")


# The y of points of order 8, up to its sign: where d y^4 + 2 y^2 = 1, so that twice the point has y = 0 and is of order 4.
ORDER_EIGHT_Y = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_LOW_ORDER_Y = (0, 1, FIELD_PRIME - 1, FIELD_PRIME, FIELD_PRIME + 1, ORDER_EIGHT_Y, FIELD_PRIME - ORDER_EIGHT_Y)
# All 32-byte strings that decode to a point of order 1, 2, 4 or 8, the non-canonical ones included (14 of them). With such a key
# one constant signature verifies for every message, and OpenSSL loads it without a word.
LOW_ORDER = frozenset((y | sign).to_bytes(KEY_BYTES, "little") for y in _LOW_ORDER_Y for sign in (0, SIGN_BIT))


def is_on_curve(raw: bytes) -> bool:
    """True when the 32 bytes are the canonical encoding of a point of the curve (RFC 8032, section 5.1.3)."""
    y = int.from_bytes(raw, "little") & ~SIGN_BIT
    if y >= FIELD_PRIME:
        return False
    u, v = (y * y - 1) % FIELD_PRIME, (CURVE_D * y * y + 1) % FIELD_PRIME
    # v is never 0, because -1/d is not a square; u/v is a square exactly when u*v is.
    return pow(u * v, (FIELD_PRIME - 1) // 2, FIELD_PRIME) <= 1


@dataclass(frozen=True)
class PublicKey:
    """A screened Ed25519 public key. Only `from_raw` and `from_jwk` make one."""

    raw: bytes

    @cached_property
    def handle(self) -> Ed25519PublicKey:
        """The key as the cryptography library wants it."""
        return Ed25519PublicKey.from_public_bytes(self.raw)

    @cached_property
    def kid(self) -> str:
        """RFC 7638 thumbprint, 43 characters; always computed, so no key can claim another's name."""
        return digest_of(f'{{"crv":"Ed25519","kty":"OKP","x":"{encode(self.raw)}"}}')

    def as_jwk(self) -> dict[str, str]:
        """The public JWK of RFC 8037: `kty`, `crv`, `x`."""
        return {"kty": "OKP", "crv": "Ed25519", "x": encode(self.raw)}


# Whether 32 bytes are a good key never changes, and machines come back with theirs.
@lru_cache(maxsize=4096)
def from_raw(raw: bytes) -> PublicKey:
    """The screened key for 32 raw bytes. Raises Malformed for a wrong length, a low-order or an off-curve key."""
    if len(raw) != KEY_BYTES:
        raise Malformed(f"an Ed25519 public key has {KEY_BYTES} bytes, this one has {len(raw)}")
    if raw in LOW_ORDER:
        raise Malformed("the public key is one of the low-order points, with which a signature proves nothing")
    if not is_on_curve(raw):
        raise Malformed("the public key is not a point of the Ed25519 curve")
    return PublicKey(raw)


def from_jwk(jwk: object) -> PublicKey:
    """The screened key of a public JWK with exactly `kty`, `crv`, `x`; a private member or any other is refused (Malformed)."""
    if not isinstance(jwk, Mapping) or set(jwk) != {"kty", "crv", "x"}:
        raise Malformed('a public key is written with exactly the members "kty", "crv" and "x"')
    return from_members(jwk)


def from_members(jwk: Mapping[str, Any]) -> PublicKey:
    """The screened key of `kty`, `crv`, `x` inside a larger object whose other members the caller has checked."""
    if jwk.get("kty") != "OKP" or jwk.get("crv") != "Ed25519":
        raise Malformed('only keys with "kty": "OKP" and "crv": "Ed25519" are used')
    x = jwk.get("x")
    if not isinstance(x, str) or not THUMBPRINT.match(x):
        raise Malformed('the member "x" of a key is 43 characters of base64url')
    return from_raw(decode(x))


def encode(data: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return binascii.b2a_base64(data, newline=False).translate(_URL_SAFE).rstrip(b"=").decode("ascii")


def decode(text: str) -> bytes:
    """The bytes of canonical base64url without padding; Malformed when another text would stand for the same bytes."""
    try:
        standard = text.encode("ascii").translate(_STANDARD) + b"=" * (-len(text) % 4)
        data = binascii.a2b_base64(standard, strict_mode=True)
    except ValueError as error:
        raise Malformed("a part of the token is not base64url") from error
    if encode(data) != text:
        raise Malformed("a part of the token is not canonical base64url")
    return data


def digest_of(text: str | bytes) -> str:
    """SHA-256 of a text in UTF-8, or of its bytes, as 43 characters of base64url."""
    return encode(hashlib.sha256(text.encode() if isinstance(text, str) else text).digest())
