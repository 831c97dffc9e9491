"""Signs of members and machines in a log: who was seen where and when, and how long licenses are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, FLAG, RENEWAL, TEXT, TIME, WHOLE, Column
from checkout_log.likelihood import Past
from checkout_log.log import Log
from checkout_log.measuring.looks import Looks, parted
from checkout_log.measuring.open_uses import MICROSECOND, Use, when
from checkout_log.pairing import EXACT_SOURCES
from checkout_log.thresholds import Thresholds

_PRODUCT, _FIRST = Column("product", TEXT, False, ""), Column("first_at", TIME, False, "")
_SIGHTINGS = (
    _PRODUCT,
    Column("source", TEXT, False, ""),
    Column("member", TEXT, True, ""),
    Column("machine", TEXT, True, ""),
    Column("alias", TEXT, True, ""),
    Column("first_at", TIME, False, ""),
    Column("last_at", TIME, False, ""),
)
_DISABLED = (_PRODUCT, Column("member", TEXT, True, ""), _FIRST)
_REFUSED = (_PRODUCT, *(Column(name, TEXT, False, "") for name in ("member", "machine")), _FIRST)
_RENEWED = (_PRODUCT, Column("handle", TEXT, False, ""), Column("last_at", TIME, False, ""))
_LENGTHS = (
    Column("product", TEXT, False, ""),
    Column("feature", TEXT, False, ""),
    Column("closed", WHOLE, False, ""),
    Column("usual", WHOLE, False, "whole microseconds"),
)
_ENDED = (
    Column("product", TEXT, False, ""),
    Column("length", WHOLE, False, "whole microseconds"),
    Column("returned", FLAG, False, ""),
)
_LONGEST = (
    Column("member", TEXT, True, ""),
    Column("product", TEXT, False, ""),
    Column("longest", WHOLE, False, "whole microseconds"),
)
# The reason of a denial that tells that the member was disabled (the authority's own code).
DISABLED = "member-disabled"
# The reason of a denial that tells that the license is out on another machine of the member.
ALREADY_BORROWED = "already-borrowed"
# So long a log has been watched before a machine that was not seen in it is new.
KNOWN_AFTER = timedelta(days=30)
# Ends that show that the license was given back by who had it, so that its length is a length of use.
GIVEN_BACK = ("checkin", "idle", "shutdown")


@dataclass(frozen=True, slots=True)
class Successor:
    """The machine on which an alias or a member appeared after another."""

    machine: str
    at: datetime
    by_alias: bool
    is_refused: bool = False


@dataclass(frozen=True, slots=True)
class _Machine:
    """A machine of one member, or with one alias: when it was first seen, and the members seen there under that name."""

    machine: str
    first_at: datetime
    members: set[str]
    sources: set[str]


@dataclass(frozen=True)
class ActivityIndex:
    """What a log shows up to a time."""

    by_member: Mapping[str, Sequence[_Machine]]
    by_alias: Mapping[str, Sequence[_Machine]]
    machine_seen: Mapping[str, datetime]
    member_seen: Mapping[str, datetime]
    disabled: Mapping[str, datetime]
    refused: Mapping[tuple[str, str, str], datetime]
    renewed: Mapping[str, datetime]
    lengths: Mapping[tuple[str, str], tuple[int, timedelta]]
    longest_borrows: Mapping[tuple[str, str], timedelta]
    long_sessions: Mapping[str, Sequence[tuple[timedelta, bool]]]
    begins: Mapping[str, datetime]

    @classmethod
    def of(cls, log: Log, wanted: Thresholds) -> ActivityIndex:
        """What this log shows; of a log that goes on `Log.until` is what was known at a time."""
        return next(iter(cls.of_looks(Looks(log, (0,)), wanted)))

    @classmethod
    def of_looks(cls, at: Looks, wanted: Thresholds) -> list[ActivityIndex]:
        """What each look at a log shows."""
        log = at.log
        frames = [
            _sightings(log), _disabled(log), _refused(log), _renewed(log),
            _lengths(log, wanted.outlier_share), _kept(log), _long_sessions(log, wanted.outlier_least), log.stored.spans,
        ]  # fmt: skip
        parts = [_parted(frame, len(at.moments)) for frame in frames]
        return [cls._of_frames(*of_moment) for of_moment in zip(*parts, strict=True)]

    @classmethod
    def _of_frames(
        cls,
        sightings: pd.DataFrame,
        disabled: pd.DataFrame,
        refused: pd.DataFrame,
        renewed: pd.DataFrame,
        lengths: pd.DataFrame,
        longest_holds: pd.DataFrame,
        ended: pd.DataFrame,
        spans: pd.DataFrame,
    ) -> ActivityIndex:
        long_sessions: dict[str, list[tuple[timedelta, bool]]] = defaultdict(list)
        for row in ended.itertuples():
            long_sessions[row.product].append((row.length * MICROSECOND, row.returned))
        return cls(
            _machines(sightings, "member"),
            _machines(sightings, "alias"),
            sightings.groupby("machine")["last_at"].max().to_dict(),
            sightings.groupby("member")["last_at"].max().to_dict(),
            {name: at.to_pydatetime() for name, at in disabled.groupby("member")["first_at"].min().items()},
            {(row.member, row.machine, row.product): row.first_at.to_pydatetime() for row in refused.itertuples()},
            {name: at.to_pydatetime() for name, at in renewed.groupby("handle")["last_at"].max().items()},
            {(row.product, row.feature): (row.closed, row.usual * MICROSECOND) for row in lengths.itertuples()},
            {(row.member, row.product): row.longest * MICROSECOND for row in longest_holds.itertuples()},
            long_sessions,
            {product: when(begin) for product, begin in spans.groupby("product")["begin"].min().items()},
        )

    def last(self, use: Use) -> datetime:
        """The last sign of the member or of the machine of a use."""
        signs = [self.member_seen.get(use.member or ""), self.machine_last(use.machine)]
        return max([moment for moment in signs if moment is not None], default=use.since)

    def silent_since(self, use: Use) -> datetime:
        """Since when there was no sign of a use, as far as the log shows it: before the log began there was nothing to be seen."""
        last = self.last(use)
        return max(last, self.begins.get(use.product, last))

    def machine_last(self, machine: str | None) -> datetime:
        """The last sign of a machine; the beginning of time where there is none."""
        return self.machine_seen.get(machine or "", datetime.min.replace(tzinfo=UTC))

    def successor(self, use: Use) -> Successor | None:
        """The machine that took the place of this use's: first seen after the use began, under its alias or with its member.

        People have several machines, and jobs run on many: that a member is on another tells something only where an authority
        knows machines by themselves, and the other is new, or the member is refused the product there as it is out on the first.
        """
        if use.machine is None:
            return None
        # A machine is new when it was first seen after the use began: who has two for long has not replaced one.
        by_alias = (one for one in self.by_alias.get(use.alias or "", ()) if _is_newer(one, use))
        same = next(by_alias, None)
        if same is not None and self._is_same_machine(use, same):
            return Successor(same.machine, same.first_at, by_alias=True)
        by_member = (one for one in self.by_member.get(use.member or "", ()) if _is_newer(one, use))
        others = [(one, self._is_refused(use, one)) for one in by_member]
        of_member = next(((one, refused) for one, refused in others if refused or self._is_new(use, one)), None)
        if of_member is None:
            return None
        other, refused = of_member
        return Successor(other.machine, other.first_at, by_alias=False, is_refused=refused)

    def _is_new(self, use: Use, other: _Machine) -> bool:
        """Whether a machine is new to the authority too: of the first weeks of a log every machine seems new."""
        begin = self.begins.get(use.product, other.first_at)
        return use.source in EXACT_SOURCES and use.source in other.sources and other.first_at - begin >= KNOWN_AFTER

    def _is_refused(self, use: Use, other: _Machine) -> bool:
        """Whether the member was refused the product on the other machine while this use was on."""
        refused_at = self.refused.get((use.member or "", other.machine, use.product))
        return refused_at is not None and refused_at > use.since

    def _is_same_machine(self, use: Use, later: _Machine) -> bool:
        """Whether an alias that appeared elsewhere means the same machine: not where another member merely chose the same name.

        It does when the member has it there too, or goes on elsewhere, having lost the machine.
        """
        return use.member in later.members or self.member_seen.get(use.member or "", use.since) > later.first_at

    def usual_length(self, use: Use, wanted: Thresholds) -> timedelta | None:
        """How long nearly all sessions of the use's features last; None where too few ended to know."""
        lengths = [self.lengths.get((use.product, feature)) for feature in use.features]
        known = [length for item in lengths if item is not None for count, length in [item] if count >= wanted.fewest_closed]
        return max(known, default=None)

    def past(self, use: Use) -> Past:
        """What became of the sessions of this product that were open for as long as this use is at least."""
        as_long = [returned for length, returned in self.long_sessions.get(use.product, ()) if length >= use.least_age]
        return Past(len(as_long), sum(as_long))

    def asked_for(self, use: Use) -> timedelta | None:
        """For how long the member asked when asked last: up to the due time, from the start or the last renewal."""
        if use.due is None:
            return None
        return use.due - max(use.since, self.renewed.get(use.handle or "", use.since))

    def longest_kept(self, use: Use) -> timedelta | None:
        """The longest time that the member kept a borrow of the product before giving it back; None where there was none."""
        return self.longest_borrows.get((use.member or "", use.product))


