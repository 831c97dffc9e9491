"""Runs all of it, or what is named: python -m tests.bench [NAME ...]"""

from __future__ import annotations

import argparse

from tests.bench.analysing import bench_analysing
from tests.bench.organization import bench_organization
from tests.bench.parsing import bench_parsing
from tests.bench.serving import bench_serving
from tests.bench.verifying import bench_start, bench_verify

BENCHES = {
    "verify": bench_verify,
    "start": bench_start,
    "organization": bench_organization,
    "serving": bench_serving,
    "parsing": bench_parsing,
    "analysing": bench_analysing,
}


def main() -> None:
    """Prints what the named measurements say, by default all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures speed, as ratios taken in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(BENCHES)}")
    names = parser.parse_args().names or list(BENCHES)
    if unknown := set(names) - BENCHES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    for name in names:
        print(f"\n{(BENCHES[name].__doc__ or '').splitlines()[0]}", flush=True)
        BENCHES[name]()


if __name__ == "__main__":
    main()
