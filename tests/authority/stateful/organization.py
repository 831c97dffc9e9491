"""The model, first part: terms of the vendor, members, and what is assigned to them, in dictionaries and sets.

Nothing here is taken from the authority. Whatever changes something says in one word what is expected: what is done, or the
code of the refusal; then nothing changes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

DONE = "done"
ADMINISTRATOR, MEMBER = "administrator", "member"
LEVELS = ("Basic", "Standard", "Advanced")
PRO, ALLSOURCE, DESKTOP = "arcgis-pro", "arcgis-allsource", "arcgis-desktop"
NAMED, CONCURRENT = (PRO, ALLSOURCE), DESKTOP
EXTENSIONS = {PRO: ("3DAnalyst", "SpatialAnalyst"), ALLSOURCE: ("DataReviewer",), DESKTOP: ("3DAnalyst",)}
FEATURES = {product: (*LEVELS, *codes) for product, codes in EXTENSIONS.items()}
VIEWER, CREATOR, PROFESSIONAL = "Viewer", "Creator", "GIS Professional"
INCLUDED = {VIEWER: {}, CREATOR: {}, PROFESSIONAL: {PRO: "Advanced"}}
MAY_HOLD = {VIEWER: set[str](), CREATOR: {PRO, ALLSOURCE, DESKTOP}, PROFESSIONAL: {PRO, ALLSOURCE, DESKTOP}}


@dataclass
class Terms:
    """What the authorization in force allows; None is no limit, and no end of its own."""

    number: int
    ends_at: datetime
    longest_days: int = 365
    total: int | None = 9
    of_type: dict[str, int] = field(default_factory=lambda: {PROFESSIONAL: 4})
    until: dict[str, datetime | None] = field(default_factory=lambda: dict.fromkeys(FEATURES))
    seats: dict[tuple[str, str], int] = field(
        default_factory=lambda: {
            **dict(zip([(PRO, name) for name in FEATURES[PRO]], (2, 2, 4, 2, 1), strict=True)),
            **dict(zip([(ALLSOURCE, name) for name in FEATURES[ALLSOURCE]], (1, 2, 1, 1), strict=True)),
            **dict(zip([(DESKTOP, name) for name in FEATURES[DESKTOP]], (0, 2, 2, 1), strict=True)),
        }
    )

    def end_of(self, product: str) -> datetime:
        own = self.until[product]
        return self.ends_at if own is None else min(own, self.ends_at)


@dataclass
class License:
    """What somebody holds of a named product; `included` when the user type brought it."""

    level: str
    extensions: set[str]
    included: bool

    def features(self) -> set[str]:
        return {self.level, *self.extensions}


@dataclass
class Person:
    user_type: str
    role: str = MEMBER
    disabled: bool = False
    groups: set[str] = field(default_factory=set)
    held: dict[str, License] = field(default_factory=dict)


def rank(level: str) -> int:
    return LEVELS.index(level)


class Organization:
    """Members and licenses, and nothing about their use."""

    def __init__(self, now: datetime, terms: Terms) -> None:
        self.now = now
        self.terms = terms
        self.people: dict[str, Person] = {"admin": Person(VIEWER, ADMINISTRATOR)}

    def seats(self, product: str, feature: str) -> int:
        return self.terms.seats[product, feature]

    def count(self, user_type: str | None = None) -> int:
        return sum(person.user_type == user_type for person in self.people.values()) if user_type else len(self.people)

    def limit(self, user_type: str | None = None) -> int | None:
        return self.terms.of_type.get(user_type) if user_type else self.terms.total

    def is_past(self, user_type: str | None = None) -> bool:
        limit = self.limit(user_type)
        return limit is not None and self.count(user_type) > limit

    def is_full(self, user_type: str | None = None) -> bool:
        limit = self.limit(user_type)
        return limit is not None and self.count(user_type) >= limit

    def is_over_limit(self) -> bool:
        """Seed S2: more members than licensed, in all or of a type."""
        return self.is_past() or any(self.is_past(user_type) for user_type in INCLUDED)

    def is_kept_out(self, name: str) -> bool:
        """Seed S2: over the limit, all who are not administrators."""
        return self.is_over_limit() and self.people[name].role != ADMINISTRATOR

    def assigned(self, product: str, feature: str) -> int:
        licenses = [person.held[product] for person in self.people.values() if product in person.held]
        return sum(feature in own.features() for own in licenses)

    def is_overallocated(self, product: str) -> bool:
        """Seed S1: availability is negative."""
        return any(self.assigned(product, feature) > self.seats(product, feature) for feature in FEATURES[product])

    def is_free(self, product: str, wanted: set[str], held: License | None) -> bool:
        """True when a license is left of each feature that is not held already."""
        new = wanted - (held.features() if held else set())
        return all(self.assigned(product, feature) < self.seats(product, feature) for feature in new)

    def may_hold(self, name: str, product: str) -> bool:
        return product in MAY_HOLD[self.people[name].user_type]

    def install(self, terms: Terms, *, is_same: bool) -> str:
        if is_same:
            return "again"
        if terms.number <= self.terms.number or terms.ends_at <= self.now:
            return "authorization-unusable"
        self.terms = terms
        return DONE

    def add(self, name: str, user_type: str, role: str, groups: set[str]) -> str:
        if name in self.people:
            return "already-exists"
        if self.is_full() or self.is_full(user_type):
            return "member-limit-reached"
        person = Person(user_type, role, groups=groups)
        for product, level in INCLUDED[user_type].items():
            if not self.is_free(product, {level}, None):
                return "pool-exhausted"
            person.held[product] = License(level, set(), included=True)
        self.people[name] = person
        return DONE

    def change_type(self, name: str, user_type: str) -> str:
        """Seed S1: what the type includes is given, what it may not hold is taken, and what the old type brought goes."""
        if name not in self.people:
            return "not-found"
        person = self.people[name]
        if user_type == person.user_type:
            return DONE
        if self.is_full(user_type):
            return "member-limit-reached"
        held = {
            product: own
            for product, own in person.held.items()
            if product in INCLUDED[user_type] or (product in MAY_HOLD[user_type] and not own.included)
        }
        for product, level in INCLUDED[user_type].items():
            before = held.get(product)
            if before is None or rank(before.level) < rank(level):
                if not self.is_free(product, {level}, before):
                    return "pool-exhausted"
                held[product] = License(level, before.extensions if before else set(), included=True)
        person.user_type, person.held = user_type, held
        return DONE

    def change(
        self, name: str, *, disabled: bool | None = None, groups: set[str] | None = None, role: str | None = None
    ) -> str:
        if name not in self.people:
            return "not-found"
        person = self.people[name]
        person.disabled = person.disabled if disabled is None else disabled
        person.groups = person.groups if groups is None else groups
        person.role = role or person.role
        return DONE

    def assign(self, name: str, product: str, level: str | None, extensions: set[str]) -> str:
        if name not in self.people:
            return "not-found"
        if product == CONCURRENT:
            return "invalid-input"
        if not self.may_hold(name, product):
            return "type-not-compatible"
        held = self.people[name].held
        before = held.get(product)
        if level is None and before is None:
            return "invalid-input"
        granted = level or (before.level if before else "")
        if not self.is_free(product, {granted, *extensions}, before):
            return "pool-exhausted"
        is_included = before is not None and before.included and before.level == granted
        held[product] = License(granted, extensions, is_included)
        return DONE

    def unassign(self, name: str, product: str) -> str:
        if name not in self.people or product not in self.people[name].held:
            return "not-found"
        del self.people[name].held[product]
        return DONE
