"""Reading the tables of a specification: what is missing, wrong or unknown is collected instead of raised."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from verifier.core.reading import LARGEST_INTEGER, LAST_SECOND, LONGEST_TEXT
from verifier.core.times import timestamp

_DATE = re.compile(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_TIME = re.compile(
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})\Z"
)
_REQUIRED = object()


class Table:
    """One table being read. Each method takes a member out; a wrong one is told in `wrong` and stands for nothing."""

    def __init__(self, members: dict[str, Any], where: str, wrong: list[str]) -> None:
        self._left = dict(members)
        self._where = where
        self._wrong = wrong

    def _at(self, name: str) -> str:
        return f"{self._where}.{name[:80]}" if self._where else name[:80]

    def _take(self, name: str, wanted: str, is_good: Callable[[Any], bool], default: object = _REQUIRED) -> Any:
        """The member, or the default of one left out, or None for one that is missing or wrong and was told."""
        if name not in self._left:
            if default is _REQUIRED:
                self._wrong.append(f'"{self._at(name)}" is missing')
                return None
            return default
        value = self._left.pop(name)
        if is_good(value):
            return value
        self._wrong.append(f'"{self._at(name)}" must be {wanted}')
        return None

    def text(self, name: str, pattern: re.Pattern[str] | None = None, form: str = "") -> str:
        """Printable text of 1 to 256 characters, matching the pattern, which `form` says in words."""
        wanted = form or f"printable text of 1 to {LONGEST_TEXT} characters"
        return self._take(name, wanted, lambda value: _is_text(value, pattern)) or ""

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of the given words."""
        wanted = "one of " + ", ".join(f'"{word}"' for word in choices)
        return self._take(name, wanted, lambda value: isinstance(value, str) and value in choices) or ""

    def integer(self, name: str, least: int = 0, most: int = LARGEST_INTEGER, default: object = _REQUIRED) -> int | None:
        """A whole number from `least` to `most`."""
        found: int | None = self._take(
            name, f"a whole number from {least} to {most}", lambda value: type(value) is int and least <= value <= most, default
        )
        return found

    def integer_or_none(self, name: str, least: int = 0) -> int | None:
        """The same, None when it was left out."""
        return self.integer(name, least, default=None)

    def time(self, name: str, default: object = _REQUIRED) -> datetime | None:
        """An aware time in whole seconds; a date alone means its first moment UTC."""
        wanted = "a date, or a time with a zone, like 2027-01-31 or 2027-01-31T12:00:00Z"
        value = self._take(name, wanted, lambda found: _instant(found) is not None, default)
        return None if value is None else _instant(value)

    def time_or_none(self, name: str) -> datetime | None:
        """The same, None when it was left out."""
        return self.time(name, None)

    def texts(self, name: str, pattern: re.Pattern[str], form: str) -> list[str]:
        """An array of different texts."""

        def is_good(value: object) -> bool:
            is_list = isinstance(value, list) and all(_is_text(item, pattern) for item in value)
            return is_list and len(set(value)) == len(value)  # type: ignore[arg-type,call-overload]

        return self._take(name, f"an array without repetition of {form}", is_good) or []

    def texts_by_name(self, name: str, pattern: re.Pattern[str], form: str) -> dict[str, str]:
        """A table of texts whose names match the pattern."""
        wanted = f"a table of texts, with names of {form}"
        return self._take(name, wanted, lambda value: _is_mapping(value, pattern, lambda item: _is_text(item, None))) or {}

    def counts(self, name: str, pattern: re.Pattern[str], form: str, default: object = _REQUIRED) -> dict[str, int]:
        """A table of numbers of at least 0."""

        def is_count(item: object) -> bool:
            return type(item) is int and 0 <= item <= LARGEST_INTEGER

        wanted = f"a table of whole numbers of at least 0, with {form}"
        return self._take(name, wanted, lambda value: _is_mapping(value, pattern, is_count), default) or {}

    def counts_or_empty(self, name: str, pattern: re.Pattern[str], form: str) -> dict[str, int]:
        """The same, empty when it was left out."""
        return self.counts(name, pattern, form, default=None)

    def table(self, name: str) -> Table:
        """A table within; of a wrong one nothing more is told."""
        value = self._take(name, "a table", lambda found: isinstance(found, dict))
        return Table({}, "", []) if value is None else Table(value, self._at(name), self._wrong)

    def named_tables(self, name: str, pattern: re.Pattern[str], form: str) -> dict[str, Table]:
        """A table of tables whose names match the pattern."""
        wanted = f"a table of tables, with {form}"
        value = self._take(name, wanted, lambda found: _is_mapping(found, pattern, lambda item: isinstance(item, dict)))
        return {key: Table(item, f"{self._at(name)}.{key}", self._wrong) for key, item in (value or {}).items()}

    def tables(self, name: str) -> list[Table]:
        """An array of tables, each told by its `id`, or by its place from 1 on."""

        def is_good(value: object) -> bool:
            return isinstance(value, list) and all(isinstance(item, dict) for item in value)

        value = self._take(name, "an array of tables", is_good) or []
        return [Table(item, f"{name}.{_label(item, number)}", self._wrong) for number, item in enumerate(value, 1)]

    def end(self) -> None:
        """Tells every member that nobody asked for."""
        self._wrong += [f'"{self._at(name)}" is not known' for name in self._left]


def _label(item: dict[str, Any], number: int) -> str:
    found = item.get("id")
    return found[:80] if isinstance(found, str) and found.isprintable() and found else str(number)


def _is_text(value: object, pattern: re.Pattern[str] | None) -> bool:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not value.isprintable():
        return False
    return pattern is None or pattern.match(value) is not None


def _is_mapping(value: object, pattern: re.Pattern[str], is_good: Callable[[object], bool]) -> bool:
    return isinstance(value, dict) and all(pattern.match(name) and is_good(item) for name, item in value.items())


def _instant(value: object) -> datetime | None:
    """The time that is meant, None when it is none, has no zone or lies outside the calendar of tokens."""
    found = _from_text(value) if isinstance(value, str) else value
    if isinstance(found, date) and not isinstance(found, datetime):
        found = datetime(found.year, found.month, found.day, tzinfo=UTC)
    if not isinstance(found, datetime) or found.tzinfo is None:
        return None
    try:
        seconds = timestamp(found)
    except (OverflowError, ValueError):
        return None
    return datetime.fromtimestamp(seconds, UTC) if 0 <= seconds <= LAST_SECOND else None


def _from_text(text: str) -> object:
    try:
        if _DATE.match(text):
            return date.fromisoformat(text)
        return datetime.fromisoformat(text.upper()) if _TIME.match(text) else None
    except ValueError:
        return None
