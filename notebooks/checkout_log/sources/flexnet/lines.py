"""The grammar of a FlexNet debug log: what one line says, after its time.

A line is `hh:mm:ss (daemon) body`. Of the bodies these matter:

- `VERB: "feature" [(key)] user@host  [data] [(n licenses)] [tail]` with the verbs of USES: somebody takes, returns or is denied.
  `data` is what the vendor tells of the checkout: the number of the process, or the program that takes tokens. A vendor may have more
  told after it, `^^^ version user address pid handle in-use of project ... ^^^`. Old servers write
  `VERB: [n] feature by|to user@host (n licenses)`, and `IN server died:` for what a lost server gave back.
- Stamps, which carry the date that the lines lack: TIMESTAMP, the start of the server, its summaries.
- Signs that a vendor daemon starts, reads its license file again, or stops.
- What it took from its options file: who has reservations, how many somebody may have, who may borrow, and when idle ones are taken back.

Everything else (headings, lists of features, statistics, EXPIRED features, DEQUEUED requests, failed check-ins) is known and says
nothing about use.
"""

from __future__ import annotations

import re
from datetime import date
from typing import NamedTuple

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, UNSUPPORTED, UPGRADE
from checkout_log.sources.common import FIRST_YEAR, IDLE, LAST_YEAR, MOST_LICENSES, QUEUED, SHUTDOWN, written_time
from checkout_log.sources.text import number

# These write about themselves; only vendor daemons give licenses.
MANAGERS = ("lmgrd", "lmadmin")

# Kinds of marks.
STAMP, BANNER, START, LAUNCHED, REREAD, REREAD_END, STOP, STOP_ALL = (
    "stamp",
    "banner",
    "start",
    "launched",
    "reread",
    "reread_end",
    "stop",
    "stop_all",
)


class Use(NamedTuple):
    """A line about a license: one row of the events' columns.

    handle: what a vendor tells of the checkout, so that its return can be known by it. issued: the seats that the server has of the
    feature, where the line says it.
    """

    event: str
    product: str
    feature: str
    member: str | None
    machine: str | None
    quantity: int
    reason: str | None
    handle: str | None = None
    issued: int | None = None


class Mark(NamedTuple):
    """A line about the server: which daemon wrote it, and the date, time of day (seconds), host and time zone that it names."""

    kind: str
    daemon: str
    day: date | None = None
    second: int | None = None
    host: str | None = None
    zone: str | None = None


class Setting(NamedTuple):
    """A line in which a daemon repeats its options file: the columns of `store.Option` between product and members."""

    daemon: str
    feature: str | None
    option: str
    number: int | None
    kind: str | None
    name: str | None


class Malformed(NamedTuple):
    """A line that begins like a use or a stamp and cannot be read."""

    daemon: str


# What lines must have to be looked at more closely; it runs over all lines at once, without groups, before anything else does.
CANDIDATE = (
    r"^[^(]*\([^()]+\) +(?:"
    r"(?:OUT|IN|IN server died|DENIED|UNSUPPORTED|UPGRADE|QUEUED): "
    r"|TIMESTAMP |Server's System Date|(?:FlexNet|FLEXnet|FLEXlm) .*started on |\(@[^)]*-SLOG@\) (?:Start-Date|Time): "
    r"|Server started on |(?:RE)?Started \S+ \(|Rereading license|\.\.\.Finished reread|-----"
    r"|SHUTDOWN request|[Ss]hutdown requested|daemon shutdown requested|EXITING (?:DUE|WITH)|Lost connection to lmgrd"
    r"|\S+ exited with status|lmgrd will now shut down"
    r"|RESERVING \d|MAX \d|Max borrow interval|\S+(?: FEATURES)?: INACTIVITY TIMEOUT|(?:IN|EX)CLUDE(?:_BORROW)? )"
)

