"""Runs of a license server: from the start of a vendor daemon to its stop, over the files that tell of it.

What is out when a run ends is not returned, it is cut. "Server started" is a start, unless the daemon or its manager says that
it reads the license file again: then it repeats its list of features and nobody loses a license.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from checkout_log.sources import flexnet_lines as grammar
from checkout_log.sources.flexnet import Placed, Scan
from checkout_log.sources.flexnet_times import MINUTE

# Reading a license file again takes seconds; a start after a longer time is a start.
REREAD_TAKES = 10 * MINUTE
# Lines that a stopping daemon still writes come within this time; a checkout after it means that it did not stop.
STOP_TAKES = MINUTE
SECOND = 1_000_000


@dataclass(frozen=True, slots=True)
class Begun:
    """A run within one file: the line of its start, and the signs that it stopped, as lines and clocks."""

    start: Placed
    stops: tuple[Placed, ...]


@dataclass(slots=True)
class Era:
    """One run over all files: its number, product, begin and stop in whole microseconds UTC, and its last checkout."""

    number: int
    product: str
    begin: int
    stop: int | None = None
    last_checkout: int = field(default=-(2**62))

    @property
    def end(self) -> int | None:
        """When it stopped, if it did: a sign of a stop that checkouts follow was none."""
        is_stopped = self.stop is not None and self.last_checkout <= self.stop + STOP_TAKES * SECOND
        return self.stop if is_stopped else None


@dataclass(slots=True)
class Server:
    """The files of one license server, and the runs of its vendor daemons."""

    host: str | None
    products: set[str] = field(default_factory=set)
    eras: list[Era] = field(default_factory=list)

    def current(self, product: str, at: int) -> Era | None:
        """The run of this daemon that was on at this time, if it had not stopped."""
        begun = [era for era in self.eras if era.product == product and era.begin <= at]
        latest = max(begun, key=lambda era: era.begin, default=None)
        return None if latest is None or (latest.end is not None and latest.end < at) else latest

    def rows(self) -> Iterator[tuple[int, str, int, int | None]]:
        """Number, product, begin and end of each run; one without a stop ends where the next begins."""
        for product in {era.product for era in self.eras}:
            own = sorted((era for era in self.eras if era.product == product), key=lambda era: (era.begin, era.number))
            for era, after in zip(own, [*own[1:], None], strict=True):
                end = era.end
                yield era.number, product, era.begin, after.begin if end is None and after is not None else end


def begun(scan: Scan, product: str) -> tuple[tuple[Placed, ...], list[Begun]]:
    """The signs of a stop before this daemon first started in a file, and the runs that begin in it."""
    stops: list[list[Placed]] = [[]]
    starts: list[Placed] = []
    rereading: Placed | None = None
    for placed in scan.marks:
        kind = placed.mark.kind
        if kind == grammar.STOP_ALL or (kind == grammar.STOP and placed.mark.daemon == product):
            stops[-1].append(placed)
            rereading = None
        elif kind == grammar.LAUNCHED:
            rereading = None
        elif kind == grammar.REREAD and placed.mark.daemon in (product, *grammar.MANAGERS):
            rereading = placed
        elif placed.mark.daemon != product:
            continue
        elif kind == grammar.REREAD_END:
            rereading = None
        elif kind == grammar.START:
            if rereading is None or not 0 <= placed.clock - rereading.clock <= REREAD_TAKES:
                starts.append(placed)
                stops.append([])
            rereading = None
    runs = [Begun(start, tuple(signs)) for start, signs in zip(starts, stops[1:], strict=True)]
    return tuple(stops[0]), runs
