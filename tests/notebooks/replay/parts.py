"""What the player of an organization keeps in mind: machines, uses, refusals, and how an authority is made ready for them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from authority.domain.members import CONSOLE
from authority.domain.sessions import SessionSettings
from authority.services import organization_settings, policies
from authority.services.unit import Unit
from checkout_log.simulate.plan import NO_CASE
from checkout_log.simulate.world import World
from tests.support.authorities import Bench
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.identity import MachineMark

# How long a session lasts without use, and how often a client that runs uses it.
SESSION_LASTS, CLIENT_RENEWS = timedelta(hours=4), timedelta(hours=3, minutes=40)


@dataclass
class Workstation(SimulatedWorkstation):
    """A machine whose id does not follow from its name, since a machine made anew keeps its name."""

    machine_id: str = ""

    @property
    def machine(self) -> MachineMark:
        return MachineMark(self.machine_id, "simulated", None)


@dataclass
class Use:
    """One use of a license as its user knows it; without an end it goes on."""

    handle: str
    mode: str
    product: str
    features: tuple[str, ...]
    member: str
    machine: str
    alias: str
    start: datetime
    case: int
    until: datetime | None = None
    end: datetime | None = None
    ended_by: str = "open"
    # Of a session: when it was used last, when its client uses it again, and how many programs of the user are on it.
    used_at: datetime | None = None
    uses_at: datetime | None = None
    programs: int = 1
    # Of a borrow: the newest file that the machine has, and when an administrator withdrew it.
    file: bytes = b""
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Refused:
    """One request that was refused: for each of the features there is a row in the log."""

    at: datetime
    mode: str
    product: str
    features: tuple[str, ...]
    member: str
    machine: str
    reason: str


@dataclass
class Replay:
    """What came of it. `most_seats` are the seats in use at most, by the authority's own count, of each concurrent feature."""

    bench: Bench
    now: datetime
    uses: list[Use] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    most_seats: dict[tuple[str, str], int] = field(default_factory=dict)

    def of_case(self, case: int) -> Use:
        """The use that a story is about."""
        return next(use for use in self.uses if use.case == case)


@dataclass(frozen=True)
class Act:
    """What an administrator does in a story: when (on the wall), what, to whom, and in which story."""

    wall: int
    what: str
    member: int
    case: int = NO_CASE


def open_for_use(bench: Bench, longest_days: int = 365) -> None:
    """Lets members borrow for so long, and keeps sessions for SESSION_LASTS."""
    minutes = SESSION_LASTS // timedelta(minutes=1)
    # The simulator gives a seat back with the checkin; of the real one a grant may run for a while.
    organization_settings.change(Unit(bench.authority, CONSOLE), SessionSettings, {"minutes": minutes, "grant_minutes": 1})
    policies.change(
        Unit(bench.authority, CONSOLE), "organization", "", "", allowed=True, longest_days=longest_days, default_days=7
    )


def account(name: str, number: int) -> str:
    """A user name of the authority, which has ASCII letters and no spaces; without its accents a name may not be the only one."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"{plain.replace(' ', '.')}-{number}"


def moment(at: int) -> datetime:
    """Whole microseconds since 1970 as an aware time."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)


def micros(at: datetime) -> int:
    """An aware time as whole microseconds since 1970."""
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def licensed(world: World) -> Callable[[dict[str, Any]], None]:
    """Puts the products of a simulated organization into the specification of an authorization."""

    def change(specification: dict[str, Any]) -> None:
        specification["products"] = [
            {
                "id": product.name,
                "name": product.name,
                "mode": "named" if product.named else "concurrent",
                "levels": [level.name for level in product.levels],
                "seats": {level.name: level.seats for level in product.levels},
                "extensions": {extension.name: extension.seats for extension in product.extensions},
                "until": None,
            }
            for product in world.organization.products
        ]
        names = [product.name for product in world.organization.products]
        specification["user_types"] = {"GIS Professional": {"includes": {}, "may_hold": names}}

    return change
