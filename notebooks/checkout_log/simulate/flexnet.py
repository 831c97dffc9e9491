"""A FlexNet debug log, as lmgrd and its vendor daemons write it, with what makes real ones hard to read on demand.

Times are those of the wall without a date, with stamps now and then; traps are late lines, lost stamps, odd line ends, rotated files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, END, RELEASE, UNSUPPORTED
from checkout_log.errors import QuestionInvalid
from checkout_log.simulate.clock import DAY, HOUR, MINUTE, SECOND, Clock, wall_of
from checkout_log.simulate.events import POOL_EXHAUSTED
from checkout_log.simulate.grants import Stop
from checkout_log.simulate.organization import FLEXNET
from checkout_log.simulate.truth import LoggedEvent, Truth, events_of, runs_of

# A thread that was held up writes its line after others, so many seconds late at most.
_LATEST = 5


@dataclass(frozen=True, slots=True)
class Line:
    """One line: when (UTC), the daemon, the text; whether it is an event, or carries a date and nothing else."""

    at: int
    daemon: str
    text: str
    is_event: bool = False
    is_stamp: bool = False


@dataclass(frozen=True, slots=True)
class Traps:
    """Which traps a log has. None by default.

    late_lines: share of the events that are written up to five seconds late, behind younger lines.
    missing_stamps: share of the date stamps that are left out.
    untimed_lines: share of the events that are followed by a line without a time, a blank line, or a failed check-in.
    crlf, bom: Windows line ends; a byte order mark. encoding: of the text; letters it does not know become question marks.
    files: the log was rotated into so many; each but the first begins without a start line.
    overlap: so many lines at the end of each file stand at the begin of the next again.
    seed: of the chance that decides.
    """

    late_lines: float = 0.0
    missing_stamps: float = 0.0
    untimed_lines: float = 0.0
    crlf: bool = False
    bom: bool = False
    encoding: str = "utf-8"
    files: int = 1
    overlap: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises QuestionInvalid for shares outside 0 to 1, no file, or a negative overlap."""
        if not all(0 <= share <= 1 for share in (self.late_lines, self.missing_stamps, self.untimed_lines)):
            raise QuestionInvalid("a share of lines is not between 0 and 1", hint="0.01 is one line in a hundred.")
        if self.files < 1 or self.overlap < 0:
            raise QuestionInvalid(
                f"{self.files} files with an overlap of {self.overlap} lines make no log",
                hint="One file and none are the least.",
            )


