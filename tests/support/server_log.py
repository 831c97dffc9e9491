"""Debug logs of a FlexNet server whose true times are known: what a server would write, line by line, with its traps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

HOST, DAEMON, PID = "keeper", "vendord", 4711
BANNER = (
    "-----------------------------------------------",
    "  Please Note:",
    "",
    "  This log is intended for debug purposes only.",
    "-----------------------------------------------",
)


@dataclass(frozen=True)
class Line:
    """One line: when it was true, who wrote it and what; `name` is set for a use that can be told from all others."""

    at: datetime
    daemon: str
    body: str
    name: str | None = None
    is_stamp: bool = False


@dataclass
class ServerLog:
    """What a server writes. Times are aware; the log shows the clock of `zone`. `features` names every use by its feature."""

    zone: ZoneInfo
    lines: list[Line] = field(default_factory=list)
    uses: int = 0

    def say(self, at: datetime, body: str, daemon: str = DAEMON, *, is_stamp: bool = False) -> None:
        self.lines.append(Line(at, daemon, body, is_stamp=is_stamp))

    def start(self, at: datetime, *, full: bool = True) -> None:
        local = at.astimezone(self.zone)
        for text in BANNER:
            self.say(at, text, "lmgrd")
        if full:
            self.say(
                at, f"Server's System Date and Time: {local:%a %b %d %Y %H:%M:%S} Some Daylight Time", "lmgrd", is_stamp=True
            )
        day = f"{local.month}/{local.day}/{local.year}"
        self.say(
            at, f"FlexNet Licensing (v11.18.0.0 build 1 x64_n6) started on {HOST} (IBM PC) ({day})", "lmgrd", is_stamp=True
        )
        self.say(at, f"Started {DAEMON} (pid {PID})", "lmgrd")
        self.say(at, f"Server started on {HOST} for:\tF1\t\tF2")

    def reread(self, at: datetime) -> None:
        self.say(at, "Rereading license file... Requested from root@keeper", "lmgrd")
        self.say(at, "Rereading license file...")
        self.say(at, f"Server started on {HOST} for:\tF1\t\tF2")
        self.say(at, "...Finished rereading")

    def stop(self, at: datetime) -> None:
        self.say(at, "SHUTDOWN request from root at node keeper", "lmgrd")
        self.say(at, "daemon shutdown requested - shutting down")

    def stamp(self, at: datetime, daemon: str = DAEMON) -> None:
        local = at.astimezone(self.zone)
        self.say(at, f"TIMESTAMP {local.month}/{local.day}/{local.year}", daemon, is_stamp=True)

    def summary(self, at: datetime) -> None:
        """Statistics: a stamp, and times of the past that are none."""
        local, past = at.astimezone(self.zone), (at - timedelta(days=3)).astimezone(self.zone)
        slog = f"(@{DAEMON}-SLOG@)"
        self.say(at, f"{slog} === Last 10 Client Requests Processing Time (in ms) ===")
        self.say(at, f"{slog} Time: {local:%a %b %d %Y %H:%M:%S} Some Daylight Time", is_stamp=True)
        self.say(at, f"{slog} 00000016 ms at {past:%a %b %d %Y %H:%M:%S} Some Daylight Time,#9,(5224K),(lab,host,1216)")

    def use(self, at: datetime, verb: str = "OUT", who: str = "ann@pc1", tail: str = "") -> str:
        self.uses += 1
        name = f"F{self.uses}"
        self.lines.append(Line(at, DAEMON, f'{verb}: "{name}" {who}  {tail}', name))
        return name

    @property
    def truth(self) -> dict[str, datetime]:
        """When each use was, in UTC."""
        return {line.name: line.at.astimezone(UTC) for line in self.lines if line.name is not None}

    def text(self, lines: Sequence[Line] | None = None) -> str:
        return "".join(f"{self.shown(line)}\n" for line in (self.lines if lines is None else lines))

    def shown(self, line: Line) -> str:
        local = line.at.astimezone(self.zone)
        return f"{local.hour:2d}:{local:%M:%S} ({line.daemon}) {line.body}"

    def save(self, path: Path, lines: Sequence[Line] | None = None, *, ends: str = "\n", mark: bytes = b"") -> Path:
        path.write_bytes(mark + self.text(lines).replace("\n", ends).encode())
        return path


def running(
    log: ServerLog, begin: datetime, uses: Iterable[datetime], until: datetime, every: timedelta = timedelta(hours=6)
) -> None:
    """A server that starts, writes its stamps as servers do, and is used at these times."""
    log.start(begin)
    stamps = [begin + every * number for number in range(1, (until - begin) // every + 1)]
    for at in sorted([*uses, *stamps]):
        if at in stamps:
            log.stamp(at, "lmgrd")
            log.stamp(at + timedelta(seconds=0))
        else:
            log.use(at)
