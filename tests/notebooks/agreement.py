"""Every measure beside the reference that it must agree with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import pandas as pd

from checkout_log import borrows, certainty, daily, denials, sizing, usage
from checkout_log.columns import Column
from checkout_log.log import Log
from checkout_log.sizing import borrow_limit
from checkout_log.usage import activity, durations
from tests.notebooks import reference_measures as slow
from tests.notebooks import reference_use as slow_use
from tests.notebooks.comparing import Rows, assert_same
from tests.notebooks.reference import DAY, SECOND, RawLog

GAP = 300 * SECOND
FEATURE = ("product", "feature")


def moment(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)


@dataclass(frozen=True)
class Case:
    """A measure, what it should say, and the columns that are compared and sorted by."""

    name: str
    measure: Callable[[Log], pd.DataFrame]
    reference: Callable[[RawLog], Rows]
    columns: Sequence[Column]
    by: Sequence[str] = FEATURE

    def check(self, raw_log: RawLog, log: Log) -> None:
        assert_same(self.measure(log), self.reference(raw_log), self.columns, self.by)


def of_usage(grouping: str) -> Iterator[Case]:
    """The measures that depend on what counts as one license."""
    yield Case("peaks", lambda log: usage.peaks(log, license=grouping), lambda of: slow_use.peaks(of, grouping), usage.PEAKS)
    yield Case(
        "time at level",
        lambda log: usage.time_at_level(log, license=grouping),
        lambda of: slow_use.time_at_level(of, grouping),
        usage.TIME_AT_LEVEL,
        (*FEATURE, "level"),
    )
    yield Case(
        "exceedance",
        lambda log: usage.exceedance(log, license=grouping),
        lambda of: slow_use.exceedance(of, grouping),
        usage.EXCEEDANCE,
        (*FEATURE, "level"),
    )
    yield Case(
        "needed",
        lambda log: usage.needed(log, share=0.7, license=grouping),
        lambda of: slow_use.needed(of, grouping, Fraction(7, 10)),
        usage.NEEDED,
    )
    yield Case(
        "efficiency",
        lambda log: usage.efficiency(log, license=grouping),
        lambda of: slow_use.efficiency(of, grouping),
        usage.EFFICIENCY,
        (*FEATURE, "seat"),
    )
    yield Case(
        "heat map",
        lambda log: usage.heat_map(log, timezone="Asia/Kathmandu", license=grouping),
        lambda of: slow_use.heat_map(of, grouping, "Asia/Kathmandu"),
        usage.HEAT_MAP,
        (*FEATURE, "weekday", "hour"),
    )


# The bounds of the median are the library's own; what they are made of is compared.
LENGTHS = tuple(column for column in durations.LENGTHS if column.name not in ("lower", "upper"))
ACTIVITY = (
    Case(
        "by day",
        lambda log: daily.by_day(log, license="member"),
        lambda of: slow_use.by_day(of, "member"),
        daily.DAILY,
        (*FEATURE, "day"),
    ),
    Case("lengths", usage.lengths, slow_use.lengths, LENGTHS),
    Case("last used", usage.last_used, slow.last_used, activity.LAST_USED, (*FEATURE, "member")),
    Case("certainty", certainty.of_sessions, slow_use.certainty, certainty.CERTAINTY, ("product",)),
    Case("user actions", usage.user_actions, slow.user_actions, activity.USER_ACTIONS, ("product",)),
    *(
        Case(
            f"requests by {', '.join(by)}",
            lambda log, by=by: usage.requests(log, by=by),  # type: ignore[misc]
            lambda of, by=by: slow.requests(of, by),  # type: ignore[misc]
            (*(Column(name, "text", True, "") for name in by), *activity.REQUESTED),
            by,
        )
        for by in (FEATURE, ("product", "member", "machine"), ("group",))
    ),
)


def _episodes(of: RawLog, *, by_machine: bool = False) -> Rows:
    for row in slow.episodes(of, GAP, by_machine=by_machine):
        yield row | {"first_at": moment(row["first_at"]), "last_at": moment(row["last_at"])}


DENIALS = (
    Case("episodes", denials.episodes, _episodes, denials.EPISODES, (*FEATURE, "member", "first_at")),
    Case(
        "episodes by machine",
        lambda log: denials.episodes(log, by="machine"),
        lambda of: _episodes(of, by_machine=True),
        denials.EPISODES,
        (*FEATURE, "member", "machine", "first_at"),
    ),
    Case("counts", denials.counts, lambda of: slow.counts(of, GAP), denials.COUNTS),
)
BORROWS = (
    Case(
        "ageing",
        borrows.ageing,
        slow.ageing,
        borrows.AGEING,
        ("product", "start", "handle", "member", "machine"),
    ),
)
SIZING = (
    Case("enough", sizing.enough, lambda of: slow.enough(of, "handle", GAP), sizing.ENOUGH, (*FEATURE, "seats")),
    Case(
        "enough for machines",
        lambda log: sizing.enough(log, license="machine"),
        lambda of: slow.enough(of, "machine", GAP),
        sizing.ENOUGH,
        (*FEATURE, "seats"),
    ),
    Case("what if", lambda log: sizing.what_if(log, longest_days=1), lambda of: slow.what_if(of, DAY), borrow_limit.WHAT_IF),
)
