"""The table of `docs/analytics.md` that says how often uses were rightly called stuck, on the logs of a folder and on the simulator.

python -m tools.backtests FOLDER [--timezone ZONE]
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from checkout_log import hindsight, read, scoring, simulate, stuck
from checkout_log.log import Log
from checkout_log.measuring.shares import wilson

# What notebooks show, and how often they ask.
SEED, TIMES = 11, 12
# Every sign names a use, however little it tells.
EVERY_SIGN = stuck.Thresholds(least_confidence=0.0)
HEAD = (
    "| log | by any sign: named | returned | by measured confidence: named | returned | right, 95 % interval | of what was left, named, 95 % interval |",
    "|---|--:|--:|--:|--:|---|---|",
)


def main() -> None:
    """Prints the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("folder", type=Path, help="folder of FlexNet debug logs, *.log")
    options.add_argument("--timezone", default="Europe/Madrid", help="time zone of their servers")
    arguments = options.parse_args()
    for line in table(arguments.folder, arguments.timezone):
        print(line)


def table(folder: Path, timezone: str) -> Iterator[str]:
    """The lines of the table in Markdown: a row for each log of the folder, and one for the simulator."""
    yield from HEAD
    for path in sorted(folder.glob("*.log")):
        yield row(path.name, read(path, timezone=timezone))
    with TemporaryDirectory() as name:
        truth = simulate.run(simulate.Organization(), SEED)
        simulate.write_logs(truth, name)
        yield row(
            f"simulator, seed {SEED} (asked at {TIMES} times)", read(name, timezone=truth.organization.timezone), times=TIMES
        )


def row(name: str, log: Log, times: int = 24) -> str:
    """The row of one log."""
    cells = [f"{count:,}" for thresholds in (EVERY_SIGN, None) for count in counts(log, thresholds, times)]
    named, returned = counts(log, None, times)
    left = scoring.recall(log, times=times)
    of_any = left[left["cause"] == hindsight.ANY]
    recall = interval(int(of_any["named"].iloc[0]), int(of_any["left"].iloc[0])) if len(of_any) else ""
    return f"| {' | '.join([name, *cells, interval(named - returned, named), recall])} |"


def counts(log: Log, thresholds: stuck.Thresholds | None, times: int) -> tuple[int, int]:
    """How many uses were named at any of the times, each once, and how many of them were given back by their client."""
    fates = {hindsight.identity(one.use): one.fate for one in hindsight.judged(log, thresholds, times=times) if one.cause}
    return len(fates), list(fates.values()).count("returned")


def interval(right: int, count: int) -> str:
    """So many of a count, with their interval; empty where there are none."""
    if not count:
        return ""
    low, high = wilson(right, count)
    return f"{right} of {count}: {low:.0%} to {high:.0%}".replace("%", " %")


if __name__ == "__main__":
    main()