# What daemons write when they have read their options file; the words of real logs.
SETTINGS = (
    ("reserve", re.compile(r"RESERVING (?P<number>\d+) (?P<feature>[^\s/]+)\S*.*? licenses? for (?P<kind>\S+) (?P<name>\S.*)")),
    ("max", re.compile(r"MAX (?P<number>\d+) (?P<kind>\S+) (?P<name>\S.*) for (?P<feature>\S+)")),
    ("max-borrow-hours", re.compile(r"Max borrow interval for feature, (?P<feature>[^,]+), set to (?P<number>\d+) hours")),
    ("timeout", re.compile(r"(?:ALL FEATURES|(?P<feature>\S+)): INACTIVITY TIMEOUT set to (?P<number>\d+) seconds")),
    ("include-borrow", re.compile(r"INCLUDE_BORROW (?P<kind>\S+) (?P<name>\S.*) (?:in|for) (?P<feature>\S+)")),
    ("exclude-borrow", re.compile(r"EXCLUDE_BORROW (?P<kind>\S+) (?P<name>\S.*) (?:in|for) (?P<feature>\S+)")),
    ("include", re.compile(r"INCLUDE (?P<kind>\S+) (?P<name>\S.*) (?:in|for) (?P<feature>\S+)")),
    ("exclude", re.compile(r"EXCLUDE (?P<kind>\S+) (?P<name>\S.*) (?:in|for) (?P<feature>\S+)")),
)

LINE = re.compile(r"\(([^()]+)\) +(.*)", re.DOTALL)
VERB = re.compile(r"(OUT|IN|DENIED|UNSUPPORTED|UPGRADE|QUEUED)(?:(?<=IN) server died)?: +")
# Text in brackets before the user is the key of the client's license, or what stands in its place, as PORT_AT_HOST_PLUS.
# The user may hold anything, the host no blank: so the user ends at the last @ before two blanks, a bracket, more that is told,
# a remark or the end.
USE = re.compile(
    r'(?:"(?P<quoted>[^"]+)"|(?P<bare>[^\s"]+)) +(?:\([^()@]*\) +(?=\S))?'
    r"(?P<user>.*?)@(?P<host>[^@\s]*)(?:  (?P<tail>.*)| (?P<closed>[(\[^].*)| (?P<remark>[^@]*)|)",
    re.DOTALL,
)
OLD_USE = re.compile(r'(?:(?P<count>\d+) )?(?P<feature>[^\s"]+) (?:by|to) ')
MORE = "^^^"
# After the version: the user, who may be missing before the @, the address, the number of the process, and the client's handle; then
# how many licenses are in use, and of how many.
MORE_TOLD = re.compile(
    r" *\S+ (?P<user>\S.*?) [0-9A-Fa-f.:%]{3,} (?P<process>\d+) (?:(?P<handle>(?:0x)?[0-9A-Fa-f]+) \d+ (?P<issued>\d+) )?"
)
DATA = re.compile(r"\s*\[([^\[\]]{1,200})\]")
MORE_COUNT = re.compile(r"\((\d+)\)\s*$")
LICENSES = re.compile(r"\((\d+) licenses?\)")
GROWN = re.compile(r"\((\d+) ?-> ?(\d+) licenses?\)")
RETURNED = {"INACTIVE": IDLE, "SHUTDOWN": SHUTDOWN}
RETURN = re.compile(r"\((INACTIVE|SHUTDOWN)\)\s*$")
# `(Licensed number of users already reached. (-4,342:104 "Connection reset by peer"))`: the words, and the code without what
# the network said.
REFUSAL = re.compile(r"\((?P<words>[^()]*?)\.?\s*\((?P<code>-?\d+,-?\d+)")
# What stands after a denied user and is no reason: the time that old servers repeat, and how many licenses were asked for.
NO_REASON = re.compile(r"\(\d{1,2}/\d{1,2}/\d{2,4} \d{1,2}:\d\d\)|\(\d+ licenses?\)")

