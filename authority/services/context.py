"""What every use case is given, and what of it need not be read twice. Wired once, in `authority.wiring.app`."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Generic, TypeVar

from cachetools import LRUCache
from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.refusals import NotSetUp
from authority.signing import authorizations
from authority.signing.encoding import encode
from authority.signing.floors import Floors
from authority.signing.issued_log import IssuedLog
from authority.signing.issuing import Issuer
from authority.signing.keyring import KeyRing
from authority.storage import organization, status_lists
from authority.storage.db.database import Database
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


@dataclass(frozen=True)
class Authority:
    """A running authority: the database, the keys, a clock that gives aware UTC times, and a source of as many random bytes as asked."""

    database: Database
    ring: KeyRing
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    # Where the home has the trust file to be carried to workstations.
    trust_copy: Path | None = None
    # How long before its end the holder of a borrow is warned; every status list says it.
    warn_before: timedelta = timedelta(0)
    # Whether a container, WSL or a user namespace may take a license offline.
    containers: bool = True
    # Where browsers reach the console, for what leads there from outside; None where that is not set.
    public_url: str | None = None
    remembered: Remembered = field(default_factory=Remembered)
    # What left this node, kept outside the database: the highest numbers with their texts, and each token.
    floors: Floors = field(default_factory=Floors)
    issued: IssuedLog = field(default_factory=IssuedLog)

    def now(self) -> datetime:
        """The time by which this use case judges, in whole seconds as tokens have them; asked once in each."""
        return self.clock().replace(microsecond=0)

    def fresh_id(self) -> str:
        """128 random bits as 22 characters of base64url, the first of them no hyphen: on a command line that is an option."""
        while (text := encode(self.random_bytes(16))).startswith("-"):
            pass
        return text

    def terms(self, connection: Connection, seq: int | None = None) -> Terms:
        """What holds under the authorization with this number, by default the one in force.

        Raises NotSetUp, AuthorizationUnusable.
        """
        number = organization.newest_seq(connection) if seq is None else seq
        if number is None:
            raise NotSetUp("the database has no authorization", hint=NotSetUp.empty_database_hint)

        def read() -> Terms:
            compact, trust_file = organization.authorization_texts(connection, number)
            own = organization.get(connection)
            if own is None:
                raise NotSetUp("the database has no organization", hint=NotSetUp.empty_database_hint)
            return Terms(own, authorizations.read(compact, trust_file), trust_file)

        return self.remembered.terms.get_or_read(number, read)

    def file_parts(self, authorization_seq: int, status_seq: int) -> tuple[Issuer, str]:
        """What a borrow file is made of besides its payload: who signs it, and the status list that goes with it."""
        terms, list_text = self.remembered.terms.get(authorization_seq), self.remembered.lists.get(status_seq)
        if terms is None or list_text is None:
            with self.database.read() as connection:
                terms = self.terms(connection, authorization_seq)
                list_text = self.remembered.lists.get_or_read(status_seq, lambda: status_lists.text(connection, status_seq))
        return Issuer(self.ring, terms.authorization, terms.trust_file), list_text
