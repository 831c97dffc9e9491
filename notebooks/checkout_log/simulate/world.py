"""What the stages of a simulation share: members and their machines, the clock, chance, and the table of wishes (what somebody wants, and when)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from checkout_log.columns import CHECKIN, ENDINGS
from checkout_log.simulate.clock import DAY, HOUR, SECOND, Clock, Mask, Whole, is_weekday, wall_of
from checkout_log.simulate.organization import AUTHORITY, Batch, FieldCrew, OfficeHours, Organization, Students, Use

_GIVEN = (
    "ada ben chloé dina elif finn grete hugo ines jörg kaja luís mina noé olga pavel rosa søren tess uwe vera willem yara zoë"
)
_FAMILY = (
    "arndt berg costa dahl engel fuchs garcía haas ito jansen koch lang møller nowak okafor peters quast rossi silva "
    "toth unger vogel weiß yilmaz zimmer"
)
# Some people call their machine so that a spreadsheet would take it for a formula.
_ODD_ALIASES = ("=HQ-{}", "-kiosk {}", "@home {}")
_IN_A_DOMAIN, _ODD = 0.5, 0.03
_BYTES_OF_A_MACHINE = 16


@dataclass
class People:
    """Members and machines by number. `machines_of` lists the machines of each member, the one in the office first."""

    names: list[str] = field(default_factory=list)
    os_users: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    machines_of: list[list[int]] = field(default_factory=list)
    machine_ids: list[str] = field(default_factory=list)
    aliases: list[str] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    of_group: list[list[int]] = field(default_factory=list)

    def add_machine(self, rng: np.random.Generator, alias: str, host: str) -> int:
        """The number of a new machine; no machine has had its id before."""
        self.machine_ids.append(rng.bytes(_BYTES_OF_A_MACHINE).hex())
        self.aliases.append(alias)
        self.hosts.append(host)
        return len(self.hosts) - 1

    def replace_machine(self, rng: np.random.Generator, old: int, alias: str | None = None) -> int:
        """The number of a machine that takes the place of another: the same alias unless told, and a new id."""
        return self.add_machine(rng, self.aliases[old] if alias is None else alias, f"pc{len(self.hosts):04d}")

    def has_laptop(self, member: int) -> bool:
        """Whether a member has a machine to travel with."""
        return len(self.machines_of[member]) > 1

    def laptop(self, member: int) -> int:
        """The machine that a member travels with."""
        return self.machines_of[member][-1]


def people_of(organization: Organization, rng: np.random.Generator) -> People:
    """Everybody, group by group, with their machines."""
    people = People()
    used: set[str] = set()
    for group in organization.groups:
        members = []
        labs = _lab(people, rng, group.name, group.habit.lab_machines) if isinstance(group.habit, Students) else []
        for number in range(group.members):
            # Only students have names with a space: servers that part their lines at spaces cannot serve such a user.
            spaced = isinstance(group.habit, Students) and number % 7 == 0
            name = f"svc-{group.name}{number + 1:02d}" if isinstance(group.habit, Batch) else _name(rng, used, spaced=spaced)
            members.append(_add_member(people, rng, name, group.name))
            people.machines_of.append(labs or _own_machines(people, rng, name, group.habit))
        people.of_group.append(members)
    return people


def _name(rng: np.random.Generator, used: set[str], *, spaced: bool) -> str:
    first, family = str(rng.choice(_GIVEN.split())), str(rng.choice(_FAMILY.split()))
    name = f"{first.title()} {family.title()}" if spaced else f"{first}.{family}"
    while name in used:
        name = f"{name}{rng.integers(2, 10)}"
    used.add(name)
    return name


def _add_member(people: People, rng: np.random.Generator, name: str, group: str) -> int:
    people.names.append(name)
    people.os_users.append(f"CORP\\{name}" if rng.random() < _IN_A_DOMAIN else name)
    people.groups.append(group)
    return len(people.names) - 1


def _lab(people: People, rng: np.random.Generator, name: str, count: int) -> list[int]:
    return [people.add_machine(rng, f"{name} lab {number + 1}", f"lab-{number + 1:02d}") for number in range(count)]


def _own_machines(
    people: People, rng: np.random.Generator, name: str, habit: OfficeHours | FieldCrew | Batch | Students
) -> list[int]:
    """The machines of one member: nodes for jobs, one in the office, a laptop for who travels."""
    number = len(people.hosts)
    if isinstance(habit, Batch):
        return [people.add_machine(rng, f"node {number + step}", f"node{number + step:04d}") for step in range(3)]
    alias = f"{name} desk"
    if rng.random() < _ODD:
        alias = _ODD_ALIASES[rng.integers(len(_ODD_ALIASES))].format(number)
    machines = [people.add_machine(rng, alias, f"pc{number:04d}")]
    if isinstance(habit, FieldCrew) or (isinstance(habit, OfficeHours) and rng.random() < habit.laptops):
        machines.append(people.add_machine(rng, f"{name} laptop", f"nb{number + 1:04d}"))
    return machines


# No time, and a time that never comes.
NONE, NEVER = -1, 1 << 60
_PATIENT, _MOST_TRIES = 0.5, 60
# One wish: when, until when it is to be held and how that ends (a number in ENDINGS), the due time of a borrow, who, where and
# what, how often a refused client tries again, an event on the way (a renewal to a later due time, or a revocation), the planted
# case that it belongs to, and whether its client dies when the server does.
WISH = ("at", "end", "ending", "due", "member", "machine", "use", "tries", "change_at", "change_until", "case", "dies")


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
    usual: dict[str, Whole | int] = {"ending": ENDINGS.index(CHECKIN), "due": NONE, "change_at": NONE, "change_until": NONE}
    usual |= {"tries": 0, "case": NONE, "dies": 0, "at": world.clock.utc(wall), "end": world.clock.utc(wall_end)}
    wishes = pd.DataFrame(usual | columns, index=range(len(wall)))[list(WISH)].astype(np.int64)
    exact = np.array([world.organization.product(use.product).server == AUTHORITY for use in world.uses], dtype=bool)
    coarse = ~exact[wishes["use"].to_numpy()] if len(wishes) else np.zeros(0, dtype=bool)
    for name in ("at", "end", "due", "change_at", "change_until"):
        values = wishes[name].to_numpy()
        wishes[name] = np.where(coarse & (values != NONE), values // SECOND * SECOND, values)
    return wishes


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
