"""A clock that may be wrong or turned back: what is remembered of it, and which time is certain to have passed. Values in, values out.

A workstation remembers the latest time that its clock has shown, and which part of it is in doubt. Time passes surely while the
machine runs, by a count of seconds that nobody sets. What the clock is ahead of that count is either time that passed while the
machine was off, or a clock that was set ahead: the two look alike, so that each such step is held in doubt for a while. When the
clock comes back within that while, the step is taken back, and an honest clock that was wrong is right again without a call to
anybody. When it does not come back, the step is believed, and from then on a clock that shows less was turned back.
"""

from typing import NamedTuple

from verifier import errors
from verifier.core.times import SECONDS_PER_DAY, rfc3339_of

# How far what is brought to a workstation may be ahead of its clock; a borrow states its own tolerance.
CLOCK_TOLERANCE_SECONDS = 86_400
# How long a step of the clock stays in doubt. A day for what may be a night off; a week for more, which may be a wrong date that
# nobody has seen yet; a month for a step while the machine ran, which no time off explains: a journey, or a paused virtual machine.
NIGHT_SECONDS = SECONDS_PER_DAY
ABSENCE_SECONDS = 7 * SECONDS_PER_DAY
SET_SECONDS = 30 * SECONDS_PER_DAY
# Less than this is no step: clocks are read in whole seconds, and run differently by a little.
SMALL_SECONDS = 60
# The count of seconds may run fast by a thousandth, and each of two readings was cut to whole seconds.
COUNT_ERROR = 1000
COUNT_CUT_SECONDS = 2
# A clock that ran fast by this little, or was stepped so by its network, and was set right is not held against anybody; a clock that
# is turned back gains so much, once.
FAST_SECONDS = 900
# A clock that is set to and fro keeps no more than so many steps apart.
MOST_DOUBTS = 16
# An image of the disk and of the memory may be an hour old: what is kept is not written more often.
WRITE_SECONDS = 3600


class Reading(NamedTuple):
    """What a machine says of the time: its clock (`wall`), in seconds since 1970 UTC, and what nobody sets.

    `boot` names this start of the machine, `ticks` are the seconds that it has run since, asleep or not; None where the system
    does not say.
    """

    wall: int
    boot: str | None = None
    ticks: int | None = None


class Doubt(NamedTuple):
    """A step of the clock ahead, in seconds, and how much longer it stays in doubt (`left`, in seconds of the clock)."""

    ahead: int
    left: int


class ClockMemory(NamedTuple):
    """The latest time that the clock showed here (`seen`), when the machine had run for `ticks` seconds of the start `boot`.

    `behind` says that the clock showed a day less than is certain, or more: nothing runs by it, and no time is counted until it
    shows later times again, so that a clock that was believed to be right and was ahead catches up as the days pass.
    """

    seen: int
    boot: str | None
    ticks: int | None
    doubts: tuple[Doubt, ...] = ()
    behind: bool = False

    @property
    def sure(self) -> int:
        """The latest time seen without the steps that are in doubt, in seconds since 1970 UTC."""
        return self.seen - sum(doubt.ahead for doubt in self.doubts)


def follow(memory: ClockMemory | None, reading: Reading, floor: int) -> ClockMemory:
    """What is remembered of the clock after this reading of it.

    Args:
        memory: what was remembered before, None on a machine that remembers nothing.
        reading: what the machine says now.
        floor: the newest signed time known here, in seconds since 1970 UTC: no doubt is left of what lies before it.

    Its `sure` is never earlier than before: where the clock shows less, the count of seconds goes on alone.
    """
    if memory is None:
        memory = ClockMemory(floor, reading.boot, reading.ticks)
    passed = 0 if memory.behind else _passed(memory, reading)
    doubts = _older(memory.doubts, min(max(reading.wall - memory.seen, 0), SECONDS_PER_DAY))
    step = reading.wall - memory.seen - passed
    seen = reading.wall
    if step > SMALL_SECONDS + 2 * passed // COUNT_ERROR:
        doubts = (*doubts, Doubt(step, _window(memory, reading, step)))
    elif step < 0:
        remaining, rest = _less(doubts, -step)
        if rest > SECONDS_PER_DAY:
            # No step that is in doubt explains it: what was remembered stays as it is.
            return _confirmed(ClockMemory(memory.seen + passed, reading.boot, reading.ticks, doubts, behind=True), floor)
        doubts, seen = remaining, reading.wall + rest
    return _confirmed(ClockMemory(seen, reading.boot, reading.ticks, _few(doubts)), floor)


