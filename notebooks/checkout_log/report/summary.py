"""What the page begins with, on the whole log: what to do, which features matter, and which servers there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from checkout_log import captions, certainty, denials, seats, sizing, stuck, usage
from checkout_log.captions import actions
from checkout_log.captions.actions import Action
from checkout_log.log import Log
from checkout_log.report import release_table, site

# The longest borrow that is spoken of, as in the notebook on borrows.
PROPOSED_DAYS = 14


@dataclass(frozen=True, slots=True)
class Summary:
    """Sentences and tables in the order of the page. reach: of which time the logs are. left_out: which features are looked at."""

    reach: str
    actions: tuple[Action, ...]
    features: pd.DataFrame
    left_out: str
    servers: pd.DataFrame
    files: pd.DataFrame


def of(log: Log) -> Summary:
    """What is said of this log before the notebooks are shown."""
    counts, peaks, hours = denials.counts(log), usage.peaks(log), usage.efficiency(log)
    known = site.limits(log)
    shown = captions.features_that_matter(hours, counts)
    limits = [known.get(key) for key in zip(shown["product"], shown["feature"], strict=True)]
    shown = shown.assign(limit=pd.array(limits, dtype="Int64"))
    quality = log.quality()
    return Summary(
        site.reach(log),
        tuple(_actions(log, counts, peaks)),
        captions.overview(shown, peaks),
        captions.left_out(shown, hours, counts),
        actions.servers(quality),
        captions.files(quality),
    )


def _actions(log: Log, counts: pd.DataFrame, peaks: pd.DataFrame) -> Iterator[Action]:
    stuck_uses = stuck.find(log)
    ready = release_table.releasable(log, stuck_uses)
    yield from actions.releases(stuck_uses, ready, log.timezone)
    changes, utilization = seats.issued(log), site.utilization(log)
    if counts["episodes"].any():
        yield from actions.missing(counts, sizing.enough(log), utilization)
    yield from actions.full(utilization, counts, peaks)
    yield from actions.lost(changes)
    yield from actions.spare(utilization, peaks, counts)
    yield from actions.shorter_borrows(sizing.what_if(log, PROPOSED_DAYS), PROPOSED_DAYS, peaks)
    yield from actions.untold(
        log.quality(),
        counts,
        certainty.of_sessions(log),
        stuck.undecided(log),
        log.stored.spans,
        has_seats=bool((changes["source"] != seats.DENIALS).any()),
        are_inferred=bool(len(changes)),
    )
