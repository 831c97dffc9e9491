"""The grammar of RLM's logs: its report log in its three styles, and the debug log of an ISV server.

Report log, as the License Administration manual of RLM describes it (words in quotes may hold blanks, an empty user or host is
`""`, handles are hexadecimal, so is roam_days, which is one more than the days and 0 for a license that does not roam; the year
stands only in START, END and the timestamps between):

    OUT product version pool# user host "isv" count use reserved handle share pid "project" "product" "version" mm/dd hh:mm:ss
    OUT ... hh:mm:ss.tenths_of_msec "os" "argv0" roam_days roam_handle [address]                              (detailed)
    OUT product version user host "isv" count handle share hh:mm                                              (small)
    IN why product version user host "isv" count use reserved handle mm/dd hh:mm:ss[.tenths_of_msec]
    IN why count handle hh:mm                                                                                 (small)
    DENY product version user host "isv" count why last_attempt mm/dd hh:mm[:ss.tenths_of_msec]
    INUSE product version pool# user host "isv" count handle pid mm/dd hh:mm:ss
    QUE product version user host "isv" count handle ["project" "product" "version" mm/dd hh:mm:ss[...] | hh:mm]
    ROAM_EXTEND product version pool# user host "isv" days handle pid mm/dd hh:mm:ss
    TIMEZONE minutes_west_of_utc daylight [rules] # name
    START host mm/dd/yyyy hh:mm[:ss]    REREAD user host mm/dd hh:mm:ss
    PRODUCT product version pool# free reserved ...    SHUTDOWN user host mm/dd hh:mm:ss    END mm/dd/yyyy hh:mm    mm/dd/yyyy hh:mm

Debug log: `mm/dd hh:mm (isv) OUT: product vX by user@host [(n licenses)]`, `IN: [(why)] ...`, `DENIED: (n) product vX to user@host`
with the reason in the next line, indented, with or without the time and the ISV before it. Hours may have one digit.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from checkout_log.columns import CHECKIN, CHECKOUT, DENIAL, RENEWAL
from checkout_log.sources.common import IDLE, MOST_LICENSES, QUEUED

# Kinds of records beside the events.
IN_USE, START, STOP, END, STAMP, ISV, SWITCHED = "inuse", "start", "stop", "log end", "stamp", "isv", "switched"
DETAIL, SEATS, REREAD = "detail", "seats", "reread"


class Record(NamedTuple):
    """What a line says. Of its time the month, day and year are None where the line has none."""

    kind: str
    product: str | None = None
    member: str | None = None
    machine: str | None = None
    quantity: int = 1
    handle: str | None = None
    reason: str | None = None
    month: int | None = None
    day: int | None = None
    year: int | None = None
    second: int = 0
    fraction: int = 0
    roam_days: int = 0
    roam_handle: str | None = None
    host: str | None = None


# What a check-in says in its first field, as far as it is no ordinary one.
WHY_IN = {
    "2": "exited",
    "3": "removed",
    "4": IDLE,
    "5": "hold ended",
    "6": "dequeued",
    "7": "host id removed",
    "8": "failed host is back",
    "9": "server lost its licenses",
    "10": "meter ran out",
    "11": "no heartbeat",
    "12": "temporary license expired",
    "13": "temporary license returned",
}

WHO = r'(?P<product>\S+) \S+ (?P<member>.+) (?P<machine>\S+) "[^"]*" '
POOLED = r'(?P<product>\S+) \S+ \d+ (?P<member>.+) (?P<machine>\S+) "[^"]*" '
TIME = (
    r"(?:(?P<month>\d\d?)/(?P<day>\d\d?) +)?(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d{1,4}))?)?"
)
DATE = r"(?P<month>\d\d?)/(?P<day>\d\d?)/(?P<year>\d{4}) +(?P<hour>\d\d?):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
COUNT, HANDLE = r"(?P<count>\d{1,7})", r"(?P<handle>[0-9a-fA-F]+)"
THREE = r'"[^"]*" "[^"]*" "[^"]*" '
ROAMS = r'(?: "[^"]*" "[^"]*" (?P<roam>[0-9a-fA-F]{1,4}) (?P<roamer>\S+).*)?'

RECORDS = {
    "OUT": (
        re.compile(rf"OUT {POOLED}{COUNT} \d+ \d+ {HANDLE} \S+ \S+ {THREE}{TIME}{ROAMS}"),
        re.compile(rf"OUT {WHO}{COUNT} {HANDLE} \S+ {TIME}"),
    ),
    "IN": (
        re.compile(rf"IN (?P<why>\d+) {WHO}{COUNT} \d+ \d+ {HANDLE} {TIME}"),
        re.compile(rf"IN (?P<why>\d+) {COUNT} {HANDLE} {TIME}"),
    ),
    "DENY": (re.compile(rf"DENY {WHO}{COUNT} (?P<why>-?\d+) (?P<last>-?\d+) {TIME}"),),
    "INUSE": (re.compile(rf"INUSE {POOLED}{COUNT} {HANDLE} \S+ {TIME}.*"),),
    "QUE": (re.compile(rf"QUE {WHO}{COUNT} {HANDLE} (?:{THREE})?{TIME}"),),
    "ROAM_EXTEND": (re.compile(rf"ROAM_EXTEND {POOLED}(?P<more>-?\d{{1,5}}) {HANDLE} \S+ {TIME}"),),
    "START": (re.compile(rf"START (?P<host>\S+) {DATE}"),),
    "SHUTDOWN": (re.compile(rf"SHUTDOWN .*? ?{TIME}"),),
    "END": (re.compile(rf"END {DATE}"),),
    "REREAD": (re.compile(rf"REREAD .*? ?{TIME}"),),
}
KINDS = {
    "OUT": CHECKOUT,
    "IN": CHECKIN,
    "DENY": DENIAL,
    "INUSE": IN_USE,
    "QUE": DENIAL,
    "ROAM_EXTEND": RENEWAL,
    "START": START,
    "SHUTDOWN": STOP,
    "END": END,
    "REREAD": REREAD,
}
STAMPED = re.compile(DATE)
# `PRODUCT name version pool# free reserved ...`, one for each pool, after START and REREAD: what the server has.
PRODUCT = re.compile(r"PRODUCT (?P<product>\S+) \S+ \d+ (?P<free>\d{1,7}) (?P<reserved>\d{1,7})\b")
MADE_BY = re.compile(r"ISV: (?P<product>[^,\s]+), RLM version")
ZONE = re.compile(r"TIMEZONE (-?\d{1,4}) \d")
REPORT = re.compile(r"RLM Report Log Format \d", re.MULTILINE)

DEBUG_LINE = re.compile(
    r"(?P<month>\d\d?)/(?P<day>\d\d?) +(?P<hour>\d\d?):(?P<minute>\d\d) \((?P<isv>[^()\s]+)\) ?(?P<body>.*)"
)
DEBUG_VERB = re.compile(r"(OUT|IN|DENIED): ")
PERSON = r"(?P<product>\S+) v\S+ %s (?P<member>.*?)@(?P<machine>[^@\s]+)(?:\s+(?P<rest>.*))?"
DEBUG_USES = {
    "OUT": (CHECKOUT, re.compile(PERSON % "by")),
    "IN": (CHECKIN, re.compile(r"(?:\((?P<why>[^()]*)\) )?" + PERSON % "by")),
    "DENIED": (DENIAL, re.compile(r"(?:\((?P<count>\d{1,7})\) )?(?:no good )?" + PERSON % "to")),
}
LICENSES = re.compile(r"\((\d{1,7}) licenses?\)")
# What a server says of a denial, with or without its number.
DETAIL_CODE = re.compile(r"(?P<words>.*?)\s*\((?P<code>-\d{1,4})\)")
CODES = {"all licenses in use": "-22"}
# RLM itself writes into the same log; only ISV servers give licenses.
MANAGER = "rlm"


class Unread(Exception):
    """A line begins like a record and cannot be read."""


def report(line: str) -> Record | None:
    """The record in a line of a report log; None where it says nothing about use. Raises Unread."""
    word = line.split(" ", 1)[0]
    if word in RECORDS:
        line_match = next((match for form in RECORDS[word] if (match := form.fullmatch(line)) is not None), None)
        if line_match is None:
            raise Unread
        fields = line_match.groupdict()
        # More attempts follow: the application was not denied, one server had none for it.
        return None if word == "DENY" and int(fields["last"]) == 0 else _record(word, fields)
    if (line_match := STAMPED.fullmatch(line)) is not None:
        return _record("END", line_match.groupdict())._replace(kind=STAMP)
    if (line_match := PRODUCT.match(line)) is not None:
        return Record(SEATS, line_match["product"], quantity=int(line_match["free"]) + int(line_match["reserved"]))
    if (line_match := MADE_BY.match(line)) is not None:
        return Record(ISV, line_match["product"])
    return Record(SWITCHED) if line.startswith("SWITCH from ") else None


def minutes_west(line: str) -> int | None:
    """By how many minutes the server's clock is behind UTC, in winter or now, where a line of a report log says it."""
    match = ZONE.match(line)
    return None if match is None else int(match[1])


