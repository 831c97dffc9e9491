"""How the seats of concurrent products are given: some kept from borrowing, some kept for groups, some from a higher level."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from authority.domain import versions
from authority.domain.borrows import Features
from authority.domain.catalogue import Product
from authority.domain.plurals import all_are, are, counted
from authority.domain.refusals import InvalidInput, PoolExhausted

USE_CONNECTED = "Use the license in a session, or wait until a borrowed seat is checked in."
NONE_LICENSED = "Ask for a level or extension that there are seats of: carnet-authority pool show."
ASK_FOR_MORE = "Wait until a seat is checked in, or ask the administrator about the rule: carnet-authority pool show."


@dataclass(frozen=True, slots=True)
class PoolRule:
    """What was set for the seats of one level or extension, for everybody (`group_name` empty) or for one group.

    For everybody: `low_water` seats are never borrowed, `most_borrowed` is how many can be at once, and with `from_higher` a
    level without a seat left is served from the next higher one. For a group: `reserved` seats are kept for its members, who
    take `maximum` at most. (FlexNet options file: BORROW_LOWWATER, RESERVE, MAX.)
    """

    product: str
    feature: str
    group_name: str = ""
    low_water: int = 0
    most_borrowed: int | None = None
    reserved: int = 0
    maximum: int | None = None
    from_higher: bool = False

    def values(self) -> dict[str, object]:
        """What somebody may change of the rule, by name."""
        names = ("low_water", "most_borrowed", "reserved", "maximum", "from_higher")
        return {name: getattr(self, name) for name in names}

    @property
    def version(self) -> str:
        """The version of what may change."""
        return versions.of(self.values())

    def name(self) -> str:
        """Which seats the rule is about, and for whom: `arcgis-desktop Advanced, group field-crew`."""
        return f"{self.product} {self.feature}" + (f", group {self.group_name}" if self.group_name else "")

    def words(self) -> str:
        """What it says: `2 never borrowed, 5 borrowed at most`."""
        parts = [f"{self.low_water} never borrowed"] if self.low_water else []
        parts += [] if self.most_borrowed is None else [f"{self.most_borrowed} borrowed at most"]
        parts += [f"{self.reserved} reserved"] if self.reserved else []
        parts += [] if self.maximum is None else [f"{self.maximum} in use at most"]
        parts += ["served from a higher level"] if self.from_higher else []
        return ", ".join(parts) or "nothing"


def check_rule(rule: PoolRule, product: Product, others: Iterable[PoolRule]) -> None:
    """Raises InvalidInput, NoSuchProduct for a rule that makes no sense beside the `others` of its product."""
    if not product.is_concurrent:
        raise InvalidInput(f'"{product.id}" is a named product: its licenses are assigned, not taken from a pool')
    if rule.feature not in product.levels:
        product.check_extensions((rule.feature,))
    _check_numbers(rule, product.seats_of(rule.feature))
    if rule.group_name:
        if rule.low_water or rule.most_borrowed is not None or rule.from_higher:
            raise InvalidInput("a group's rule says how many seats are reserved and the maximum; the rest is set for everybody")
        _check_reserved(rule, product, others)
    elif rule.reserved or rule.maximum is not None:
        raise InvalidInput("seats are reserved, and a maximum is set, for a group: name the group")
    elif rule.from_higher and rule.feature not in product.levels[:-1]:
        raise InvalidInput(f'there is no level of "{product.id}" above {rule.feature} to serve it from')
    if rule == PoolRule(rule.product, rule.feature, rule.group_name):
        raise InvalidInput("the rule would say nothing", hint="Say what it sets, or remove the rule.")


def _check_numbers(rule: PoolRule, seats: int) -> None:
    for about, label, value in (
        ("low_water", "low water", rule.low_water),
        ("most_borrowed", "the most borrowed", rule.most_borrowed),
        ("reserved", "the reserved seats", rule.reserved),
        ("maximum", "the maximum", rule.maximum),
    ):
        if value is not None and not 0 <= value <= seats:
            text = f"{label} of {rule.name()} is a number from 0 to {seats}, the seats licensed, not {value}"
            raise InvalidInput(text, about=about)
    if rule.maximum is not None and rule.reserved > rule.maximum:
        raise InvalidInput(
            f"{counted(rule.reserved, 'reserved seat is', 'reserved seats are')} more than the group's maximum of {rule.maximum}",
            about="reserved",
        )


def _check_reserved(rule: PoolRule, product: Product, others: Iterable[PoolRule]) -> None:
    same = [item for item in others if item.feature == rule.feature and item.group_name != rule.group_name]
    total, seats = rule.reserved + sum(item.reserved for item in same), product.seats_of(rule.feature)
    if total > seats:
        raise InvalidInput(
            f"{counted(total, 'seat')} of {product.id} {rule.feature} would be reserved in all, {seats} {are(seats)} licensed",
            about="reserved",
        )


@dataclass(frozen=True, slots=True)
class Use:
    """Seats in use at one moment: by feature in all and by borrows, and by feature and group of those who use them."""

    in_use: Mapping[str, int]
    borrowed: Mapping[str, int]
    by_group: Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Pool:
    """The seats of a concurrent product at one moment, with the rules about them."""

    product: Product
    rules: tuple[PoolRule, ...]
    use: Use

    def rule(self, feature: str) -> PoolRule:
        """The rule for everybody; one that says nothing where none was set."""
        rules = (item for item in self.rules if (item.feature, item.group_name) == (feature, ""))
        return next(rules, PoolRule(self.product.id, feature))

    def of_groups(self, feature: str) -> list[PoolRule]:
        """The rules of groups about this level or extension."""
        return [item for item in self.rules if item.feature == feature and item.group_name]

    def borrowable(self, feature: str) -> int:
        """How many seats can be borrowed at once."""
        seats, rule = self.product.seats_of(feature), self.rule(feature)
        return max(0, min(seats - rule.low_water, seats if rule.most_borrowed is None else rule.most_borrowed))

    def grant(self, wanted: Features, groups: Iterable[str], *, borrowing: bool, already: Collection[str] = ()) -> Features:
        """What the pool gives for what is wanted: a level without a seat may be served from a higher one, if its rule says so.

        What the member has `already` on this machine takes no seat. Raises PoolExhausted, which names the feature, the numbers
        and the rule.
        """
        member_of = frozenset(groups)
        for extension in wanted.extensions:
            if extension not in already:
                self.check(extension, member_of, borrowing=borrowing)
        if wanted.level in already:
            return wanted
        try:
            self.check(wanted.level, member_of, borrowing=borrowing)
        except PoolExhausted:
            higher = self._higher(wanted.level, member_of, borrowing=borrowing)
            if higher is None:
                raise
            return Features(higher, wanted.extensions)
        return wanted

    def _higher(self, level: str, member_of: frozenset[str], *, borrowing: bool) -> str | None:
        """The lowest level above that has a seat, where the rule of the level allows it."""
        if not self.rule(level).from_higher:
            return None
        for candidate in self.product.levels[self.product.rank(level) + 1 :]:
            try:
                self.check(candidate, member_of, borrowing=borrowing)
            except PoolExhausted:
                continue
            return candidate
        return None

    def check(self, feature: str, member_of: frozenset[str], *, borrowing: bool) -> None:
        """Raises PoolExhausted when a member of these groups cannot have one more seat of the level or extension."""
        self._check_free(feature, member_of)
        self._check_maximum(feature, member_of)
        if borrowing:
            self._check_borrowable(feature)

    def _check_free(self, feature: str, member_of: frozenset[str]) -> None:
        seats, used = self.product.seats_of(feature), self.use.in_use.get(feature, 0)
        what = f'"{self.product.id}" {feature}'
        if not seats:
            raise PoolExhausted(f"no seat of {what} is licensed", hint=NONE_LICENSED, feature=feature, seats=seats, in_use=used)
        if used >= seats:
            raise PoolExhausted(f"{all_are(seats, 'seat', what)} in use", feature=feature, seats=seats, in_use=used)
        reserved = {
            item.group_name: item.reserved - self.use.by_group.get((feature, item.group_name), 0)
            for item in self.of_groups(feature)
            if item.group_name not in member_of
        }
        reserved = {group: count for group, count in reserved.items() if count > 0}
        if used + sum(reserved.values()) >= seats:
            names = ", ".join(f"{count} for {group}" for group, count in sorted(reserved.items()))
            message = f"{used} of {counted(seats, 'seat')} of {what} {are(used)} in use, the others are reserved: {names}"
            raise PoolExhausted(message, hint=ASK_FOR_MORE, reserved=reserved, feature=feature, seats=seats, in_use=used)

    def _check_maximum(self, feature: str, member_of: frozenset[str]) -> None:
        for rule in self.of_groups(feature):
            used = self.use.by_group.get((feature, rule.group_name), 0)
            if rule.group_name in member_of and rule.maximum is not None and used >= rule.maximum:
                raise PoolExhausted(
                    f'the group "{rule.group_name}" uses {counted(used, "seat")} of "{self.product.id}" {feature}, its maximum is {rule.maximum}',
                    hint=ASK_FOR_MORE,
                    feature=feature,
                    group=rule.group_name,
                    in_use=used,
                    maximum=rule.maximum,
                )

    def _check_borrowable(self, feature: str) -> None:
        borrowed, most, seats = self.use.borrowed.get(feature, 0), self.borrowable(feature), self.product.seats_of(feature)
        if borrowed >= most:
            raise PoolExhausted(
                f'{borrowed} of {counted(seats, "seat")} of "{self.product.id}" {feature} {are(borrowed)} borrowed, at most {most} can be '
                f"({self.rule(feature).words()})",
                hint=USE_CONNECTED,
                feature=feature,
                seats=seats,
                borrowed=borrowed,
                most_borrowed=most,
            )
