"""Who uses what, and how: products with seats, groups with habits, restarts of servers, planted cases, and the organization of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import Clock

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


# The organization that the simulator takes when none is given: some 300 members, four products, one year.
PRO = Product(
    "arcgis-pro",
    AUTHORITY,
    (Feature("Basic", 80), Feature("Standard", 80), Feature("Advanced", 120)),
    (Feature("3DAnalyst", 60), Feature("SpatialAnalyst", 80), Feature("NetworkAnalyst", 40)),
    named=True,
)
DESKTOP = Product("arcgis-desktop", AUTHORITY, (Feature("Advanced", 24),), (Feature("NetworkAnalyst", 6),))
CALCULATION = Product(
    "strucalc",
    FLEXNET,
    (Feature("SUITE", 14), Feature("Analysis", 14)),
    (Feature("Report_Gen", 12), Feature("Solver", 84)),
    version="24.100",
    probed=("Analysis_Cloud", "Telemetry"),
    idle_minutes=60,
)
MODELS = Product("geomodel", RLM, (Feature("modeler", 12),), (Feature("seismic", 3),), version="7.2", probed=("modeler_beta",))

_SUITE = Use("strucalc", ("SUITE", "Analysis"), 1.2)
_OFFICE = OfficeHours(
    uses=(
        Use("arcgis-pro", ("Standard",), 3),
        Use("arcgis-pro", ("Advanced", "SpatialAnalyst"), 1.5),
        Use("arcgis-pro", ("Advanced", "3DAnalyst"), 0.8),
        Use("arcgis-desktop", ("Advanced",), 1.5),
        Use("arcgis-desktop", ("Advanced", "NetworkAnalyst"), 0.4),
        _SUITE,
        Use("strucalc", ("Report_Gen",), 0.5),
        Use("geomodel", ("modeler",), 0.6),
        Use("geomodel", ("modeler", "seismic"), 0.2),
    ),
    borrows=(Use("arcgis-pro", ("Standard",)), Use("geomodel", ("modeler",), 0.3)),
)
_FIELD = FieldCrew(
    uses=(Use("arcgis-pro", ("Advanced",), 2), Use("arcgis-desktop", ("Advanced",)), Use("strucalc", ("Report_Gen",), 0.3)),
    borrows=(Use("arcgis-pro", ("Advanced",), 3), Use("arcgis-desktop", ("Advanced",)), Use("geomodel", ("modeler",), 0.7)),
)
_TERMS = (
    (date(2024, 10, 14), date(2025, 2, 14)),
    (date(2025, 4, 22), date(2025, 7, 25)),
    (date(2025, 10, 13), date(2026, 2, 13)),
)
_STUDENTS = Students(
    uses=(_SUITE, Use("arcgis-desktop", ("Advanced",), 0.5), Use("arcgis-pro", ("Basic",), 1)),
    borrows=(Use("arcgis-pro", ("Basic",)),),
    terms=_TERMS,
)
_BATCH = Batch(uses=(Use("strucalc", ("Solver",), 3), Use("strucalc", ("Solver",), 1, quantity=4)))

PRODUCTS = (PRO, DESKTOP, CALCULATION, MODELS)
GROUPS = (
    Group("office", 176, _OFFICE),
    Group("field", 44, _FIELD),
    Group("students", 70, _STUDENTS),
    Group("batch", 10, _BATCH),
)
BEGINS_ON, DAYS, TIMEZONE = date(2024, 11, 18), 366, "Europe/Berlin"
HOLIDAYS = (
    *(date(2024, 12, day) for day in range(24, 32)),
    *(date(2025, month, day) for month, day in ((1, 1), (4, 18), (4, 21), (5, 1), (5, 29), (6, 9), (10, 3))),
)
# The crash is on a busy morning, and long enough before the last look that whoever was cut would have come back.
RESTARTS = (
    Restart(FLEXNET, date(2025, 3, 2), time(6)),
    Restart(RLM, date(2025, 5, 11), time(5, 30), minutes=5),
    Restart(FLEXNET, date(2025, 7, 6), time(6), minutes=25),
    Restart(FLEXNET, date(2025, 10, 9), time(10, 47), minutes=9, clean=False),
)
PLANTED = Planted()

# The stories of stuck licenses look back so far: a habit must have been there before it is broken.
SHORTEST_WITH_STORIES = 240


@dataclass(frozen=True, slots=True)
class Organization:
    """Groups with habits, products with seats, servers with restarts, and the stuck licenses among them.

    Without arguments: some 300 members, four products and one year. The log covers `days` days from the first minute of
    `begins_on` to the last look, at 14:30 of the day after; times of the wall are those of `timezone`. Raises QuestionInvalid
    where the parts do not fit together.
    """

    groups: tuple[Group, ...] = GROUPS
    products: tuple[Product, ...] = PRODUCTS
    begins_on: date = BEGINS_ON
    days: int = DAYS
    timezone: str = TIMEZONE
    holidays: tuple[date, ...] = HOLIDAYS
    restarts: tuple[Restart, ...] = RESTARTS
    planted: Planted = PLANTED

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
    features_of = {product.name: {feature.name for feature in product.features} for product in asked.products}
    for product in asked.products:
        if product.server not in SERVERS:
            yield f'"{product.server}" is no kind of license server', f"Use one of {', '.join(SERVERS)}."
    for group in asked.groups:
        for use in uses_of(group.habit):
            missing = set(use.features) - features_of.get(use.product, set())
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
