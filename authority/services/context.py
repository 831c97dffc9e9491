"""What every use case is given: the database, the keys, a clock and a source of ids. Wired once, in `authority.app`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.refusals import NotSetUp
from authority.signing import authorizations
from authority.signing.encoding import encode
from authority.signing.keyring import KeyRing
from authority.signing.tokens import Issuer
from authority.storage import organization as stored
from authority.storage.database import Database
from authority.storage.organization import Organization


@dataclass(frozen=True)
class Authority:
    """A running authority. `clock` gives aware UTC times; `random_bytes` gives as many random bytes as asked."""

    database: Database
    ring: KeyRing
    clock: Callable[[], datetime]
    random_bytes: Callable[[int], bytes]

    def now(self) -> datetime:
        """The time by which this use case judges, in whole seconds as tokens have them; asked once in each."""
        return self.clock().replace(microsecond=0)

    def fresh_id(self) -> str:
        """128 random bits as 22 characters of base64url."""
        return encode(self.random_bytes(16))


def organization_of(connection: Connection) -> Organization:
    """The organization. Raises NotSetUp."""
    found = stored.get(connection)
    if found is None:
        raise NotSetUp("the authority has no organization yet")
    return found


def authorization_of(connection: Connection, organization: Organization) -> Authorization:
    """The authorization in force. Raises NotSetUp, AuthorizationUnusable."""
    newest = stored.newest_authorization(connection)
    if newest is None:
        raise NotSetUp("the authority has no authorization yet")
    return authorizations.read(newest[1], organization.trust_file)


def issuer_of(authority: Authority, organization: Organization, authorization: Authorization) -> Issuer:
    """What signing needs for this organization."""
    return Issuer(authority.ring, authorization, organization.trust_file)