def _record(word: str, fields: dict[str, str | None]) -> Record:
    why = fields.get("why")
    reasons = {"IN": WHY_IN.get(why or ""), "DENY": why, "QUE": QUEUED}
    # The checkout says the days plus one in hexadecimal, an extension says its days.
    days = max(0, int(fields.get("roam") or "0", 16) - 1) or int(fields.get("more") or 0)
    return Record(
        KINDS[word],
        product=fields.get("product"),
        member=_name(fields.get("member")),
        machine=_name(fields.get("machine")),
        quantity=_quantity(fields.get("count")),
        handle=fields.get("handle"),
        reason=reasons.get(word),
        month=_number(fields.get("month")),
        day=_number(fields.get("day")),
        year=_number(fields.get("year")),
        second=_second(fields),
        fraction=int(fields.get("fraction") or 0) * 100,
        roam_days=days,
        roam_handle=fields.get("roamer"),
        host=fields.get("host"),
    )


def debug(line: str) -> tuple[str | None, Record] | None:
    """The ISV and the record in a line of a debug log; None where it says nothing. Raises Unread.

    A STAMP where it has only a time; a DETAIL, which explains the line before it, where it is indented or has no time.
    """
    match = DEBUG_LINE.match(line)
    if match is None:
        return (None, Record(DETAIL, reason=_explained(line))) if line.strip() else None
    isv, body = match["isv"], match["body"].rstrip()
    if body[:1].isspace():
        return isv, _timed(Record(DETAIL, reason=_explained(body)), match)
    verb = DEBUG_VERB.match(body) if isv != MANAGER else None
    record = _use(verb[1], body[verb.end() :]) if verb is not None else Record(_sign(isv, body))
    return isv, _timed(record, match)


