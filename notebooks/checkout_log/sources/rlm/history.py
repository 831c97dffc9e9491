"""What is out at each RLM server while its logs are read, from file to file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from checkout_log.columns import BORROW, CHECKIN, CHECKOUT, DENIAL, EVENT_KINDS, RENEWAL, SESSION
from checkout_log.sources import zones
from checkout_log.sources.part import Part
from checkout_log.sources.rlm import lines as grammar
from checkout_log.sources.rlm.days import Days
from checkout_log.sources.rlm.lines import Record, Unread
from checkout_log.sources.runs import Era, Server

SOURCE = "rlm"
MINUTE, DAY = 60 * zones.SECOND, 86_400 * zones.SECOND
UNKNOWN = "unknown"
# END and START of a log that was switched stand in the same minute, or in two that follow.
SWITCH_TAKES = 2 * MINUTE
Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Out:
    """A license that is out: its checkout, the run it began in, whether it is a borrow, and its due time, if it is known."""

    record: Record
    era: int
    is_borrow: bool
    until: int | None


@dataclass(slots=True)
class Site:
    """The server of one ISV: its runs, the one that is on, and by their handles what is out now and what was in the last run."""

    server: Server
    era: Era | None = None
    ended_at: int | None = None
    out: dict[str, Out] = field(default_factory=dict)
    before: dict[str, Out] = field(default_factory=dict)

    def begin(self, number: int, isv: str, at: int) -> None:
        """A run begins; only what roams is still out."""
        self.era = Era(number, isv, at)
        self.server.eras.append(self.era)
        self.before = self.out
        self.out = {handle: one for handle, one in self.out.items() if one.is_borrow}

    def stop(self, at: int) -> None:
        """The run ends."""
        if self.era is not None:
            self.era.stop = at
        self.era = None

    def roaming(self, record: Record) -> Out | None:
        """The borrow that a checkout only repeats, as a server does when it comes up again."""
        same = (one for one in self.out.values() if one.is_borrow and one.record.roam_handle == record.roam_handle)
        return next(same, None) if record.roam_days > 0 and record.roam_handle is not None else None

    def known(self, record: Record) -> Out | None:
        """The checkout that a check-in or an extension is about. Handles are used again: it must be of the same product."""
        use = self.out.get(record.handle or "") if record.kind in (CHECKIN, RENEWAL) else None
        return None if use is not None and record.product not in (None, use.record.product) else use


@dataclass(slots=True)
class History:
    """All servers, by ISV and host; `numbers` gives each run its number.

    seats: how many there are, by host, ISV, product, and since when (whole microseconds).
    """

    clock: zones.WallClock
    numbers: Iterator[int]
    sites: dict[tuple[str, str | None], Site] = field(default_factory=dict)
    seats: dict[tuple[str | None, str, str, int], int] = field(default_factory=dict)

    def site(self, isv: str, host: str | None) -> Site:
        """The server of this ISV on this host."""
        return self.sites.setdefault((isv, host), Site(Server(host)))


class Reading:
    """One log that is being read: its records are taken one by one, and rows of the store come out."""

    def __init__(self, history: History, part: Part, day: date | None, segment: int, *, is_certain: bool) -> None:
        self._history, self._part, self._segment, self._is_certain = history, part, segment, is_certain
        self._days = None if day is None else Days(day)
        self._isv = UNKNOWN
        self._host: str | None = None
        self._is_switched = False
        self._served_since: int | None = None
        # Events whose day the next line with a date has to confirm.
        self._pending: list[Row] = []

    def take(self, isv: str | None, record: Record, number: int) -> Iterator[Row]:
        """The rows that are complete now that this record has come. Raises Unread."""
        if record.kind == grammar.ISV:
            self._isv = record.product or UNKNOWN
        elif record.kind == grammar.SWITCHED:
            self._is_switched = True
        elif record.kind == grammar.SEATS:
            self._count(record)
        elif self._days is None:
            self._part.undated += record.kind in EVENT_KINDS
        else:
            self._isv = isv or self._isv
            local, is_missing = self._days.local(record)
            if record.month is not None:
                yield from self.rest(is_doubtful=is_missing)
            at, is_double = self._history.clock.utc(local)
            row = self._row(record, at + record.fraction, number, is_doubtful=is_double or not self._is_certain)
            if row is not None:
                self._pending.append(row)
            if record.month is not None:
                yield from self.rest(is_doubtful=False)

    def rest(self, *, is_doubtful: bool) -> Iterator[Row]:
        """The rows that waited for a date."""
        for row in self._pending:
            yield (*row[:-1], True) if is_doubtful else row
        self._pending.clear()

    def _count(self, record: Record) -> None:
        """Adds the seats of a pool to those of its product."""
        if self._served_since is not None and record.product is not None:
            key = self._host, self._isv, record.product, self._served_since
            self._history.seats[key] = self._history.seats.get(key, 0) + record.quantity

    @property
    def disagreeing(self) -> int:
        """How many lines with a date disagreed with the lines before them."""
        return 0 if self._days is None else self._days.disagreeing

    def _row(self, record: Record, at: int, number: int, *, is_doubtful: bool) -> Row | None:
        """What a record means for what is out; the row of an event, None for other records. Raises Unread."""
        part = self._part
        part.begin, part.end = min(part.begin or at, at), max(part.end or at, at)
        if record.kind == grammar.START:
            self._start(record, at)
        if record.kind in (grammar.START, grammar.REREAD):
            self._served_since = at
        site = self._history.site(self._isv, self._host)
        if record.kind == grammar.STOP:
            site.stop(at)
        elif record.kind == grammar.END:
            site.ended_at = at
        elif record.kind == grammar.IN_USE:
            return self._in_use(site, record, at, number)
        elif record.kind in EVENT_KINDS:
            return self._event(site, record, at, number, is_doubtful=is_doubtful)
        return None

    def _start(self, record: Record, at: int) -> None:
        """A run begins, unless only the log of one that goes on does."""
        self._host = record.host
        self._part.server = self._part.server or record.host
        site = self._history.site(self._isv, self._host)
        is_new_log = self._is_switched or (site.ended_at is not None and at - site.ended_at <= SWITCH_TAKES)
        if site.era is None or not is_new_log:
            site.begin(next(self._history.numbers), self._isv, at)
        site.ended_at, self._is_switched = None, False

    def _in_use(self, site: Site, record: Record, at: int, number: int) -> Row | None:
        """A license that is out when a log begins or ends; a checkout where none was seen."""
        handle = record.handle or ""
        known = site.before.get(handle)
        if handle not in site.out and known is not None and known.record.product == record.product:
            # It outlasted a restart, so it roams.
            site.out[handle] = replace(known, is_borrow=True)
        if handle in site.out:
            return None
        return self._event(site, record._replace(kind=CHECKOUT), at, number, is_doubtful=True)

    def _event(self, site: Site, record: Record, at: int, number: int, *, is_doubtful: bool) -> Row | None:
        if site.era is None:
            site.begin(next(self._history.numbers), self._isv, at)
        if record.kind == CHECKOUT and (again := site.roaming(record)) is not None:
            site.out[record.handle or ""] = again
            return None
        known = site.known(record)
        if record.product is None and known is None:
            # The small style says of a check-in only its handle: without the checkout nobody knows of what.
            raise Unread
        now = self._changed(site, record, at, known)
        checkout = record if known is None else known.record._replace(quantity=record.quantity)
        mode = BORROW if now.is_borrow else SESSION
        who = (checkout.handle, self._isv, checkout.product, checkout.member, None, checkout.machine, None, None)
        until = now.until if record.kind in (CHECKOUT, RENEWAL) else None
        ends = (checkout.quantity, until, record.reason, SOURCE, number, self._segment, now.era, is_doubtful)
        return (at, record.kind, mode, *who, *ends)

    def _changed(self, site: Site, record: Record, at: int, known: Out | None) -> Out:
        """What an event makes of a license that is out, or would be."""
        era = site.era.number if site.era is not None else 0
        now = known or Out(record, era, record.kind == RENEWAL, None)
        if record.kind == CHECKOUT:
            until = at + record.roam_days * DAY if record.roam_days > 0 else None
            now = Out(record, era, until is not None, until)
            if site.era is not None:
                site.era.last_checkout = max(site.era.last_checkout, at)
        elif record.kind == RENEWAL and known is not None:
            until = None if known.until is None else known.until + record.roam_days * DAY
            now = replace(known, is_borrow=True, until=until)
        if record.handle is not None and record.kind == CHECKIN:
            site.out.pop(record.handle, None)
        elif record.handle is not None and record.kind != DENIAL:
            site.out[record.handle] = now
        return now
