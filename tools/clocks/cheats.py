"""Tricks with the clock and the state, and what each gains: hours for which a borrow runs beyond its end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tools.clocks.workstation import DAY, EXPIRED, GOOD, HOUR, TURNED_BACK, Workstation
from verifier.core.state import State

BEGINS = 1_767_225_600  # 2026-01-01
BORROW_DAYS = 30
HOURS_OF_WORK = 8
# What still runs then has no end.
LONGEST_DAYS = 365
# What the disk has before `act`: a copy of the state as it was when the borrow was new.
ACTIVATION_DAYS = 14


@dataclass
class Cheat:
    """A machine that is used eight hours a day, and whoever sits before it."""

    machine: Workstation
    copy: State

    @property
    def passed(self) -> int:
        """Seconds since the borrow was made."""
        return self.machine.true - BEGINS

    def turn_back(self, seconds: int) -> None:
        """Sets the clock back by so much."""
        self.machine.error -= seconds

    def set_clock(self, wall: int) -> None:
        """Sets the clock."""
        self.machine.error = wall - self.machine.true


@dataclass(frozen=True)
class Trick:
    """`name` is for the table; `at_start` is done at each start before any application runs, `when_refused` then.

    `checks_all_day` is false where applications ask once, at their start, and run on.
    """

    name: str
    needs: str
    at_start: Callable[[Cheat], None] = lambda _: None
    when_refused: Callable[[Cheat, str], None] = lambda *_: None
    checks_all_day: bool = True


def _back_by(seconds: int) -> Callable[[Cheat, str], None]:
    def trick(cheat: Cheat, verdict: str) -> None:
        if verdict == EXPIRED:
            cheat.turn_back(seconds)

    return trick


def _back_to_yesterday(cheat: Cheat, verdict: str) -> None:
    """As far back as goes without being noticed: the verdict says when it was too far."""
    cheat.turn_back(16 * HOUR if verdict == EXPIRED else -HOUR)


def _stand_still(cheat: Cheat) -> None:
    """The clock goes on where it stood when the machine was turned off, so that nights do not count."""
    memory = cheat.machine.state.clock
    if memory is not None:
        cheat.set_clock(max(memory.seen, memory.sure) + 60)


def _old_folder(cheat: Cheat) -> None:
    """The folder is put back; the second copy is not."""
    cheat.set_clock(BEGINS + DAY)


def _both_copies(cheat: Cheat) -> None:
    cheat.machine.state = replace(cheat.copy)
    cheat.set_clock(BEGINS + DAY)


def _remove_both(cheat: Cheat) -> None:
    cheat.machine.state = State(floor=0)


def _remove_both_and_turn_back(cheat: Cheat) -> None:
    cheat.machine.state = State(floor=0)
    cheat.set_clock(BEGINS + DAY)


TRICKS = (
    Trick("none", ""),
    Trick("clock back by an hour, whenever it is refused", "to set the clock", when_refused=_back_by(HOUR)),
    Trick("clock back by 23 hours, whenever it is refused", "to set the clock", when_refused=_back_by(23 * HOUR)),
    Trick("clock back by a week, once refused", "to set the clock", when_refused=_back_by(7 * DAY)),
    Trick("clock back by a night, whenever it is refused", "to set the clock", when_refused=_back_to_yesterday),
    Trick("clock stands still over each night, from the first day", "to set the clock at each start", _stand_still),
    Trick(
        "the same, and applications that ask once a day",
        "to set the clock at each start",
        _stand_still,
        checks_all_day=False,
    ),
    Trick("an old folder put back at each start, clock back", "to set the clock", _old_folder),
    Trick("both copies removed at each start", "nothing", _remove_both),
    Trick("both copies put back, clock back, at each start", "to set the clock", _both_copies),
    Trick("both copies removed, clock back, at each start", "to set the clock", _remove_both_and_turn_back),
)


@dataclass(frozen=True)
class Gain:
    """Hours of use after the end of the borrow, and how many days after it the last one was; None when that has no end."""

    hours: int
    last_day: int | None


def gain(trick: Trick) -> Gain:
    """What a trick brings on a machine that is used eight hours a day."""
    machine = Workstation(BEGINS, starts=1, ticks=60)
    machine.borrow(BORROW_DAYS)
    cheat = Cheat(machine, replace(machine.state))
    end, last_good, hours = BORROW_DAYS * DAY, 0, 0
    while cheat.passed < LONGEST_DAYS * DAY:
        trick.at_start(cheat)
        is_good = False
        for hour in range(HOURS_OF_WORK):
            if hour == 0 or trick.checks_all_day:
                is_good = _is_good(cheat, trick)
            if is_good:
                last_good = cheat.passed
                hours += cheat.passed >= end
            machine.run(HOUR)
        machine.start((24 - HOURS_OF_WORK) * HOUR)
        if cheat.passed - last_good > 60 * DAY:
            return Gain(hours, max(0, -((end - last_good) // DAY)))
    return Gain(hours, None)


def _is_good(cheat: Cheat, trick: Trick) -> bool:
    """Whether the application runs, perhaps after the trick was tried a few times."""
    for _ in range(30):
        verdict = _verdict(cheat)
        if verdict == GOOD:
            return True
        before = cheat.machine.error
        trick.when_refused(cheat, verdict)
        if cheat.machine.error == before:
            return False
    return False


def _verdict(cheat: Cheat) -> str:
    """What a check says, the date of activation included: a token that the state does not know of must be new by the clock."""
    is_known = cheat.machine.state.clock is not None
    verdict = cheat.machine.check()
    if verdict == GOOD and not is_known and cheat.machine.wall >= BEGINS + ACTIVATION_DAYS * DAY:
        return TURNED_BACK
    return verdict
