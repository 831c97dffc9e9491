"""What administrators, the vendor and time do: members, licenses, authorizations, rules."""

from __future__ import annotations

from copy import deepcopy
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from authority.domain.members import CONSOLE, Actor, Role
from authority.domain.pools import PoolRule as DomainPoolRule
from authority.services import access, authorizations, licenses, member_changes, members, policies, pools, removal
from authority.services.member_changes import Change
from authority.services.members import NewMember
from authority.services.unit import Unit
from tests.authority.stateful.machine import LASTS, Machine
from tests.authority.stateful.organization import (
    ADMINISTRATOR,
    CONCURRENT,
    CREATOR,
    DONE,
    EXTENSIONS,
    FEATURES,
    LEVELS,
    MEMBER,
    NAMED,
    PROFESSIONAL,
    VIEWER,
    Terms,
    rank,
)
from tests.authority.stateful.seats import PoolRule, Rule
from tests.support.vendors import authorization_file

NAMES = ("chief", "ada", "bob", "cyd", "dan", "eve", "fay", "gus", "hal")
GROUPS = ("field", "night")
SUBJECTS = (*(("member", name) for name in NAMES[1:3]), *(("group", name) for name in GROUPS), ("type", CREATOR))
names = st.sampled_from(NAMES)
types = st.sampled_from((CREATOR, PROFESSIONAL, CREATOR, PROFESSIONAL, VIEWER))
groups = st.sets(st.sampled_from(GROUPS))
picks = st.integers(0, 999)
concurrent_features = st.sampled_from(FEATURES[CONCURRENT])
# The ends of products and of the authorization, in days from now; None is none of their own.
days_left = st.sampled_from((None, 20, 3, -1, -1))


RULE_KEYS = [
    *(("product", product, "") for product in FEATURES),
    *((level, subject, product) for level, subject in SUBJECTS for product in ("", *FEATURES)),
]
RULES = [
    None,
    None,
    Rule(False, None, None),
    Rule(False, None, None),
    Rule(True, None, None),
    Rule(True, 60, 20),
    Rule(True, 40, 3),
    Rule(True, 2, 1),
]
TIMES = [
    *(timedelta(minutes=minutes) for minutes in (1, 2, 5, 5, 10, 10, 15, 15, 20, 29, 30, 45)),
    *(timedelta(hours=hours) for hours in (3, 8, 24, 47)),
    *(timedelta(days=days) for days in (4, 9, 40)),
]
codes = st.sampled_from(
    [frozenset[str](), frozenset[str]()]
    + [frozenset(some) for some in (("3DAnalyst",), ("SpatialAnalyst",), ("DataReviewer", "3DAnalyst", "SpatialAnalyst"))]
)


def extensions_of(product: str, some: frozenset[str]) -> frozenset[str]:
    """Those of the drawn extensions that the product has."""
    return some & frozenset(EXTENSIONS[product])


