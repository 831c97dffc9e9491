"""A machine whose clock is in the hands of a test."""

from __future__ import annotations

import pytest

from tests.support.chains import START
from tests.support.machine_clock import MachineClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> MachineClock:
    """The clock of this machine, which shows when the chains of tests begin."""
    return MachineClock(monkeypatch, START)
