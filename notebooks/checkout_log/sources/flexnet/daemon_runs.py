"""The runs of one vendor daemon within one FlexNet debug log: where each begins, what stops it, and which use is of which run.

"Server started" is a start, unless the daemon or its manager says that it reads the license file again: then it repeats its
list of features and nobody loses a license.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from checkout_log.sources.common import MINUTE, Flags, Numbers
from checkout_log.sources.flexnet import lines as grammar
from checkout_log.sources.flexnet.dated import Dated
from checkout_log.sources.flexnet.lines import Mark
from checkout_log.sources.flexnet.scanning import Placed
from checkout_log.sources.runs import SECOND, STOP_TAKES, Era, Server

# Reading a license file again takes seconds; a start after a longer time is a start.
REREAD_TAKES = 10 * MINUTE
_NO_LINE = 2**62


@dataclass(frozen=True, slots=True)
class Begun:
    """A run that begins in a file: the line of its start, and the signs that it stopped, in order."""

    start: Placed
    stops: list[Placed] = field(default_factory=list)


def runs_begun(marks: Sequence[Placed], product: str) -> tuple[list[Placed], list[Begun]]:
    """The signs of a stop before this daemon first started in a file, and the runs that begin in it, in order."""
    early_stops: list[Placed] = []
    runs: list[Begun] = []
    rereading: Placed | None = None
    for placed in marks:
        if not _concerns(placed.mark, product):
            continue
        kind = placed.mark.kind
        if kind in (grammar.STOP_ALL, grammar.STOP):
            (runs[-1].stops if runs else early_stops).append(placed)
        elif kind == grammar.START and not _is_repeated(placed, rereading):
            runs.append(Begun(placed))
        # Whatever else the daemon says ends the reading of the license file.
        rereading = placed if kind == grammar.REREAD else None
    return early_stops, runs


def _concerns(mark: Mark, product: str) -> bool:
    """Whether a line about the server says something of this daemon's runs."""
    if mark.kind in (grammar.STOP_ALL, grammar.LAUNCHED):
        return True
    if mark.kind == grammar.REREAD:
        return mark.daemon in (product, *grammar.MANAGERS)
    return mark.daemon == product and mark.kind in (grammar.STOP, grammar.START, grammar.REREAD_END)


def _is_repeated(start: Placed, rereading: Placed | None) -> bool:
    """Whether a daemon only says once more that it has started, since it reads the license file again."""
    return rereading is not None and 0 <= start.clock - rereading.clock <= REREAD_TAKES


class DaemonRuns:
    """Which run of the server's history each use of one daemon in one file belongs to.

    The runs that begin in the file become runs of the server when this is made; two files may tell of the same start. The run that
    was on when the file began is looked up when a use asks for it: often there is none.
    """

    def __init__(self, file: Dated, server: Server, product: str, numbers: Iterator[int]) -> None:
        """numbers: of new runs."""
        self._file, self._server, self._product, self._numbers = file, server, product, numbers
        self._early_stops, runs = runs_begun(file.marks, product)
        self._starts = np.array([run.start.line for run in runs], dtype=np.int64)
        self._begins = np.array([file.utc_of(run.start.line, run.start.clock) for run in runs], dtype=np.int64)
        self._first_stops = np.array([run.stops[0].line if run.stops else _NO_LINE for run in runs], dtype=np.int64)
        self._before: Era | None = None
        self._before_at: int | None = None
        earlier = [era for era in server.eras if era.product == product]
        self._eras = [self._era(begin, earlier) for begin in self._begins.tolist()]
        for era, run in zip(self._eras, runs, strict=True):
            self._stop(era, run.stops)

    def meet(self, lines: Numbers, times: Numbers, is_shutdown: Flags) -> None:
        """Takes notice of uses, all of them before any is asked about: clocks go back, so that the earliest one need not come first."""
        early = times[self._places(lines, times, is_shutdown) == 0]
        if len(early):
            at = int(early.min())
            self._before_at = at if self._before_at is None else min(self._before_at, at)

    def numbers(self, lines: Numbers, times: Numbers, is_shutdown: Flags, is_checkout: Flags) -> Numbers:
        """The number of the run that each of these uses, which were met, belongs to. times: whole microseconds since 1970 UTC."""
        places = self._places(lines, times, is_shutdown)
        if self._before is None and self._before_at is not None:
            self._before = self._running(self._before_at)
        eras = [self._before, *self._eras]
        for place in np.unique(places[is_checkout]):
            era = eras[place]
            if era is not None:
                era.last_checkout = max(era.last_checkout, int(times[is_checkout & (places == place)].max()))
        return np.array([-1 if era is None else era.number for era in eras], dtype=np.int64)[places]

    def _places(self, lines: Numbers, times: Numbers, is_shutdown: Flags) -> Numbers:
        """Place of the run of each use in the file, from 1; 0 for the one that was on when it began."""
        places = np.searchsorted(self._starts, lines, side="right")
        return places - (self._is_of_run_before(places, lines, times) & is_shutdown)

    def _is_of_run_before(self, places: Numbers, lines: Numbers, times: Numbers) -> Flags:
        """Which lines come so soon after a start that a shutdown which they report was the one before it."""
        if not len(self._starts):
            return np.zeros(len(lines), dtype=bool)
        run = np.maximum(places - 1, 0)
        is_soon = (places > 0) & (times - self._begins[run] <= STOP_TAKES * SECOND)
        return is_soon & (lines < self._first_stops[run])

    def _era(self, begin: int, earlier: list[Era]) -> Era:
        """The run of the server that began at this time: one of the earlier files, each taken once, or a new one."""
        era = next((old for old in earlier if old.begin == begin), None)
        if era is None:
            return self._new_era(begin)
        earlier.remove(era)
        return era

    def _running(self, at: int) -> Era:
        """The run that an earlier file tells the start of, or one that began with this file."""
        era = self._server.current(self._product, at) or self._new_era(at)
        self._stop(era, self._early_stops)
        return era

    def _new_era(self, begin: int) -> Era:
        era = Era(next(self._numbers), self._product, begin)
        self._server.eras.append(era)
        return era

    def _stop(self, era: Era, stops: list[Placed]) -> None:
        times = [self._file.utc_of(placed.line, placed.clock) for placed in stops]
        if times:
            era.stop = max(times) if era.stop is None else max(era.stop, *times)
