"""A log that was read: its events, its sessions, and how far it can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, TypeVar

import pandas as pd
from ibis import _
from ibis.expr.types import Table

from checkout_log import pairing, selection, spellings
from checkout_log.columns import EVENTS, SESSIONS, checked
from checkout_log.engine import Engine
from checkout_log.store import Stored

T = TypeVar("T")


@dataclass(frozen=True)
class Log:
    """A log on an engine. `events`, `sessions` and `quality` give frames; the measures work on `table` and `paired`.

    source: its events, where they are not those of the stored files.
    """

    stored: Stored
    engine: Engine
    source: Table | None = field(default=None, repr=False, compare=False)
    _results: dict[tuple[str, ...], Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, key: tuple[str, ...], build: Callable[[], T]) -> T:
        """What `build` gives, computed once for this log under this key: measures share their steps."""
        if key not in self._results:
            self._results[key] = build()
        result: T = self._results[key]
        return result

    @property
    def timezone(self) -> str:
        """The zone of the license server, in which days and hours are counted."""
        return self.stored.timezone

    @cached_property
    def table(self) -> Table:
        """The events as an expression: columns EVENTS and INNER, times as whole microseconds since 1970 UTC."""
        since = self.stored.since
        return self.everything if since is None else self.engine.named(self.everything.filter(_["at"] >= since))

    @cached_property
    def everything(self) -> Table:
        """The events from the begin of the log on, also of a part of it: what is counted later may have begun then."""
        if self.source is not None:
            return self.source
        events, known_until = self.engine.parquet(self.stored.files), self.stored.known_until
        if known_until is not None:
            events = self.engine.named(events.filter(_["at"] <= known_until))
        events = spellings.unified(events, self.engine) if self.stored.is_case_folded else events
        return selection.selected(events, self.stored, self.engine)

    @cached_property
    def pairs(self) -> Table:
        """Every use as an expression, also those never seen to start: columns pairing.PAIRS, times as whole microseconds."""
        return self._counted(self._uses.pairs)

    def going_on(self, moments: Sequence[int]) -> Table:
        """The uses that went on at each of these times (whole microseconds since 1970 UTC), as `pairing.going_on` gives them."""
        build = partial(pairing.going_on, self._uses, self.stored, self.engine, moments)
        return self.once(("going on", str(moments)), lambda: self._counted(build()))

    @cached_property
    def _uses(self) -> pairing.Paired:
        return pairing.paired(self.everything, self.stored, self.engine)

    def _counted(self, pairs: Table) -> Table:
        since = self.stored.since
        return pairs if since is None else self.engine.named(pairs.filter(_.end >= since))

    @cached_property
    def paired(self) -> Table:
        """The sessions as an expression: columns SESSIONS, times as whole microseconds since 1970 UTC."""
        return pairing.sessions(self.pairs)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither an event nor a use in it."""
        rows = ((self.table, EVENTS), (self.paired, SESSIONS))
        return all(self.engine.frame(table.limit(1), columns).empty for table, columns in rows)

    def events(self) -> pd.DataFrame:
        """Every event, in order of time: the columns EVENTS."""
        ordered = self.table.order_by("at", "segment", "line")
        return checked(self.engine.frame(ordered, EVENTS), EVENTS)

    def sessions(self) -> pd.DataFrame:
        """Every use of a license from its start to its end, in order of start: the columns SESSIONS."""
        ordered = self.paired.order_by("start", "product", "feature", "member", "machine", "end")
        return checked(self.engine.frame(ordered, SESSIONS), SESSIONS)

    def quality(self) -> pd.DataFrame:
        """How far the log can be trusted: one row for each file, with what was counted in it."""
        return self.stored.quality.copy()

    def until(self, moment: int) -> Log:
        """This log as it was known at a time (whole microseconds since 1970 UTC), nothing computed yet; itself if it ends before."""
        ends = self.stored.spans["end"]
        return self if len(ends) and moment >= int(ends.max()) else Log(self.stored.until(moment), self.engine)

    def only(
        self,
        *,
        since: int | None = None,
        until: int | None = None,
        features: Sequence[str] = (),
        departments: Mapping[str, str] | None = None,
        groups: Sequence[str] = (),
    ) -> Log:
        """This log without the rest, nothing computed yet: what was over before `since` or came after `until` does not count.

        since, until: whole microseconds since 1970 UTC. features: these alone. departments: the group of each member, by user name in
        any case; who is not in it has none. groups: members of these alone. Raises NothingLeft.
        """
        stored = self.stored if until is None else self.until(until).stored
        return Log(selection.narrowed(stored, since, features, departments, groups), self.engine)

    def on(self, engine: Engine) -> Log:
        """This log on another engine, nothing computed yet."""
        return Log(self.stored, engine)
