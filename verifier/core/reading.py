"""Reading members out of a JSON object: each one present, of its type, within its bounds, and none that is unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from verifier.core.names import is_shown
from verifier.core.times import LAST_SECOND
from verifier.errors import Malformed, UnsupportedVersion

LONGEST_TEXT = 256
LARGEST_INTEGER = 2**53 - 1
MOST_DAYS = 36_500
BORROW_ID = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")
PRODUCT_ID = re.compile(r"\A[a-z0-9](?:[a-z0-9.-]{0,62}[a-z0-9])?\Z")
FEATURE = re.compile(r"\A[A-Za-z0-9](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9])?\Z")
USER_ID = re.compile(r"\A(?:uid:[0-9]{1,10}|sid:S-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15})\Z")
MACHINE_ID = re.compile(r"\A[A-Za-z0-9_.:-]{1,128}\Z")
DIGEST = re.compile(r"\A[A-Za-z0-9_-]{43}\Z")

# The same for people.
FORMS = {
    BORROW_ID: "22 letters, digits, - and _",
    PRODUCT_ID: "a product's id: up to 64 lower-case letters, digits, dots and hyphens, such as arcgis-pro",
    FEATURE: "the name of a level or an extension: up to 64 letters, digits, blanks, dots, hyphens and _, such as 3DAnalyst",
    USER_ID: "uid: and a number, or sid: and a Windows SID",
    MACHINE_ID: "a machine's id: up to 128 letters, digits and _ . : -",
    DIGEST: "43 letters, digits, - and _",
}


class Reader:
    """One JSON object being read. Every method returns the checked member or raises Malformed naming object and member."""

    def __init__(self, value: object, where: str, members: frozenset[str], optional: frozenset[str] = frozenset()) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{where} is not an object")
        if not members <= value.keys() <= members | optional:
            missing, unknown = sorted(members - value.keys()), sorted(set(value.keys()) - members - optional)
            raise Malformed(f"{where}: members missing {missing}, unknown {unknown}", missing=missing, unknown=unknown)
        self._value = value
        self._where = where

    def _refuse(self, name: str, wanted: str) -> Malformed:
        return Malformed(f'{self._where}: the member "{name}" must be {wanted}', member=name)

    def members(self) -> Mapping[str, Any]:
        """All members as they stand, for what no method here reads."""
        return self._value

    def version(self, supported: int = 1) -> int:
        """The member `ver`; a later one raises UnsupportedVersion, so that people are told to update."""
        version = self.integer("ver")
        if version != supported:
            raise UnsupportedVersion(f"{self._where} is of version {version}, this program reads {supported}", version=version)
        return version

    def text(self, name: str, pattern: re.Pattern[str] | None = None) -> str:
        """Printable text of 1 to 256 characters (see `names.is_shown`), matching `pattern` when one is given."""
        value = self._value[name]
        # Most texts are plainly printable: whether another may stand is asked only of what is not.
        if not isinstance(value, str) or not 0 < len(value) <= LONGEST_TEXT or not (value.isprintable() or is_shown(value)):
            raise self._refuse(name, f"printable text of 1 to {LONGEST_TEXT} characters")
        if pattern is not None and not pattern.match(value):
            raise self._refuse(name, FORMS[pattern])
        return value

    def text_or_null(self, name: str, pattern: re.Pattern[str] | None = None) -> str | None:
        """Printable text of 1 to 256 characters, matching `pattern` when one is given, or None for JSON null."""
        return None if self._value[name] is None else self.text(name, pattern)

    def integer(self, name: str, least: int = 0, most: int = LARGEST_INTEGER) -> int:
        """A JSON integer (true and false are none) from `least` to `most`."""
        value = self._value[name]
        if type(value) is not int or not least <= value <= most:
            raise self._refuse(name, f"an integer from {least} to {most}")
        return value

    def time(self, name: str) -> int:
        """Seconds since 1970 UTC, up to the end of the calendar."""
        value = self._value[name]
        if type(value) is not int or not 0 <= value <= LAST_SECOND:
            raise self._refuse(
                name, "a time in whole seconds since 1970, none after the year 9999 (milliseconds are no seconds)"
            )
        return value

    def time_or_null(self, name: str) -> int | None:
        """Seconds since 1970 UTC, up to the end of the calendar, or None for JSON null."""
        return None if self._value[name] is None else self.time(name)

    def integer_or_null(self, name: str, least: int = 0) -> int | None:
        """A JSON integer of at least `least`, or None for JSON null."""
        return None if self._value[name] is None else self.integer(name, least)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        """One of the given words."""
        value = self._value[name]
        if value not in choices:
            raise self._refuse(name, f"one of {list(choices)}")
        return str(value)

    def texts(self, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        """An array of different texts, each matching `pattern`, in the order given."""
        value = self._value[name]
        if not isinstance(value, list) or not all(isinstance(item, str) and pattern.match(item) for item in value):
            raise self._refuse(name, f"an array of texts, each {FORMS[pattern]}")
        if len(set(value)) != len(value):
            raise self._refuse(name, "an array without repetition")
        return tuple(value)

    def counts(self, name: str, pattern: re.Pattern[str]) -> dict[str, int]:
        """An object of name: count."""
        value = self._value[name]
        if not isinstance(value, dict) or not all(pattern.match(key) for key in value):
            raise self._refuse(name, "an object of names and counts")
        if not all(type(count) is int and count >= 0 for count in value.values()):
            raise self._refuse(name, "an object whose counts are integers of at least 0")
        return dict(value)

    def object(self, name: str, members: frozenset[str]) -> Reader:
        """The member as an object with exactly these members."""
        return Reader(self._value[name], f'{self._where}, "{name}"', members)

    def objects(self, name: str, members: frozenset[str], optional: frozenset[str] = frozenset()) -> list[Reader]:
        """The member as an array of objects, each with `members` and any of `optional`."""
        value = self._value[name]
        if not isinstance(value, list):
            raise self._refuse(name, "an array")
        where = f'{self._where}, "{name}"'
        return [Reader(item, f"{where} {index}", members, optional) for index, item in enumerate(value)]

    def mapping(self, name: str, pattern: re.Pattern[str]) -> dict[str, Any]:
        """The member as an object whose member names match `pattern`; the values are the caller's to read."""
        value = self._value[name]
        if not isinstance(value, dict) or not all(pattern.match(key) for key in value):
            raise self._refuse(name, f"an object whose names are each {FORMS[pattern]}")
        return dict(value)
