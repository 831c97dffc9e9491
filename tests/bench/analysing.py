"""An analyst's figures of ten million events, by this library and by plain pandas, from a parquet file to the last frame.

Each side runs in a process of its own, in turns, and imports there what it needs. Both must give the same frames.

`usage.needed`, `usage.user_actions` and `daily.by_day` come out of the same steps as their neighbors and are left out. So is
`stuck.find` from the comparison: it is rules with their evidence in words, one use after the other, which pandas would not do
in another way. Its time is told alone. `forecast` is compared with its regression, which both leave to statsmodels.
"""

from __future__ import annotations

import os
import pickle
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from tests.bench.timing import Taken, in_own_process

if TYPE_CHECKING:
    import pandas as pd

EVENTS = int(os.environ.get("CARNET_BENCH_EVENTS", "10_000_000"))
ROUNDS = 2
CHECKOUTS, TOKENS = 2_000, 21_000
ZONE, LONGEST_DAYS = "Europe/Berlin", 14
# What tells the rows of a frame apart, beside product and feature.
KEYS = {
    "time_at_level": ["level"],
    "exceedance": ["level"],
    "efficiency": ["seat"],
    "heat_map": ["weekday", "hour"],
    "last_used": ["member"],
    "episodes": ["member", "first_at"],
    "enough": ["seats"],
    "forecast": ["day"],
}
OF_FEATURE = ["product", "feature"]


