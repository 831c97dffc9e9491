"""Logs of an RLM server, one file for each ISV server: the report log (Reprise, "Reportlog File Format"), or the debug log."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, END, RELEASE, RENEWAL, UNSUPPORTED
from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import DAY, MINUTE, Clock, wall_of
from checkout_log.simulate.grants import Stop
from checkout_log.simulate.organization import RLM, Product
from checkout_log.simulate.truth import LoggedEvent, LoggedUse, Truth, events_of, runs_of, uses_of

HOST, RELEASE_NUMBER = "rlm-01", "14.2"
GIVES_BACK = (CHECKIN, END, RELEASE)
# A time to sort by, and a line; lines of one time stay in the order in which they come.
Line = tuple[int, str]
# Handles of a server grow from use to use.
_FIRST_HANDLE, _NEXT_HANDLE = 0x41, 0x40


@dataclass(frozen=True)
class Isv:
    """One ISV server: its product, the clock on its wall, its runs (up, down, and how it stopped), and what was used."""

    product: Product
    clock: Clock
    runs: list[tuple[int, int, Stop | None]]
    uses: list[LoggedUse]
    is_detailed: bool

    @cached_property
    def handles(self) -> dict[str | None, int]:
        """The number by which the server knows each handle."""
        return {use.handle: _FIRST_HANDLE + _NEXT_HANDLE * number for number, use in enumerate(self.uses)}

    def moment(self, at: int, form: str) -> str:
        """A time of the wall as text."""
        return self.clock.moment(at).strftime(form)

    def pool(self, feature: str) -> int:
        """The number of a pool of licenses; 0 for what is not served."""
        names = [one.name for one in self.product.features]
        return names.index(feature) + 1 if feature in names else 0


def word(name: str) -> str:
    """A name where spaces part the columns."""
    return name.replace(" ", "_") or '""'


def change(event: LoggedEvent) -> int:
    """By how many licenses an event changes what is in use."""
    if event.event == CHECKOUT:
        return event.quantity
    return -event.quantity if event.event in GIVES_BACK else 0


# Every half hour there is a line with the date and nothing else.
_STAMP = 30 * MINUTE
_ALL_IN_USE, _NO_PRODUCT = -22, -1
# Why a license came back; 4 stands for a time-out.
_WHY, _TIMED_OUT = {CHECKIN: 1, END: 2, RELEASE: 3}, 4
_LAST_ATTEMPT = 1


def report_lines(isv: Isv, events: list[LoggedEvent]) -> Iterator[Line]:
    """All lines: what stands around the runs of the server, and the events."""
    for number, (up, down, stop) in enumerate(isv.runs):
        for text in _start(isv, up, is_first=number == 0):
            yield up, text
        for at in range(up + _STAMP, down, _STAMP):
            yield at, isv.moment(at, "%m/%d/%Y %H:%M")
        if stop is None or stop.clean:
            still = [use for use in isv.uses if use.is_out(down) or (use.end == down and use.ended_by == "shutdown")]
            yield from ((down, _in_use(isv, use, down)) for use in still)
        if stop is not None and stop.clean:
            yield down, f"SHUTDOWN admin {HOST} {isv.moment(down, '%m/%d %H:%M:%S')}"
            yield down, f"END {isv.moment(down, '%m/%d/%Y %H:%M')}"
    yield from _event_lines(isv, events)


def _start(isv: Isv, up: int, *, is_first: bool) -> Iterator[str]:
    """What a server writes when it comes up; borrows are still out then."""
    yield f"RLM Report Log Format {2 if isv.is_detailed else 0}, version {RELEASE_NUMBER}"
    yield f"ISV: {isv.product.name}, RLM version {RELEASE_NUMBER} BL1"
    yield from ("Written by a simulator.", "")
    yield f"START {HOST} {isv.moment(up, '%m/%d/%Y %H:%M:%S')}"
    yield f"TIMEZONE {isv.clock.minutes_west(up)} 0 # {isv.clock.zone_name(up)}"
    yield "LICENSE FILE /opt/rlm/license.lic"
    for one in isv.product.features:
        counts = f"{isv.pool(one.name)} {one.seats} 0 {one.seats}"
        yield f"PRODUCT {one.name} {isv.product.version} {counts}" + ' ""' * 6 + " 0" * 9
    if not is_first:
        yield from (_in_use(isv, use, up) for use in isv.uses if use.is_borrow and use.start < up and use.is_out(up))
    yield isv.moment(up, "%m/%d/%Y %H:%M")


def _in_use(isv: Isv, use: LoggedUse, at: int) -> str:
    """A license that is out when a log begins or ends."""
    handle = isv.handles[use.handle]
    what = f"{use.feature} {isv.product.version} {isv.pool(use.feature)} {word(use.member)} {use.machine}"
    return f'INUSE {what} "" {use.quantity} {handle:x} {_process(handle)} {isv.moment(at, "%m/%d %H:%M:%S")}'


def _event_lines(isv: Isv, events: list[LoggedEvent]) -> Iterator[Line]:
    in_use: Counter[str] = Counter()
    due: dict[str | None, int | None] = {}
    for event in events:
        in_use[event.feature] += change(event)
        text = _report_event(isv, event, in_use[event.feature], due.get(event.handle))
        due[event.handle] = event.until
        if text and event.reason != "shutdown":
            yield event.at, text


def _report_event(isv: Isv, event: LoggedEvent, in_use: int, due: int | None) -> str | None:
    """The record of an event; None for what such a server does not log."""
    version, who = isv.product.version, f'{word(event.member)} {event.machine} ""'
    pool, handle, when = isv.pool(event.feature), isv.handles.get(event.handle, 0), isv.moment(event.at, "%m/%d %H:%M:%S")
    tenths = ".0000" if isv.is_detailed else ""
    if event.event == CHECKOUT:
        asked = f'"" "{event.feature}" "{version}"'
        ids = f"{handle:x} {handle:x} {_process(handle)} {asked} {when}{tenths}"
        return f"OUT {event.feature} {version} {pool} {who} {event.quantity} {in_use} 0 {ids}" + _roaming(isv, event, handle)
    if event.event in GIVES_BACK:
        why = _TIMED_OUT if event.reason == "idle" else _WHY[event.event]
        return f"IN {why} {event.feature} {version} {who} {event.quantity} {in_use} 0 {handle:x} {when}{tenths}"
    if event.event == DENIAL:
        why = _NO_PRODUCT if event.reason == UNSUPPORTED else _ALL_IN_USE
        minute = when + tenths if isv.is_detailed else when[:-3]
        return f"DENY {event.feature} {version} {who} {event.quantity} {why} {_LAST_ATTEMPT} {minute}"
    if event.event == RENEWAL and event.until is not None and due is not None:
        more = round((event.until - due) / DAY)
        return f"ROAM_EXTEND {event.feature} {version} {pool} {who} {more} {handle:x} {_process(handle)} {when}"
    return None


def _roaming(isv: Isv, event: LoggedEvent, handle: int) -> str:
    """What only the detailed form has: the system, the program, and for how many days a license roams, plus one."""
    if not isv.is_detailed:
        return ""
    days = 0 if event.until is None else round((event.until - event.at) / DAY)
    roam = f"{days + 1:x} {handle:x}" if event.until is not None else "0 0"
    return f' "x64_w4 10.0" "{isv.product.name}" {roam}'


def _process(handle: int) -> str:
    return f"{handle * 7 % 0xFFFF:x}"


_WHY_IN_DEBUG = {CHECKIN: "", END: "(client exit) ", RELEASE: "(rlmremove) "}
_TIMED_OUT_IN_DEBUG = "(timed out) "


def debug_lines(isv: Isv, events: list[LoggedEvent]) -> Iterator[Line]:
    """All lines, each with minutes and the name of the ISV server."""
    for at, text in _debug_texts(isv, events):
        yield at, f"{isv.moment(at, '%m/%d %H:%M')} ({isv.product.name}) {text}"


def _debug_texts(isv: Isv, events: list[LoggedEvent]) -> Iterator[Line]:
    for up, down, stop in isv.runs:
        yield up, f'RLM License Server Version {RELEASE_NUMBER}BL1 for ISV "{isv.product.name}"'
        yield up, f"Server started on {HOST} (hostid: ANY) for:"
        yield up, "\t" + "".join(f"{one.name} " for one in isv.product.features)
        for at in _midnights(isv, up, down):
            yield at, "==== Reread request by automatic@midnight ===="
        if stop is not None and stop.clean:
            yield down, f"Shutdown request by admin@{HOST}"
    for event in events:
        if event.reason != "shutdown":
            yield from ((event.at, text) for text in _debug_event(isv, event))


def _midnights(isv: Isv, up: int, down: int) -> Iterator[int]:
    """Every midnight of the wall in a run."""
    day = isv.clock.wall_of(up) // DAY * DAY + DAY
    while (at := isv.clock.utc_of(day)) < down:
        yield at
        day += DAY


def _debug_event(isv: Isv, event: LoggedEvent) -> Iterator[str]:
    who = f"{word(event.member)}@{event.machine}"
    what = f"{event.feature} v{isv.product.version}"
    counted = f"({event.quantity} licenses) " if event.quantity > 1 else ""
    if event.event == CHECKOUT:
        yield f"OUT: {what} by {who} {counted}"
    elif event.event in GIVES_BACK:
        yield f"IN: {_TIMED_OUT_IN_DEBUG if event.reason == 'idle' else _WHY_IN_DEBUG[event.event]}{what} by {who} {counted}"
    elif event.event == DENIAL:
        yield f"DENIED: ({event.quantity}) {what} to {who} "
        yield "        No authorization for product" if event.reason == UNSUPPORTED else "        All licenses in use"


STANDARD, DETAILED, DEBUG = "std", "detailed", "debug"
FORMS = (STANDARD, DETAILED, DEBUG)


def write_rlm(
    truth: Truth,
    folder: Path | str,
    form: str = DETAILED,
    products: Sequence[str] | None = None,
    timezone: str | None = None,
) -> list[Path]:
    """The files written, one for each product of an RLM server (or for these products), named after it.

    form: "std" or "detailed" for the report log, "debug" for the debug log. Only the detailed report log tells for how many days a
    license roams; the debug log has minutes, and neither year nor handle. A space in a user name becomes "_". What a clean stop
    takes back has no line of its own. The files are as old as the last look. Raises QuestionInvalid for another form.
    """
    if form not in FORMS:
        raise QuestionInvalid(f'there is no form "{form}" of an RLM log', hint=f"Use one of {', '.join(FORMS)}.")
    clock = Clock(timezone or truth.organization.timezone)
    begin = Clock(truth.organization.timezone).utc_of(wall_of(truth.organization.begins_on))
    files = []
    for name in products or truth.organization.served_by(RLM):
        product = truth.organization.product(name)
        isv = Isv(product, clock, runs_of(truth, product.server, begin), uses_of(truth, [name]), is_detailed=form == DETAILED)
        lines = (debug_lines if form == DEBUG else report_lines)(isv, events_of(truth, [name]))
        path = Path(folder) / f"{name}.{'dlog' if form == DEBUG else 'rlog'}"
        text = "".join(f"{line}\n" for _, line in sorted(lines, key=lambda one: one[0]))
        path.write_text(text, encoding="utf-8", newline="\n")
        # The debug log has no year: who reads it goes by the time at which the file was last written.
        os.utime(path, (truth.now.timestamp(), truth.now.timestamp()))
        files.append(path)
    return files
