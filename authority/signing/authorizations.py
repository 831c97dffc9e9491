"""Reading authorizations: through the verifier, into the domain's words."""

from __future__ import annotations

from functools import lru_cache

from authority.domain.catalogue import Authorization, AuthorizedKey, KeyUse, Mode, Product, UserType
from authority.domain.refusals import AuthorizationUnusable
from verifier.core import files
from verifier.core import trust as verified
from verifier.core.times import instant
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError


def read_file(data: bytes, trust_file: str) -> Authorization:
    """The authorization in an authorization file, signed by a root of the trust file. Raises AuthorizationUnusable."""
    try:
        compact = files.parse(data, "authorization")[1]["authorization"]
    except CarnetError as error:
        raise AuthorizationUnusable(error.message) from error
    if not isinstance(compact, str):
        raise AuthorizationUnusable("the authorization is not a compact JWS")
    return read(compact, trust_file)


@lru_cache(maxsize=32)
def read(compact: str, trust_file: str) -> Authorization:
    """The authorization in a compact JWS, signed by a root of the trust file. Raises AuthorizationUnusable."""
    claims = opened(compact, trust_file)
    try:
        return _authorization(claims, compact)
    except CarnetError as error:
        raise AuthorizationUnusable(f"the authorization cannot be used: {error.message}", cause=error.code) from error


def _authorization(claims: verified.Authorization, compact: str) -> Authorization:
    return Authorization(
        organization=claims.organization,
        organization_name=claims.organization_name,
        vendor=claims.vendor,
        seq=claims.seq,
        issued_at=instant(claims.iat),
        begins_at=instant(claims.nbf),
        ends_at=instant(claims.exp),
        members_total=claims.members_total,
        members_by_type=claims.members_by_type,
        user_types={
            name: UserType(name, user_type.includes, user_type.may_hold) for name, user_type in claims.user_types.items()
        },
        products={product.id: _product(product) for product in claims.products.values()},
        max_borrow_days=claims.max_borrow_days,
        keys={kid: _key(kid, key) for kid, key in claims.keys.items()},
        compact=compact,
    )


@lru_cache(maxsize=32)
def opened(compact: str, trust_file: str) -> verified.Authorization:
    """The authorization in a compact JWS as the verifier sees it, with times in seconds. Raises AuthorizationUnusable."""
    try:
        return TrustStore.read(trust_file).authorize(compact)
    except CarnetError as error:
        raise AuthorizationUnusable(f"the authorization cannot be used: {error.message}", cause=error.code) from error


def organization_of(trust_file: bytes) -> tuple[str, list[str]]:
    """The organization and the root key thumbprints of a trust file. Raises AuthorizationUnusable."""
    try:
        trust = TrustStore.read(trust_file)
    except CarnetError as error:
        raise AuthorizationUnusable(f"the trust file cannot be used: {error.message}", cause=error.code) from error
    return trust.organization, list(trust.roots)


def continued(trust_file: str, sent: bytes) -> str | None:
    """The organization's trust file after a trust update, or a trust file that goes on from it; None for that of another root.

    Raises AuthorizationUnusable for a file that is neither, and for an update that does not follow.
    """
    try:
        trust, (kind, members) = TrustStore.read(trust_file), files.parse(sent)
        if kind == "trust-update" and isinstance(members["updates"], list):
            return trust.continued_by(members["updates"]).as_file().decode()
        newer = TrustStore.read(sent)
    except CarnetError as error:
        raise AuthorizationUnusable(f"the trust file cannot be used: {error.message}", cause=error.code) from error
    if newer.is_continued_in(trust):
        return trust_file
    return newer.as_file().decode() if trust.is_continued_in(newer) else None


def stays_good(compact: str, trust_file: str) -> bool:
    """Whether workstations that have this trust file still take an authorization."""
    try:
        opened(compact, trust_file)
    except AuthorizationUnusable:
        return False
    return True


def _key(kid: str, key: verified.SigningKey) -> AuthorizedKey:
    return AuthorizedKey(kid, KeyUse(key.use), instant(key.nbf), instant(key.exp), key.revoked, key.known)


def _product(product: verified.Product) -> Product:
    return Product(
        id=product.id,
        name=product.name,
        mode=Mode(product.mode),
        levels=product.levels,
        seats=product.seats,
        extensions=product.extensions,
        until=None if product.until is None else instant(product.until),
    )
