"""The runs of vendor daemons within one FlexNet debug log.

"Server started" is a start, unless the daemon or its manager says that it reads the license file again: then it repeats its
list of features and nobody loses a license.
"""

from __future__ import annotations

from dataclasses import dataclass

from checkout_log.sources.common import MINUTE
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.scanning import Placed, Scan

# Reading a license file again takes seconds; a start after a longer time is a start.
REREAD_TAKES = 10 * MINUTE


@dataclass(frozen=True, slots=True)
class Begun:
    """A run within one file: the line of its start, and the signs that it stopped, as lines and clocks."""

    start: Placed
    stops: tuple[Placed, ...]


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
