"""A machine's clock in the hands of a test: it runs, is set, and the machine is started anew."""

from __future__ import annotations

import os
import time

import pytest

from verifier.workstation import clock


class MachineClock:
    """What the machine says in place of this one's: its clock, its start, and for how long it has run since."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, wall: int) -> None:
        self.wall = wall
        self.ticks = 100
        self.starts = 1
        monkeypatch.setattr(time, "time", lambda: float(self.wall))
        monkeypatch.setattr(clock, "_ticks", lambda: self.ticks)
        # What is written here need not outlive a loss of power.
        monkeypatch.setattr(os, "fsync", lambda _: None)
        monkeypatch.setattr(clock, "_boot", lambda: f"start-{self.starts}")

    def run(self, seconds: int) -> None:
        """The machine runs or sleeps for so long."""
        self.wall += seconds
        self.ticks += seconds

    def set(self, wall: int) -> None:
        """Somebody sets the clock."""
        self.wall = wall

    def restart(self, off: int) -> None:
        """The machine is off for so long, and runs again for half a minute."""
        self.wall += off + 30
        self.ticks = 30
        self.starts += 1
