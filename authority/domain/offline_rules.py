"""Who may take a license offline and for how long: which rule wins, and what caps it (docs/administration.md has the table)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from authority.domain import list_age, versions
from authority.domain.catalogue import Authorization, Product, expired
from authority.domain.members import Member, user_key
from authority.domain.names import spelled
from authority.domain.plurals import counted
from authority.domain.refusals import DurationTooLong, InvalidInput, OfflineNotAllowed

# What a rule sets; of each that it leaves open the organization's says.
VALUES = ("allowed", "longest_days", "default_days", "status_max_age")
# A hundred years, which is also the most that a workstation can ask for: every end of a borrow stays within the calendar.
MOST_DAYS = 36_500


class RuleLevel(StrEnum):
    """For whom a rule is, the most specific first: the first level that has a rule wins."""

    MEMBER = "member"
    GROUP = "group"
    TYPE = "type"
    PRODUCT = "product"
    ORGANIZATION = "organization"


@dataclass(frozen=True, slots=True)
class Rule:
    """What was set at one level for one subject; `product` is empty for all products, None is left to the organization's rule.

    `status_max_age` is strict mode: how old a status list may be on the workstation, in seconds; 0 demands none.
    """

    level: RuleLevel
    subject: str
    product: str
    allowed: bool | None
    longest_days: int | None
    default_days: int | None
    status_max_age: int | None = None

    def values(self) -> dict[str, object]:
        """What somebody may change of the rule, by name."""
        return {name: getattr(self, name) for name in VALUES}

    @property
    def version(self) -> str:
        """The version of what may change."""
        return versions.of(self.values())

    def name(self) -> str:
        """The rule in two or three words: `group field-crew, arcgis-pro`."""
        subject = "" if self.level == RuleLevel.ORGANIZATION else f" {self.subject}"
        return f"{self.level}{subject}" + (f", {self.product}" if self.product and self.level != RuleLevel.PRODUCT else "")

    def words(self) -> str:
        """What it says: `30 days`, `not allowed`, `30 days, status list of at most 7 days`."""
        if self.allowed is False:
            return "not allowed"
        parts = [] if self.longest_days is None else [counted(self.longest_days, "day")]
        parts += [] if self.default_days is None else [f"default {self.default_days}"]
        parts += [] if self.status_max_age is None else [list_age.words(self.status_max_age)]
        return ", ".join(parts) or "allowed"


@dataclass(frozen=True, slots=True)
class OfflineRule:
    """The rule in effect: allowed or not, the longest borrow and the one given when nobody says how long; `path` explains it.

    `status_max_age` is how old a status list may be on the workstation, in seconds; None: any is good.
    """

    allowed: bool
    longest_days: int
    default_days: int
    decided_by: str
    path: tuple[str, ...] = ()
    status_max_age: int | None = None


# The organization starts with these (contract, section 1.2).
FIRST_RULE = Rule(RuleLevel.ORGANIZATION, "", "", allowed=True, longest_days=30, default_days=7)


def level_of(word: str) -> RuleLevel:
    """The level with this name. Raises InvalidInput."""
    try:
        return RuleLevel(word)
    except ValueError as error:
        raise InvalidInput(f'a rule is for one of {", ".join(RuleLevel)}, not "{word}"') from error


def check_key(level: RuleLevel, subject: str, product: str) -> None:
    """Raises InvalidInput unless a rule of this level can have this subject and product, empty where it has none."""
    spelled("the subject of a rule", subject)
    spelled("the product of a rule", product)
    if level == RuleLevel.ORGANIZATION and (subject or product):
        raise InvalidInput("the organization's rule is for everybody and all products: it has neither subject nor product")
    if level == RuleLevel.PRODUCT and product:
        raise InvalidInput("the rule of a product names it as its subject")
    if level != RuleLevel.ORGANIZATION and not subject.strip():
        raise InvalidInput(f"a rule for a {level} says for which", about="subject")


def changes_of(level: RuleLevel, values: Mapping[str, Any], inherit: Collection[str]) -> dict[str, Any]:
    """The new values of a rule of this level by name: those of `values` that are not None, and None for those that it is to inherit.

    What it inherits is as the organization's rule says. Raises InvalidInput for nothing to change, for a value that is both given
    and inherited, and for the organization's rule, from which the others inherit.
    """
    changes = {name: value for name, value in values.items() if value is not None}
    if not changes and not inherit:
        raise InvalidInput(f"nothing to change is named: say {', '.join(VALUES[:-1])} or {VALUES[-1]}, or what to inherit")
    for name in inherit:
        if name not in VALUES:
            raise InvalidInput(f'a rule has no value "{name}", it has {", ".join(VALUES)}')
        if name in changes:
            raise InvalidInput(f"{name} is set, or inherited from the organization's rule: say one of both")
    if level is RuleLevel.ORGANIZATION and inherit:
        raise InvalidInput("the organization's rule inherits nothing: the others inherit from it")
    return {**changes, **dict.fromkeys(inherit)}


def check_rule(rule: Rule) -> None:
    """Raises InvalidInput for days or an age that make no sense, and for an organization's rule that leaves days open."""
    days = (rule.longest_days, rule.default_days)
    if rule.level == RuleLevel.ORGANIZATION and (rule.allowed is None or None in days):
        raise InvalidInput("the organization's rule says all: allowed or not, the longest and the default days")
    if all(value is None for value in rule.values().values()):
        raise InvalidInput(f'the rule "{rule.name()}" would say nothing', hint="Say what it sets, or remove the rule.")
    if any(value is not None and not 1 <= value <= MOST_DAYS for value in days):
        raise InvalidInput(f"days are from 1 to {MOST_DAYS}", about="longest_days")
    if rule.status_max_age and not list_age.LEAST_AGE <= rule.status_max_age <= list_age.MOST_AGE:
        raise InvalidInput(
            f"the age of a status list is 0 (none is demanded), or from {list_age.LEAST_AGE} to {list_age.MOST_AGE} seconds",
            about="status_max_age",
        )
    if rule.longest_days is not None and rule.default_days is not None and rule.default_days > rule.longest_days:
        raise InvalidInput(
            f"the default of {counted(rule.default_days, 'day')} is more than the longest, {counted(rule.longest_days, 'day')}",
            about="default_days",
        )