DATE = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})\b")
LONG_DATE = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2}) +(\d{1,2}) (\d{4}) (\d\d):(\d\d):(\d\d)(?: +(\S.{0,60}))?")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
SUMMARY = re.compile(r"\(@[^)]*-SLOG@\) (?:Start-Date|Time): ")
STARTED = re.compile(r"(?:FlexNet|FLEXnet|FLEXlm) .*started on (\S+)")
SERVES = re.compile(r"Server started on (\S+) for:")
# The manager starts a vendor daemon, which happens at a start and never while a license file is read again.
LAUNCHES = re.compile(r"(?:RE)?Started \S+ \(")
EXITED = re.compile(r"(\S+) exited with status")
EXITS = ("EXITING DUE", "EXITING WITH")
STOPS = ("Shutdown requested", "shutdown requested", "daemon shutdown requested", *EXITS, "Lost connection to lmgrd")
STOPS_ALL = ("SHUTDOWN request", "lmgrd will now shut down", *EXITS, "daemon shutdown requested")


def read(text: str) -> Use | Mark | Setting | Malformed | None:
    """What the text after a line's time says: a use, a mark, an option, nothing that matters (None), or something that cannot be read."""
    match = LINE.match(text.rstrip())
    if match is None:
        return None
    daemon, body = match.groups()
    if daemon not in MANAGERS and (verb := VERB.match(body)) is not None:
        return _use(daemon, verb.group(1), body[verb.end() :])
    return _stamp(daemon, body) or _sign(daemon, body) or _setting(daemon, body)


def _use(daemon: str, verb: str, rest: str) -> Use | Malformed:
    old = OLD_USE.match(rest)
    match = USE.fullmatch(rest if old is None else f'"{old["feature"]}" {rest[old.end() :]}')
    if match is None:
        return Malformed(daemon)
    tail, _, more = (match["tail"] or match["closed"] or match["remark"] or "").partition(MORE)
    quantity = (
        number(old["count"], MOST_LICENSES)
        if old is not None and old["count"]
        else _quantity(verb, tail, is_more_told=bool(more))
    )
    if quantity < 1:
        return Malformed(daemon)
    event, reason = _meaning(verb, tail)
    details = MORE_TOLD.match(more)
    feature, user = match["quoted"] or match["bare"], match["user"].strip() or (None if details is None else details["user"])
    handle = None if event == DENIAL else _handle(tail, details)
    issued = None if details is None else number(details["issued"] or "0", MOST_LICENSES) or None
    return Use(event, daemon, feature, user, match["host"] or None, quantity, reason, handle, issued)


def _handle(tail: str, details: re.Match[str] | None) -> str | None:
    """What is told of a checkout and of its return alike: the data in brackets, the process and the client's handle."""
    data = DATA.match(tail)
    if data is None and details is None:
        return None
    parts = [data[1].strip() if data else "", *((details["process"], details["handle"] or "") if details else ())]
    return "/".join(dict.fromkeys(part for part in parts if part)) or None


def _quantity(verb: str, tail: str, *, is_more_told: bool) -> int:
    """How many licenses move; 0 where the line does not say it and has to."""
    if verb == "UPGRADE":
        grown = GROWN.search(tail)
        return number(grown[2], MOST_LICENSES) - number(grown[1], MOST_LICENSES) if grown else 0
    counted = LICENSES.search(tail) or (MORE_COUNT.search(tail) if is_more_told else None)
    return number(counted[1], MOST_LICENSES) if counted else 1


def _meaning(verb: str, tail: str) -> tuple[str, str | None]:
    """The event, and its reason: of a denial the code with the server's own words, as `-4,342 Licensed number ...`."""
    if verb == "OUT":
        return CHECKOUT, None
    if verb == "UPGRADE":
        return UPGRADE, None
    if verb == "IN":
        returned = RETURN.search(tail)
        return CHECKIN, RETURNED[returned[1]] if returned else None
    if verb == "UNSUPPORTED":
        return DENIAL, UNSUPPORTED
    if verb == "QUEUED":
        return DENIAL, QUEUED
    refused = REFUSAL.search(tail)
    return DENIAL, f"{refused['code']} {refused['words']}".rstrip() if refused else _reason_without_code(tail)


