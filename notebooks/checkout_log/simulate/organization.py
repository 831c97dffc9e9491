"""Who uses what, and how: the organization that the simulator lets live."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from checkout_log.errors import QuestionInvalid
from checkout_log.simulate import sample
from checkout_log.simulate.clocks import Clock
from checkout_log.simulate.parts import SERVERS, Group, Planted, Product, Restart, uses_of

# The stories of stuck licenses look back so far: a habit must have been there before it is broken.
SHORTEST_WITH_STORIES = 240


@dataclass(frozen=True, slots=True)
class Organization:
    """Groups with habits, products with seats, servers with restarts, and the stuck licenses among them.

    Without arguments: some 300 members, four products and one year. The log covers `days` days from the first minute of
    `begins_on` to the last look, at 14:30 of the day after; times of the wall are those of `timezone`. Raises QuestionInvalid
    where the parts do not fit together.
    """

    groups: tuple[Group, ...] = sample.GROUPS
    products: tuple[Product, ...] = sample.PRODUCTS
    begins_on: date = sample.BEGINS_ON
    days: int = sample.DAYS
    timezone: str = sample.TIMEZONE
    holidays: tuple[date, ...] = sample.HOLIDAYS
    restarts: tuple[Restart, ...] = sample.RESTARTS
    planted: Planted = sample.PLANTED

    def __post_init__(self) -> None:
        Clock(self.timezone)
        for wrong, hint in _wrong(self):
            raise QuestionInvalid(wrong, hint=hint)

    @property
    def now(self) -> datetime:
        """The time of the last look, in UTC."""
        local = datetime.combine(self.begins_on + timedelta(days=self.days), datetime.min.time(), ZoneInfo(self.timezone))
        return local.replace(hour=14, minute=30).astimezone(ZoneInfo("UTC"))

    def product(self, name: str) -> Product:
        """The product of this name. Raises QuestionInvalid."""
        for product in self.products:
            if product.name == name:
                return product
        known = ", ".join(product.name for product in self.products)
        raise QuestionInvalid(f'there is no product "{name}"', hint=f"The organization has {known}.")

    def served_by(self, server: str) -> list[str]:
        """The names of the products of one kind of server."""
        return [product.name for product in self.products if product.server == server]


def _wrong(asked: Organization) -> Iterator[tuple[str, str]]:
    served = {product.name: {feature.name for feature in product.features} for product in asked.products}
    for product in asked.products:
        if product.server not in SERVERS:
            yield f'"{product.server}" is no kind of license server', f"Use one of {', '.join(SERVERS)}."
    for group in asked.groups:
        for use in uses_of(group.habit):
            missing = set(use.features) - served.get(use.product, set())
            if missing:
                names = ", ".join(sorted(missing))
                yield f'"{group.name}" uses {names} of "{use.product}", which is not there', "Add it to the products."
    if asked.days < 1:
        yield f"the log would cover {asked.days} days", "Ask for one day or more."
    if asked.planted.is_any() and asked.days < SHORTEST_WITH_STORIES:
        yield (
            f"{asked.days} days are too short for stuck licenses with a history",
            f"Ask for {SHORTEST_WITH_STORIES} days or more, or plant nothing.",
        )
