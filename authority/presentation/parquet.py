"""The log as a Parquet file, for analysts with millions of rows. Needs pyarrow, which an authority does not."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from authority.domain.refusals import SettingsInvalid
from authority.services.log import COLUMNS

# So many rows are in memory at once.
ROWS_IN_A_BATCH = 50_000
TIMES, NUMBERS = ("at", "until"), ("quantity", "line", "id")
ALWAYS_THERE = ("at", "event", "mode", "product", "feature", "quantity", "source", "line")


def write(
    path: Path,
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str] = COLUMNS,
    always_there: Collection[str] = ALWAYS_THERE,
) -> None:
    """Writes rows whole or not at all, with microseconds; unless columns are named, of the checkout log (contract, section 6).

    Times are aware UTC; a column that is not `always_there` may be empty.

    Raises SettingsInvalid without pyarrow, OSError when the file cannot be written.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise SettingsInvalid(
            "Parquet needs the extra: pip install 'carnet[notebooks]'", hint="Or take --format jsonl."
        ) from error
    kinds = dict.fromkeys(TIMES, pa.timestamp("us", tz="UTC")) | dict.fromkeys(NUMBERS, pa.int64())
    schema = pa.schema([pa.field(name, kinds.get(name, pa.string()), nullable=name not in always_there) for name in columns])
    # Beside the file, so that putting it in place is one step on one disk.
    part = path.with_name(f".{path.name}.part")
    try:
        with pq.ParquetWriter(part, schema) as writer:
            for batch in _batches(rows):
                writer.write_batch(pa.RecordBatch.from_pylist(batch, schema=schema))
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def _batches(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    remaining = iter(rows)
    while batch := list(islice(remaining, ROWS_IN_A_BATCH)):
        yield batch
