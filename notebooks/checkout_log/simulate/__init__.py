"""A simulator: an organization with habits whose licenses get stuck in known ways, and its logs as real servers write them.

`run` gives the truth; the writers write it as the authority's export, as a FlexNet debug log, as RLM logs, or as lmstat prints it.
`events_table` writes millions of rows for a measurement of speed.
"""

from checkout_log.simulate.export import events_table, write_csv, write_jsonl, write_parquet
from checkout_log.simulate.flexnet import Traps, write_flexnet
from checkout_log.simulate.lmstat import write_lmstat
from checkout_log.simulate.logs import write_logs
from checkout_log.simulate.organization import (
    NOTHING_PLANTED,
    Batch,
    Feature,
    FieldCrew,
    Group,
    OfficeHours,
    Organization,
    Planted,
    Product,
    Restart,
    Students,
    Use,
)
from checkout_log.simulate.rlm import write_rlm
from checkout_log.simulate.truth import Truth, run

__all__ = [
    "NOTHING_PLANTED",
    "Batch",
    "Feature",
    "FieldCrew",
    "Group",
    "OfficeHours",
    "Organization",
    "Planted",
    "Product",
    "Restart",
    "Students",
    "Traps",
    "Truth",
    "Use",
    "events_table",
    "run",
    "write_csv",
    "write_flexnet",
    "write_jsonl",
    "write_lmstat",
    "write_logs",
    "write_parquet",
    "write_rlm",
]
