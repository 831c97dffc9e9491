"""The uses in one dated FlexNet debug log are written as events, each with the run of the server that it belongs to."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from checkout_log.columns import CHECKOUT, SESSION
from checkout_log.sources.common import SHUTDOWN, Flags
from checkout_log.sources.flexnet.daemon_runs import DaemonRuns
from checkout_log.sources.flexnet.dated import Dated
from checkout_log.sources.flexnet.handles import Handles
from checkout_log.sources.part import FLEXNET, Part
from checkout_log.sources.runs import Server
from checkout_log.store import EventFile, Tally

COPIED = ("event", "product", "feature", "member", "machine", "quantity", "reason")


def write(
    one: Dated, server: Server, known: Flags, paired: Handles, segment: int, events: EventFile, numbers: Iterator[int]
) -> Part:
    """Writes the uses that are not known from another file, and gives what was counted. numbers: of new runs."""
    runs = {product: DaemonRuns(one, server, product, numbers) for product in sorted(one.scan.products)}
    for batch in _new_rows(one, known):
        _meet(batch, one, runs)
    events.tally = Tally()
    for batch in _new_rows(one, known):
        _write(batch, one, runs, paired, segment, events)
    part = Part(str(one.scan.path), FLEXNET, begin=one.begin, end=one.end)
    if one.is_first:
        part.lines, part.malformed = one.scan.lines, one.scan.malformed
        part.disagreeing = one.days.disagreeing + one.zone.disagreeing
    part.overlapping = int(np.count_nonzero(known))
    part.products = frozenset(one.scan.products)
    part.holds(events.tally)
    return part


def _new_rows(one: Dated, known: Flags) -> Iterator[pa.RecordBatch]:
    first = 0
    for batch in one.rows():
        yield batch.filter(pa.array(~known[first : first + batch.num_rows]))
        first += batch.num_rows


def _meet(batch: pa.RecordBatch, one: Dated, runs: dict[str, DaemonRuns]) -> None:
    lines = batch["line"].to_numpy()
    times, _ = one.utc(lines, batch["clock"].to_numpy())
    is_shutdown = _is_shutdown(batch)
    for product, own in _by_product(batch):
        runs[product].meet(lines[own], times[own], is_shutdown[own])


def _is_shutdown(batch: pa.RecordBatch) -> Flags:
    is_shutdown: Flags = pc.fill_null(pc.equal(batch["reason"], SHUTDOWN), fill_value=False).to_numpy(zero_copy_only=False)
    return is_shutdown


def _by_product(batch: pa.RecordBatch) -> Iterator[tuple[str, Flags]]:
    for product in batch["product"].unique().to_pylist():
        yield product, pc.equal(batch["product"], product).to_numpy(zero_copy_only=False)


def _write(
    batch: pa.RecordBatch, one: Dated, runs: dict[str, DaemonRuns], paired: Handles, segment: int, events: EventFile
) -> None:
    lines = batch["line"].to_numpy()
    times, is_uncertain = one.utc(lines, batch["clock"].to_numpy())
    eras = np.zeros(len(lines), dtype=np.int64)
    is_shutdown = _is_shutdown(batch)
    is_checkout = pc.equal(batch["event"], CHECKOUT).to_numpy(zero_copy_only=False)
    for product, own in _by_product(batch):
        eras[own] = runs[product].numbers(lines[own], times[own], is_shutdown[own], is_checkout[own])
    columns = {name: batch[name] for name in COPIED}
    columns |= {"at": times, "line": lines, "era": eras, "ambiguous": is_uncertain, "handle": paired.of(batch)}
    events.add(columns | {"mode": SESSION, "source": FLEXNET, "segment": segment}, len(lines))