def _is_newer(other: _Machine, use: Use) -> bool:
    return other.machine != use.machine and other.first_at > use.since


def _parted(frame: pd.DataFrame, count: int) -> list[pd.DataFrame]:
    """The rows of each look, under the products' own names."""
    names = {product: parted(product) for product in frame["product"].unique()}
    numbers = frame["product"].map({product: number for product, (number, _name) in names.items()})
    own = frame.assign(product=frame["product"].map({product: name for product, (_number, name) in names.items()}))
    parts = dict(iter(own.groupby(numbers)))
    return [parts.get(number, own.iloc[:0]) for number in range(count)]


def _sightings(log: Log) -> pd.DataFrame:
    """Where each member was seen, under which alias, first and last."""
    rows = _signs(log).group_by("product", "source", "member", "machine", "alias")
    return log.engine.frame(rows.aggregate(first_at=_["at"].min(), last_at=_["at"].max()), _SIGHTINGS)


def _signs(log: Log) -> Table:
    """The events that show life. A denial does too; that of a disabled member is one of software that goes on asking."""
    return log.table.filter(_.reason.isnull() | (_.reason != DISABLED))


def _machines(sightings: pd.DataFrame, name: str) -> dict[str, list[_Machine]]:
    """The machines of each member or alias, in the order in which they were first seen."""
    by_name: dict[str, dict[str, _Machine]] = defaultdict(dict)
    for row in sightings.dropna(subset=[name, "machine"]).sort_values(["first_at", "machine"]).itertuples():
        machines = by_name[getattr(row, name)]
        machine = machines.setdefault(row.machine, _Machine(row.machine, row.first_at.to_pydatetime(), set(), set()))
        machine.members.add(row.member)
        machine.sources.add(row.source)
    return {key: [*machines.values()] for key, machines in by_name.items()}


