"""How root keys are replaced: a set of root keys says which one follows it, and the new one agrees, in signed updates.

An update is one text, signed by a root key of before and by every root key after it, each signature a compact JWS of its own:
so nobody who holds an old key alone, or a new one alone, replaces anything. Authorizations that former root keys signed stay good
when the update names them by their digest, for who stole a root key can write any time into an authorization.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple, Self

from verifier.core.jose import LONGEST_AUTHORIZATION, open_by_kid, take_apart
from verifier.core.keys import PublicKey, from_jwk
from verifier.core.reading import DIGEST, Reader
from verifier.errors import BadSignature, Malformed, NotAuthorized, UnknownKey

TRUST_UPDATE_TYP = "trust-update+jwt"
MOST_ROOTS = 16
MOST_SIGNATURES = 256
_UPDATE = frozenset(["ver", "seq", "iat", "roots", "known"])


class Update(NamedTuple):
    """The claims of a `trust-update+jwt`: the root keys from now on, and the digests of authorizations that stay good.

    `iat` is in seconds since 1970 UTC.
    """

    seq: int
    iat: int
    roots: Mapping[str, PublicKey]
    known: frozenset[str]


def update(claims: Mapping[str, Any]) -> Update:
    """The update that these signed claims state. Raises Malformed or UnsupportedVersion."""
    read = Reader(claims, "the trust update", _UPDATE)
    read.version()
    return Update(
        read.integer("seq", 1),
        read.time("iat"),
        root_keys(claims["roots"], "a trust update"),
        frozenset(read.texts("known", DIGEST)),
    )


def root_keys(jwks: object, where: str) -> dict[str, PublicKey]:
    """The screened root keys in an array of JWKs, by thumbprint. Raises Malformed; none at all would trust nothing."""
    if not isinstance(jwks, list) or not 0 < len(jwks) <= MOST_ROOTS:
        raise Malformed(f"{where} has 1 to {MOST_ROOTS} root keys")
    return {key.kid: key for key in map(from_jwk, jwks)}


class Succession(NamedTuple):
    """Root keys by thumbprint, those of now and the former ones, and the signatures that lead from the first to the last.

    `first` are the root keys that it all began with. `vouchers` says for each root key who stands behind it: itself, those that
    signed it in, those that signed them in, and so on. `known` are the digests of what former root keys signed and stays good.
    `seq` and `iat` are those of the last update, 0 before there is one.
    """

    first: Mapping[str, PublicKey]
    roots: Mapping[str, PublicKey]
    former: Mapping[str, PublicKey]
    vouchers: Mapping[str, frozenset[str]]
    known: frozenset[str]
    seq: int
    iat: int
    signatures: tuple[str, ...]

    @classmethod
    def of(cls, roots: Mapping[str, PublicKey]) -> Self:
        """The beginning: these root keys, and none before them."""
        return cls(roots, roots, {}, {kid: frozenset([kid]) for kid in roots}, frozenset(), 0, 0, ())

    def followed_by(self, signatures: Sequence[object]) -> Self:
        """What comes after all the updates in these compact texts, each of which must follow the one before.

        Raises Malformed, UnknownKey (not signed by a root key of before), BadSignature (also where one of the new root keys did
        not sign), NotAuthorized (a number that is not above the last one).
        """
        result = self
        for texts in _updates(signatures):
            result = result._followed_by(texts)
        return result

    def continued_by(self, signatures: Sequence[object]) -> Self:
        """What comes after those of the updates that are new here; what is here, and what led to it, may stand before them.

        Without anything new it is the succession as it was. Raises what `followed_by` raises; a file whose last update does not
        follow from the root keys here is UnknownKey.
        """
        updates = list(_updates(signatures))
        new = [texts for texts in updates if texts[0] not in self.signatures]
        start = next((at for at, texts in enumerate(new) if _signer(texts[0]) in self.roots), 0)
        # What comes before the first that a root key of now signed is history from before this trust began.
        return self.followed_by([text for texts in new[start:] for text in texts])

    def _followed_by(self, texts: Sequence[str]) -> Self:
        first = open_by_kid(texts[0], TRUST_UPDATE_TYP, self._root, longest=LONGEST_AUTHORIZATION)
        new = update(first.claims)
        signers = {first.key.kid}
        for text in texts[1:]:
            signers.add(_signed_by(text, {**self.roots, **new.roots}))
        if missing := sorted(new.roots.keys() - signers):
            raise BadSignature(f"the trust update {new.seq} is not signed by its new root key {missing[0]}", kid=missing[0])
        if new.seq <= self.seq:
            raise NotAuthorized(
                f"the trust update has seq {new.seq}, but seq {self.seq} is installed", seq=new.seq, known_seq=self.seq
            )
        behind = frozenset(voucher for kid in signers & self.roots.keys() for voucher in self.vouchers[kid])
        return self._replace(
            roots=new.roots,
            former={kid: key for kid, key in {**self.former, **self.roots}.items() if kid not in new.roots},
            vouchers={**self.vouchers, **{kid: self.vouchers.get(kid, frozenset()) | behind | {kid} for kid in new.roots}},
            known=new.known,
            seq=new.seq,
            iat=new.iat,
            signatures=(*self.signatures, *texts),
        )

    def behind(self, kid: str) -> frozenset[str]:
        """Who stands behind a root key; what a former one signed stays good because those of now say so."""
        vouchers = self.vouchers.get(kid, frozenset())
        return vouchers if kid in self.roots else vouchers | self.roots.keys()

    def _root(self, kid: str) -> PublicKey:
        if kid not in self.roots:
            raise UnknownKey(f"the trust update is signed by {kid}, the root key here is {', '.join(self.roots)}", kid=kid)
        return self.roots[kid]


def _updates(signatures: Sequence[object]) -> Iterator[list[str]]:
    """The signatures of each update: those that follow one another over the same text. Raises Malformed."""
    texts = [text for text in signatures if isinstance(text, str)]
    if len(texts) != len(signatures) or len(texts) > MOST_SIGNATURES:
        raise Malformed(f"trust updates are at most {MOST_SIGNATURES} compact JWS")
    for _, group in groupby(texts, lambda text: text.split(".")[1:2]):
        yield list(group)


def _signed_by(text: str, keys: Mapping[str, PublicKey]) -> str:
    """The thumbprint of the key that signed. Raises UnknownKey for one that is neither of before nor of after."""

    def look_up(kid: str) -> PublicKey:
        if kid not in keys:
            raise UnknownKey(f"the trust update is signed by {kid}, which is no root key", kid=kid)
        return keys[kid]

    return open_by_kid(text, TRUST_UPDATE_TYP, look_up, longest=LONGEST_AUTHORIZATION).key.kid


def _signer(text: str) -> str:
    """The key id that a signature names, before anything of it is believed. Raises Malformed."""
    return str(take_apart(text, TRUST_UPDATE_TYP, "kid", LONGEST_AUTHORIZATION).header["kid"])
