"""What every use case is given: the database, the keys, a clock and a source of ids. Wired once, in `authority.wiring.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import Connection

from authority.domain.refusals import NotSetUp
from authority.services.remembered import Remembered, Terms
from authority.signing import authorizations
from authority.signing.encoding import encode
from authority.signing.issuing import Issuer
from authority.signing.keyring import KeyRing
from authority.storage import organization, status_lists
from authority.storage.db.database import Database


@dataclass(frozen=True)
class Authority:
    """A running authority. `clock` gives aware UTC times; `random_bytes` gives as many random bytes as asked."""

    database: Database
    ring: KeyRing
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    # Where the home has the trust file to be carried to workstations.
    trust_copy: Path | None = None
    # How long before its end the holder of a borrow is warned.
    warn_before: timedelta = timedelta(0)
    # Whether a container, WSL or a user namespace may take a license offline.
    containers: bool = True
    remembered: Remembered = field(default_factory=Remembered)

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