def bench_analysing() -> None:
    """The figures of ten million events: this library against plain pandas, both with the same results."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        in_own_process(_simulated, path)
        runs: dict[str, list[Taken]] = {"checkout_log": [], "plain pandas": []}
        for _ in range(ROUNDS):
            for side, call in (("checkout_log", ours), ("plain pandas", in_pandas)):
                runs[side].append(in_own_process(call, path, into=Path(folder) / side))
                _print(f"{side}, {EVENTS:,} events", runs[side][-1])
        in_own_process(check_same, Path(folder) / "checkout_log", Path(folder) / "plain pandas")
        # The run of each side that other work disturbed least.
        mine, theirs = (min(taken, key=lambda one: one.seconds) for taken in runs.values())
        time, memory = mine.seconds / theirs.seconds, mine.megabytes / theirs.megabytes
        print(f"{'':39} {time:5.2f} x the time, {memory:4.2f} x the memory (aims: at most 0.50 both)")
        _print("checkout_log, stuck licenses alone", in_own_process(stuck_alone, path))
    bench_quantities()


def bench_quantities() -> None:
    """Pairing of checkouts of 21,000 tokens each, against the same ones of a single license: the same time and memory."""
    with TemporaryDirectory() as folder:
        runs = []
        for tokens in (1, TOKENS):
            path = Path(folder) / f"{tokens}.log"
            path.write_text(server_log(CHECKOUTS, tokens), encoding="utf-8")
            runs.append(in_own_process(paired, path))
            _print(f"pairing, {CHECKOUTS:,} checkouts of {tokens:,}", runs[-1])
        single, many = runs
        time, memory = many.processor_seconds / single.processor_seconds, many.megabytes / single.megabytes
        print(f"{'':39} {time:5.2f} x the time, {memory:4.2f} x the memory (aims: 1, at most 1.20 both)")


def server_log(checkouts: int, tokens: int) -> str:
    """The log of a FlexNet server: so many checkouts of so many tokens, 30 seconds apart, each given back after 15 minutes."""
    begin = datetime(2026, 3, 2, 8, 0, 1, tzinfo=UTC)
    moves = [
        (begin + timedelta(seconds=30 * number + after), verb, number % 40)
        for number in range(checkouts)
        for after, verb in ((0, "OUT"), (900, "IN"))
    ]
    lines, day = [], None
    for at, verb, user in sorted(moves):
        if at.date() != day:
            day = at.date()
            lines.append(f"{at:%H:%M:%S} (lmgrd) TIMESTAMP {at.month}/{at.day}/{at.year}")
        lines.append(f'{at:%H:%M:%S} (altairlm) {verb}: "Tokens" user{user}@pc{user}  ({tokens} licenses) ')
    return "\n".join(lines) + "\n"


def paired(path: Path) -> int:
    """How many sessions a log has."""
    from checkout_log import read

    return len(read(path).sessions())


def _print(label: str, one: Taken) -> None:
    taken = f"{one.seconds:7.1f} s {one.processor_seconds:7.1f} s of processor time {one.megabytes:6.0f} MB"
    print(f"{label:39} {taken}", flush=True)


def _simulated(path: Path) -> None:
    from checkout_log import simulate

    simulate.events_table(EVENTS, 7, path)


def ours(path: Path) -> dict[str, pd.DataFrame]:
    """Every figure by this library."""
    from checkout_log import borrows, denials, read, sizing, usage

    log = read(path, timezone=ZONE)
    return {
        "peaks": usage.peaks(log),
        "time_at_level": usage.time_at_level(log),
        "exceedance": usage.exceedance(log),
        "efficiency": usage.efficiency(log),
        "heat_map": usage.heat_map(log),
        "lengths": usage.lengths(log),
        "last_used": usage.last_used(log),
        "requests": usage.requests(log),
        "episodes": denials.episodes(log),
        "counts": denials.counts(log),
        "ageing": borrows.ageing(log),
        "enough": sizing.enough(log),
        "what_if": sizing.what_if(log, LONGEST_DAYS),
        "forecast": sizing.forecast(log),
    }


def in_pandas(path: Path) -> dict[str, pd.DataFrame]:
    """The figures of this library by plain pandas."""
    from tests.bench import measures_in_pandas as measures
    from tests.bench.in_pandas import Analysis

    of = Analysis.of(path, ZONE)
    return {
        "peaks": measures.peaks(of),
        "time_at_level": measures.time_at_level(of),
        "exceedance": measures.exceedance(of),
        "efficiency": measures.efficiency(of),
        "heat_map": measures.heat_map(of),
        "lengths": measures.lengths(of),
        "last_used": measures.last_used(of),
        "requests": measures.requests(of),
        "episodes": measures.episodes(of),
        "counts": measures.counts(of),
        "ageing": measures.ageing(of),
        "enough": measures.enough(of),
        "what_if": measures.what_if(of, LONGEST_DAYS),
        "forecast": measures.forecast(of),
    }


def stuck_alone(path: Path) -> int:
    """How many licenses are stuck, from the same file."""
    from checkout_log import read, stuck

    return len(stuck.find(read(path, timezone=ZONE)))


def check_same(left: Path, right: Path) -> None:
    """Raises AssertionError unless the frames in both files are equal, whatever their order and the types of their columns."""
    ours, theirs = (pickle.loads(path.read_bytes()) for path in (left, right))  # noqa: S301 - written a moment ago
    assert ours.keys() == theirs.keys()
    for name, frame in ours.items():
        assert_same(name, frame, theirs[name])


def assert_same(name: str, ours: pd.DataFrame, theirs: pd.DataFrame) -> None:
    """Raises AssertionError unless both frames hold the same values in the columns of ours."""
    import pandas as pd

    by = ["handle"] if name == "ageing" else [*OF_FEATURE, *KEYS.get(name, [])]
    # What a forecast rests on is said in words.
    columns = [column for column in ours.columns if column != "basis"]
    assert len(ours)
    left, right = (_plain(frame[columns]).sort_values(by, ignore_index=True) for frame in (ours, theirs))
    pd.testing.assert_frame_equal(left, right, check_dtype=False, check_exact=False, rtol=1e-7, atol=1e-9, obj=name)


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with its texts as plain objects, empty ones None."""
    import pandas as pd

    texts = [name for name in frame.columns if isinstance(frame[name].dtype, pd.CategoricalDtype | pd.StringDtype)]
    plain = {name: frame[name].astype(object) for name in texts}
    return frame.assign(**{name: values.where(values.notna(), None) for name, values in plain.items()})