def _timed(record: Record, match: re.Match[str]) -> Record:
    return record._replace(month=_number(match["month"]), day=_number(match["day"]), second=_second(match.groupdict()))


def _explained(text: str) -> str:
    """A reason in a line of its own, as `-22 All licenses in use`: its number, where it is said or known, and the words."""
    coded = DETAIL_CODE.match(text.strip())
    words = coded["words"] if coded else text.strip()
    code = coded["code"] if coded else CODES.get(words.lower().rstrip("."), "")
    return f"{code} {words}".strip()


def _use(verb: str, rest: str) -> Record:
    event, form = DEBUG_USES[verb]
    match = form.fullmatch(rest)
    if match is None:
        raise Unread
    fields = match.groupdict()
    counted = LICENSES.search(fields["rest"] or "")
    quantity = _quantity(counted[1] if counted else fields.get("count"))
    return Record(event, fields["product"], fields["member"] or None, fields["machine"], quantity, reason=fields.get("why"))


def _sign(isv: str, body: str) -> str:
    """The kind of a line that is about no license."""
    if isv == MANAGER:
        return STAMP
    return START if body.startswith("Server started on ") else STOP if body.startswith("Shutdown") else STAMP


def _name(text: str | None) -> str | None:
    return None if text in (None, '""') else text


def _number(text: str | None) -> int | None:
    return int(text) if text else None


def _quantity(text: str | None) -> int:
    quantity = int(text or 1)
    if not 1 <= quantity <= MOST_LICENSES:
        raise Unread
    return quantity


def _second(fields: dict[str, str | None]) -> int:
    hour, minute, second = (int(fields.get(name) or 0) for name in ("hour", "minute", "second"))
    if max(hour - 24, minute - 60, second - 60) >= 0:
        raise Unread
    return hour * 3600 + minute * 60 + second
