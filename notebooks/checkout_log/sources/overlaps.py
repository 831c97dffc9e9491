"""Lines that two files have are counted once: as many of each as the file with the most of them has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checkout_log.sources.common import Flags
from checkout_log.sources.part import Part
from checkout_log.store import ROWS_IN_A_BATCH, EventFile, Tally

EMPTY = {"int64": -(2**63), "string": "\0", "bool": False}
Keys = npt.NDArray[np.uint64]


def keys(table: pa.RecordBatch | pa.Table) -> Keys:
    """A number for each row; equal rows have equal numbers, and others, but for chances of one in billions, different ones."""
    # What is empty gets a value of its own: with empty values a column would be of another type, and hashed in another way.
    filled = {name: pc.fill_null(table[name], EMPTY[str(table[name].type)]) for name in table.schema.names}
    frame = pa.table(filled).to_pandas()
    return np.asarray(pd.util.hash_pandas_object(frame, index=False), dtype=np.uint64)


def known(sets: Iterable[Keys]) -> pd.Series[int]:
    """How often each key is known: as often as in the file that has it most often."""
    counts = [
        pd.Series(times, index=values)
        for values, times in (np.unique(keys_of_file, return_counts=True) for keys_of_file in sets)
    ]
    most: pd.Series[int] = pd.concat(counts).groupby(level=0).max() if counts else pd.Series(dtype="int64")
    return most


def repeated(keys_of_rows: Keys, before: pd.Series[int]) -> Flags:
    """Which of these rows are known: the first so many of each key as were known before."""
    if before.empty or not len(keys_of_rows):
        return np.zeros(len(keys_of_rows), dtype=bool)
    order = pd.Series(keys_of_rows).groupby(keys_of_rows).cumcount().to_numpy()
    most = pd.Series(keys_of_rows).map(before).fillna(0).to_numpy()
    return np.asarray(order < most, dtype=bool)


def one_file(written: Sequence[tuple[Part, Path]], target: Path, telling: Sequence[str]) -> None:
    """Puts the events of several parts, each in a file of its own, into one; `telling` are the columns that tell events apart.

    What an earlier part has too is left out and counted. The files of the parts are gone afterwards.
    """
    if len(written) == 1:
        written[0][1].rename(target)
        return
    order = sorted(written, key=lambda one: one[0].begin or 0)
    with EventFile(target) as events:
        for at, (part, path) in enumerate(order):
            before = [other for past, other in order[:at] if (past.end or 0) >= (part.begin or 0)] if part.rows else []
            _copy(part, path, known(_stored_keys(other, telling) for other in before), events, telling)
    for _, path in written:
        path.unlink()


def _copy(part: Part, path: Path, before: pd.Series[int], events: EventFile, telling: Sequence[str]) -> None:
    is_known = np.zeros(part.rows, dtype=bool) if before.empty else repeated(_stored_keys(path, telling), before)
    events.tally, first = Tally(), 0
    for batch in _batches(path):
        events.add_batch(batch.filter(pa.array(~is_known[first : first + batch.num_rows])))
        first += batch.num_rows
    part.overlapping = int(np.count_nonzero(is_known))
    part.rows, part.ambiguous = events.tally.rows, events.tally.ambiguous


def _stored_keys(path: Path, telling: Sequence[str]) -> Keys:
    keys_of_batches = [keys(batch.select(list(telling))) for batch in _batches(path)]
    return np.concatenate([*keys_of_batches, np.zeros(0, dtype=np.uint64)])


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as stored:
        yield from stored.iter_batches(ROWS_IN_A_BATCH)
