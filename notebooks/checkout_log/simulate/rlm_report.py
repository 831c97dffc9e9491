"""The report log of an RLM server (Reprise, "Reportlog File Format"), in the standard or the detailed form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, END, RELEASE, RENEWAL, UNSUPPORTED
from checkout_log.simulate.clocks import DAY, MINUTE
from checkout_log.simulate.rlm_isv import GIVES_BACK, HOST, RELEASE_NUMBER, Isv, Line, change, word
from checkout_log.simulate.rows import Event, Use

# Every half hour there is a line with the date and nothing else.
_STAMP = 30 * MINUTE
_ALL_IN_USE, _NO_PRODUCT = -22, -1
# Why a license came back; 4 stands for a time-out.
_WHY, _TIMED_OUT = {CHECKIN: 1, END: 2, RELEASE: 3}, 4
_LAST_ATTEMPT = 1


def report_lines(isv: Isv, events: list[Event]) -> Iterator[Line]:
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


def _in_use(isv: Isv, use: Use, at: int) -> str:
    """A license that is out when a log begins or ends."""
    handle = isv.handles[use.handle]
    what = f"{use.feature} {isv.product.version} {isv.pool(use.feature)} {word(use.member)} {use.machine}"
    return f'INUSE {what} "" {use.quantity} {handle:x} {_process(handle)} {isv.moment(at, "%m/%d %H:%M:%S")}'


def _event_lines(isv: Isv, events: list[Event]) -> Iterator[Line]:
    in_use: Counter[str] = Counter()
    due: dict[str | None, int | None] = {}
    for event in events:
        in_use[event.feature] += change(event)
        text = _event(isv, event, in_use[event.feature], due.get(event.handle))
        due[event.handle] = event.until
        if text and event.reason != "shutdown":
            yield event.at, text


def _event(isv: Isv, event: Event, in_use: int, due: int | None) -> str | None:
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


def _roaming(isv: Isv, event: Event, handle: int) -> str:
    """What only the detailed form has: the system, the program, and for how many days a license roams, plus one."""
    if not isv.is_detailed:
        return ""
    days = 0 if event.until is None else round((event.until - event.at) / DAY)
    roam = f"{days + 1:x} {handle:x}" if event.until is not None else "0 0"
    return f' "x64_w4 10.0" "{isv.product.name}" {roam}'


def _process(handle: int) -> str:
    return f"{handle * 7 % 0xFFFF:x}"
