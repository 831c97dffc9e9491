"""The model, second part: seats, and who may use what. See `organization` for how to read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tests.authority.stateful.organization import (
    CONCURRENT,
    LEVELS,
    Organization,
    Person,
    Terms,
    rank,
)


@dataclass(frozen=True)
class Wish:
    """What is asked for, and on which machine; None is left to the authority."""

    product: str
    machine: int
    level: str | None = None
    extensions: frozenset[str] | None = frozenset()
    days: int | None = None


FORMER = "a-member-who-was-removed"
NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass
class Use:
    """A borrow or a session: its seats are taken until `seat_free_at`."""

    name: str
    product: str
    machine: int
    level: str
    extensions: frozenset[str]
    expires_at: datetime
    seat_free_at: datetime
    seats: set[str]
    ended: str | None = None
    # Of a session: when its last grant ends, which no ending takes back.
    granted_until: datetime = NEVER
    receipts: set[int] = field(default_factory=set)

    def features(self) -> set[str]:
        return {self.level, *self.extensions}


@dataclass(frozen=True)
class Rule:
    """About offline use; None is left to the organization's rule."""

    allowed: bool | None
    longest: int | None
    usual: int | None


@dataclass
class PoolRule:
    """About the seats of a feature of the concurrent product."""

    low_water: int = 0
    most_borrowed: int | None = None
    from_higher: bool = False
    reserved: dict[str, int] = field(default_factory=dict)
    maximum: dict[str, int] = field(default_factory=dict)


