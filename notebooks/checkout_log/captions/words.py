"""Names and numbers in sentences."""

from __future__ import annotations

import re

from checkout_log.plots.style import percent

__all__ = ["MOMENT_DAYS", "are", "at_least", "bounds", "capitalized", "code", "counted", "lasting", "percent", "serve", "times"]

# A log that covers less than a second covers a moment: a single look with lmstat, or a single line.
MOMENT_DAYS = 1 / 86_400

# Control characters, signs that turn the direction of writing, and the backtick itself.
_UNPRINTED = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069`]+")
_LONGEST = 80


def code(name: object) -> str:
    """A name from a log between backticks, where neither Markdown nor HTML means anything."""
    text = _UNPRINTED.sub(" ", str(name)).strip() or " "
    return f"`{text if len(text) <= _LONGEST else text[:_LONGEST] + '…'}`"


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 license", "2 licenses", "no licenses"."""
    word = one if number == 1 else (many or f"{one}s")
    return f"{number:,} {word}" if number else f"no {word}"


def at_least(share: float) -> str:
    """A share from 0 to 1 for people, and one that is nearly nothing or nearly all as such."""
    if 0 < share < 0.005:  # noqa: PLR2004 - what would be rounded to nothing
        return "less than 1 %"
    return "more than 99 %" if 0.995 <= share < 1 else percent(share)  # noqa: PLR2004 - and to all


def are(number: int) -> str:
    """The verb that fits a number."""
    return "is" if number == 1 else "are"


def times(number: int) -> str:
    """How often: "never", "once", "2 times"."""
    return ("never", "once")[number] if number in (0, 1) else f"{number:,} times"


def serve(number: int) -> str:
    """`serves` of one, else `serve`: a verb that fits a number."""
    return "serves" if number == 1 else "serve"


def lasting(hours: float) -> str:
    """A time in the unit that fits: "2.5 hours", "30 minutes", "12 seconds"."""
    if hours >= 1:
        return f"{hours:,.1f} hours"
    seconds = round(hours * 3600)
    return counted(round(seconds / 60), "minute") if seconds >= 60 else counted(seconds, "second")  # noqa: PLR2004 - a minute


def bounds(figure: float, lower: float, upper: float) -> str:
    """The bounds of a figure in brackets, with a space before; nothing where it is certain."""
    return "" if lower == figure == upper else f" (at least {lower:,g}, at most {upper:,g})"


def capitalized(text: str) -> str:
    """A sentence with a capital at its begin."""
    return text[:1].upper() + text[1:]
