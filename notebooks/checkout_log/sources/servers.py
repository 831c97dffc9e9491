"""Logs of several license servers, kept apart by the names that their reader gave them."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from checkout_log.sources.part import Contents
from checkout_log.store import ROWS_IN_A_BATCH, EventFile


def name_of(server: str, product: str) -> str:
    """What a product of this server is called beside those of others: "berlin/cadmd"."""
    return f"{server}/{product}"


def of_server(contents: Contents, server: str, folder: Path, first_segment: int, first_era: int) -> Contents:
    """The contents as those of a server with this name, so that nothing of it counts with what others have under the same names.

    Its products bear the server's name, and its segments and runs are numbered from these numbers on; its events are written anew into
    the folder. What an options file says of nobody's product is of the server's own, where it has one alone.
    """
    products = sorted({name for part in contents.parts for name in part.products})
    alone = products[0] if len(products) == 1 else None
    for part in contents.parts:
        part.server, part.products = server, frozenset(name_of(server, name) for name in part.products)
    owners = [option.product or alone for option in contents.options]
    return Contents(
        [_renamed(path, server, folder, first_segment, first_era) for path in contents.files],
        contents.parts,
        [(era + first_era, name_of(server, product), begin, end) for era, product, begin, end in contents.eras],
        [(name_of(server, product), begin, end) for product, begin, end in contents.spans],
        [seats._replace(server=server, product=name_of(server, seats.product)) for seats in contents.seats],
        [
            option._replace(product=owner if owner is None else name_of(server, owner))
            for option, owner in zip(contents.options, owners, strict=True)
        ],
        contents.zones,
    )


def _renamed(path: Path, server: str, folder: Path, first_segment: int, first_era: int) -> Path:
    target = folder / f"{first_segment}_{path.name}"
    # The cache may have the very file that was read.
    with pq.ParquetFile(path) as source, EventFile(target) as events:
        for batch in source.iter_batches(ROWS_IN_A_BATCH):
            columns = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns["product"] = pc.binary_join_element_wise(name_of(server, ""), columns["product"].cast(pa.string()), "")
            columns["segment"] = pc.add(columns["segment"], first_segment)
            # Events whose source has no runs are of none here either.
            columns["era"] = pc.if_else(pc.equal(columns["era"], 0), 0, pc.add(columns["era"], first_era))
            fields = source.schema_arrow
            arrays = [columns[field.name].cast(field.type) for field in fields]
            events.add_batch(pa.RecordBatch.from_arrays(arrays, schema=fields))
    return target
