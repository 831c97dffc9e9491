"""The world that the stages of a simulation share, and the table of wishes: what somebody wants from a server, and when."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from checkout_log.columns import CHECKIN, ENDINGS
from checkout_log.simulate.clocks import DAY, HOUR, SECOND, Clock, Mask, Whole, is_weekday, wall_of
from checkout_log.simulate.organization import Organization
from checkout_log.simulate.parts import AUTHORITY, Use
from checkout_log.simulate.people import People, people_of

# No time, and a time that never comes.
NONE, NEVER = -1, 1 << 60
_PATIENT, _MOST_TRIES = 0.5, 60
# One wish: when, until when it is to be held and how that ends (a number in ENDINGS), the due time of a borrow, who, where and
# what, how often a refused client tries again, an event on the way (a renewal to a later due time, or a revocation), the planted
# case that it belongs to, and whether its client dies when the server does.
WISH = ("at", "end", "ending", "due", "member", "machine", "use", "tries", "told_at", "told_until", "case", "dies")


@dataclass
class World:
    """What the stages share: the organization, its clock, its people, the numbered uses, and the only source of chance."""

    organization: Organization
    rng: np.random.Generator
    clock: Clock
    people: People
    uses: list[Use] = field(default_factory=list)
    numbers: dict[tuple[str, tuple[str, ...], int], int] = field(default_factory=dict)

    @property
    def begin(self) -> int:
        """The first day's midnight, on the wall."""
        return wall_of(self.organization.begins_on)

    @property
    def now(self) -> int:
        """The last look, in UTC."""
        return int(self.organization.now.timestamp()) * SECOND

    def use(self, use: Use) -> int:
        """The number of a use; two that take the same have one."""
        key = (use.product, use.features, use.quantity)
        if key not in self.numbers:
            self.numbers[key] = len(self.uses)
            self.uses.append(use)
        return self.numbers[key]

    def drawn(self, uses: tuple[Use, ...], count: int) -> Whole:
        """So many uses by their weights, as numbers."""
        weights = np.array([use.weight for use in uses])
        numbers = np.array([self.use(use) for use in uses], dtype=np.int64)
        return numbers[self.rng.choice(len(uses), count, p=weights / weights.sum())]

    def days(self) -> Whole:
        """The midnights of all days, on the wall; of the last only the first half is seen."""
        return self.begin + np.arange(self.organization.days + 1, dtype=np.int64) * DAY


def world_of(organization: Organization, seed: int) -> World:
    """The world before anything has happened."""
    rng = np.random.default_rng(seed)
    return World(organization, rng, Clock(organization.timezone), people_of(organization, rng))


def table(world: World, wall: Whole, wall_end: Whole, **columns: Whole | int) -> pd.DataFrame:
    """Wishes of which the begin and end stand as times of the wall; columns that are not told hold what is usual.

    Servers other than the authority know seconds only.
    """
    usual: dict[str, Whole | int] = {"ending": ENDINGS.index(CHECKIN), "due": NONE, "told_at": NONE, "told_until": NONE}
    usual |= {"tries": 0, "case": NONE, "dies": 0, "at": world.clock.utc(wall), "end": world.clock.utc(wall_end)}
    found = pd.DataFrame(usual | columns, index=range(len(wall)))[list(WISH)].astype(np.int64)
    exact = np.array([world.organization.product(use.product).server == AUTHORITY for use in world.uses], dtype=bool)
    coarse = ~exact[found["use"].to_numpy()] if len(found) else np.zeros(0, dtype=bool)
    for name in ("at", "end", "due", "told_at", "told_until"):
        values = found[name].to_numpy()
        found[name] = np.where(coarse & (values != NONE), values // SECOND * SECOND, values)
    return found


def starts(world: World, days: Whole, profile: tuple[float, ...]) -> Whole:
    """A time of the wall in each of these days, by how many begin in each hour."""
    weights = np.array(profile)
    hours = world.rng.choice(24, len(days), p=weights / weights.sum())
    return days + hours * HOUR + world.rng.integers(0, HOUR, len(days))


def lengths(world: World, hours: float, count: int, spread: float = 0.8) -> Whole:
    """Lengths with this median, many short and few long, none under half a minute."""
    drawn = world.rng.lognormal(np.log(hours), spread, count) * HOUR
    return np.maximum(drawn, 30 * SECOND).astype(np.int64)


def tries(world: World, mean: float, count: int) -> Whole:
    """How often refused clients try again. Half give up at once."""
    patient = world.rng.random(count) < _PATIENT
    return np.where(patient, np.minimum(world.rng.geometric(1 / (2 * mean), count), _MOST_TRIES), 0).astype(np.int64)


def workdays(world: World, days: Whole) -> Mask:
    holidays = np.array([wall_of(day) for day in world.organization.holidays], dtype=np.int64)
    return is_weekday(days) & ~np.isin(days, holidays)
