"""The trust store: root keys, and what they have authorized. Root key, then authorization, then everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from verifier.core import files
from verifier.core.authorization import Authorization, authorization
from verifier.core.claims import AUTHORIZATION_TYP
from verifier.core.jose import LONGEST_AUTHORIZATION, open_by_kid
from verifier.core.keys import PublicKey, from_jwk
from verifier.core.reading import Reader
from verifier.errors import Malformed, NotAuthorized, UnknownKey

MOST_ROOTS = 16


@dataclass(frozen=True)
class TrustStore:
    """The root keys of one organization, by thumbprint. They alone need to be trusted; all else follows by signature."""

    organization: str
    roots: Mapping[str, PublicKey]

    @classmethod
    def read(cls, data: bytes | str) -> TrustStore:
        """The store in a trust file. Raises Malformed; an empty one would trust nothing and is refused too."""
        _, members = files.parse(data, "trust")
        read = Reader(members, "the trust file", files.MEMBERS["trust"])
        jwks = members["roots"]
        if not isinstance(jwks, list) or not 0 < len(jwks) <= MOST_ROOTS:
            raise Malformed(f"a trust file has 1 to {MOST_ROOTS} root keys")
        if not isinstance(members["updates"], list):
            raise Malformed('the trust file: "updates" must be an array')
        roots = [from_jwk(jwk) for jwk in jwks]
        return cls(read.text("organization"), {root.kid: root for root in roots})

    def authorize(self, compact: object) -> Authorization:
        """The authorization in a compact JWS that one of the roots signed for this organization.

        Raises Malformed, UnknownKey (another root), BadSignature, NotAuthorized (another organization).
        """
        if not isinstance(compact, str):
            raise Malformed("the authorization is not a compact JWS")
        return _authorized(compact, self)

    def __hash__(self) -> int:
        return hash((self.organization, tuple(self.roots)))

    def root(self, kid: str) -> PublicKey:
        """The root key with this thumbprint. Raises UnknownKey."""
        if kid not in self.roots:
            raise UnknownKey(
                f"the authorization is signed by the root key {kid}, the trust store has {', '.join(self.roots)}", kid=kid
            )
        return self.roots[kid]


# An application that asks often pays for the chain once: the same text under the same roots says the same.
@lru_cache(maxsize=8)
def _authorized(compact: str, trust: TrustStore) -> Authorization:
    signed = open_by_kid(compact, AUTHORIZATION_TYP, trust.root, longest=LONGEST_AUTHORIZATION)
    result = authorization(signed.claims)
    if result.organization != trust.organization:
        raise NotAuthorized(
            f'the authorization is for the organization "{result.organization}", the trust store for "{trust.organization}"',
            organization=result.organization,
        )
    return result
