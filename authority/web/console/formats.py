"""Times in words, and words as sentences begin, for templates."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from authority.domain import days
from authority.domain.plurals import counted
from authority.presentation.shown import rfc3339

DAY = timedelta(days=1)
# So many are named in a sentence or a list; the others are counted.
MOST_NAMED = 20


# Controls, marks of direction, and separators of lines that are none in HTML.
HIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_TEXT = re.compile("<textarea.*?</textarea>|<[^>]*>|[^<]+", re.DOTALL)


def sentence(text: str) -> str:
    """The text with a capital letter at its beginning."""
    return text[:1].upper() + text[1:]


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


def named(names: Sequence[str]) -> str:
    """The names, of very many the first ones and how many more."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def first_ones(sentences: Sequence[str]) -> list[str]:
    """The sentences, of very many the first ones and how many more."""
    more = len(sentences) - MOST_NAMED
    return [*sentences[:MOST_NAMED], *([f"and {more} more"] if more > 0 else [])]


def with_codes(html: str) -> str:
    """A page in which what turns or hides text is shown by its code, but in its tags and in what is typed into a field of lines.

    Names that are kept have none of it; addresses and the names of files that somebody brings may have.
    """
    if HIDDEN.search(html) is None:
        return html
    return _TEXT.sub(lambda part: part[0] if part[0].startswith("<") else _codes(part[0]), html)


def _codes(text: str) -> str:
    return HIDDEN.sub(lambda char: f"\\u{ord(char[0]):04x}", text)