def effective(rules: Iterable[Rule], member: Member, product: str) -> OfflineRule:
    """The rule in effect for a member and a product.

    The organization's switch comes first: off is off for everybody (seed S1). Then the most specific level that has a rule
    wins; within a level a rule for the product comes before one for all, and among several groups the strictest wins.
    """
    all_rules = list(rules)
    organization = next(rule for rule in all_rules if rule.level == RuleLevel.ORGANIZATION)
    if organization.allowed is False:
        return _resolved(organization, organization, ("organization: not allowed, for everybody",))
    subjects = {
        RuleLevel.MEMBER: (user_key(member.username),),
        RuleLevel.GROUP: member.groups,
        RuleLevel.TYPE: (member.user_type,),
        RuleLevel.PRODUCT: (product,),
    }
    path: list[str] = []
    for level, names in subjects.items():
        rule = _strictest([rule for rule in all_rules if rule.level == level], names, product)
        if rule is not None:
            return _resolved(rule, organization, (*path, f"{rule.name()}: {rule.words()}"))
        path.append(f"{level} none")
    return _resolved(organization, organization, (*path, f"organization: {organization.words()}"))


def _strictest(rules: list[Rule], subjects: Iterable[str], product: str) -> Rule | None:
    """Of the rules of one level: for each subject the one for the product before one for all, of several subjects the strictest."""
    if not rules:
        return None
    of_level = {(rule.subject, rule.product): rule for rule in rules}
    named = [of_level.get((subject, product)) or of_level.get((subject, "")) for subject in subjects]
    of_subjects = [rule for rule in named if rule is not None]
    strictest = min(of_subjects, key=_strictness, default=None)
    # The list that one group's rule demands is demanded, also when another group's has the fewer days.
    ages = [rule.status_max_age for rule in of_subjects if rule.status_max_age]
    return replace(strictest, status_max_age=min(ages)) if strictest is not None and ages else strictest


def _strictness(rule: Rule) -> tuple[bool, float, float]:
    endless = float("inf")
    return (rule.allowed is not False, rule.longest_days or endless, rule.default_days or endless)


