"""Measuring: medians of interleaved runs, so that a machine that slows down slows both sides."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Sequence


def per_call_microseconds(calls: Sequence[Callable[[], object]], *, rounds: int = 30, each: int = 100) -> list[float]:
    """The median time of each call in microseconds, the calls taking turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for found, call in zip(taken, calls, strict=True):
            began = time.perf_counter()
            for _ in range(each):
                call()
            found.append((time.perf_counter() - began) / each * 1e6)
    return [statistics.median(found) for found in taken]


def process_milliseconds(commands: Sequence[Sequence[str]], *, rounds: int = 15) -> list[float]:
    """The median time of each command as a whole process in milliseconds, the commands taking turns."""
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds):
        for found, command in zip(taken, commands, strict=True):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            found.append((time.perf_counter() - began) * 1e3)
    return [statistics.median(found[1:]) for found in taken]
