"""Runs all of it, or what is named: python -m tests.bench [NAME ...]"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from functools import partial

from tests.bench.analysing import bench_analysing
from tests.bench.console import bench_console
from tests.bench.organization import bench_organization
from tests.bench.paging import bench_paging
from tests.bench.parsing import bench_parsing
from tests.bench.sealing import bench_sealing
from tests.bench.serving import DATABASES, Options, bench_serving
from tests.bench.single import bench_single
from tests.bench.verifying import bench_start, bench_verify

BENCHES: dict[str, Callable[[], None]] = {
    "verify": bench_verify,
    "start": bench_start,
    "organization": bench_organization,
    "console": bench_console,
    "sealing": bench_sealing,
    "serving": bench_serving,
    "single": bench_single,
    "parsing": bench_parsing,
    "analysing": bench_analysing,
    "paging": bench_paging,
}


def main() -> None:
    """Prints what the named measurements say, by default all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measures speed, as ratios taken in one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(BENCHES)}")
    _add_options(parser)
    arguments = parser.parse_args()
    names = arguments.names or list(BENCHES)
    if unknown := set(names) - BENCHES.keys():
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(BENCHES)}")
    if arguments.members < max(arguments.clients):
        parser.error("each client needs a member: raise --members")
    # Asked to end, it ends what it started first.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    calls = BENCHES | {"serving": partial(bench_serving, _options_of(arguments))}
    for name in names:
        print(f"\n{(BENCHES[name].__doc__ or '').splitlines()[0]}", flush=True)
        calls[name]()


def _add_options(parser: argparse.ArgumentParser) -> None:
    """How long `serving` measures, and what."""
    usual = Options()
    group = parser.add_argument_group("serving")
    group.add_argument("--clients", type=int, nargs="+", default=list(usual.clients), metavar="N")
    group.add_argument("--seconds", type=float, default=usual.seconds, help="of one round of borrows at most")
    group.add_argument("--rounds", type=int, default=usual.rounds)
    group.add_argument("--members", type=int, default=usual.members, help="each of them borrows once in a round")
    group.add_argument("--only", choices=DATABASES, help="measure on this database alone")
    group.add_argument("--before", default=usual.before, metavar="COMMIT", help="the build to compare with; none: no other")


def _options_of(arguments: argparse.Namespace) -> Options:
    return Options(
        clients=tuple(arguments.clients),
        seconds=arguments.seconds,
        rounds=arguments.rounds,
        members=arguments.members,
        only=DATABASES if arguments.only is None else (arguments.only,),
        before=arguments.before,
    )


if __name__ == "__main__":
    main()
