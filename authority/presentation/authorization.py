"""The authorization: what is licensed and what of it is used, and what installing another one does."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Self

from pydantic import Field

from authority.domain import days
from authority.domain.catalogue import Authorization, Mode, Product, UserType, end_warning
from authority.presentation.members import Numbers
from authority.presentation.shown import Shown, Time
from authority.services.authorizations import Installation


class MembersUsed(Shown):
    """How many members there are and may be."""

    current: int
    maximum: int | None = Field(description="null: any number")
    types: dict[str, int | None] = Field(description="the maximum of each user type that has one")


class UserTypeShown(Shown):
    """What members of a user type hold by themselves, and what else they may be given."""

    includes: dict[str, str] = Field(description="product to level")
    may_hold: tuple[str, ...]

    @classmethod
    def of(cls, user_type: UserType) -> Self:
        """The user type without its name."""
        return cls.model_validate(user_type)


class SeatsShown(Shown):
    """The seats of a level or extension."""

    licensed: int
    used: int
    available: int = Field(description="also negative")


class ProductShown(Shown):
    """A product with its seats."""

    id: str
    name: str
    mode: Mode
    until: Time | None = Field(description="null: as long as the authorization")
    levels: tuple[str, ...] = Field(description="from low to high")
    seats: dict[str, SeatsShown] = Field(description="by level and extension")

    @classmethod
    def of(cls, product: Product, used: Mapping[str, int]) -> Self:
        """The product; `used` has the seats in use by level and extension."""
        seats = {}
        for feature in (*product.levels, *product.extensions):
            licensed, count = product.seats_of(feature), used.get(feature, 0)
            seats[feature] = SeatsShown(licensed=licensed, used=count, available=licensed - count)
        return cls(id=product.id, name=product.name, mode=product.mode, until=product.until, levels=product.levels, seats=seats)


class AuthorizationShown(Shown):
    """The authorization in force with what of it is used."""

    organization: str
    organization_name: str
    vendor: str
    seq: int
    begins_at: Time
    ends_at: Time
    days_left: int = Field(description="begun days, 0 from the end on")
    max_borrow_days: int
    members: MembersUsed
    user_types: dict[str, UserTypeShown]
    products: tuple[ProductShown, ...]
    warning: str | None = Field(description="from 30 days before the end")

    @classmethod
    def of(cls, authorization: Authorization, used: Mapping[str, Any], now: datetime) -> Self:
        """The authorization as of `now`; `used` has the count of `members`, and `products` to feature to count."""
        return cls(
            organization=authorization.organization,
            organization_name=authorization.organization_name,
            vendor=authorization.vendor,
            seq=authorization.seq,
            begins_at=authorization.begins_at,
            ends_at=authorization.ends_at,
            days_left=days.left(authorization.ends_at, now),
            max_borrow_days=authorization.max_borrow_days,
            members=MembersUsed(
                current=used["members"], maximum=authorization.members_total, types=dict(authorization.members_by_type)
            ),
            user_types={name: UserTypeShown.of(user_type) for name, user_type in authorization.user_types.items()},
            products=tuple(
                ProductShown.of(product, used["products"][product.id]) for product in authorization.products.values()
            ),
            warning=end_warning(authorization, now),
        )


class ShortageShown(Shown):
    """A level or extension of which more is in use than licensed."""

    product: str
    feature: str
    licensed: int
    used: int
    available: int = Field(description="negative")


class InstallationShown(Shown):
    """What an installation did, or would do."""

    installed: bool = Field(description="false: it was in force already, or this was a dry run")
    organization: str
    vendor: str
    seq: int
    seq_before: int
    ends_at: Time
    trust_replaced: bool
    members: Numbers
    changes: tuple[str, ...] = Field(description="sentences")
    consequences: tuple[str, ...] = Field(description="what is in use and no longer covered")
    shortages: tuple[ShortageShown, ...]
    warning: str | None = Field(description="from 30 days before the end; and when the home's trust file could not be written")

    @classmethod
    def of(cls, installation: Installation, now: datetime, *, dry_run: bool) -> Self:
        """The installation as of `now`."""
        authorization = installation.authorization
        warnings = filter(None, (installation.trouble, end_warning(authorization, now)))
        return cls(
            installed=installation.is_new and not dry_run,
            organization=authorization.organization,
            vendor=authorization.vendor,
            seq=authorization.seq,
            seq_before=installation.before.seq,
            ends_at=authorization.ends_at,
            trust_replaced=installation.trust_file is not None and not dry_run,
            members=Numbers(current=installation.members, maximum=authorization.members_total),
            changes=installation.changes,
            consequences=installation.consequences,
            shortages=tuple(map(ShortageShown.model_validate, installation.shortages)),
            warning="; ".join(warnings) or None,
        )
