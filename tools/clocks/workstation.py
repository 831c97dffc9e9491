"""A workstation of the simulation: its clock, its count of seconds, and what it remembers, by the verifier's own rules."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from verifier.core import steps
from verifier.core.clock import Reading
from verifier.core.state import State
from verifier.errors import ClockTurnedBack

HOUR, DAY = 3600, 86_400
TOLERANCE = DAY
GOOD, EXPIRED, TURNED_BACK = "good", "expired", "clock-turned-back"


@dataclass
class Workstation:
    """`true` is the time that it is; the clock is wrong by `error` seconds. `kept` is what the disk has of the state."""

    true: int
    error: int = 0
    ticks: int = 0
    starts: int = 0
    state: State = field(default_factory=State)
    issued_at: int = 0
    ends_at: int = 0

    @property
    def wall(self) -> int:
        """What the clock shows."""
        return max(0, self.true + self.error)

    def run(self, seconds: int) -> None:
        """It runs or sleeps."""
        self.true += seconds
        self.ticks += seconds

    def pause(self, seconds: int) -> None:
        """A virtual machine is paused: its count of seconds stands still."""
        self.true += seconds

    def put_back(self, seconds: int) -> None:
        """A virtual machine's memory is that of so many seconds ago: its count, and its clock until the host sets it."""
        self.ticks -= seconds
        self.error -= seconds

    def start(self, off: int) -> None:
        """It was off for so long, and has run for half a minute."""
        self.true += off + 30
        self.ticks = 30
        self.starts += 1

    def borrow(self, days: int) -> None:
        """A borrow of now, by the authority's clock, which is right, is installed."""
        self.issued_at, self.ends_at = self.true, self.true + days * DAY
        state = replace(self.state, floor=max(self.state.floor, self.issued_at))
        state.follow(self._reading(), self.issued_at)
        self.state = state

    def check(self) -> str:
        """What `verifier.check` says of the time: by steps 6 of the verifier, over a state that is kept as it keeps it."""
        state, reading = replace(self.state), self._reading()
        if state.follow(reading, self.issued_at):
            self.state = state
        try:
            at = steps.judged_at(reading.wall, max(self.issued_at, state.floor), TOLERANCE, sure=state.sure)
        except ClockTurnedBack:
            return TURNED_BACK
        return GOOD if at < self.ends_at else EXPIRED

    def _reading(self) -> Reading:
        return Reading(self.wall, str(self.starts), self.ticks)
