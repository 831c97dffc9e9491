"""The file with an authority's public keys, which a vendor authorizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from authority.domain.catalogue import KeyUse
from authority.domain.refusals import SpecificationInvalid
from authority.signing.sample_keys import SAMPLE_KIDS
from authority.signing.vendor.problems import refuse
from verifier.core import files, jose, keys
from verifier.core.files import LARGEST_FILE
from verifier.core.jose import LARGEST_INTEGER
from verifier.core.keys import PublicKey
from verifier.core.reading import BORROW_ID
from verifier.core.times import LAST_SECOND
from verifier.errors import CarnetError, Malformed

_MEMBERS = frozenset({"organization", "keys"})
_KEY = frozenset({"use", "kid", "kty", "crv", "x"})
_RETIRED = frozenset({"retired_at"})
_STOLEN = frozenset({"retired_at", "revoked", "known"})


@dataclass(frozen=True, slots=True)
class AuthorityKeys:
    """An authority's screened public keys by use, and the number of the authorization that is in force there; 0 where none is told.

    `retired` has, by thumbprint, what is to be said of keys that sign nothing new: `exp`, and after a theft `revoked` and `known`.
    """

    by_use: Mapping[KeyUse, Sequence[PublicKey]]
    seq: int = 0
    retired: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def read(data: bytes, organization: str) -> AuthorityKeys:
    """What stands in a file that an authority wrote for its vendor. Raises SpecificationInvalid."""
    if len(data) > LARGEST_FILE:
        raise SpecificationInvalid(f"the file with the public keys is larger than {LARGEST_FILE} bytes")
    try:
        members = jose.strict_object(files.unmarked(data))
    except CarnetError as error:
        raise SpecificationInvalid(f"the file with the public keys: {error.message}") from error
    wrong: list[str] = []
    entries, seq = members.get("keys"), members.get("seq", 0)
    if members.keys() - {"seq"} != _MEMBERS or not isinstance(entries, list):
        raise SpecificationInvalid(
            'the file with the public keys must have "organization" and an array "keys"',
            hint="The organization writes it with: carnet-authority key list --public -o KEYS.json",
        )
    if members["organization"] != organization:
        wrong.append(
            f'it is of the organization "{str(members["organization"])[:80]}", the specification is for "{organization}"'
        )
    if type(seq) is not int or not 0 <= seq < LARGEST_INTEGER:
        wrong.append('"seq", the number of the authorization in force, must be a whole number')
    ring: dict[KeyUse, list[PublicKey]] = {use: [] for use in KeyUse}
    retired: dict[str, Mapping[str, Any]] = {}
    for number, item in enumerate(entries, 1):
        try:
            key = _key(item)
            ring[KeyUse(item["use"])].append(key)
            retired |= {key.kid: _retired(item)} if "retired_at" in item else {}
        except CarnetError as error:
            wrong.append(f"key {number}: {error.message}")
        except (KeyError, TypeError, ValueError):
            wrong.append(f'key {number}: "use" must be one of {", ".join(KeyUse)}')
    kids = [key.kid for use in KeyUse for key in ring[use]]
    wrong += [f"the key {kid} stands there twice" for kid in sorted(set(kids)) if kids.count(kid) > 1]
    wrong += [f"{kid} is one of the published sample keys, which everybody has" for kid in kids if kid in SAMPLE_KIDS]
    if not wrong:
        wrong += [f'there is no key of the use "{use}"' for use in KeyUse if all(key.kid in retired for key in ring[use])]
    refuse("the file with the public keys", wrong)
    return AuthorityKeys(ring, seq, retired)


def _key(item: object) -> PublicKey:
    """The screened key of one entry. Raises Malformed."""
    if not isinstance(item, dict) or item.keys() - _KEY not in (set(), _RETIRED, _STOLEN) or not item.keys() >= _KEY:
        raise Malformed(f"its members must be {', '.join(sorted(_KEY))}")
    key = keys.from_jwk({name: item[name] for name in ("kty", "crv", "x")})
    if item["kid"] != key.kid:
        raise Malformed(f'"kid" is not the thumbprint of the key, which is {key.kid}')
    return key


def _retired(item: Mapping[str, Any]) -> dict[str, Any]:
    """The claims of a key that signs nothing new. Raises Malformed."""
    at = item["retired_at"]
    if type(at) is not int or not 0 <= at < LAST_SECOND:
        raise Malformed('"retired_at" must be a time in seconds since 1970 UTC')
    # What was signed in that very second is good.
    claims: dict[str, Any] = {"exp": at + 1}
    if item.keys() >= _STOLEN:
        known = item["known"]
        if item["revoked"] is not True or not isinstance(known, list):
            raise Malformed('a stolen key has "revoked": true, and in "known" the numbers of tokens that stay good')
        if not all(isinstance(jti, str) and BORROW_ID.match(jti) for jti in known):
            raise Malformed('"known" has something that is no number of a token')
        claims |= {"revoked": True, "known": known}
    return claims
