"""The uses in one dated FlexNet debug log are written as events, each with the run of the server that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checkout_log.columns import CHECKOUT, SESSION
from checkout_log.sources.common import SHUTDOWN, Flags, Numbers
from checkout_log.sources.flexnet.dated import Dated
from checkout_log.sources.flexnet.scanning import Placed
from checkout_log.sources.flexnet.starts import begun
from checkout_log.sources.part import FLEXNET, Part
from checkout_log.sources.runs import SECOND, STOP_TAKES, Era, Server
from checkout_log.store import EventFile, Tally

COPIED = ("event", "product", "feature", "member", "machine", "quantity", "reason")


class Runs:
    """The runs of one vendor daemon within one file."""

    def __init__(self, one: Dated, server: Server, product: str, numbers: Iterator[int]) -> None:
        self._server, self._product, self._numbers = server, product, numbers
        self._early_stops, runs = begun(one.scan, product)
        self._one = one
        self._starts = np.array([run.start.line for run in runs], dtype=np.int64)
        self._begins = np.array([one.utc_of(run.start.line, run.start.clock) for run in runs], dtype=np.int64)
        self._first_stops = np.array([run.stops[0].line if run.stops else 2**62 for run in runs], dtype=np.int64)
        # The run that was on when the file began is looked for when a use in it asks for it: often there is none.
        known = list(server.eras)
        self._eras: list[Era | None] = [None]
        for begin, run in zip(self._begins.tolist(), runs, strict=True):
            era = next((old for old in known if old.product == product and old.begin == begin), None)
            if era is None:
                era = Era(next(numbers), product, begin)
                server.eras.append(era)
            else:
                known.remove(era)
            self._stop(era, run.stops)
            self._eras.append(era)

    def numbers(self, lines: Numbers, times: Numbers, is_shutdown: Flags, is_checkout: Flags) -> Numbers:
        """The number of the run that each of these uses belongs to."""
        runs = np.searchsorted(self._starts, lines, side="right")
        runs -= self._is_of_run_before(runs, lines, times) & is_shutdown
        if self._eras[0] is None and not runs.all():
            self._eras[0] = self._running(int(times[runs == 0].min()))
        for run in np.unique(runs[is_checkout]):
            era = self._eras[run]
            if era is not None:
                era.last_checkout = max(era.last_checkout, int(times[is_checkout & (runs == run)].max()))
        numbers = np.array([-1 if era is None else era.number for era in self._eras], dtype=np.int64)
        return numbers[runs]

    def _is_of_run_before(self, runs: Numbers, lines: Numbers, times: Numbers) -> Flags:
        """Which lines come so soon after a start that a shutdown which they report was the one before it."""
        if not len(self._starts):
            return np.zeros(len(lines), dtype=bool)
        run = np.maximum(runs - 1, 0)
        is_soon = (runs > 0) & (times - self._begins[run] <= STOP_TAKES * SECOND)
        return is_soon & (lines < self._first_stops[run])

    def _running(self, at: int) -> Era:
        """The run that an earlier file tells the start of, or one that began with this file."""
        era = self._server.current(self._product, at)
        if era is None:
            era = Era(next(self._numbers), self._product, at)
            self._server.eras.append(era)
        self._stop(era, self._early_stops)
        return era

    def _stop(self, era: Era, stops: tuple[Placed, ...]) -> None:
        times = [self._one.utc_of(placed.line, placed.clock) for placed in stops]
        if times:
            era.stop = max(times) if era.stop is None else max(era.stop, *times)


def write(one: Dated, server: Server, known: Flags, segment: int, events: EventFile, numbers: Iterator[int]) -> Part:
    """Writes the uses that are not known from another file, and gives what was counted."""
    runs = {product: Runs(one, server, product, numbers) for product in sorted(one.scan.products)}
    events.tally = Tally()
    done = 0
    for batch in one.rows():
        new_rows = batch.filter(pa.array(~known[done : done + batch.num_rows]))
        done += batch.num_rows
        _write(new_rows, one, runs, segment, events)
    part = Part(str(one.scan.path), FLEXNET, lines=one.scan.lines, malformed=one.scan.malformed, begin=one.begin, end=one.end)
    part.disagreeing = one.days.disagreeing
    part.overlapping = int(np.count_nonzero(known))
    part.products = frozenset(one.scan.products)
    part.holds(events.tally)
    return part


def _write(batch: pa.RecordBatch, one: Dated, runs: dict[str, Runs], segment: int, events: EventFile) -> None:
    lines = batch["line"].to_numpy()
    times, is_uncertain = one.utc(lines, batch["clock"].to_numpy())
    eras = np.zeros(len(lines), dtype=np.int64)
    is_shutdown = pc.fill_null(pc.equal(batch["reason"], SHUTDOWN), fill_value=False).to_numpy(zero_copy_only=False)
    is_checkout = pc.equal(batch["event"], CHECKOUT).to_numpy(zero_copy_only=False)
    for product in batch["product"].unique().to_pylist():
        own = pc.equal(batch["product"], product).to_numpy(zero_copy_only=False)
        eras[own] = runs[product].numbers(lines[own], times[own], is_shutdown[own], is_checkout[own])
    columns = {name: batch[name] for name in COPIED}
    columns |= {"at": times, "line": lines, "era": eras, "ambiguous": is_uncertain}
    events.add(columns | {"mode": SESSION, "source": FLEXNET, "segment": segment}, len(lines))
