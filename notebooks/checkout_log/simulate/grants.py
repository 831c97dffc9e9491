"""What the servers answered: who got a seat and until when, who was refused, and what a restart cut off."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from checkout_log.columns import ENDINGS
from checkout_log.simulate.clock import MINUTE, SECOND, Whole, wall_of
from checkout_log.simulate.world import NEVER, NONE, World

# What happens first when two things happen at once: seats come back before they are given, and a server stops before that.
_STOP, _RETURN, _REQUEST = 0, 1, 2
# A refused client asks again after 30 to 90 s.
_SOONEST, _LATEST = 30, 90
# A client whose session was cut asks until it has one again.
_STUBBORN = 10_000
OPEN, RESTART, SHUTDOWN = ENDINGS.index("open"), ENDINGS.index("restart"), ENDINGS.index("shutdown")


@dataclass(frozen=True, slots=True)
class Stop:
    """A server that stopped and came back: times in UTC, and whether it took its sessions back first."""

    server: str
    down_at: int
    up_at: int
    clean: bool


@dataclass
class Granted:
    """Sessions (`wish`, `start`, `end`, `ending` as a number in ENDINGS) and denials (`at`, `wish`, `pool`: a number in `Pools`); times in UTC."""

    sessions: pd.DataFrame
    denials: pd.DataFrame


@dataclass
class Pools:
    """The seats of every feature of every product, by number."""

    names: list[tuple[str, str]] = field(default_factory=list)
    seats: list[int] = field(default_factory=list)
    of_use: list[list[int]] = field(default_factory=list)

    @classmethod
    def of(cls, world: World) -> Pools:
        """The pools of an organization, and which of them each use takes from."""
        pools = cls()
        for product in world.organization.products:
            for feature in product.features:
                pools.names.append((product.name, feature.name))
                pools.seats.append(feature.seats)
        pools.of_use = [[pools.names.index((use.product, name)) for name in use.features] for use in world.uses]
        return pools


def stops(world: World) -> list[Stop]:
    """The restarts that fall into the time of the log, in order."""
    stops_of_all = []
    for restart in world.organization.restarts:
        down = world.clock.utc_of(wall_of(datetime.combine(restart.on, restart.at)))
        stop = Stop(restart.server, down, down + restart.minutes * MINUTE, restart.clean)
        if world.clock.utc_of(world.begin) < stop.down_at and stop.up_at < world.now:
            stops_of_all.append(stop)
    return sorted(stops_of_all, key=lambda stop: stop.down_at)


def granted(world: World, wishes: pd.DataFrame) -> Granted:
    """The answers to these wishes: at once for licenses of members, one after the other where seats are a pool."""
    is_named = np.array([world.organization.product(use.product).named for use in world.uses])[wishes["use"]]
    named = wishes.index[is_named].to_numpy()
    mine = wishes.loc[is_named]
    sessions = pd.DataFrame({"wish": named, "start": mine["at"], "end": mine["end"], "ending": mine["ending"]})
    counter = _Counter(world, wishes)
    counter.serve(wishes.index[~is_named].to_numpy())
    sessions_of_all = pd.concat([sessions, pd.DataFrame(counter.sessions, columns=list(sessions.columns))], ignore_index=True)
    sessions_of_all = sessions_of_all.astype(np.int64)
    is_open = sessions_of_all["end"] > world.now
    sessions_of_all.loc[is_open, "ending"] = OPEN
    sessions_of_all.loc[is_open, "end"] = world.now
    return Granted(sessions_of_all, pd.DataFrame(counter.denials, columns=["at", "wish", "pool"]).astype(np.int64))


class _Counter:
    """The counter at which requests for seats of pools are served, one after the other, in order of time."""

    def __init__(self, world: World, wishes: pd.DataFrame) -> None:
        self.world, self.rng, self.now = world, world.rng, world.now
        self.pools = Pools.of(world)
        self.taken = [0] * len(self.pools.names)
        self.wish = {str(name): wishes[name].tolist() for name in ("at", "end", "ending", "due", "use", "tries", "dies")}
        self.quantity = [use.quantity for use in world.uses]
        self.server = [world.organization.product(use.product).server for use in world.uses]
        self.up_at: dict[str, int] = {}
        self.held: dict[int, tuple[int, int, int]] = {}
        self.sessions: list[tuple[int, int, int, int]] = []
        self.denials: list[tuple[int, int, int]] = []
        # A thing to do: when, its rank, its number, the session, stop or wish that it is about, and what is left of it.
        self.agenda: list[tuple[int, int, int, int, int, int]] = []
        self.numbers = 0

    def serve(self, numbers: Whole) -> None:
        """Serves these wishes, and everything that follows from them, until the last look."""
        restarts = stops(self.world)
        for number in numbers.tolist():
            self._plan(self.wish["at"][number], _REQUEST, number, self.wish["end"][number], self.wish["tries"][number])
        for number, stop in enumerate(restarts):
            self._plan(stop.down_at, _STOP, number)
        while self.agenda and self.agenda[0][0] <= self.now:
            at, rank, _, about, end, tries = heapq.heappop(self.agenda)
            if rank == _RETURN:
                self._finish(about, at, None)
            elif rank == _STOP:
                self._stop(restarts[about])
            else:
                self._answer(at, about, end, tries)
        for session in list(self.held):
            self._finish(session, NEVER, OPEN)

    def _plan(self, at: int, rank: int, about: int, end: int = 0, tries: int = 0) -> None:
        self.numbers += 1
        heapq.heappush(self.agenda, (at, rank, self.numbers, about, end, tries))

    def _answer(self, at: int, wish: int, end: int, tries: int) -> None:
        """Gives the seats, or refuses and lets the client try again."""
        use = self.wish["use"][wish]
        up_at = self.up_at.get(self.server[use], NONE)
        if at < up_at:
            self._plan(up_at + self._seconds(5, 120), _REQUEST, wish, end, tries)
            return
        needed, quantity = self.pools.of_use[use], self.quantity[use]
        full = next((pool for pool in needed if self.taken[pool] + quantity > self.pools.seats[pool]), None)
        if full is None:
            self._give(at, wish, end)
            return
        self.denials.append((at, wish, full))
        if tries > 0:
            wait = self._seconds(_SOONEST, _LATEST)
            # A session begins later and is as long; the due time of a borrow stays.
            later = end if self.wish["due"][wish] != NONE or end >= NEVER else end + wait
            self._plan(at + wait, _REQUEST, wish, later, tries - 1)

    def _give(self, at: int, wish: int, end: int) -> None:
        self.numbers += 1
        use = self.wish["use"][wish]
        for pool in self.pools.of_use[use]:
            self.taken[pool] += self.quantity[use]
        self.held[self.numbers] = (wish, at, end)
        self._plan(max(end, at + SECOND), _RETURN, self.numbers)

    def _finish(self, session: int, at: int, ending: int | None) -> None:
        """Takes the seats back, unless a restart did so before."""
        if session not in self.held:
            return
        wish, start, _ = self.held.pop(session)
        use = self.wish["use"][wish]
        for pool in self.pools.of_use[use]:
            self.taken[pool] -= self.quantity[use]
        self.sessions.append((wish, start, at, self.wish["ending"][wish] if ending is None else ending))

    def _stop(self, stop: Stop) -> None:
        """Ends every session of a server; its clients come back soon after, other than those that died. Borrows stay."""
        self.up_at[stop.server] = stop.up_at
        for session, (wish, _, end) in list(self.held.items()):
            if self.server[self.wish["use"][wish]] != stop.server or self.wish["due"][wish] != NONE:
                continue
            self._finish(session, stop.down_at, SHUTDOWN if stop.clean else RESTART)
            if stop.clean or not self.wish["dies"][wish]:
                back = stop.up_at + self._seconds(5, 120)
                self._plan(back, _REQUEST, wish, max(end, back + 10 * MINUTE), _STUBBORN)

    def _seconds(self, low: int, high: int) -> int:
        return int(self.rng.integers(low, high + 1)) * SECOND
