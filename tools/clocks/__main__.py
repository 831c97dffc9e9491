"""Simulates honest machines over years and cheats over one borrow, and prints what the documentation says of both.

python -m tools.clocks [--years 10000] [--processes 2]
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections import Counter
from itertools import repeat

from tools.clocks import cheats, honest

PART = 100


def main() -> int:
    """Prints two tables in Markdown. Returns 1 when an honest user was refused, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.clocks", description="Honest clocks over years, and tricks with clocks."
    )
    parser.add_argument(
        "--years", type=int, default=10_000, help="machine-years; a multiple of 100 has the shares of the table"
    )
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    arguments = parser.parse_args()
    refused = print_honest(arguments.years, arguments.processes)
    print_cheats()
    return 1 if refused else 0


def print_honest(years: int, processes: int) -> int:
    """Prints a row for each kind of machine. Returns how many checks were refused wrongly."""
    totals: dict[str, Counter[str]] = {habit.name: Counter() for habit in honest.HABITS}
    with multiprocessing.Pool(processes) as pool:
        for part in pool.starmap(honest.years, zip(repeat(PART), range(0, years, PART))):
            for name, counts in part.items():
                totals[name].update(counts)
    columns = ("years", honest.CHECKS, honest.FALSE, honest.CLOCK_SAYS_SO, honest.WRONG_CLOCK)
    _row("machine", *columns)
    _row(*["---"] * (1 + len(columns)))
    for name, counts in totals.items():
        _row(name, *(f"{counts[column]:,}" for column in columns))
    return sum(counts[honest.FALSE] for counts in totals.values())


def print_cheats() -> None:
    """Prints a row for each trick."""
    print()
    _row("trick", "needs", "hours of use gained", "last use")
    _row(*["---"] * 4)
    for trick in cheats.TRICKS:
        gain = cheats.gain(trick)
        last = "no end" if gain.last_day is None else f"{gain.last_day} days after the end"
        hours = f"{gain.hours / cheats.LONGEST_DAYS:.1f} a day" if gain.last_day is None else str(gain.hours)
        _row(trick.name, trick.needs or "nothing", hours, last)


def _row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
