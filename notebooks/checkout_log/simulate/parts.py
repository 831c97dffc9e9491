"""What an organization is made of: products with seats, habits of groups, restarts of servers, and planted cases."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date, time

AUTHORITY, FLEXNET, RLM = "authority", "flexnet", "rlm"
SERVERS = (AUTHORITY, FLEXNET, RLM)


@dataclass(frozen=True, slots=True)
class Feature:
    """A level or an extension, and its seats."""

    name: str
    seats: int


@dataclass(frozen=True, slots=True)
class Product:
    """What is licensed: by which kind of server, with levels (low to high) and extensions.

    named: licenses belong to members, so nobody is refused; else they are a pool.
    probed: features that clients ask for though they are not served.
    idle_minutes: after so long without use the server takes a session back.
    """

    name: str
    server: str
    levels: tuple[Feature, ...]
    extensions: tuple[Feature, ...] = ()
    named: bool = False
    version: str = "1.0"
    probed: tuple[str, ...] = ()
    idle_minutes: int | None = None

    @property
    def features(self) -> tuple[Feature, ...]:
        """Levels, then extensions."""
        return (*self.levels, *self.extensions)


@dataclass(frozen=True, slots=True)
class Use:
    """What one start takes: `quantity` seats of each of these features. The weight says how often, beside others."""

    product: str
    features: tuple[str, ...]
    weight: float = 1.0
    quantity: int = 1


@dataclass(frozen=True, slots=True)
class OfficeHours:
    """Monday to Friday by day, with a lunch dip, vacations and sick days; some have a laptop and borrow for short trips."""

    uses: tuple[Use, ...]
    borrows: tuple[Use, ...]
    sessions_a_day: float = 1.2
    session_hours: float = 2.0
    laptops: float = 0.35
    trips_a_year: float = 3.0
    overnight: float = 0.01
    tries: float = 3.0


@dataclass(frozen=True, slots=True)
class FieldCrew:
    """Borrow for days or weeks, and mostly return in time; between two trips a day or two in the office."""

    uses: tuple[Use, ...]
    borrows: tuple[Use, ...]
    shortest_days: int = 5
    longest_days: int = 30
    days_between: float = 14.0
    lapsing: float = 0.05
    renewing: float = 0.1
    tries: float = 3.0


@dataclass(frozen=True, slots=True)
class Students:
    """By day and in the evening while a term lasts (first and last day), on the machines of a lab; then silence."""

    uses: tuple[Use, ...]
    borrows: tuple[Use, ...]
    terms: tuple[tuple[date, date], ...]
    sessions_a_week: float = 4.0
    session_hours: float = 1.5
    lab_machines: int = 40
    tries: float = 8.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Jobs of service accounts, mostly by night: long, with many handles from one host, ended by the scheduler at a limit."""

    uses: tuple[Use, ...]
    jobs_a_night: float = 1.6
    job_hours: float = 6.0
    longest_hours: int = 96
    most_handles: int = 8
    tries: float = 8.0


Habit = OfficeHours | FieldCrew | Students | Batch


@dataclass(frozen=True, slots=True)
class Group:
    """Members with one habit."""

    name: str
    members: int
    habit: Habit


@dataclass(frozen=True, slots=True)
class Restart:
    """A license server stops at a time of the wall and comes back. Clean: it takes every session back first; else a crash."""

    server: str
    on: date
    at: time
    minutes: int = 10
    clean: bool = True


@dataclass(frozen=True, slots=True)
class Planted:
    """How many cases of each cause of a stuck license there are, and how many of each kind that only looks like one."""

    overdue: int = 6
    outlier: int = 6
    holder_inactive: int = 6
    machine_gone: int = 6
    cut_by_restart: int = 6
    over_long_borrow: int = 6
    look_alikes: int = 3

    def is_any(self) -> bool:
        """Whether there is a case at all."""
        return any(getattr(self, field.name) for field in fields(self))


NOTHING_PLANTED = Planted(0, 0, 0, 0, 0, 0, 0)


def uses_of(habit: Habit) -> tuple[Use, ...]:
    """Everything that a habit starts or borrows."""
    return habit.uses if isinstance(habit, Batch) else (*habit.uses, *habit.borrows)