def is_worth_keeping(before: ClockMemory | None, after: ClockMemory) -> bool:
    """True when something changed that must outlive a restart of the machine; time that merely passed is kept once an hour."""
    if before is None or (before.boot, before.behind) != (after.boot, after.behind):
        return True
    if after.seen - before.seen >= WRITE_SECONDS:
        return True
    return [doubt.ahead for doubt in before.doubts] != [doubt.ahead for doubt in after.doubts]


def later(one: ClockMemory | None, other: ClockMemory | None) -> ClockMemory | None:
    """Of two memories of one machine the one by which more time has passed; the first when they are alike."""
    if one is None or other is None:
        return one or other
    return other if other.sure > one.sure else one


def check_not_ahead(signed_at: int, wall: int, tolerance_seconds: int = CLOCK_TOLERANCE_SECONDS) -> None:
    """Raises ClockInDoubt for what was signed further ahead of the clock `wall` than the tolerance (seconds since 1970 UTC).

    One of two clocks is wrong. Once taken it would be a floor under the clock, and refuse every license here until that time
    (fast-forward: theupdateframework/specification #71, #150).
    """
    if signed_at > wall + tolerance_seconds:
        raise errors.ClockInDoubt(
            f"this was signed at {rfc3339_of(signed_at)}, and this machine says it is {rfc3339_of(wall)}",
            hint="Set this machine's clock right, then try again. If it is right, the authority's was ahead when this was made: "
            "install the newest status file first (carnet-authority status-list export), or have a new file made.",
            signed_at=rfc3339_of(signed_at),
            clock_at=rfc3339_of(wall),
        )


def _passed(memory: ClockMemory, reading: Reading) -> int:
    """Seconds that passed at least between the memory and the reading, whatever the clock says.

    After a restart it is how long the machine has run since. Where the system does not tell its starts apart, a count that has
    grown means that at least so much has passed, in the same start or in a later one; one that has shrunk began anew. Within one
    start a count shrinks where a virtual machine's memory was put back: how much has passed then, nobody knows.
    """
    if reading.ticks is None or memory.ticks is None:
        return 0
    is_new = memory.boot != reading.boot or (reading.boot is None and reading.ticks < memory.ticks)
    counted = reading.ticks if is_new else reading.ticks - memory.ticks
    return max(0, counted - counted // COUNT_ERROR - COUNT_CUT_SECONDS)


def _window(memory: ClockMemory, reading: Reading, step: int) -> int:
    if reading.boot is not None and reading.boot == memory.boot:
        return SET_SECONDS
    return NIGHT_SECONDS if step <= NIGHT_SECONDS else ABSENCE_SECONDS


def _older(doubts: tuple[Doubt, ...], seconds: int) -> tuple[Doubt, ...]:
    """The steps that are still in doubt after so many seconds. An absence counts as a day at most: a step says nothing of others."""
    return tuple(Doubt(doubt.ahead, doubt.left - seconds) for doubt in doubts if doubt.left > seconds)


def _less(doubts: tuple[Doubt, ...], back: int) -> tuple[tuple[Doubt, ...], int]:
    """What is in doubt once the clock came back by so many seconds, the newest step first, and what no doubt explains."""
    remaining = list(doubts)
    while remaining and back:
        last = remaining.pop()
        if last.ahead > back:
            remaining.append(Doubt(last.ahead - back, last.left))
            back = 0
        else:
            back -= last.ahead
    return tuple(remaining), back


def _few(doubts: tuple[Doubt, ...]) -> tuple[Doubt, ...]:
    while len(doubts) > MOST_DOUBTS:
        first, second, *others = doubts
        doubts = (Doubt(first.ahead + second.ahead, max(first.left, second.left)), *others)
    return doubts


def _confirmed(memory: ClockMemory, floor: int) -> ClockMemory:
    """The memory once it is known to be at least `floor`: the oldest steps are believed first."""
    missing, remaining = floor - memory.sure, list(memory.doubts)
    while missing > 0 and remaining:
        first = remaining.pop(0)
        if first.ahead > missing:
            remaining.insert(0, Doubt(first.ahead - missing, first.left))
        missing -= first.ahead
    return memory._replace(seen=max(memory.seen, floor), doubts=tuple(remaining))