def _resolved(rule: Rule, organization: Rule, path: tuple[str, ...]) -> OfflineRule:
    """The rule with what it leaves open taken from the organization's; a default never exceeds the longest."""
    longest = rule.longest_days or organization.longest_days or 1
    default = min(rule.default_days or organization.default_days or 1, longest)
    age = organization.status_max_age if rule.status_max_age is None else rule.status_max_age
    return OfflineRule(rule.allowed is not False, longest, default, rule.name(), path, age or None)


def end_of_borrow(
    rule: OfflineRule, authorization: Authorization, product: Product, now: datetime, days: int | None, until: datetime | None
) -> datetime:
    """When a borrow made now ends.

    With neither `days` nor `until` the rule's default is given, cut to what is allowed at all. A time that was asked for is
    never cut: it is given, or refused with the limit (seed S0).

    Raises OfflineNotAllowed, ProductExpired, DurationTooLong, InvalidInput.
    """
    if not rule.allowed:
        raise OfflineNotAllowed(f"offline use is not allowed ({rule.decided_by})", decided_by=rule.decided_by)
    if authorization.end_of(product) <= now:
        raise expired(authorization, product, now)
    latest, why = latest_end(rule, authorization, product, now)
    if days is None and until is None:
        return min(latest, now + timedelta(days=rule.default_days))
    asked = _asked_end(now, days, until)
    if asked <= now:
        raise InvalidInput("the end asked for lies in the past", asked=asked)
    if asked > latest:
        limit = (latest - now) / timedelta(days=1)
        raise DurationTooLong(
            f"asked for until {asked:%Y-%m-%d %H:%M} UTC, at most {counted(limit, 'day is', 'days are')} allowed, "
            f"until {latest:%Y-%m-%d %H:%M} UTC ({why})",
            limit_days=round(limit, 4),
            limit_until=latest,
            decided_by=why,
        )
    return asked


def check_end(authorization: Authorization, product: Product, now: datetime, end: datetime) -> None:
    """Raises DurationTooLong when no borrow can last until then: an authorization for less came after it was given.

    A renewal never shortens, so there is none; the borrow itself stays good.
    """
    latest = min(now + timedelta(days=authorization.max_borrow_days), authorization.end_of(product))
    if end > latest:
        raise DurationTooLong(
            f"the borrow lasts until {end:%Y-%m-%d %H:%M} UTC, and by the authorization now in force none is given beyond "
            f"{latest:%Y-%m-%d %H:%M} UTC",
            hint="The borrow stays good until it ends: renew it later.",
            limit_until=latest,
        )


def latest_end(rule: OfflineRule, authorization: Authorization, product: Product, now: datetime) -> tuple[datetime, str]:
    """The latest end that any borrow made now can have, and what sets it."""
    bounds = [
        (now + timedelta(days=rule.longest_days), f"{rule.decided_by}: {counted(rule.longest_days, 'day')}"),
        (
            now + timedelta(days=authorization.max_borrow_days),
            f"authorization: {counted(authorization.max_borrow_days, 'day')}",
        ),
        (authorization.ends_at, "end of the authorization"),
    ]
    if product.until is not None:
        bounds.append((product.until, f"end of {product.id}"))
    return min(bounds, key=lambda bound: bound[0])


def explanation(rule: OfflineRule, authorization: Authorization, product: Product, now: datetime) -> str:
    """The decision as a path: `member none; group field-crew: 30 days; capped by authorization 365: 30`."""
    steps = list(rule.path)
    if rule.allowed:
        latest, why = latest_end(rule, authorization, product, now)
        most = max(0, (latest - now) // timedelta(days=1))
        cap = f"authorization {authorization.max_borrow_days}" if why.startswith(rule.decided_by) else why
        steps.append(f"capped by {cap}: {most}")
    if rule.allowed and rule.status_max_age is not None:
        steps.append(list_age.words(rule.status_max_age))
    return "; ".join(steps)


def _asked_end(now: datetime, days: int | None, until: datetime | None) -> datetime:
    try:
        return now + timedelta(days=days) if days is not None else until or now
    except OverflowError as error:
        raise DurationTooLong(f"{counted(days or 0, 'day ends', 'days end')} beyond the calendar", limit_days=0) from error