class Administration(Machine):
    """Everything but using licenses."""

    @initialize(
        kinds=st.lists(types, min_size=6, max_size=6), assigned=st.lists(st.sampled_from(LEVELS), min_size=6, max_size=6)
    )
    def begin(self, kinds: list[str], assigned: list[str]) -> None:
        """An organization with an administrator, members and licenses: most steps would be refused in an empty one."""
        self.install("begin", deepcopy(self.model.terms), step=1)
        self.add_member("chief", PROFESSIONAL, set(), ADMINISTRATOR)
        for name, kind in zip(NAMES[1:], kinds, strict=False):
            self.add_member(name, kind, set(), MEMBER)
        for name, level in zip(NAMES[1:], assigned, strict=False):
            self.assign("assign", name, NAMED[rank(level) % 2], level, frozenset())

    # --- members

    @rule(name=names, kind=types, some=groups)
    def add(self, name: str, kind: str, some: set[str]) -> None:
        self.fire("add")
        self.add_member(name, kind, some, MEMBER)

    def add_member(self, name: str, kind: str, some: set[str], role: str) -> None:
        new = NewMember(name, user_type=kind, role=Role(role), groups=tuple(sorted(some)))
        member = self.expect(
            "add", self.model.add(name, kind, role, set(some)), lambda: members.add(Unit(self.authority, CONSOLE), new)
        )
        if member is not None:
            self.actors[name] = Actor(member.id, member.username, member.role)
            self.secrets[name], _ = access.create_api_key(Unit(self.authority, CONSOLE), name, "model")

    @rule(name=names, release=st.booleans(), pick=picks)
    def remove(self, name: str, release: bool, pick: int) -> None:
        """Anybody, or who has a borrow out."""
        self.fire("remove")
        holders = sorted({use.name for use in self.model.borrows if use.seat_free_at > self.model.now})
        if holders and pick % 2:
            name = holders[pick % len(holders)]
        expected = self.model.remove(name, release=release)
        self.expect("remove", expected, lambda: removal.remove(Unit(self.authority, CONSOLE), [name], release=release))
        if expected == DONE:
            self.former.append(self.actors.pop(name))

    @rule(name=names, kind=types)
    def change_type(self, name: str, kind: str) -> None:
        self.fire("change type")
        self._change("change type", name, self.model.change_type(name, kind), Change(user_type=kind))

    @rule(name=names, disabled=st.booleans())
    def disable(self, name: str, disabled: bool) -> None:
        self.fire("disable")
        self._change("disable", name, self.model.change(name, disabled=disabled), Change(disabled=disabled))

    @rule(name=names, some=groups, role=st.sampled_from((MEMBER, MEMBER, ADMINISTRATOR)))
    def change_groups_and_role(self, name: str, some: set[str], role: str) -> None:
        self.fire("change groups and role")
        expected = self.model.change(name, groups=set(some), role=role)
        self._change("change groups and role", name, expected, Change(groups=tuple(sorted(some)), role=Role(role)))

    def _change(self, what: str, name: str, expected: str, change: Change) -> None:
        self.expect(what, expected, lambda: member_changes.change(Unit(self.authority, CONSOLE), name, change))

    # --- licenses

    @rule(
        name=names,
        product=st.sampled_from((*NAMED, *NAMED, *NAMED, CONCURRENT)),
        level=st.sampled_from((*LEVELS, *LEVELS, None)),
        some=codes,
    )
    def assign_any(self, name: str, product: str, level: str | None, some: frozenset[str]) -> None:
        self.fire("assign")
        self.assign("assign", name, product, level, extensions_of(product, some))

    @rule(pick=picks, level=st.sampled_from((*LEVELS, None)), some=codes)
    def change_what_is_assigned(self, pick: int, level: str | None, some: frozenset[str]) -> None:
        """Another level or other extensions for somebody who holds a license."""
        self.fire("change assignment")
        held = self.holders()
        if held:
            name, product = held[pick % len(held)]
            self.assign("change assignment", name, product, level, extensions_of(product, some))

    def assign(self, what: str, name: str, product: str, level: str | None, extensions: frozenset[str]) -> None:
        expected = self.model.assign(name, product, level, set(extensions))
        self.expect(
            what,
            expected,
            lambda: licenses.assign(Unit(self.authority, CONSOLE), name, product, level, tuple(sorted(extensions))),
        )

    @rule(pick=picks, name=names, product=st.sampled_from(NAMED), is_any=st.sampled_from((False, False, True)))
    def unassign(self, pick: int, name: str, product: str, is_any: bool) -> None:
        self.fire("unassign")
        held = self.holders()
        if held and not is_any:
            name, product = held[pick % len(held)]
        self.expect(
            "unassign",
            self.model.unassign(name, product),
            lambda: licenses.unassign(Unit(self.authority, CONSOLE), [name], product),
        )

    # --- authorizations

    @rule(step=st.sampled_from((1, 1, 1, 1, 1, 3, 0, -1)), total=st.sampled_from((None, 9, 7, 5, 4)), of_type=st.integers(1, 5))
    def install_other_limits(self, step: int, total: int | None, of_type: int) -> None:
        terms = deepcopy(self.model.terms)
        terms.total, terms.of_type = total, {PROFESSIONAL: of_type}
        self.install("install other limits", terms, step)

    @rule(
        key=st.sampled_from([(product, name) for product, names in FEATURES.items() for name in names]),
        seats=st.sampled_from((0, 0, 1, 2, 3, 4)),
    )
    def install_other_seats(self, key: tuple[str, str], seats: int) -> None:
        terms = deepcopy(self.model.terms)
        terms.seats[key] = seats
        self.install("install other seats", terms, step=1)

    @rule(pick=picks)
    def install_less_than_is_in_use(self, pick: int) -> None:
        """One seat less than is assigned, or in use, of something."""
        terms = deepcopy(self.model.terms)
        used = sorted(key for key, seats in terms.seats.items() if self.model.available(*key) < seats)
        used = [key for key in used if pick % 2 or key[0] == CONCURRENT] or used
        if used:
            key = used[pick % len(used)]
            terms.seats[key] -= self.model.available(*key) + 1
        self.install("install less than is in use", terms, step=1)

    @rule(pick=picks)
    def install_nothing_of_what_is_free(self, pick: int) -> None:
        """No seats at all of something that nobody has."""
        terms = deepcopy(self.model.terms)
        free = sorted(key for key, seats in terms.seats.items() if self.model.available(*key) == seats > 0)
        free = [key for key in free if pick % 2 or key[1] in LEVELS] or free
        if free:
            terms.seats[free[pick % len(free)]] = 0
        self.install("install nothing of what is free", terms, step=1)

    @rule(
        product=st.sampled_from((*FEATURES, NAMED[0], CONCURRENT, None)),
        left=days_left,
        longest=st.sampled_from((365, 365, 365, 4)),
    )
    def install_other_ends(self, product: str | None, left: int | None, longest: int) -> None:
        """A product that ends or has ended, an authorization that ends soon, or a shorter longest borrow."""
        terms = deepcopy(self.model.terms)
        terms.longest_days = longest
        if product is not None:
            terms.until[product] = None if left is None else self.model.now + timedelta(days=left)
        elif left != -1:
            terms.ends_at = self.model.now + (LASTS if left is None else timedelta(days=left))
        self.install("install other ends", terms, step=1)

    @rule(total=st.sampled_from((len(NAMES) + 1, None)))
    def install_what_is_enough(self, total: int | None) -> None:
        """The way out of everything: the seats of the beginning, room for all, and no early end."""
        terms = Terms(self.model.terms.number, self.model.now + LASTS, total=total, of_type={})
        for key, seats in terms.seats.items():
            terms.seats[key] = max(seats, self.model.seats(*key) - self.model.available(*key))
        self.install("install what is enough", terms, step=1)

    def install(self, what: str, terms: Terms, step: int) -> None:
        self.fire(what)
        terms.number = max(1, self.model.terms.number + step)
        compact = self.text_of(terms)
        with self.authority.database.read() as connection:
            is_same = compact == self.authority.terms(connection).authorization.compact
        self.expect(
            what,
            self.model.install(terms, is_same=is_same),
            lambda: authorizations.install(Unit(self.authority, CONSOLE), authorization_file(compact)),
        )

    # --- rules

    @rule(key=st.sampled_from(RULE_KEYS), offline_rule=st.sampled_from(RULES))
    def set_or_remove_a_rule(self, key: tuple[str, str, str], offline_rule: Rule | None) -> None:
        """Who may go offline and for how long."""
        if offline_rule is not None:
            self._set_rule(key, offline_rule)
        else:
            self.fire("remove rule")
            expected = "not-found" if self.model.rules.pop(key, None) is None else DONE
            self.expect("remove rule", expected, lambda: policies.remove(Unit(self.authority, CONSOLE), *key))

    @rule(allowed=st.sampled_from((True, True, False)), longest=st.sampled_from((30, 30, 10)))
    def turn_the_switch(self, allowed: bool, longest: int) -> None:
        """Seed S1: off is off for everybody."""
        self._set_rule(("organization", "", ""), Rule(allowed, longest, 7))

    def _set_rule(self, key: tuple[str, str, str], offline_rule: Rule) -> None:
        self.fire("set rule")
        level, subject, _ = key
        before = self.model.rules.get(key, Rule(None, None, None))
        expected = DONE
        if level == "member" and subject not in self.model.people:
            expected = "not-found"
        else:
            self.model.rules[key] = Rule(
                before.allowed if offline_rule.allowed is None else offline_rule.allowed,
                offline_rule.longest or before.longest,
                offline_rule.usual or before.usual,
            )
        days: dict[str, Any] = {"longest_days": offline_rule.longest, "default_days": offline_rule.usual}
        self.expect(
            "set rule",
            expected,
            lambda: policies.change(Unit(self.authority, CONSOLE), *key, allowed=offline_rule.allowed, **days),
        )

    @rule(feature=concurrent_features, low_water=st.integers(0, 2), most=st.sampled_from((None, 0, 1, 2)), higher=st.booleans())
    def set_a_pool_rule(self, feature: str, low_water: int, most: int | None, higher: bool) -> None:
        """What is set for everybody: seats that are never borrowed, the most borrowed, and being served from a higher level."""
        is_empty = not low_water and most is None and not higher
        if is_empty and feature == FEATURES[CONCURRENT][0]:
            self._remove_pool_rules()
            return
        self.fire("set pool rule")
        pool_rule = DomainPoolRule(CONCURRENT, feature, low_water=low_water, most_borrowed=most, from_higher=higher)
        seats = self.model.seats(CONCURRENT, feature)
        is_good = max(low_water, most or 0) <= seats and not is_empty and not (higher and feature not in LEVELS[:-1])
        if is_good:
            mine = self.model.pool.setdefault(feature, PoolRule())
            mine.low_water, mine.most_borrowed, mine.from_higher = low_water, most, higher
        expected = DONE if is_good else "invalid-input"
        self.expect("set pool rule", expected, lambda: pools.change(Unit(self.authority, CONSOLE), pool_rule))

    def _remove_pool_rules(self) -> None:
        self.fire("remove pool rules")
        for state in pools.states(Unit(self.authority, CONSOLE), CONCURRENT):
            if state.rule != DomainPoolRule(CONCURRENT, state.rule.feature):
                pools.remove(Unit(self.authority, CONSOLE), CONCURRENT, state.rule.feature, "")
            for share in state.groups:
                pools.remove(Unit(self.authority, CONSOLE), CONCURRENT, state.rule.feature, share.group)
        self.model.pool.clear()

    @rule(
        feature=concurrent_features,
        group=st.sampled_from(GROUPS),
        reserved=st.integers(0, 1),
        most=st.sampled_from((None, 1, 2)),
    )
    def set_a_pool_rule_of_a_group(self, feature: str, group: str, reserved: int, most: int | None) -> None:
        self.fire("set pool rule of a group")
        pool_rule = DomainPoolRule(CONCURRENT, feature, group, reserved=reserved, maximum=most)
        mine, seats = self.model.pool.setdefault(feature, PoolRule()), self.model.seats(CONCURRENT, feature)
        others = sum(count for name, count in mine.reserved.items() if name != group)
        is_good = max(reserved, most or 0) <= seats and reserved + others <= seats and bool(reserved or most)
        if is_good:
            mine.reserved[group] = reserved
            mine.maximum.pop(group, None)
            mine.maximum |= {group: most} if most is not None else {}
        expected = DONE if is_good else "invalid-input"
        self.expect("set pool rule of a group", expected, lambda: pools.change(Unit(self.authority, CONSOLE), pool_rule))

    # --- time

    @rule(time=st.sampled_from(TIMES))
    def time_goes_by(self, time: timedelta) -> None:
        self.fire("time goes by")
        self.turn(seconds=time.total_seconds())

    @rule(pick=picks, seconds=st.sampled_from((-2, -1, 0)))
    def time_goes_to_an_end(self, pick: int, seconds: int) -> None:
        """To about the very second in which a borrow, a session or a product ends."""
        self.fire("to an end")
        ends = [use.expires_at for use in (*self.model.borrows, *self.model.sessions) if self.model.is_active(use)]
        ends += [end for end in self.model.terms.until.values() if end is not None and end > self.model.now]
        if ends:
            end = sorted(ends)[pick % len(ends)] + timedelta(seconds=seconds)
            self.turn(seconds=max(0.0, (end - self.model.now).total_seconds()))

    # A rule is drawn as often as it has names: these are drawn more often.
    add_2, assign_2, less_2, seats_2 = add, assign_any, install_less_than_is_in_use, install_other_seats
    disable_2, enough_2, ends_2, ends_3 = disable, install_what_is_enough, install_other_ends, install_other_ends
    time_2, time_3, remove_2 = time_goes_by, time_goes_by, remove
