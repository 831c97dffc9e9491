"""The JOSE text: a strict front end takes it apart once, then PyJWT verifies what was received. Nothing is believed before its turn."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from jwt.algorithms import OKPAlgorithm

from verifier.core.keys import KEY_BYTES, LOW_ORDER, THUMBPRINT, PublicKey, decode, encode, from_jwk
from verifier.errors import BadSignature, Malformed

# Sizes in characters of the compact form. A borrow is about 1,300 long; the caps stop a flood before any parsing.
LONGEST_TOKEN = 8 * 1024
LONGEST_AUTHORIZATION = 240 * 1024
LONGEST_STATUS_LIST = 2 * 1024 * 1024

# An Ed25519 signature is 64 bytes, so the third part is always 86 characters (RFC 8037, section 3.1); so is one of ES256.
COMPACT = re.compile(r"\A([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})\Z")
LARGEST_INTEGER = 2**53
LONGEST_INTEGER = len(str(-LARGEST_INTEGER))

LOW_ORDER_SIGNATURE = "the signature begins with a low-order point, which no honest signer makes"

ALGORITHM = "EdDSA"
_eddsa = OKPAlgorithm()


class Parts(NamedTuple):
    """A compact JWS of the right form, taken apart. Nothing of it is believed: no signature was verified.

    `signed` are the received bytes that the signature is over.
    """

    header: Mapping[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes


class Signed(NamedTuple):
    """Claims whose signature was verified over the received bytes, and the key that did it. The claims are not yet checked."""

    claims: Mapping[str, Any]
    key: PublicKey


def open_by_kid(token: str, typ: str, look_up: Callable[[str], PublicKey], *, longest: int = LONGEST_TOKEN) -> Signed:
    """The signed claims of a compact JWS whose header is exactly `alg`, `typ`, `kid`.

    `look_up` turns a key id into a screened key, or raises. Raises Malformed, BadSignature and what `look_up` raises.
    """
    parts = take_apart(token, typ, "kid", longest)
    return verified(parts, look_up(parts.header["kid"]))


def open_by_jwk(token: str, typ: str, *, longest: int = LONGEST_TOKEN) -> Signed:
    """The signed claims of a compact JWS whose header is exactly `alg`, `typ`, `jwk`: proof that the sender holds that key.

    The thumbprint to compare is that of the very key that verified (`Signed.key.kid`).
    """
    parts = take_apart(token, typ, "jwk", longest)
    return verified(parts, from_jwk(parts.header["jwk"]))


def take_apart(
    token: str, typ: str, key_member: str, longest: int = LONGEST_TOKEN, *, algorithms: Sequence[str] = (ALGORITHM,)
) -> Parts:
    """Form only: size, alphabet, canonical base64url of all three parts, strict header, a `kid` that is a thumbprint. Raises Malformed."""
    if not isinstance(token, str):
        raise Malformed(f"a token is text, this is {type(token).__name__}")
    if len(token) > longest:
        raise Malformed(f"the token has {len(token)} characters, at most {longest} are read", length=len(token))
    match = COMPACT.match(token)
    if match is None:
        raise Malformed("the token is not a compact JWS with a signature of 64 bytes")
    header, payload, signature = strict_object(decode(match[1])), decode(match[2]), decode(match[3])
    if set(header) != {"alg", "typ", key_member}:
        raise Malformed(f'the header must have exactly the members "alg", "typ" and "{key_member}"')
    if header["alg"] not in algorithms:
        names = " or ".join(f'"{name}"' for name in algorithms)
        raise Malformed(f'the header member "alg" must be {names}')
    if header["typ"] != typ:
        raise Malformed(f'the token is not of the type "{typ}"')
    if key_member == "kid" and not (isinstance(header["kid"], str) and THUMBPRINT.match(header["kid"])):
        raise Malformed('the header member "kid" is not a key thumbprint')
    return Parts(header, payload, signature, token[: match.end(2)].encode())


def verified(parts: Parts, key: PublicKey) -> Signed:
    """The claims, once the signature over the received bytes is that of the key. Raises BadSignature, Malformed."""
    check_signature(key, parts.signature, parts.signed)
    return Signed(strict_object(parts.payload), key)


def check_signature(key: PublicKey, signature: bytes, signed: bytes) -> None:
    """Raises BadSignature unless these are the 64 bytes that this key makes over the signed bytes."""
    if signature[:KEY_BYTES] in LOW_ORDER:
        raise BadSignature(LOW_ORDER_SIGNATURE)
    if not _eddsa.verify(signed, key.handle, signature):
        raise BadSignature(f"the signature was not made with the key {key.kid} over this text", kid=key.kid)


def payload(claims: Mapping[str, Any]) -> str:
    """Claims as the text that is signed: compact JSON in the order given, so the same claims give the same bytes."""
    return _compact_json.encode(claims)


def compact(header: Mapping[str, Any], text: str, sign: Callable[[bytes], bytes]) -> str:
    """The compact JWS of a payload text; `sign` makes the 64 bytes of an Ed25519 signature, the same each time (RFC 8032)."""
    signed = f"{encode(payload(header).encode())}.{encode(text.encode())}"
    return f"{signed}.{encode(sign(signed.encode()))}"


def strict_object(data: bytes) -> dict[str, Any]:
    """One JSON object from strict UTF-8: no byte order mark, duplicate key, float, huge integer, constant or lone surrogate."""
    try:
        text = data.decode("utf-8")
        value = _strict_json.decode(text)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise Malformed("the text is not strict UTF-8 JSON") from error
    if not isinstance(value, dict):
        raise Malformed("the JSON text is not an object")
    return value


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise Malformed("a member stands twice in a JSON object")
    return members


def _refuse(text: str) -> Any:
    raise Malformed(f"the number {text[:40]} is not an integer")


def _small_integer(text: str) -> int:
    if len(text) > LONGEST_INTEGER or abs(value := int(text)) >= LARGEST_INTEGER:
        raise Malformed("an integer is outside -2^53..2^53")
    return value


# Made once: a coder costs more than most of the texts that it reads or writes.
_strict_json = json.JSONDecoder(
    object_pairs_hook=_no_duplicates, parse_constant=_refuse, parse_float=_refuse, parse_int=_small_integer
)
_compact_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)
