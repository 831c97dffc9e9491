"""The rules about offline use, and which of them is in effect."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from pydantic import Field

from authority.domain.offline_rules import Rule, RuleLevel
from authority.presentation.shown import Shown, Version
from authority.services.policies import Explained


class RuleShown(Shown):
    """A rule about offline use."""

    level: RuleLevel
    subject: str = Field(description="which member, group, user type or product; empty for the organization")
    product: str = Field(description="empty: for all products, or the level says it")
    allowed: bool | None = Field(description="null: left to the organization's rule, as are days")
    longest_days: int | None
    default_days: int | None
    status_max_age: int | None = Field(description="strict mode, seconds: no older status list is good; 0: none is demanded")
    version: Version

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """The rule as it was set."""
        return cls.model_validate(rule)


class ChangedRule(RuleShown):
    """A rule that was set."""

    note: str | None = Field(description="what deserves a second look: nobody is in the group")

    @classmethod
    def noted(cls, rule: Rule, note: str | None) -> Self:
        """The rule as it is now, with what to say about it."""
        return cls(**RuleShown.of(rule).model_dump(), note=note)


class Rules(Shown):
    """A page of rules, by level, subject and product."""

    items: tuple[RuleShown, ...]
    next: str | None = Field(description="`cursor` of the page that follows; null: this is the last")

    @classmethod
    def of(cls, page: Iterable[Rule], cursor: str | None) -> Self:
        """The rules of a page."""
        return cls(items=tuple(map(RuleShown.of, page)), next=cursor)


class EffectiveShown(Shown):
    """The rule in effect for a member and a product, and the way to it."""

    member: str
    product: str
    allowed: bool
    longest_days: int
    default_days: int
    status_max_age: int | None = Field(description="seconds: the workstation wants a status list no older; null: any is good")
    decided_by: str
    path: tuple[str, ...] = Field(description="the levels that were asked, in order")
    explanation: str = Field(description="the path in one sentence, and what caps it")

    @classmethod
    def of(cls, explained: Explained) -> Self:
        """The rule with its explanation."""
        return cls(
            member=explained.member,
            product=explained.product,
            allowed=explained.rule.allowed,
            longest_days=explained.rule.longest_days,
            default_days=explained.rule.default_days,
            status_max_age=explained.rule.status_max_age,
            decided_by=explained.rule.decided_by,
            path=explained.rule.path,
            explanation=explained.text,
        )
