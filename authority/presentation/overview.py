"""The figures of the first page."""

from __future__ import annotations

from datetime import date
from typing import Self

from pydantic import Field

from authority.domain.catalogue import KeyUse, Mode
from authority.presentation.shown import Second, Shown, Time
from authority.services.figures import Feature, Figures, ProductFigures
from authority.services.key_ends import EndingKey


class FeatureFigures(Shown):
    """Seats of one level or extension."""

    feature: str
    licensed: int
    used: int = Field(description="assigned; of a concurrent product in use")
    borrowed: int = Field(description="offline now")
    free: int = Field(description="licensed minus used; negative: nobody can start or borrow the product until it is corrected")

    @classmethod
    def of(cls, feature: Feature) -> Self:
        """The figures of a feature."""
        return cls.model_validate(feature)


class ProductFiguresShown(Shown):
    """The seats of a product."""

    product: str
    mode: Mode | None = Field(description="named or concurrent; null: it is licensed no more")
    licensed: int = Field(description="seats of all levels together")
    features: tuple[FeatureFigures, ...]
    in_use_by_day: tuple[int, ...] = Field(
        description="for each of `days` the most seats of levels that were in use at once on it"
    )

    @classmethod
    def of(cls, product: ProductFigures) -> Self:
        """The figures of a product."""
        features = tuple(map(FeatureFigures.of, product.features))
        return cls(
            product=product.product,
            mode=product.mode,
            licensed=product.licensed,
            features=features,
            in_use_by_day=product.in_use_by_day,
        )


class DayFigure(Shown):
    """How many, on one day."""

    day: date = Field(description="UTC")
    count: int


class DenialFigure(Shown):
    """How many borrows and sessions were refused for one reason."""

    code: str
    count: int


class EndingKeyShown(Shown):
    """A key that signs until a time that is near, while no other one of its use goes on."""

    kid: str
    use: KeyUse
    ends_at: Time

    @classmethod
    def of(cls, key: EndingKey) -> Self:
        """The key."""
        return cls.model_validate(key)


class MembersFigure(Shown):
    """Members, of at most so many."""

    current: int
    maximum: int | None = Field(description="null: any number")


class OverviewShown(Shown):
    """What is licensed, used and ends soon, and what needs somebody to look into it; all as of one time."""

    at: Second
    members: MembersFigure
    members_by_type: dict[str, MembersFigure]
    products: tuple[ProductFiguresShown, ...] = Field(description="what has less than nothing free comes first")
    offline: int = Field(description="borrows that are out")
    revoked: int = Field(description="borrows that were revoked and are not out, whose seat stays taken until their end")
    today_ends_at: Second = Field(description="midnight UTC")
    due_today: int = Field(description="of those that are out those that end before `today_ends_at`")
    due_this_week: int = Field(description="of them those that end within seven days")
    stuck: int = Field(description="of them those that look stuck")
    not_returned: int = Field(description="borrows that ended by themselves in the last 30 days, and no receipt came")
    authorization_ends_at: Time
    warning: str | None = Field(description="about the end of the authorization, from 30 days before")
    ending_keys: tuple[EndingKeyShown, ...] = Field(description="from 30 days before their end")
    notices: str | None = Field(description="what is wrong with notices; null: nothing, or you may not mend it")
    denials: tuple[DenialFigure, ...] | None = Field(
        description="of the last 24 hours, most first; null for who may not read the log"
    )
    download_requests: int = Field(description="members who ask for the permission to download")
    days: tuple[date, ...] = Field(description="the last 30 days, UTC")
    ends_by_day: tuple[DayFigure, ...] = Field(description="borrows that are out, by the day on which they end")

    @classmethod
    def of(cls, figures: Figures) -> Self:
        """All figures."""
        membership, denials = figures.membership, figures.denials
        by_count = None if denials is None else sorted(denials.items(), key=lambda item: (-item[1], item[0]))
        return cls(
            at=figures.at,
            members=MembersFigure(current=membership.current, maximum=membership.maximum),
            members_by_type={
                name: MembersFigure(current=count, maximum=most) for name, (count, most) in membership.by_type.items()
            },
            products=tuple(map(ProductFiguresShown.of, figures.products)),
            offline=figures.offline,
            revoked=figures.revoked,
            today_ends_at=figures.today_ends_at,
            due_today=figures.due_today,
            due_this_week=figures.due_this_week,
            stuck=figures.stuck,
            not_returned=figures.not_returned,
            authorization_ends_at=figures.authorization_ends_at,
            warning=figures.warning,
            ending_keys=tuple(map(EndingKeyShown.of, figures.ending_keys)),
            notices=figures.notices,
            denials=None if by_count is None else tuple(DenialFigure(code=code, count=count) for code, count in by_count),
            download_requests=figures.download_requests,
            days=figures.days,
            ends_by_day=tuple(DayFigure(day=day, count=count) for day, count in figures.ends_by_day.items()),
        )
