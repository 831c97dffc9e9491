"""A small share of `make simulate`: honest machines are never refused for their clocks, and tricks gain what the page says."""

from __future__ import annotations

from tests.support.chains import DAY
from tools.clocks import cheats, honest

# Of each habit so many machine-years.
YEARS = 2


def test_no_honest_machine_is_refused_for_its_clock() -> None:
    wrong = {}
    for habit in honest.HABITS:
        for seed in range(YEARS):
            counts = honest.machine_year(habit, seed)
            assert counts[honest.CHECKS] > 500
            wrong[habit.name, seed] = counts[honest.FALSE]
    assert not any(wrong.values()), wrong


def test_the_simulator_counts_a_wrong_refusal_when_there_is_one() -> None:
    """A machine whose memory of the clock is of the future is refused while its clock is right."""
    life = honest.Life(1)
    machine = life.machine
    machine.borrow(30)
    machine.error = 100 * DAY
    for _ in range(40):
        machine.check()
        machine.start(DAY)
    machine.error = 0
    machine.ends_at = machine.true + DAY
    assert honest._fault(machine, machine.check()) == [honest.FALSE]


def test_each_trick_gains_no_more_than_the_page_says() -> None:
    gains = {trick.name: cheats.gain(trick) for trick in cheats.TRICKS}
    no_end = {name for name, gain in gains.items() if gain.last_day is None}
    assert gains["none"].hours == 0
    assert gains["both copies removed at each start"].hours == 0
    assert max(gain.hours for name, gain in gains.items() if name.startswith("clock back")) <= 24
    assert all("at each start" in name or "once a day" in name for name in no_end), no_end
    # Nights do not count for it, and all that it runs does: three times the days, for eight hours of 24.
    still = gains["clock stands still over each night, from the first day"]
    assert still.last_day is not None
    assert still.hours <= 2 * cheats.BORROW_DAYS * cheats.HOURS_OF_WORK * 1.25
