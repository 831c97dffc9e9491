"""Years of honest machines: what happens to their clocks, and how often somebody is refused who should not be."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tools.clocks.workstation import DAY, GOOD, HOUR, Workstation

BEGINS = 1_767_225_600  # 2026-01-01
MINUTE = 60
BATTERY_DATE = 1_262_304_000  # 2010-01-01, as a board has it
FALSE, WRONG_CLOCK, CLOCK_SAYS_SO, CHECKS = (
    "refused wrongly",
    "clock wrong by more than a day",
    "ended by its own clock",
    "checks",
)


@dataclass(frozen=True)
class Habit:
    """How a kind of machine is used: what each of its days does, and how many of a hundred machines are of the kind."""

    name: str
    share: int
    day: Callable[[Life], Iterator[None]]


class Life:
    """One machine over its days. Each `yield` of a day is a moment at which somebody starts an application."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - the same lives each time
        self.machine = Workstation(BEGINS + self.random.randrange(300 * DAY))
        self.drift = self.random.uniform(-9, 9)  # seconds a day (a hundred millionths), until the clock is set
        self.has_network = self.happens(0.5)
        self.zone = self.random.choice([-11, -8, -5, -3, 1, 2, 5, 8, 9, 13])
        self.number = 0

    def happens(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random.random() < share

    def set_right(self) -> None:
        """The network's time, or a person, sets the clock, a little wrong."""
        self.machine.error = round(self.random.gauss(0, 1)) if self.has_network else round(self.random.gauss(0, 60))

    def step(self) -> None:
        """The clock is set by a step of up to a quarter of an hour, and right again at the next one."""
        self.machine.error += self.random.randint(-15 * MINUTE, 15 * MINUTE)

    def work(self, hours: float) -> Iterator[None]:
        """Hours of work, with applications started now and then; the clock drifts or is corrected."""
        rest = round(hours * HOUR)
        while rest > 0:
            seconds = min(rest, self.random.randint(10 * MINUTE, 5 * HOUR))
            self.machine.run(seconds)
            self.machine.error += round(self.drift * seconds / DAY + self.random.random() - 0.5)
            rest -= seconds
            if self.has_network and self.happens(0.3):
                self.set_right()
            if self.happens(0.01):
                self.step()
            yield


def _night(life: Life) -> int:
    """Seconds off until the next working day, with holidays now and then."""
    life.number += 1
    off = round(life.random.uniform(13, 16) * HOUR)
    if life.number % 5 == 0:
        off += 2 * DAY
    if life.happens(0.01):
        off += life.random.randint(5, 25) * DAY
    return off


def desktop(life: Life) -> Iterator[None]:
    """Off over night and at weekends."""
    yield from life.work(life.random.uniform(6, 10))
    life.machine.start(_night(life))
    yield


def laptop(life: Life) -> Iterator[None]:
    """Asleep over night, off now and then; now and then on a journey, with the clock set in place of the zone."""
    machine = life.machine
    yield from life.work(life.random.uniform(4, 10))
    if life.happens(0.2):
        machine.start(_night(life))
    else:
        machine.run(_night(life))
    yield
    if life.happens(0.02):
        zone = life.random.randint(-12, 14) * HOUR
        machine.error += zone
        for _ in range(life.random.randint(2, 20)):
            yield from life.work(6)
            machine.run(16 * HOUR)
            if life.has_network and life.happens(0.3):
                machine.error = zone
            yield
        life.set_right()
        yield


def always_on(life: Life) -> Iterator[None]:
    """Never off but for a restart a month; hibernates for weeks now and then."""
    yield from life.work(24)
    if life.happens(1 / 30):
        life.machine.start(5 * MINUTE)
        yield
    if life.happens(1 / 500):
        life.machine.run(life.random.randint(10, 60) * DAY)
        yield


def virtual(life: Life) -> Iterator[None]:
    """A virtual machine, paused over night, its clock late by that until the host sets it; now and then its memory is put back."""
    yield from life.work(life.random.uniform(6, 10))
    pause = life.random.randint(10, 30) * DAY if life.happens(0.01) else _night(life)
    life.machine.pause(pause)
    life.machine.error -= pause
    if life.happens(0.5):
        yield
    life.machine.run(life.random.randint(1, 10) * MINUTE)
    life.set_right()
    yield
    if life.happens(0.01):
        # The state lies on a disk that goes on.
        life.machine.put_back(life.random.randint(1, life.machine.ticks))
        if life.happens(0.5):
            yield
        life.set_right()
        yield


def dual_boot(life: Life) -> Iterator[None]:
    """Two systems, one with the clock of the board in local time: hours wrong after the other one ran, an hour more in summer."""
    machine = life.machine
    zone = (life.zone + (1 if life.number // 130 % 2 else 0)) * HOUR
    yield from life.work(life.random.uniform(3, 9))
    machine.start(_night(life))
    if life.happens(0.4):
        machine.error += zone
        yield
        machine.run(life.random.randint(1, 30) * MINUTE)
        if life.has_network:
            life.set_right()
            yield
        else:
            # Without a network it stays so for the session, and the other system sets it back.
            yield from life.work(life.random.uniform(3, 9))
            machine.start(_night(life))
            machine.error -= zone
    yield


def dead_battery(life: Life) -> Iterator[None]:
    """Each start shows the date of the board until somebody sets the clock."""
    machine = life.machine
    yield from life.work(life.random.uniform(6, 10))
    machine.start(_night(life))
    machine.error = BATTERY_DATE - machine.true
    yield
    machine.run(life.random.randint(1, 60) * MINUTE)
    life.set_right()
    yield


def wrong_date(life: Life) -> Iterator[None]:
    """A desktop on which somebody sets a wrong day, month or year now and then, and somebody sees it within some days."""
    yield from desktop(life)
    if life.happens(0.01):
        life.machine.error += life.random.choice([-365, -30, -7, -1, 1, 2, 7, 30, 31, 365, 3650]) * DAY
        yield
        corrected_at = life.machine.true + round(min(life.random.expovariate(1 / DAY), 6 * DAY))
        while life.machine.true < corrected_at:
            yield from desktop(life)
        life.set_right()
        yield


HABITS = (
    Habit("off over night", 40, desktop),
    Habit("laptop, with journeys", 25, laptop),
    Habit("always on, hibernating", 10, always_on),
    Habit("virtual, paused", 10, virtual),
    Habit("two systems, local time", 5, dual_boot),
    Habit("dead battery", 5, dead_battery),
    Habit("wrong date now and then", 5, wrong_date),
)


def machine_year(habit: Habit, seed: int) -> Counter[str]:
    """A year of one machine: checks, and refusals by why they were."""
    life = Life(seed)
    machine, counts = life.machine, Counter[str]()
    end, machine.ticks, machine.starts = machine.true + 365 * DAY, 30, 1
    life.set_right()
    while machine.true < end:
        for _ in habit.day(life):
            if machine.true >= machine.ends_at and abs(machine.error) <= DAY:
                machine.borrow(life.random.choice([1, 7, 14, 30]))
            counts[CHECKS] += 1
            counts.update(_fault(machine, machine.check()))
    return counts


def _fault(machine: Workstation, verdict: str) -> list[str]:
    """Why a refusal was wrong, or whose clock was; nothing for what is right."""
    if verdict == GOOD or machine.true >= machine.ends_at:
        return []
    if abs(machine.error) > DAY:
        return [WRONG_CLOCK]
    return [CLOCK_SAYS_SO] if machine.wall >= machine.ends_at else [FALSE]


def years(count: int, first_seed: int = 0) -> dict[str, Counter[str]]:
    """So many machine-years, by kind of machine, in the shares that `HABITS` has."""
    result: dict[str, Counter[str]] = {}
    for number in range(count):
        seed = first_seed + number
        mark, place = seed % 100, 0
        for habit in HABITS:
            place += habit.share
            if mark < place:
                totals = result.setdefault(habit.name, Counter())
                totals.update(machine_year(habit, seed))
                totals["years"] += 1
                break
    return result