def written(lines: Sequence[Line], path: Path, clock: Clock, traps: Traps, rng: np.random.Generator) -> list[Path]:
    """The files written, oldest first: the lines in order of time, with the traps in them."""
    texts = list(_texts(_in_order(lines, traps, rng), clock, traps, rng))
    cuts = [len(texts) * number // traps.files for number in range(traps.files + 1)]
    files = []
    for number, (first, last) in enumerate(pairwise(cuts)):
        place = path if traps.files == 1 else path.with_name(f"{path.stem}.{number + 1:02d}{path.suffix}")
        begin = max(0, first - traps.overlap) if number else 0
        ends = "\r\n" if traps.crlf else "\n"
        body = "".join(text + ends for text in texts[begin:last]).encode(traps.encoding, errors="replace")
        mark = b"\xef\xbb\xbf" if traps.bom and number == 0 else b""
        place.write_bytes(mark + body)
        files.append(place)
    return files


def _in_order(lines: Sequence[Line], traps: Traps, rng: np.random.Generator) -> Iterator[Line]:
    """The lines in the order in which they are written."""
    count = len(lines)
    at = np.array([line.at for line in lines], dtype=np.int64)
    is_event = np.array([line.is_event for line in lines], dtype=bool)
    is_stamp = np.array([line.is_stamp for line in lines], dtype=bool)
    late = is_event & (rng.random(count) < traps.late_lines)
    delay = np.where(late, rng.integers(1, _LATEST + 1, count), 0) * SECOND
    lost = is_stamp & (rng.random(count) < traps.missing_stamps)
    for number in np.argsort(at + delay, kind="stable").tolist():
        if not lost[number]:
            yield lines[number]


def _texts(lines: Iterator[Line], clock: Clock, traps: Traps, rng: np.random.Generator) -> Iterator[str]:
    remaining = list(lines)
    walls = clock.wall(np.array([line.at for line in remaining], dtype=np.int64)) % DAY
    odd = (rng.random(len(remaining)) < traps.untimed_lines).tolist()
    for line, wall, is_odd in zip(remaining, walls.tolist(), odd, strict=True):
        time = f"{wall // HOUR:2d}:{wall % HOUR // MINUTE:02d}:{wall % MINUTE // SECOND:02d}"
        yield f"{time} ({line.daemon}) {line.text}"
        if is_odd and line.is_event:
            yield from _oddities(time, line.daemon)


def _oddities(time: str, daemon: str) -> Iterator[str]:
    """Lines that are no events, with and without a time."""
    yield f'{time} ({daemon}) Checkin failed feature "SUITE": nobody nowhere /dev/pts/0'
    yield '\t" (0,353:10054 "")"'
    yield ""


HOST, RELEASE_NUMBER = "license-01", "v11.19.4.1 build 291234 x64_lsb"
# lmgrd stamps the date every six hours, a vendor daemon a little later; summaries come every four hours.
_STAMP, _DAEMON_LATER, _SUMMARY = 6 * HOUR, 5 * MINUTE, 4 * HOUR
_FULL = "(Licensed number of users already reached. (-4,342{}))"
_NOT_SERVED = "(No such feature exists. (-5,346))"
_NOT_ALLOWED = "(User/host not on INCLUDE list for feature. (-38,348))"
# Some story_denials carry the number of an unrelated fault of the network.
_NOISE = ':104 "Connection reset by peer"'
_NOISY = 0.1
_TAIL_OF_IN: dict[str | None, str] = {"idle": "(INACTIVE)", "shutdown": "(SHUTDOWN)"}


@dataclass(frozen=True, slots=True)
class Server:
    """A license server: its vendor daemons (one for each product), its clock, and its features by daemon."""

    clock: Clock
    daemons: dict[str, list[str]]


def write_flexnet(
    truth: Truth,
    folder: Path | str,
    products: Sequence[str] | None = None,
    timezone: str | None = None,
    traps: Traps | None = None,
    name: str = "debug.log",
) -> list[Path]:
    """The files written, oldest first: the log of one server with a vendor daemon for each product.

    products: those of FlexNet servers by default. timezone: the zone of the server's wall, by default that of the organization.
    A borrow is an OUT line, as its due time is not logged; renewals and revocations leave no line.
    """
    names = truth.organization.served_by(FLEXNET) if products is None else list(products)
    daemons = {one: [feature.name for feature in truth.organization.product(one).features] for one in names}
    server = Server(Clock(timezone or truth.organization.timezone), daemons)
    traps = traps or Traps()
    rng = np.random.default_rng([truth.seed, traps.seed])
    lines = list(_lines(truth, server, rng))
    return written(lines, Path(folder) / name, server.clock, traps, rng)


def _lines(truth: Truth, server: Server, rng: np.random.Generator) -> Iterator[Line]:
    """Everything that the server writes; lines of one time in the order in which they come here."""
    begin = Clock(truth.organization.timezone).utc_of(wall_of(truth.organization.begins_on))
    runs = runs_of(truth, FLEXNET, begin)
    for _, _, stop in runs:
        if stop is not None:
            yield from _stop_lines(stop, server)
    yield from _event_lines(truth, server, rng)
    for up, down, _ in runs:
        yield from _start_lines(up, server)
        yield from _stamps(up, down, server)


def _start_lines(up: int, server: Server) -> Iterator[Line]:
    moment = server.clock.moment(up)
    day = f"{moment.month}/{moment.day}/{moment.year}"
    spelled = f"{moment:%a %b %d %Y %H:%M:%S} {server.clock.zone_name(up)}"
    yield Line(up, "lmgrd", f"Server's System Date and Time: {spelled}")
    yield Line(up, "lmgrd", f"FlexNet Licensing ({RELEASE_NUMBER}) started on {HOST} (linux) ({day})")
    yield Line(up, "lmgrd", "lmgrd tcp-port 27000")
    for number, (daemon, features) in enumerate(server.daemons.items()):
        yield Line(up, "lmgrd", f"Started {daemon} (pid {4100 + number})")
        yield Line(up, daemon, f"FlexNet Licensing version {RELEASE_NUMBER}")
        yield Line(up, daemon, f"Server started on {HOST} for:\t{features[0]}\t")
        for at in range(1, len(features), 3):
            yield Line(up, daemon, " ".join(features[at : at + 3]) + " ")
        yield Line(up, daemon, "EXTERNAL FILTERS are OFF")
        yield Line(up, "lmgrd", f"{daemon} using TCP-port {27010 + number}")
        yield from _summary(up, daemon, f"Start-Date: {spelled}")


def _stop_lines(stop: Stop, server: Server) -> Iterator[Line]:
    """A stop that was asked for, or a crash."""
    down = stop.down_at
    if not stop.clean:
        for daemon in server.daemons:
            yield Line(down, daemon, "Lost connection to lmgrd, heartbeat timeout expired, exiting.")
            yield Line(down, daemon, "EXITING DUE TO SIGNAL 37 Exit reason 5")
        return
    yield Line(down, "lmgrd", f"SHUTDOWN request from admin at node {HOST}")
    for daemon in server.daemons:
        yield Line(down, daemon, "Shutdown requested.")
    yield Line(down, "lmgrd", "daemon shutdown requested - shutting down")
    yield Line(down, "lmgrd", "EXITING DUE TO SIGNAL 15")


def _stamps(up: int, down: int, server: Server) -> Iterator[Line]:
    """The dates that lmgrd and the vendor daemons write while they run, and the summaries with a date in them."""
    for writer, step in (("lmgrd", _STAMP), *((daemon, _STAMP + _DAEMON_LATER) for daemon in server.daemons)):
        for at in range(up + step, down, step):
            moment = server.clock.moment(at)
            yield Line(at, writer, f"TIMESTAMP {moment.month}/{moment.day}/{moment.year}", is_stamp=True)
    for daemon in server.daemons:
        for at in range(up + _SUMMARY, down, _SUMMARY):
            moment = server.clock.moment(at)
            yield from _summary(at, daemon, f"Time: {moment:%a %b %d %Y %H:%M:%S} {server.clock.zone_name(at)}")


def _summary(at: int, daemon: str, dated: str) -> Iterator[Line]:
    for text in ("=" * 47, "=== Summary of the daemon ===", dated, "=" * 47):
        yield Line(at, daemon, f"(@{daemon}-SLOG@) {text}", is_stamp=dated is text)


def _event_lines(truth: Truth, server: Server, rng: np.random.Generator) -> Iterator[Line]:
    """A line for each event that such a server logs."""
    events = events_of(truth, server.daemons)
    is_noisy = (rng.random(len(events)) < _NOISY).tolist()
    keys = rng.integers(0, 1 << 40, len(events)).tolist()
    for event, noisy, key in zip(events, is_noisy, keys, strict=True):
        text = _event(event, f"{key:010X}", _NOISE if noisy else "")
        if text is not None:
            yield Line(event.at // SECOND * SECOND, event.product, text, is_event=True)


def _event(event: LoggedEvent, key: str, noise: str) -> str | None:
    """The text of an event; None for what such a server does not log."""
    counted = f"({event.quantity} licenses) " if event.quantity > 1 else ""
    who = f"{event.member}@{event.machine}  {counted}"
    if event.event == CHECKOUT:
        return f'OUT: "{event.feature}" {who}'
    if event.event in {CHECKIN, RELEASE, END}:
        return f'IN: "{event.feature}" {who}{_TAIL_OF_IN.get(event.reason, "")}'
    if event.event == DENIAL and event.reason == UNSUPPORTED:
        return f'UNSUPPORTED: "{event.feature}" ({key}) {who}{_NOT_SERVED}'
    if event.event == DENIAL:
        return f'DENIED: "{event.feature}" {who}' + (_FULL.format(noise) if event.reason == POOL_EXHAUSTED else _NOT_ALLOWED)
    return None
