"""The pools of concurrent products: seats in use, and the rules about them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from authority.domain.pools import PoolRule
from authority.presentation.shown import Shown, Version
from authority.services.pools import PoolState


class PoolRuleShown(Shown):
    """A rule about the seats of a level or extension."""

    product: str
    feature: str
    group: str = Field(description="empty: for everybody")
    low_water: int = Field(description="so many seats are never borrowed")
    most_borrowed: int | None = Field(description="so many are borrowed at once at most")
    reserved: int = Field(description="seats kept for the group")
    maximum: int | None = Field(description="the group uses so many at most")
    from_higher: bool = Field(description="true: the level is served from the next higher one when its seats run out")
    version: Version

    @classmethod
    def of(cls, rule: PoolRule) -> Self:
        """The rule as it was set."""
        return cls(
            product=rule.product,
            feature=rule.feature,
            group=rule.group_name,
            low_water=rule.low_water,
            most_borrowed=rule.most_borrowed,
            reserved=rule.reserved,
            maximum=rule.maximum,
            from_higher=rule.from_higher,
            version=rule.version,
        )


class ChangedPoolRule(PoolRuleShown):
    """A rule about seats that was set."""

    note: str | None = Field(
        description="what deserves a second look: nobody is in the group, or what the rule takes the place of"
    )

    @classmethod
    def noted(cls, rule: PoolRule, note: str | None) -> Self:
        """The rule as it is now, with what to say about it."""
        return cls(**PoolRuleShown.of(rule).model_dump(), note=note)


class GroupShareShown(Shown):
    """What a group has of a pool."""

    group: str
    reserved: int
    maximum: int | None
    in_use: int
    version: Version


class PoolShown(Shown):
    """The seats of one level or extension of a concurrent product: in use, borrowed, and what the rules keep back."""

    product: str
    feature: str
    licensed: int
    in_use: int
    borrowed: int
    borrowable: int = Field(description="so many can be borrowed at once at most")
    low_water: int = Field(description="so many seats are never borrowed")
    most_borrowed: int | None
    from_higher: bool
    groups: tuple[GroupShareShown, ...]
    version: Version

    @classmethod
    def of(cls, state: PoolState) -> Self:
        """The pool as it was counted."""
        return cls(
            product=state.rule.product,
            feature=state.rule.feature,
            licensed=state.licensed,
            in_use=state.in_use,
            borrowed=state.borrowed,
            borrowable=state.borrowable,
            low_water=state.rule.low_water,
            most_borrowed=state.rule.most_borrowed,
            from_higher=state.rule.from_higher,
            groups=tuple(map(GroupShareShown.model_validate, state.groups)),
            version=state.rule.version,
        )


class Pools(Shown):
    """Every level and extension of concurrent products."""

    items: tuple[PoolShown, ...]
    next: None = None

    @classmethod
    def of(cls, states: Iterable[PoolState]) -> Self:
        """All of them on one page."""
        return cls(items=tuple(map(PoolShown.of, states)))
