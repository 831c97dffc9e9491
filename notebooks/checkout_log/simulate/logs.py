"""Every product's log, as its own kind of server writes it."""

from __future__ import annotations

from pathlib import Path

from checkout_log.simulate.export import write_jsonl
from checkout_log.simulate.flexnet import Traps, write_flexnet
from checkout_log.simulate.organization import AUTHORITY, FLEXNET, RLM
from checkout_log.simulate.rlm import write_rlm
from checkout_log.simulate.truth import Truth


def write_logs(truth: Truth, folder: Path | str, traps: Traps | None = None) -> list[Path]:
    """The files written: the authority's export, a FlexNet debug log and RLM report logs, for the products of each kind of server.

    Only together do they tell everything: a crash stands in no export, and a due time in no FlexNet log.
    """
    mine, files = truth.organization.served_by, []
    if mine(AUTHORITY):
        files += write_jsonl(truth, Path(folder) / "checkout-log.jsonl", mine(AUTHORITY))
    if mine(FLEXNET):
        files += write_flexnet(truth, folder, traps=traps)
    if mine(RLM):
        files += write_rlm(truth, folder)
    return files
