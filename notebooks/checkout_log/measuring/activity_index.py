"""Signs of members and machines in a log: who was seen where and when, and how long licenses are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import ibis
import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log.columns import BORROW, END, FLAG, RELEASE, RENEWAL, SESSIONS, TEXT, TIME, WHOLE, Column, names
from checkout_log.likelihood import Past
from checkout_log.log import Log
from checkout_log.measuring.open_uses import MICROSECOND, Use, when
from checkout_log.pairing import EXACT_SOURCES
from checkout_log.thresholds import Thresholds

# The number of the first of the times that are asked about by which something had been.
_NUMBER = Column("number", WHOLE, False, "")
_SIGHTINGS = (
    *(Column(name, TEXT, True, "") for name in ("source", "member", "machine", "alias")),
    _NUMBER,
    Column("first_at", TIME, False, ""),
    Column("last_at", TIME, False, ""),
)
_DISABLED = (Column("member", TEXT, True, ""), _NUMBER, Column("first_at", TIME, False, ""))
_REFUSED = (*(Column(name, TEXT, False, "") for name in ("member", "machine", "product")), *_DISABLED[1:])
_RENEWED = (Column("handle", TEXT, False, ""), _NUMBER, Column("last_at", TIME, False, ""))
_MOMENT, _PRODUCT, _FEATURE = (
    Column("moment", WHOLE, False, ""),
    Column("product", TEXT, False, ""),
    Column("feature", TEXT, False, ""),
)
_LENGTHS = (
    _MOMENT,
    _PRODUCT,
    _FEATURE,
    Column("closed", WHOLE, False, ""),
    Column("usual", WHOLE, False, "whole microseconds"),
)
_ENDED = (_MOMENT, _PRODUCT, Column("length", WHOLE, False, "whole microseconds"), Column("returned", FLAG, False, ""))
_LONGEST = (_MOMENT, Column("member", TEXT, True, ""), _PRODUCT, Column("longest", WHOLE, False, "whole microseconds"))
# The reason of a denial that tells that the member was disabled (the authority's own code).
DISABLED = "member-disabled"
# The reason of a denial that tells that the license is out on another machine of the member.
ALREADY_BORROWED = "already-borrowed"
# So long a log has been watched before a machine that was not seen in it is new.
KNOWN_AFTER = timedelta(days=30)
# Ends that show that the license was given back by who had it, so that its length is a length of use.
GIVEN_BACK = ("checkin", "idle", "shutdown")
# Ends that an event tells.
CLOSED = (*GIVEN_BACK, END, RELEASE)


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
    def of(cls, log: Log, by_moment: Mapping[int, Sequence[Use]], wanted: Thresholds) -> dict[int, ActivityIndex]:
        """What a log shows of these uses up to each time (whole microseconds since 1970 UTC), where there are any, in order of time."""
        moments = sorted(moment for moment, uses in by_moment.items() if uses)
        if not moments:
            return {}
        events = _numbered(log.table, moments)
        sightings = _sightings(log, events)
        others = [_disabled(log, events), _refused(log, events), _renewed(log, events)]
        over = _over(log, moments, log.going_on(sorted(by_moment)))
        ended = [_lengths(log, over, by_moment, wanted), _kept(log, over), _long_sessions(log, over, wanted)]
        indexes = {}
        for number, moment in enumerate(moments):
            happened = [_of_uses(sightings, by_moment[moment]), *others]
            known = [frame[frame["number"] <= number] for frame in happened] + [
                frame[frame["moment"] == moment] for frame in ended
            ]
            indexes[moment] = cls._of_frames(known, log.stored.spans)
        return indexes

    @classmethod
    def _of_frames(cls, known: Sequence[pd.DataFrame], spans: pd.DataFrame) -> ActivityIndex:
        sightings, disabled, refused, renewed, lengths, longest_holds, ended = known
        long_sessions: dict[str, list[tuple[timedelta, bool]]] = defaultdict(list)
        for row in ended.itertuples():
            long_sessions[row.product].append((row.length * MICROSECOND, row.returned))
        return cls(
            _machines(sightings, "member"),
            _machines(sightings, "alias"),
            sightings.groupby("machine")["last_at"].max().to_dict(),
            sightings.groupby("member")["last_at"].max().to_dict(),
            {name: at.to_pydatetime() for name, at in disabled.groupby("member")["first_at"].min().items()},
            {
                key: at.to_pydatetime()
                for key, at in refused.groupby(["member", "machine", "product"])["first_at"].min().items()
            },
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


def _numbered(events: Table, moments: Sequence[int]) -> Table:
    """The events up to the last of these times, each with the number of the first time by which it had been."""
    number = ibis.cases(*((_["at"] <= moment, number) for number, moment in enumerate(moments)))
    return events.filter(_["at"] <= moments[-1]).mutate(number=number.cast("int64"))


def _sightings(log: Log, events: Table) -> pd.DataFrame:
    """Where each member was seen, under which alias, first and last."""
    rows = _signs(events).group_by("source", "member", "machine", "alias", "number")
    return log.engine.frame(rows.aggregate(first_at=_["at"].min(), last_at=_["at"].max()), _SIGHTINGS)


def _of_uses(sightings: pd.DataFrame, uses: Sequence[Use]) -> pd.DataFrame:
    """The sightings that tell something of these uses: of their members, machines or aliases."""
    names = {name: {getattr(use, name) for use in uses} - {None} for name in ("member", "machine", "alias")}
    return sightings[pd.concat([sightings[name].isin(known) for name, known in names.items()], axis=1).any(axis=1)]


def _signs(events: Table) -> Table:
    """The events that show life. A denial does too; that of a disabled member is one of software that goes on asking."""
    return events.filter(_.reason.isnull() | (_.reason != DISABLED))


def _disabled(log: Log, events: Table) -> pd.DataFrame:
    """The disabled members, with the first denial that tells it."""
    disabled = events.filter((_.reason == DISABLED) & _.member.notnull()).group_by("member", "number")
    return log.engine.frame(disabled.aggregate(first_at=_["at"].min()), _DISABLED)


def _refused(log: Log, events: Table) -> pd.DataFrame:
    """Since when members are refused a product on a machine because it is out on another of theirs."""
    rows = events.filter((_.reason == ALREADY_BORROWED) & _.member.notnull() & _.machine.notnull())
    refused = rows.group_by("member", "machine", "product", "number")
    return log.engine.frame(refused.aggregate(first_at=_["at"].min()), _REFUSED)


def _renewed(log: Log, events: Table) -> pd.DataFrame:
    """The last renewal of each borrow that was renewed."""
    rows = events.filter((_.event == RENEWAL) & _.handle.notnull()).group_by("handle", "number")
    return log.engine.frame(rows.aggregate(last_at=_["at"].max()), _RENEWED)


def _over(log: Log, moments: Sequence[int], going_on: Table) -> Table:
    """The sessions that were closed by each of these times, as they were known then: `moment`, the columns SESSIONS, `length`."""
    times = log.engine.numbers(pd.DataFrame({"moment": moments}), (_MOMENT,))
    columns = ("moment", *names(SESSIONS))
    # What had its last event by then is known as it is in the whole log.
    settled = (
        log.pairs.filter(_.started & _.ended_by.isin(CLOSED)).join(times, log.pairs.last_at <= times.moment).select(*columns)
    )
    others = going_on.semi_join(times, "moment").filter(_.started & _.ended_by.isin(CLOSED)).select(*columns)
    return settled.union(others).mutate(length=_.end - _.start)


def _lengths(log: Log, over: Table, by_moment: Mapping[int, Sequence[Use]], wanted: Thresholds) -> pd.DataFrame:
    """How many sessions of each feature were given back, and how long nearly all of them lasted at most."""
    features = {
        (moment, use.product, feature) for moment, uses in by_moment.items() for use in uses for feature in use.features
    }
    asked = log.engine.numbers(pd.DataFrame(features, columns=names(_LENGTHS[:3])), _LENGTHS[:3])
    closed = over.filter((_["mode"] != BORROW) & _.ended_by.isin(GIVEN_BACK)).semi_join(asked, names(_LENGTHS[:3]))
    usual = _.length.quantile(wanted.outlier_share).cast("int64")
    return log.engine.frame(closed.group_by(*names(_LENGTHS[:3])).aggregate(closed=_.count(), usual=usual), _LENGTHS)


def _kept(log: Log, over: Table) -> pd.DataFrame:
    """The longest time that each member kept a borrow of each product and gave it back."""
    given_back = over.filter((_["mode"] == BORROW) & _.ended_by.isin(GIVEN_BACK))
    return log.engine.frame(given_back.group_by("moment", "member", "product").aggregate(longest=_.length.max()), _LONGEST)


def _long_sessions(log: Log, over: Table, wanted: Thresholds) -> pd.DataFrame:
    """The sessions of each product that lasted long and are over, other than by a restart: how long, and whether returned."""
    lasted = over.filter((_["mode"] != BORROW) & (_.ended_by != "shutdown") & (_.length > wanted.outlier_least // MICROSECOND))
    return log.engine.frame(lasted.select("moment", "product", "length", returned=_.ended_by == "checkin"), _ENDED)


def _machines(sightings: pd.DataFrame, name: str) -> dict[str, list[_Machine]]:
    """The machines of each member or alias, in the order in which they were first seen."""
    by_name: dict[str, dict[str, _Machine]] = defaultdict(dict)
    for row in sightings.dropna(subset=[name, "machine"]).sort_values(["first_at", "machine"]).itertuples():
        machines = by_name[getattr(row, name)]
        machine = machines.setdefault(row.machine, _Machine(row.machine, row.first_at.to_pydatetime(), set(), set()))
        machine.members.add(row.member)
        machine.sources.add(row.source)
    return {key: [*machines.values()] for key, machines in by_name.items()}
