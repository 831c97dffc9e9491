"""Times in words, and words as sentences begin, for templates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo

from markupsafe import Markup

from authority.domain import days
from authority.domain.plurals import counted
from authority.presentation.shown import rfc3339
from authority.services.pages import Place

DAY = timedelta(days=1)
# By what browsers call themselves, and systems; the first that fits counts, for many name others as well.
_BROWSERS = {
    "Edge": r"\bEdg(?:e|A|iOS)?/(\d+)",
    "Opera": r"\bOPR/(\d+)",
    "Firefox": r"\b(?:Firefox|FxiOS)/(\d+)",
    "Chrome": r"\b(?:Headless)?(?:Chrome|CriOS)/(\d+)",
    "Safari": r"\bVersion/(\d+)\S* (?:Mobile/\S+ )?Safari/",
}
_SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
# So many are named in a sentence or a list; the others are folded.
MOST_NAMED = 20
# Beginnings of sentences about somebody or something by its name, and those that look alike.
_SUBJECT = re.compile(r"(\S+) (?:has|had|holds|is|was|may|cannot|did|does|goes|borrowed|borrows) ")
_NO_NAMES = frozenset(
    {"everybody", "it", "nobody", "none", "nothing", "somebody", "that", "there", "this", "time", "what", "who"}
)
_TIME = re.compile(r"\b(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2})(?::\d{2})?(?: UTC\b|Z\b)")


# Controls, marks of direction, and separators of lines that are none in HTML.
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_TEXT = re.compile("<textarea.*?</textarea>|<[^>]*>|[^<]+", re.DOTALL)


def sentence(text: str) -> str:
    """The text with a capital letter at its beginning, unless it begins with a name, which stays as it is written."""
    subject = _SUBJECT.match(text)
    if subject and subject[1] not in _NO_NAMES:
        return text
    return text[:1].upper() + text[1:]


def told(text: str, zone: tzinfo, *, is_short: bool = False) -> Markup:
    """The text with its UTC times in the zone of the reader, each with UTC in its tooltip unless it has to be short."""
    parts, end = [], 0
    for match in _TIME.finditer(text):
        at = datetime.fromisoformat(f"{match[1]}T{match[2]}+00:00")
        local = utc(at) if zone is UTC else at.astimezone(zone).strftime("%Y-%m-%d %H:%M")
        shown = local if is_short else Markup('<time datetime="{}" title="{}">{}</time>').format(iso(at), utc(at), local)
        parts += [text[end : match.start()], shown]
        end = match.end()
    return Markup("").join([*parts, text[end:]])


def iso(at: datetime) -> str:
    """The time as programs read it."""
    return rfc3339(at) or ""


def utc(at: datetime) -> str:
    """The time as people read it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def days_left(at: datetime, now: datetime) -> str:
    """How far a time is from now: `3 days left` (begun days), `5 hours left` on the last one, `2 days ago`."""
    distance = abs(at - now)
    if distance < timedelta(minutes=1):
        return "now"
    if distance < timedelta(hours=1):
        text = counted(distance // timedelta(minutes=1), "minute")
    elif distance < DAY:
        text = counted(distance // timedelta(hours=1), "hour")
    else:
        text = counted(days.left(at, now) or distance // DAY, "day")
    return f"{text} left" if at > now else f"{text} ago"


def number(value: int) -> str:
    """The number with a comma after each three digits."""
    return f"{value:,}"


def counted_of(value: int, one: str, several: str | None = None) -> str:
    """The number with its noun: `1 member`, `11,000 members`; `several` as `plurals.counted` has it."""
    return f"{value:,} {counted(value, one, several).partition(' ')[2]}"


def place_words(place: Place, number: int, one: str) -> str:
    """How many rows there are, and where these stand among them: `1 license`, `101 to 200 of 4,000 licenses`."""
    if not place.is_whole:
        return f"{number:,} of at least {counted_of(place.total, one)}"
    if number >= place.total or not number:
        return counted_of(place.total, one)
    return f"{place.before + 1:,} to {place.before + number:,} of {counted_of(place.total, one)}"


def agent_words(agent: str | None) -> str:
    """What a browser or a program calls itself, in short: `Firefox 133 on Windows`; a program's name as it is."""
    if agent is None or not agent.startswith("Mozilla/"):
        return agent or "not known"
    browser = next(((name, match) for name, pattern in _BROWSERS.items() if (match := re.search(pattern, agent))), None)
    system = next((name for word, name in _SYSTEMS.items() if word in agent), None)
    if browser is None:
        return agent
    return f"{browser[0]} {browser[1][1]}" + (f" on {system}" if system else "")


def named(names: Sequence[str]) -> str:
    """The names, of very many the first ones and how many more."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def with_codes(html: str) -> str:
    """A page in which what turns or hides text is shown by its code, but in its tags and in what is typed into a field of lines.

    Names that are kept have none of it; addresses and the names of files that somebody brings may have.
    """
    if HIDDEN.search(html) is None:
        return html
    return _TEXT.sub(lambda part: part[0] if part[0].startswith("<") else _codes(part[0]), html)


def _codes(text: str) -> str:
    return HIDDEN.sub(lambda char: f"\\u{ord(char[0]):04x}", text)
