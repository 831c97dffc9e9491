"""The debug log of an RLM server: minutes, no year, no handles."""

from __future__ import annotations

from collections.abc import Iterator

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, END, RELEASE, UNSUPPORTED
from checkout_log.simulate.clocks import DAY
from checkout_log.simulate.rlm_isv import GIVES_BACK, HOST, RELEASE_NUMBER, Isv, Line, word
from checkout_log.simulate.rows import Event

_WHY = {CHECKIN: "", END: "(client exit) ", RELEASE: "(rlmremove) "}
_TIMED_OUT = "(timed out) "


def debug_lines(isv: Isv, events: list[Event]) -> Iterator[Line]:
    """All lines, each with minutes and the name of the ISV server."""
    for at, text in _texts(isv, events):
        yield at, f"{isv.moment(at, '%m/%d %H:%M')} ({isv.product.name}) {text}"


def _texts(isv: Isv, events: list[Event]) -> Iterator[Line]:
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
            yield from ((event.at, text) for text in _event(isv, event))


def _midnights(isv: Isv, up: int, down: int) -> Iterator[int]:
    """Every midnight of the wall in a run."""
    day = isv.clock.wall_of(up) // DAY * DAY + DAY
    while (at := isv.clock.utc_of(day)) < down:
        yield at
        day += DAY


def _event(isv: Isv, event: Event) -> Iterator[str]:
    who = f"{word(event.member)}@{event.machine}"
    what = f"{event.feature} v{isv.product.version}"
    counted = f"({event.quantity} licenses) " if event.quantity > 1 else ""
    if event.event == CHECKOUT:
        yield f"OUT: {what} by {who} {counted}"
    elif event.event in GIVES_BACK:
        yield f"IN: {_TIMED_OUT if event.reason == 'idle' else _WHY[event.event]}{what} by {who} {counted}"
    elif event.event == DENIAL:
        yield f"DENIED: ({event.quantity}) {what} to {who} "
        yield "        No authorization for product" if event.reason == UNSUPPORTED else "        All licenses in use"
