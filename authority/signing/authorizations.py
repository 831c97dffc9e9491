"""Reading authorizations: through the verifier, into the domain's words."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from authority.domain.catalogue import Authorization, Mode, Product, UserType
from authority.domain.refusals import AuthorizationUnusable
from verifier.core import files
from verifier.core import trust as verified
from verifier.core.trust import TrustStore
from verifier.errors import CarnetError


def instant(seconds: int) -> datetime:
    """A time of a token as an aware UTC time. Raises AuthorizationUnusable beyond the calendar."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as error:
        raise AuthorizationUnusable(f"the time {seconds} lies beyond the calendar") from error


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
    found = opened(compact, trust_file)
    return Authorization(
        organization=found.organization,
        organization_name=found.organization_name,
        vendor=found.vendor,
        seq=found.seq,
        begins_at=instant(found.nbf),
        ends_at=instant(found.exp),
        members_total=found.members_total,
        members_by_type=found.members_by_type,
        user_types={
            name: UserType(name, user_type.includes, user_type.may_hold) for name, user_type in found.user_types.items()
        },
        products={product.id: _product(product) for product in found.products.values()},
        max_borrow_days=found.max_borrow_days,
        compact=compact,
    )


@lru_cache(maxsize=32)
def opened(compact: str, trust_file: str) -> verified.Authorization:
    """The same authorization as the verifier sees it. Raises AuthorizationUnusable."""
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


def _product(found: verified.Product) -> Product:
    return Product(
        id=found.id,
        name=found.name,
        mode=Mode(found.mode),
        levels=found.levels,
        seats=found.seats,
        extensions=found.extensions,
        until=None if found.until is None else instant(found.until),
    )