def _disabled(log: Log) -> pd.DataFrame:
    """The disabled members, with the first denial that tells it."""
    disabled = log.table.filter((_.reason == DISABLED) & _.member.notnull()).group_by("product", "member")
    return log.engine.frame(disabled.aggregate(first_at=_["at"].min()), _DISABLED)


def _refused(log: Log) -> pd.DataFrame:
    """Since when members are refused a product on a machine because it is out on another of theirs."""
    rows = log.table.filter((_.reason == ALREADY_BORROWED) & _.member.notnull() & _.machine.notnull())
    return log.engine.frame(rows.group_by("product", "member", "machine").aggregate(first_at=_["at"].min()), _REFUSED)


def _renewed(log: Log) -> pd.DataFrame:
    """The last renewal of each borrow that was renewed."""
    rows = log.table.filter((_.event == RENEWAL) & _.handle.notnull()).group_by("product", "handle")
    return log.engine.frame(rows.aggregate(last_at=_["at"].max()), _RENEWED)


def _lengths(log: Log, share: float) -> pd.DataFrame:
    """How many sessions of each feature were given back, and how long this share of them lasted at most."""
    closed = log.paired.filter((_["mode"] != BORROW) & _.ended_by.isin(GIVEN_BACK))
    lengths = closed.mutate(length=_.end - _.start).group_by("product", "feature")
    return log.engine.frame(lengths.aggregate(closed=_.count(), usual=_.length.quantile(share).cast("int64")), _LENGTHS)


def _kept(log: Log) -> pd.DataFrame:
    """The longest time that each member kept a borrow of each product and gave it back."""
    given_back = log.paired.filter((_["mode"] == BORROW) & _.ended_by.isin(GIVEN_BACK))
    rows = given_back.mutate(length=_.end - _.start).group_by("member", "product").aggregate(longest=_.length.max())
    return log.engine.frame(rows, _LONGEST)


def _long_sessions(log: Log, least: timedelta) -> pd.DataFrame:
    """The sessions of each product that lasted longer and are over, other than by a restart: how long, and whether returned."""
    lasted = log.paired.mutate(length=_.end - _.start)
    is_over = (_["mode"] != BORROW) & ~_.ended_by.isin(("open", "restart", "shutdown"))
    rows = lasted.filter(is_over & (_.length > least // MICROSECOND))
    return log.engine.frame(rows.select("product", "length", returned=_.ended_by == "checkin"), _ENDED)