class Seats(Organization):
    """What is in use, and the rules that come before every borrow and session."""

    def __init__(self, now: datetime, terms: Terms) -> None:
        super().__init__(now, terms)
        self.rules: dict[tuple[str, str, str], Rule] = {("organization", "", ""): Rule(True, 30, 7)}
        self.pool: dict[str, PoolRule] = {}
        self.borrows: list[Use] = []
        self.sessions: list[Use] = []

    # --- seats

    def is_active(self, use: Use) -> bool:
        return use.ended is None and self.now < use.expires_at

    def in_use(self, feature: str, groups: set[str] | None = None, without: list[Use] | None = None) -> int:
        """Seats of the concurrent product that are taken: all, or those of members of any of the groups."""
        return sum(
            feature in use.seats
            for use in (*self.borrows, *self.sessions)
            if use.product == CONCURRENT
            and use.seat_free_at > self.now
            and not any(use is other for other in without or ())
            and (groups is None or (use.name in self.people and groups & self.people[use.name].groups))
        )

    def borrowed(self, feature: str) -> int:
        out = [use for use in self.borrows if use.product == CONCURRENT and use.seat_free_at > self.now]
        return sum(feature in use.seats for use in out)

    def available(self, product: str, feature: str) -> int:
        used = self.in_use(feature) if product == CONCURRENT else self.assigned(product, feature)
        return self.seats(product, feature) - used

    def has_seat(self, feature: str, person: Person, *, borrowing: bool, without: list[Use]) -> bool:
        """True when one more seat of the concurrent product can be given to this person."""
        rule, seats = self.pool.get(feature, PoolRule()), self.seats(CONCURRENT, feature)
        reserved = sum(
            max(0, count - self.in_use(feature, {group}, without))
            for group, count in rule.reserved.items()
            if group not in person.groups
        )
        if self.in_use(feature, None, without) + reserved >= seats:
            return False
        if any(
            group in person.groups and self.in_use(feature, {group}, without) >= most for group, most in rule.maximum.items()
        ):
            return False
        most = seats if rule.most_borrowed is None else rule.most_borrowed
        return not borrowing or self.borrowed(feature) < min(most, seats - rule.low_water)

    def has_seats_for(self, use: Use, already: set[str], *, borrowing: bool, without: list[Use]) -> bool:
        """True when the pool has what is wanted; the level may become a higher one. What is there `already` takes no seat."""
        person = self.people[use.name]

        def has_seat(feature: str) -> bool:
            return feature in already or self.has_seat(feature, person, borrowing=borrowing, without=without)

        if not all(has_seat(code) for code in use.extensions):
            return False
        levels = LEVELS[rank(use.level) :] if self.pool.get(use.level, PoolRule()).from_higher else (use.level,)
        best = next((level for level in levels if has_seat(level)), None)
        use.level = best or use.level
        return best is not None

    # --- who may use what

    def refusal(self, name: str, wish: Wish) -> str | None:
        """Why a member may not have this at all, or None: the first that applies speaks."""
        refusal = self.not_admitted(name, wish.product)
        if refusal is not None or wish.product == CONCURRENT:
            return refusal
        if wish.product in self.people[name].held and self.is_overallocated(wish.product):
            return "product-overallocated"
        return self.not_held(name, wish.product, wish.level, self.wanted(name, wish))

    def wanted(self, name: str, wish: Wish) -> frozenset[str]:
        """The extensions that are asked for; who asks for none in particular gets those that they hold."""
        held = self.people[name].held.get(wish.product)
        if wish.extensions is None:
            return frozenset() if held is None else frozenset(held.extensions)
        return wish.extensions

    def not_admitted(self, name: str, product: str) -> str | None:
        """Why a member may use nothing of the product, or None."""
        if self.is_kept_out(name):
            return "organization-over-limit"
        if self.people[name].disabled:
            return "member-disabled"
        return None if self.may_hold(name, product) else "type-not-compatible"

    def not_held(self, name: str, product: str, level: str | None, extensions: frozenset[str]) -> str | None:
        """Why the license that the member holds does not give this, or None."""
        if product == CONCURRENT:
            return None
        held = self.people[name].held.get(product)
        if held is None:
            return "not-assigned"
        if level is not None and rank(level) > rank(held.level):
            return "level-not-assigned"
        if not self.seats(product, level or held.level):
            return "no-such-product"
        return None if extensions <= held.extensions else "extension-not-assigned"

    def not_given_any_more(self, use: Use) -> str | None:
        """Why what somebody has cannot be given again, or None."""
        lacking = self.not_held(use.name, use.product, use.level, use.extensions)
        if lacking is None and not all(self.seats(use.product, feature) for feature in use.features()):
            return "no-such-product"
        return lacking

    def features_for(self, name: str, wish: Wish) -> str:
        """The level that a wish means."""
        if wish.level is not None:
            return wish.level
        held = self.people[name].held.get(wish.product)
        if held is not None:
            return held.level
        return next((level for level in LEVELS if self.seats(wish.product, level)), LEVELS[0])

    def offline_rule(self, name: str, product: str) -> Rule:
        """The rule in effect; the most specific level that has one, of several groups the strictest."""
        person, switch = self.people[name], self.rules["organization", "", ""]
        rules = [switch]
        subjects = {"member": {name}, "group": person.groups, "type": {person.user_type}, "product": {product}}
        for level, names in subjects.items():
            mine = [
                self.rules.get((level, subject, product)) or self.rules.get((level, subject, "")) for subject in sorted(names)
            ]
            known = [rule for rule in mine if rule is not None]
            if known and switch.allowed:
                rules = known
                break
        endless = 10**6
        strictest = min(rules, key=lambda rule: (rule.allowed is not False, rule.longest or endless, rule.usual or endless))
        longest = strictest.longest or switch.longest or 1
        return Rule(strictest.allowed is not False, longest, min(strictest.usual or switch.usual or 1, longest))

    def end_for(self, name: str, wish: Wish) -> datetime | str:
        """When a borrow made now ends, or why there is none."""
        rule, end = self.offline_rule(name, wish.product), self.terms.end_of(wish.product)
        if not rule.allowed:
            return "offline-not-allowed"
        if end <= self.now:
            return "product-expired"
        longest = min(rule.longest or 1, self.terms.longest_days)
        latest = min(self.now + timedelta(days=longest), end)
        if wish.days is None:
            return min(latest, self.now + timedelta(days=rule.usual or 1))
        asked = self.now + timedelta(days=wish.days)
        return asked if asked <= latest else "duration-too-long"
