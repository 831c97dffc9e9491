"""The members of an organization, and the machines that they use."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from checkout_log.simulate.organization import Organization
from checkout_log.simulate.parts import Batch, FieldCrew, OfficeHours, Students

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
    found = People()
    used: set[str] = set()
    for group in organization.groups:
        members = []
        labs = _lab(found, rng, group.name, group.habit.lab_machines) if isinstance(group.habit, Students) else []
        for number in range(group.members):
            # Only students have names with a space: servers that part their lines at spaces cannot serve such a user.
            spaced = isinstance(group.habit, Students) and number % 7 == 0
            name = f"svc-{group.name}{number + 1:02d}" if isinstance(group.habit, Batch) else _name(rng, used, spaced=spaced)
            members.append(_add_member(found, rng, name, group.name))
            found.machines_of.append(labs or _own_machines(found, rng, name, group.habit))
        found.of_group.append(members)
    return found


def _name(rng: np.random.Generator, used: set[str], *, spaced: bool) -> str:
    given, family = str(rng.choice(_GIVEN.split())), str(rng.choice(_FAMILY.split()))
    name = f"{given.title()} {family.title()}" if spaced else f"{given}.{family}"
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
    found = [people.add_machine(rng, alias, f"pc{number:04d}")]
    if isinstance(habit, FieldCrew) or (isinstance(habit, OfficeHours) and rng.random() < habit.laptops):
        found.append(people.add_machine(rng, f"{name} laptop", f"nb{number + 1:04d}"))
    return found
