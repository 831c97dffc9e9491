"""The grammar of `lmstat -a`: what one line of a snapshot says.

A row of a user is `user host display (version) (server/port handle), start Www m/d hh:mm[, n licenses][, ...] [(linger: sec[ / sec])]`,
a row of somebody who waits ends with `queued for n license`. The start has no year, and no zone.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from checkout_log.sources.common import MOST_LICENSES, wall_time, written_time
from checkout_log.sources.snapshots.model import Row
from checkout_log.sources.text import number

STATUS = re.compile(r"Flexible License Manager status on \S+ (\d{1,2})/(\d{1,2})/(\d{4}) (\d{1,2}):(\d\d)(?::(\d\d))?")
SERVERS = re.compile(r"\s*License server status: (\S.*?)\s*$")
DAEMON = re.compile(r"\s*(\S+): UP v\S+")
FEATURE = re.compile(r"\s*Users of (.+?):\s*\((?:Total|Error|Uncounted)")
TOTAL = re.compile(r"\(Total of (\d{1,9}) licenses? issued;\s+Total of (\d{1,9}) licenses? in use")
VENDOR = re.compile(r'\s*"[^"]*" v\S*, vendor: ([^\s,]+)')
RESERVED = re.compile(r"\s*(\d{1,9}) RESERVATIONs? for ")
ROW = re.compile(
    r"\s+(?P<who>\S.*?) \((?P<version>v[^()]*)\) \((?P<place>[^()]+?) (?P<handle>\d+)\)"
    r"(?:, start (?P<weekday>[^\s\d]+) (?P<month>\d{1,2})/(?P<day>\d{1,2}) (?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d))?"
    r"| queued for (?P<queued>\d+) licenses?)(?P<rest>.*)"
)
# What a line of a user has, however damaged the rest of it is.
ROW_LIKE = re.compile(r", start [^\s\d]+ \d|queued for \d")
LICENSES = re.compile(r", (\d+) licenses?\b")
# Nine digits are thirty years.
LINGER = re.compile(r"\(linger: (\d{1,9})(?: / (\d{1,9}))?\)")
HOST_LIKE = re.compile(r"[\w.-]+")
# What some vendors have told after the display: `MSCONE:ADAMS_View`, `feature=solver`. Displays have numbers of screens there.
TOLD_LIKE = re.compile(r"[\w.-]+[:=][^\W\d]\S*")
TERMINAL_LIKE = re.compile(r"(?:tty|pts|console)\w*", re.IGNORECASE)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# A start this much after the snapshot is the same minute on two clocks, or seconds that lmstat leaves out.
CLOCKS = timedelta(minutes=1)
# How far the clock of the machine that asked can be behind the server's: a clock that is set wrong, where the weekday says so;
# where it says nothing, two clocks of different zones.
WRONG_CLOCK, OTHER_ZONE = timedelta(days=31), timedelta(hours=26)
# The 29th of February is at most eight years back, and within nine years nearly every date was on every weekday.
YEARS_BACK = 9


def row(line: str, now: datetime) -> Row | None:
    """The user in this line of a snapshot taken at the local time `now`; None where it cannot be read."""
    match = ROW.fullmatch(line.rstrip())
    if match is None:
        return None
    member, machine, display = people(match["who"], match["version"])
    counted = LICENSES.search(match["rest"])
    quantity = number(match["queued"] or (counted[1] if counted else "1"), MOST_LICENSES)
    start = _start(match, now) if match["queued"] is None else None
    if not machine or not quantity or (start is None and match["queued"] is None):
        return None
    is_ahead = start is not None and start > now + CLOCKS
    is_doubtful = start is not None and (is_ahead or not _is_last(start, match["weekday"], now))
    handle = f"{match['place']}/{match['handle']}"
    lingering = LINGER.search(match["rest"])
    linger, left = _linger(lingering), int(lingering[1]) if lingering and lingering[2] else None
    return Row(member, machine, display, handle, quantity, start, linger, is_doubtful, is_ahead, left)


def _linger(match: re.Match[str] | None) -> int | None:
    """For how many seconds a borrow is out in all; None for what is none.

    `seconds`, or `seconds left / in all`. With none left the license only stays out for so long once its use is over.
    """
    if match is None or (match[2] is not None and not int(match[1])):
        return None
    return int(match[2] or match[1])


def people(who: str, version: str) -> tuple[str, str, str]:
    """User, host and display of a row; the host is empty where there is none.

    Users may hold blanks, and displays blanks and any sign. Hosts hold neither: a word that comes twice, with its domain, or with
    the number of a screen, is the host and its display. Else what begins with another sign belongs to the display, and the word
    before it is the host. Without such a sign the last word is the display, or the number of a process after it.
    """
    words = who.split(" ")
    if len(words) > 3 and TOLD_LIKE.fullmatch(words[-1]):  # noqa: PLR2004 - user, host, display, and what is told
        words.pop()
    if len(words) > 3 and words[-1].isdecimal() and TERMINAL_LIKE.fullmatch(words[-2]):  # noqa: PLR2004 - and the number
        words.pop()
    if len(words) > 3 and words[-1] == version.removeprefix("v"):  # noqa: PLR2004 - user, host, display, and one more
        words.pop()
    if len(words) == 1:
        return words[0], "", ""
    twice = next((at for at in range(1, len(words) - 1) if _is_display_of(words[at + 1], words[at])), None)
    odd = next((at for at, word in enumerate(words) if at >= 2 and word and not HOST_LIKE.fullmatch(word)), None)  # noqa: PLR2004
    host = twice or (odd - 1 if odd is not None else max(1, len(words) - 2))
    return " ".join(words[:host]), words[host], " ".join(words[host + 1 :])


def _is_display_of(word: str, host: str) -> bool:
    screen, own = word.partition(":")[0].lower(), host.lower()
    return screen == own or screen.startswith(f"{own}.") or own.startswith(f"{screen}.")


def snapshot_time(line: str) -> datetime | None:
    """The local time that a snapshot says it was taken at; None where the line says none, or an impossible one."""
    match = STATUS.search(line)
    if match is None:
        return None
    month, day, year, hour, minute, second = (int(value or 0) for value in match.groups())
    return written_time(year, month, day, hour, minute, second)


def _start(match: re.Match[str], now: datetime) -> datetime | None:
    """The last time that this date and time was on this weekday; in another language, or where no year fits, the last it was.

    The time may be after the snapshot as far as two clocks can be apart.
    """
    month, day, hour, minute, second = (int(match[name] or 0) for name in ("month", "day", "hour", "minute", "second"))
    times = [
        at
        for year in range(now.year + 1, now.year - YEARS_BACK, -1)
        if (at := wall_time(year, month, day, hour, minute, second))
    ]
    on_this_day = [at for at in times if at <= now + WRONG_CLOCK and WEEKDAYS[at.weekday()] == match["weekday"]]
    ahead = CLOCKS if match["weekday"] in WEEKDAYS else OTHER_ZONE
    return next(iter(on_this_day), None) or next((at for at in times if at <= now + ahead), None)


def _is_last(start: datetime, weekday: str, now: datetime) -> bool:
    """Whether the start is of the last year that it can be of, and on this weekday; in another language a weekday tells nothing."""
    following = wall_time(start.year + 1, start.month, start.day, start.hour, start.minute, start.second)
    is_within_a_year = following is None or following > now + CLOCKS
    return is_within_a_year and (weekday not in WEEKDAYS or WEEKDAYS[start.weekday()] == weekday)
