"""Erasing a person from the log: which rows are theirs, and what stands in place of what named them, so that counts stay right."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from authority.domain.events import CHECKOUT_KINDS
from authority.domain.members import user_key
from authority.domain.names import key_of

# What stands in place of a text of which nothing is counted.
ERASED = "erased"
# Columns of which each value gets a name of its own, so that people and machines are still told apart.
COUNTED = ("machine", "alias", "os_user")
# How the log says that a user name changed (`changes.differences`), and how earlier versions said it. A user name has no blank.
RENAMED = (
    re.compile(r"\Auser name: ([^ ]+), from now on ([^ ]+?)(?:; |\Z)"),
    re.compile(r"\Ausername ([^ ]+) to ([^ ]+?)(?:; |\Z)"),
)
RENAMED_BEGINS = ("user name: ", "username ")


@dataclass(frozen=True, slots=True)
class Person:
    """Who is erased: the keys of their user names (`user_key`), the words that name them in texts, and their borrows and sessions."""

    keys: frozenset[str]
    words: tuple[str, ...]
    handles: frozenset[str]

    def is_named(self, username: str | None) -> bool:
        """Whether this is one of their user names, in any case."""
        return username is not None and user_key(username) in self.keys

    def is_told_of(self, facts: Mapping[str, Any]) -> bool:
        """Whether the values of a notice are about the person."""
        texts = [value for value in facts.values() if isinstance(value, str)]
        return facts.get("borrow") in self.handles or any(self.is_named(text) or self.is_mentioned(text) for text in texts)

    def is_mentioned(self, text: str | None) -> bool:
        """Whether a text has one of their names as a word of its own, in any case, spelling and spacing (`names.key_of`)."""
        return bool(text) and _pattern_of(self.words).search(_key_of_text(str(text))) is not None


@functools.lru_cache(maxsize=4)
def _pattern_of(words: tuple[str, ...]) -> re.Pattern[str]:
    keys = {key for word in words if (key := _key_of_text(word))}
    # Without a word there is nothing that could match.
    return re.compile("|".join(rf"(?<![\w.@-]){re.escape(key)}(?![\w@-])" for key in sorted(keys)) or r"(?!)")


def _key_of_text(text: str) -> str:
    return key_of(" ".join(text.split()))


@dataclass
class Pseudonyms:
    """A new name for each value, the same each time; nobody can find out from it what the value was, for nothing keeps the pairs."""

    draw: Callable[[], str]
    own: str = ""
    _names: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.own = self.own or f"{ERASED}-{self.draw()}"

    def of(self, value: str) -> str:
        """The name for a value that is not the person's user name, whose name is `own`."""
        if value not in self._names:
            self._names[value] = f"{ERASED}-{self.draw()}"
        return self._names[value]


def replacements(row: Mapping[str, Any], person: Person, pseudonyms: Pseudonyms) -> dict[str, str]:
    """What is put in place of the values of a row, by column; nothing for a row that does not name the person."""
    changed = {name: pseudonyms.own for name in ("actor", "member") if person.is_named(row[name])}
    is_theirs = "member" in changed or row["handle"] in person.handles
    if is_theirs:
        changed["member"] = pseudonyms.own
        for name in COUNTED:
            if row[name] is not None:
                changed[name] = pseudonyms.own if person.is_named(row[name]) else pseudonyms.of(row[name])
        if row["group"] is not None:
            changed["group"] = ERASED
    # The reason of a borrow or session is a code or a word, unless somebody typed a name into it; others have names of keys and places.
    is_typed = bool(changed) and row["kind"] not in CHECKOUT_KINDS
    if row["reason"] is not None and (is_typed or person.is_mentioned(row["reason"])):
        changed["reason"] = ERASED
    return {name: value for name, value in changed.items() if row[name] is not None}


def former_name(row: Mapping[str, Any], keys: frozenset[str]) -> str | None:
    """The user name that somebody with one of these keys had before, when the row says so."""
    match = next(filter(None, (form.match(row["reason"] or "") for form in RENAMED)), None)
    return match[1] if match is not None and user_key(match[2]) in keys else None
