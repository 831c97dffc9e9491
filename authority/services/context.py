"""What every use case is given: the database, the keys, a clock and a source of ids. Wired once, in `authority.wiring.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.refusals import NotSetUp
from authority.signing import authorizations
from authority.signing.encoding import encode
from authority.signing.issuing import Issuer
from authority.signing.keyring import KeyRing
from authority.storage import authorizations as stored_authorizations
from authority.storage import organization, status_lists
from authority.storage.db.database import Database
from authority.storage.organization import Organization

MOST_LISTS_REMEMBERED = 8


@dataclass
class Remembered:
    """Rows that are never changed once they are there, so that every process reads each of them once.

    The organization's trust file changes with an authorization alone, so that both are read again together.
    """

    organization: Organization | None = None
    authorizations: dict[int, Authorization] = field(default_factory=dict)
    trust_files: dict[int, str] = field(default_factory=dict)
    lists: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Authority:
    """A running authority. `clock` gives aware UTC times; `random_bytes` gives as many random bytes as asked."""

    database: Database
    ring: KeyRing
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]
    # Where the home has the trust file to be carried to workstations.
    trust_copy: Path | None = None
    remembered: Remembered = field(default_factory=Remembered)

    def now(self) -> datetime:
        """The time by which this use case judges, in whole seconds as tokens have them; asked once in each."""
        return self.clock().replace(microsecond=0)

    def fresh_id(self) -> str:
        """128 random bits as 22 characters of base64url, the first of them no hyphen: on a command line that is an option."""
        while (found := encode(self.random_bytes(16))).startswith("-"):
            pass
        return found

    def organization(self, connection: Connection) -> Organization:
        """The organization. Raises NotSetUp."""
        if self.remembered.organization is None:
            self.remembered.organization = organization.get(connection)
        if self.remembered.organization is None:
            raise NotSetUp("the authority has no organization yet")
        return self.remembered.organization

    def authorization(self, connection: Connection, seq: int | None = None) -> Authorization:
        """The authorization with this number, by default the one in force. Raises NotSetUp, AuthorizationUnusable."""
        wanted = organization.newest_seq(connection) if seq is None else seq
        if wanted is None:
            raise NotSetUp("the authority has no authorization yet")
        if wanted not in self.remembered.authorizations:
            compact = organization.authorization_text(connection, wanted)
            trust_file = stored_authorizations.trust_file_of(connection, wanted)
            found = authorizations.read(compact, trust_file)
            self.remembered.organization = organization.get(connection)
            self.remembered.trust_files[wanted] = trust_file
            self.remembered.authorizations[wanted] = found
        return self.remembered.authorizations[wanted]

    def issuer(self, connection: Connection, authorization: Authorization) -> Issuer:
        """What signing needs under this authorization."""
        trust_file = self.remembered.trust_files.get(authorization.seq) or self.organization(connection).trust_file
        return Issuer(self.ring, authorization, trust_file)

    def file_parts(self, authorization_seq: int, status_seq: int) -> tuple[Issuer, str]:
        """What a borrow file is made of besides its payload: who signs it, and the status list that goes with it."""
        known = self.remembered
        if authorization_seq in known.authorizations and status_seq in known.lists:
            issuer = Issuer(self.ring, known.authorizations[authorization_seq], known.trust_files[authorization_seq])
            return issuer, known.lists[status_seq]
        with self.database.read() as connection:
            issuer = self.issuer(connection, self.authorization(connection, authorization_seq))
            listed = status_lists.text(connection, status_seq)
        while len(known.lists) >= MOST_LISTS_REMEMBERED:
            known.lists.pop(next(iter(known.lists)), None)
        known.lists[status_seq] = listed
        return issuer, listed
