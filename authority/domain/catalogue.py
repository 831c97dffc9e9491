"""What the vendor authorized the organization to give: products with levels and extensions, user types, limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from authority.domain import days
from authority.domain.clocks import FROM_OUTSIDE
from authority.domain.plurals import counted
from authority.domain.refusals import AuthorizationUnusable, NoSuchProduct, ProductExpired


class KeyUse(StrEnum):
    """What a key of the authority signs: borrow tokens, or status lists."""

    BORROW = "borrow"
    STATUS = "status"


class Mode(StrEnum):
    """Whether a product's licenses are assigned to members, or its seats are taken as they come."""

    NAMED = "named"
    CONCURRENT = "concurrent"


@dataclass(frozen=True, slots=True)
class Product:
    """A product. Levels are ordered from low to high and a higher one may do what a lower one may; extensions have no order."""

    id: str
    name: str
    mode: Mode
    levels: tuple[str, ...]
    seats: Mapping[str, int]
    extensions: Mapping[str, int]
    until: datetime | None

    @property
    def is_concurrent(self) -> bool:
        """True when seats are taken from a pool; False when a license is assigned to a member."""
        return self.mode is Mode.CONCURRENT

    def rank(self, level: str) -> int:
        """The place of a level, 0 for the lowest. Raises NoSuchProduct for a level that the product lacks."""
        if level not in self.levels:
            raise NoSuchProduct(f'"{self.id}" has no level "{level}", it has {", ".join(self.levels)}', level=level)
        return self.levels.index(level)

    def levels_up_to(self, level: str) -> tuple[str, ...]:
        """The level and all below it."""
        return self.levels[: self.rank(level) + 1]

    def check_extensions(self, codes: tuple[str, ...]) -> None:
        """Raises NoSuchProduct for an extension that the product lacks."""
        for code in codes:
            if code not in self.extensions:
                raise NoSuchProduct(
                    f'"{self.id}" has no extension "{code}", it has {", ".join(self.extensions)}', extension=code
                )

    def seats_of(self, feature: str) -> int:
        """The licensed seats of a level or extension."""
        return self.seats.get(feature, 0) + self.extensions.get(feature, 0)


def names_of(products: Collection[Product]) -> dict[str, str]:
    """What people call each product, by its id; the id stands beside a name that two have."""
    count = Counter(product.name for product in products)
    return {product.id: product.name if count[product.name] == 1 else f"{product.name} ({product.id})" for product in products}


@dataclass(frozen=True, slots=True)
class UserType:
    """What members of a type hold by themselves (product to level), and what else they may be given."""

    name: str
    includes: Mapping[str, str]
    may_hold: tuple[str, ...]

    def may_use(self, product: str) -> bool:
        """True when members of this type can hold the product at all."""
        return product in self.includes or product in self.may_hold


@dataclass(frozen=True, slots=True)
class AuthorizedKey:
    """A key of the authority, by its thumbprint. After a theft it `is_revoked`, and only the tokens that are `known` stay good."""

    kid: str
    use: KeyUse
    begins_at: datetime
    ends_at: datetime
    is_revoked: bool
    known: frozenset[str]

    def signs_at(self, now: datetime) -> bool:
        """True when the key may sign now."""
        return self.begins_at <= now < self.ends_at and not self.is_revoked

    def covers(self, signed_at: datetime, jti: str) -> bool:
        """True when a token with this number, signed then, is good."""
        return self.begins_at <= signed_at < self.ends_at and (not self.is_revoked or jti in self.known)


def needed_until(
    use: KeyUse, retired_at: datetime, last_expiry: datetime | None, max_borrow_days: int, now: datetime
) -> datetime | None:
    """Until when authorizations name a retired key, so that no workstation refuses what it signed; None when that is over.

    A borrow key until the last token that it signed expires (`last_expiry`). A status key longer: one of its lists lies beside a
    borrow until that ends, and the last borrow that came with such a list began before the key was retired.
    """
    end = last_expiry if use is KeyUse.BORROW else retired_at + timedelta(days=max_borrow_days)
    return end if end is not None and end > now else None


@dataclass(frozen=True, slots=True)
class Authorization:
    """The current authorization; `compact` is the signed text it was read from, which goes into every borrow file."""

    organization: str
    organization_name: str
    vendor: str
    seq: int
    issued_at: datetime
    begins_at: datetime
    ends_at: datetime
    members_total: int | None
    members_by_type: Mapping[str, int | None]
    user_types: Mapping[str, UserType]
    products: Mapping[str, Product]
    max_borrow_days: int
    keys: Mapping[str, AuthorizedKey]
    compact: str

    def product(self, product_id: str) -> Product:
        """The product with this id. Raises NoSuchProduct."""
        if product_id not in self.products:
            raise NoSuchProduct(
                f'no product "{product_id}" is licensed, there are {", ".join(self.products)}', product=product_id
            )
        return self.products[product_id]

    def user_type(self, name: str) -> UserType:
        """The user type with this name. Raises NoSuchProduct."""
        if name not in self.user_types:
            raise NoSuchProduct(f'there is no user type "{name}", there are {", ".join(self.user_types)}', user_type=name)
        return self.user_types[name]

    def end_of(self, product: Product) -> datetime:
        """When the product can no longer be used: its own end, or that of the authorization."""
        return self.ends_at if product.until is None else min(self.ends_at, product.until)


def check_made(authorization: Authorization, now: datetime) -> None:
    """Raises AuthorizationUnusable when it was made in a time to come: no workstation whose clock is right takes it."""
    if authorization.issued_at > now + FROM_OUTSIDE:
        raise AuthorizationUnusable(
            f"the authorization says that it was made at {authorization.issued_at:%Y-%m-%d %H:%M} UTC, "
            f"it is {now:%Y-%m-%d %H:%M} UTC",
            hint="Set this machine's clock right. If it is right, the vendor's was ahead: ask the vendor to make it again.",
        )


def check_not_ended(authorization: Authorization, product: Product, now: datetime) -> None:
    """Raises ProductExpired from the end of the product, or of the authorization, on."""
    if authorization.end_of(product) <= now:
        raise expired(authorization, product, now)


def expired(authorization: Authorization, product: Product, now: datetime) -> ProductExpired:
    """The refusal for a product that has ended by itself or with the authorization."""
    ends_at = authorization.end_of(product)
    sentence = f'"{product.id}" ended at {ends_at:%Y-%m-%d %H:%M} UTC, it is {now:%Y-%m-%d %H:%M} UTC'
    return ProductExpired(sentence, product=product.id)


# Long enough for an order and its answer to be carried.
WARNING_BEFORE_END = timedelta(days=30)


def end_warning(authorization: Authorization, now: datetime) -> str | None:
    """What to say about the end of the authorization from 30 days before it, None until then."""
    if authorization.ends_at - now > WARNING_BEFORE_END:
        return None
    if now >= authorization.ends_at:
        return f"the authorization ended at {authorization.ends_at:%Y-%m-%d %H:%M} UTC: install a new one from the vendor"
    is_last_day = authorization.ends_at - now < timedelta(days=1)
    left = "less than a day" if is_last_day else counted(days.left(authorization.ends_at, now), "day")
    return f"the authorization ends at {authorization.ends_at:%Y-%m-%d %H:%M} UTC, in {left}: ask the vendor for a new one"
