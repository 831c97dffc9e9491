"""Signing with the verifier's own checks: a text leaves signed only when every workstation reads it as good.

The compact form is put together here, so its form (alphabet, canonical base64url, exact header) is right as it is made and need
not be taken apart again. What can be wrong is checked on the very bytes that were signed: key, signature, and every claim.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from verifier.core import claims, jose, steps
from verifier.core.keys import encode
from verifier.core.trust import Authorization
from verifier.errors import Malformed


def borrow_token(payload: str, kid: str, sign: Callable[[bytes], bytes], authorization: Authorization) -> str:
    """The compact `borrow+jwt` of a payload text, signed with the key `kid` of this authorization.

    `sign` makes the 64 bytes of an Ed25519 signature, the same each time (RFC 8032). The text is read once, strictly, and the
    signature verified once. A token comes back exactly when `steps.open_token` and `steps.check_content` would take it;
    otherwise this raises NotGood, as they would.
    """
    key = authorization.key(kid, "borrow")
    try:
        data = payload.encode()
    except UnicodeEncodeError as error:
        raise Malformed("the text to sign has a lone surrogate, which is not UTF-8") from error
    signed = f"{_header(claims.BORROW_TYP, kid)}.{encode(data)}"
    signature = sign(signed.encode())
    jose.check_signature(key, signature, signed.encode())
    token = f"{signed}.{encode(signature)}"
    if len(token) > jose.LONGEST_TOKEN:
        raise Malformed(
            f"the token would have {len(token)} characters, at most {jose.LONGEST_TOKEN} are read", length=len(token)
        )
    borrow = claims.borrow(jose.strict_object(data))
    authorization.check_key_at(kid, borrow.iat, borrow.jti)
    steps.check_content(borrow, authorization)
    return token


@lru_cache(maxsize=64)
def _header(typ: str, kid: str) -> str:
    return encode(jose.payload({"alg": "EdDSA", "typ": typ, "kid": kid}).encode())
