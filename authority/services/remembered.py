"""What a process need not read twice: rows that are never changed once they are there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from cachetools import LRUCache

from authority.domain.catalogue import Authorization
from authority.storage.organization import Organization

Key = TypeVar("Key")
Value = TypeVar("Value")

MOST_AUTHORIZATIONS = 32
MOST_LISTS = 8


class Cache(Generic[Key, Value]):
    """The values that were used last, by key, `most` of them; threads can share it.

    Nobody waits while another reads: two who ask at once for what is not there may both read it, and get the same value.
    """

    def __init__(self, most: int) -> None:
        self._values: LRUCache[Key, Value] = LRUCache(most)
        # Looking up changes the order of use, so that reading needs the lock as writing does.
        self._lock = threading.Lock()

    def get(self, key: Key) -> Value | None:
        """The value, None when it is not here."""
        with self._lock:
            return self._values.get(key)

    def get_or_read(self, key: Key, read: Callable[[], Value]) -> Value:
        """The value; one that is not here is read and stays. What `read` raises is raised, and nothing stays."""
        with self._lock:
            if key in self._values:
                return self._values[key]
        value = read()
        with self._lock:
            return self._values.setdefault(key, value)

    def clear(self) -> None:
        """Forgets everything."""
        with self._lock:
            self._values.clear()


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds under one authorization: the organization, whose row changes with an authorization alone, and the trust file of its root."""

    organization: Organization
    authorization: Authorization
    trust_file: str


@dataclass
class Remembered:
    """The terms by the number of their authorization, the texts of status lists by number, and how far the log was seen."""

    terms: Cache[int, Terms] = field(default_factory=lambda: Cache(MOST_AUTHORIZATIONS))
    lists: Cache[int, str] = field(default_factory=lambda: Cache(MOST_LISTS))
    last_event: int = 0

    def clear(self) -> None:
        """Forgets everything, so that it is read from the database again."""
        self.terms.clear()
        self.lists.clear()
        self.last_event = 0
