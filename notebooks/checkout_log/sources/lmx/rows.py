"""The grammar of `lmxendutil -licstat` and `-licstatxml`: what one line of an output says.

In text a server, its features and their users follow one another; a use is `N license(s) used by USER@HOST [IP]`, and the line after
it has its login and checkout time, or when its borrow expires. In XML each of them is an element with attributes. Times have a year,
and no zone. No output says when it was made: a line with nothing but a date and a time, which was written beside it, does.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import NamedTuple

from checkout_log.sources.common import MOST_LICENSES, written_time
from checkout_log.sources.text import number

# How an output begins: its first line, and the first line of XML whose head was taken away.
BANNER = re.compile(r"\s*LM-X End-user Utility\b|\s*<LM-X\b")
SIGN = re.compile(
    r"^[ \t]{0,40}(?:LM-X End-user Utility v|LM-X License Server on \S+:\s*$|<LM-X\b|<LICENSE_PATH\s)", re.MULTILINE
)
SERVER = re.compile(r"\s*LM-X License Server on (\S+?):\s*")
FEATURE = re.compile(r"\s*Feature: (\S.*?) Version: \S+ Vendor: (\S+)\s*")
SHARING = re.compile(r"\s*Key type: .*?License sharing:\s*(.*)")
TOTAL = re.compile(r"\s*(\d{1,18}) of (\d{1,18}|UNLIMITED) license\(s\) used\b(?! by).*", re.IGNORECASE)
USE = re.compile(r"\s*(\d{1,18}) license\(s\) used by (\S.*)@([^@\s]+) \[[^\]]*\]\s*")
TIMES = re.compile(r"\s*Login time: .*?Checkout time: (\S+ \S+).*")
EXPIRES = re.compile(r"\s*Borrow expire time: (\S+ \S+).*")
# What a line of a feature or a use has, however damaged the rest of it is.
FEATURE_LIKE = re.compile(r"\s*(?:Feature:|<FEATURE\b)")
USE_LIKE = re.compile(r"license\(s\) used by\b|<USER\b")
ELEMENT = re.compile(r"<(LICENSE_PATH|FEATURE|USER)\s([^<>]*)")
ATTRIBUTE = re.compile(r'\b([A-Z_]{1,40})="([^"]*)"')
TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d)(?::(\d\d))?")
# A time with nothing beside it but signs: as ISO 8601 has it, and as the command `date` prints it in English.
ISO = re.compile(r"[\W_]*(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?:Z|\s?[+-]\d\d:?\d\d)?[\W_]*")
DATE = re.compile(
    r"[\W_]*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) (?:(?P<day>\d{1,2}) )?(?P<month>[A-Z][a-z]{2}) +(?:(?P<after>\d{1,2}) )?"
    r"(?:(?P<early>\d{4}) )?(?P<clock>\d\d:\d\d:\d\d)(?: (?P<half>AM|PM))?(?: [A-Z]{1,5}| [+-]\d{2,4})?(?: (?P<year>\d{4}))?[\W_]*"
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
NOON = 12
# How servers write that there is no limit: the largest number that they hold.
NO_LIMIT = 2**31 - 1
# Letters of a DUP_GROUP for what must be the same in uses that share a license.
SHARED = {"HOST": "H", "USER": "U"}
ALONE = {"VIRTUAL", "NONE", ""}


class Server(NamedTuple):
    """The server that what follows is of, as `port@host`."""

    address: str


class Feature(NamedTuple):
    """A feature and its vendor. The number of its seats follows."""

    feature: str
    vendor: str


class Sharing(NamedTuple):
    """Which uses of a feature share a license.

    dup_group: as a FlexNet license file would say it; None where nothing does, or where the application itself decides.
    """

    is_shared: bool
    dup_group: str | None


class Seats(NamedTuple):
    """How many seats of a feature are in use and how many there are; None without a limit."""

    in_use: int
    issued: int | None


class Use(NamedTuple):
    """Who has how many seats; the times follow in text, and are there in XML."""

    member: str
    machine: str
    quantity: int


class Start(NamedTuple):
    """The local time of the checkout of the use before."""

    at: datetime


class Due(NamedTuple):
    """The local time at which the use before is due: a borrow."""

    at: datetime


Mark = Server | Feature | Sharing | Seats | Use | Start | Due


def marks(line: str) -> Iterator[Mark]:
    """What a line says, in its order; nothing where it says nothing, or cannot be read."""
    if line.lstrip().startswith("<"):
        for element in ELEMENT.finditer(line):
            yield from _of_element(element[1], {name: html.unescape(value) for name, value in ATTRIBUTE.findall(element[2])})
    elif (mark := _of_text(line)) is not None:
        yield mark


def _of_text(line: str) -> Mark | None:
    for form, mark in FORMS:
        if (match := form.fullmatch(line)) is not None:
            return mark(*match.groups())
    return None


def _of_element(name: str, attributes: dict[str, str]) -> Iterator[Mark]:
    if name == "LICENSE_PATH" and attributes.get("HOST"):
        yield Server(attributes["HOST"])
    elif name == "FEATURE" and attributes.get("NAME") and attributes.get("VENDOR"):
        yield Feature(attributes["NAME"], attributes["VENDOR"])
        yield sharing(attributes.get("SHARE", ""))
        if (seats := _seats(attributes.get("USED_LICENSES", ""), attributes.get("TOTAL_LICENSES", ""))) is not None:
            yield seats
    elif name == "USER":
        use = _use(attributes.get("USED_LICENSES", ""), attributes.get("NAME", ""), attributes.get("HOST", ""))
        if use is not None:
            yield use
            times = _start(attributes.get("CHECKOUT_TIME", "")), _due(attributes.get("BORROW_EXPIRE_TIME", ""))
            yield from (mark for mark in times if mark is not None)


def _start(text: str) -> Start | None:
    at = time(text)
    return None if at is None else Start(at)


def _due(text: str) -> Due | None:
    at = time(text)
    return None if at is None else Due(at)


def _use(digits: str, member: str, machine: str) -> Use | None:
    quantity = number(digits, MOST_LICENSES) if digits.isdecimal() else 0
    return Use(member.strip(), machine, quantity) if member.strip() and machine and quantity else None


def _seats(in_use: str, issued: str) -> Seats | None:
    if not in_use.isdecimal() or int(in_use) >= NO_LIMIT:
        return None
    if issued.isdecimal():
        return Seats(int(in_use), int(issued) if int(issued) < NO_LIMIT else None)
    return Seats(int(in_use), None) if issued.upper() == "UNLIMITED" else None


def sharing(words: str) -> Sharing:
    """What the codes of sharing mean, such as `HOST USER VIRTUAL` or `CUSTOM ,VIRTUAL`."""
    codes = set(re.split(r"[\s,]+", words.strip().upper())) - ALONE
    letters = "".join(SHARED[code] for code in sorted(codes, reverse=True) if code in SHARED)
    return Sharing(bool(codes), letters if letters and codes <= SHARED.keys() else None)


def time(text: str) -> datetime | None:
    """The local time `2024-03-11 17:29`; None for anything else, and for an impossible one."""
    match = TIME.fullmatch(text)
    return written_time(*(int(value or 0) for value in match.groups())) if match is not None else None


def stamp(line: str) -> datetime | None:
    """The local time that is all of this line, as ISO 8601 or the command `date` writes it; its zone does not count."""
    if (match := ISO.fullmatch(line)) is not None:
        return written_time(*(int(value or 0) for value in match.groups()))
    match = DATE.fullmatch(line)
    if match is None or match["month"] not in MONTHS:
        return None
    day, year = match["day"] or match["after"], match["early"] or match["year"]
    if day is None or year is None:
        return None
    hour, minute, second = (int(part) for part in match["clock"].split(":"))
    if match["half"] is not None:
        hour = hour % NOON + (NOON if match["half"] == "PM" else 0)
    return written_time(int(year), MONTHS.index(match["month"]) + 1, int(day), hour, minute, second)


FORMS: tuple[tuple[re.Pattern[str], Callable[..., Mark | None]], ...] = (
    (USE, _use),
    (TOTAL, _seats),
    (FEATURE, Feature),
    (SHARING, sharing),
    (SERVER, Server),
    (TIMES, _start),
    (EXPIRES, _due),
)
