"""Measuring: medians of interleaved runs, so that a machine that slows down slows both sides."""

from __future__ import annotations

import multiprocessing
import pickle
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Taken:
    """What a call gave, unless that was written to a file, and what it took: seconds, those of processor time, megabytes at most."""

    result: Any
    seconds: float
    processor_seconds: float
    megabytes: float


def per_call_microseconds(
    calls: Sequence[Callable[[], object]],
    *,
    rounds: int = 30,
    each: int = 100,
    clock: Callable[[], float] = time.perf_counter,
) -> list[float]:
    """The median time of each call in microseconds by a clock in seconds, the calls taking turns."""
    taken: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()
    for _ in range(rounds):
        for times, call in zip(taken, calls, strict=True):
            began = clock()
            for _ in range(each):
                call()
            times.append((clock() - began) / each * 1e6)
    return [statistics.median(times) for times in taken]


def process_milliseconds(commands: Sequence[Sequence[str]], *, rounds: int = 15) -> list[float]:
    """The median processor time of each command as a whole process in milliseconds, the commands taking turns.

    Other work on the machine lengthens the time on the clock, and this much less.
    """
    taken: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds):
        for times, command in zip(taken, commands, strict=True):
            began = _children_seconds()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append((_children_seconds() - began) * 1e3)
    return [statistics.median(times[1:]) for times in taken]


def _children_seconds() -> float:
    """The processor time of all processes that this one started and that ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def in_own_process(call: Callable[..., object], *arguments: object, into: Path | None = None) -> Taken:
    """What this call took in a process of its own, which imports what it needs; `into` is where its result is pickled.

    A process counts the memory of the one that started it as its own peak, so that this one must stay small.
    """
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_taken, (call, arguments, into))


def _taken(call: Callable[..., object], arguments: tuple[object, ...], into: Path | None) -> Taken:
    begin, begin_processor = time.perf_counter(), time.process_time()
    result = call(*arguments)
    seconds, processor = time.perf_counter() - begin, time.process_time() - begin_processor
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if into is not None:
        into.write_bytes(pickle.dumps(result))
        result = None
    return Taken(result, seconds, processor, megabytes)