def _reason_without_code(tail: str) -> str | None:
    """The words of a denial that has no code."""
    return NO_REASON.sub("", DATA.sub("", tail, count=1)).strip("() ") or None


def _setting(daemon: str, body: str) -> Setting | None:
    """What the daemon repeats of its options file."""
    option, match = next(((word, match) for word, form in SETTINGS if (match := form.fullmatch(body.rstrip()))), (None, None))
    if option is None or match is None:
        return None
    parts = match.groupdict()
    amount = number(parts["number"], 10 * MOST_LICENSES) if parts.get("number") else None
    kind = parts.get("kind")
    return Setting(
        daemon,
        parts["feature"],
        option,
        amount,
        None if kind is None else kind.lower().removeprefix("user_").replace("_", "-"),
        parts.get("name"),
    )


def _stamp(daemon: str, body: str) -> Mark | Malformed | None:
    """The date that a line names; statistics of the past, such as `ms at`, are no stamps of the line that reports them."""
    if body.startswith("TIMESTAMP ") or (started := STARTED.match(body)) is not None:
        day = _day(DATE.search(body))
        host = None if body.startswith("TIMESTAMP ") or started is None else started[1]
        return Malformed(daemon) if day is None else Mark(STAMP, daemon, day, host=host)
    if body.startswith("Server's System Date") or SUMMARY.match(body) is not None:
        return _long_stamp(daemon, body)
    return None


def _long_stamp(daemon: str, body: str) -> Mark | Malformed | None:
    match = LONG_DATE.search(body)
    if match is None or match[1] not in MONTHS:
        # Another language: the date is there, but nobody here can read it.
        return None
    day, year, hour, minute, second = (int(value) for value in match.groups()[1:6])
    at = written_time(year, MONTHS.index(match[1]) + 1, day, hour, minute, second)
    if at is None:
        return Malformed(daemon)
    zone = None if match[7] is None else match[7].strip()
    return Mark(STAMP, daemon, at.date(), at.hour * 3600 + at.minute * 60 + at.second, zone=zone)


def _day(match: re.Match[str] | None) -> date | None:
    """The day that `m/d/yyyy` or `m/d/yy` names, if there is such a day."""
    if match is None:
        return None
    month, day, year = (int(value) for value in match.groups())
    if len(match[3]) == len("yy"):
        year += 1900 if 1900 + year >= FIRST_YEAR else 2000
    try:
        return date(year, month, day) if FIRST_YEAR <= year <= LAST_YEAR else None
    except ValueError:
        return None


def _sign(daemon: str, body: str) -> Mark | None:
    """The start, new reading or stop of a daemon."""
    if daemon in MANAGERS:
        return _sign_of_manager(daemon, body)
    if (serves := SERVES.match(body)) is not None:
        return Mark(START, daemon, host=serves[1])
    begins = {"Rereading license": REREAD, "...Finished reread": REREAD_END} | dict.fromkeys(STOPS, STOP)
    kind = next((kind for begin, kind in begins.items() if body.startswith(begin)), None)
    return None if kind is None else Mark(kind, daemon)


def _sign_of_manager(daemon: str, body: str) -> Mark | None:
    if (exited := EXITED.match(body)) is not None:
        return Mark(STOP, exited[1])
    kind = BANNER if body.startswith("-----") else REREAD if body.startswith("Rereading license") else None
    kind = LAUNCHED if LAUNCHES.match(body) is not None else kind
    if kind is not None:
        return Mark(kind, daemon)
    return Mark(STOP_ALL, daemon) if body.startswith(STOPS_ALL) else None
