"""Options files of FlexNet: what the site itself set, beside the license file.

One option a line, `#` before a remark, a backslash where a line goes on. `GROUP` and `HOST_GROUP` name users and hosts that others speak
of. A feature may be followed by `:keyword=value`, which chooses among its pools; it is true of the feature here.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from checkout_log.sources.common import MOST_LICENSES
from checkout_log.sources.part import OPTIONS, Contents, Part
from checkout_log.sources.text import lines, number
from checkout_log.store import Option

SOURCE = "options-file"
GROUPS = {"GROUP": "group", "HOST_GROUP": "host-group"}
# NUMBER FEATURE TYPE NAME, FEATURE TYPE NAME, TYPE NAME, FEATURE NUMBER, and NUMBER: what follows each keyword.
OF_SOME = {"RESERVE": "reserve", "MAX": "max"}
WHO = {
    "INCLUDE": "include",
    "EXCLUDE": "exclude",
    "INCLUDE_BORROW": "include-borrow",
    "EXCLUDE_BORROW": "exclude-borrow",
}
ALL = {"INCLUDEALL": "include", "EXCLUDEALL": "exclude"}
OF_FEATURE = {
    "BORROW_LOWWATER": "borrow-lowwater",
    "MAX_BORROW_HOURS": "max-borrow-hours",
    "MAX_OVERDRAFT": "max-overdraft",
    "LINGER": "linger",
    "TIMEOUT": "timeout",
}
OF_ALL = {"TIMEOUTALL": "timeout"}
# Seconds and hours are no more than this either.
MOST = 10 * MOST_LICENSES
TYPES = r"(?:USER|HOST|DISPLAY|INTERNET|PROJECT|GROUP|HOST_GROUP)[ \t]+\S"
SIGN = re.compile(
    r"^[ \t]{0,40}(?:"
    rf"(?:RESERVE|MAX)[ \t]+\d+[ \t]+\S+[ \t]+{TYPES}|(?:INCLUDE|EXCLUDE)(?:_BORROW)?[ \t]+\S+[ \t]+{TYPES}|(?:IN|EX)CLUDEALL[ \t]+{TYPES}"
    r"|(?:BORROW_LOWWATER|MAX_BORROW_HOURS|MAX_OVERDRAFT|LINGER|TIMEOUT)[ \t]+\S+[ \t]+\d|TIMEOUTALL[ \t]+\d"
    r"|(?:REPORTLOG|DEBUGLOG)[ \t]+\+?\S|NOLOG[ \t]+(?:IN|OUT|DENIED|QUEUED)\b)",
    re.MULTILINE,
)


def read(paths: Sequence[Path], daemons: Mapping[str, str]) -> Contents:
    """What these options files say; there are no events in them. Raises SourceUnreadable.

    daemons: the vendor daemons that are known, by their names in small letters; a file that is called like one is its own.
    """
    contents = Contents(parts=[Part(str(path), OPTIONS) for path in paths])
    for part in contents.parts:
        product = daemons.get(Path(part.file).name.split(".")[0].lower())
        contents.options += _options(part, product)
    return contents


def _options(part: Part, product: str | None) -> list[Option]:
    rows, members = [], Counter[tuple[str, str]]()
    for words in _lines(part):
        keyword, rest = words[0].upper(), words[1:]
        if keyword in GROUPS and rest:
            members[GROUPS[keyword], rest[0]] += len(rest) - 1
        elif (option := _option(keyword, rest, product)) is not None:
            rows.append(option)
    return [
        row._replace(members=members[row.kind, row.name])
        if row.kind is not None and row.name is not None and (row.kind, row.name) in members
        else row
        for row in rows
    ]


def _lines(part: Part) -> Iterator[list[str]]:
    """The words of each line that says something; a name with blanks stands in quotes."""
    text = ""
    for _, line in lines(Path(part.file)):
        part.lines += 1
        text += line.strip().removesuffix("\\") + " "
        if line.rstrip().endswith("\\"):
            continue
        try:
            words = shlex.split(text, comments=True, posix=True)
        except ValueError:
            words = []
            part.malformed += 1
        text = ""
        if words:
            yield words


def _option(keyword: str, rest: list[str], product: str | None) -> Option | None:
    """The option that a line sets; None where it is of another kind, or says too little."""
    amount: int | None = None
    feature: str | None = None
    if (keyword in OF_SOME or keyword in OF_ALL) and rest:
        amount, rest = _number(rest[0]), rest[1:]
    if (keyword in OF_SOME or keyword in WHO or keyword in OF_FEATURE) and rest:
        feature, rest = rest[0].split(":")[0], rest[1:]
    if keyword in OF_FEATURE and rest:
        amount, rest = _number(rest[0]), rest[1:]
    option = (OF_SOME | WHO | ALL | OF_FEATURE | OF_ALL).get(keyword)
    is_of_some = keyword in OF_SOME or keyword in WHO or keyword in ALL
    is_counted = keyword not in WHO and keyword not in ALL
    if option is None or (is_counted and amount is None) or (is_of_some and len(rest) < len(("type", "name"))):
        return None
    kind, name = (rest[0].lower().replace("_", "-"), " ".join(rest[1:])) if is_of_some else (None, None)
    return Option(product, feature, option, amount, kind, name, None, 0, SOURCE)


def _number(text: str) -> int | None:
    """The number that a word is; None for what is no number, and for one that nobody sets."""
    value = number(text, MOST) if text.isascii() and text.isdecimal() else 0
    return value if value or set(text) == {"0"} else None
