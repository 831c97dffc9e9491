"""A unit of work: what one use case does in one transaction, with one time, for one actor, under one authorization."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.events import Event
from authority.domain.members import Actor, Role
from authority.domain.membership import Membership
from authority.domain.refusals import BorrowRefused, NotAuthenticated
from authority.services.context import Authority
from authority.signing.encoding import digest
from authority.signing.issuing import Issuer
from authority.storage import events, who
from authority.storage.organization import Organization


@dataclass(frozen=True, slots=True)
class Secret:
    """A bearer token as it was sent; whose it is, the unit finds out with its first statement."""

    text: str

    def __repr__(self) -> str:
        return "Secret(...)"


@dataclass(frozen=True, slots=True)
class _Transaction:
    """What a unit has while its transaction is under way."""

    connection: Connection
    at: datetime
    membership: Membership | None
    authorization_seq: int | None


class Unit:
    """What every use case is given. It begins `reading` or `writing` once or more; each is one transaction on one connection.

    `actor` is who asks; a Secret is taken for the actor behind it when the first transaction begins. While the organization has
    too many members only administrators get in (seed S2), except with `open_over_limit`: giving licenses back stays open.
    """

    def __init__(self, authority: Authority, actor: Actor | Secret, *, open_over_limit: bool = False) -> None:
        self.authority = authority
        self._actor = actor
        self._open_over_limit = open_over_limit
        self._transaction: _Transaction | None = None
        self._events: list[Event] = []
        self._denials: list[Event] = []
        # What there is too much of, for an administrator to be told with each answer (seed S2); None when all is well.
        self.excess: str | None = None

    @property
    def actor(self) -> Actor:
        """Who asks. The actor behind a secret is known from the first transaction on."""
        if isinstance(self._actor, Secret):
            raise RuntimeError("the actor behind a secret is known when the unit has begun")  # noqa: TRY004 - too early
        return self._actor

    @property
    def connection(self) -> Connection:
        """The connection of the transaction that is under way."""
        return self._under_way.connection

    @property
    def at(self) -> datetime:
        """The time of this transaction, to the microsecond: what the log says."""
        return self._under_way.at

    @property
    def now(self) -> datetime:
        """The time by which this transaction judges, in whole seconds as tokens have them."""
        return self._under_way.at.replace(microsecond=0)

    @property
    def organization(self) -> Organization:
        """The organization. Raises NotSetUp."""
        return self.authority.organization(self.connection)

    @property
    def authorization(self) -> Authorization:
        """The authorization in force. Raises NotSetUp, AuthorizationUnusable."""
        return self.authority.authorization(self.connection, self._under_way.authorization_seq)

    @property
    def issuer(self) -> Issuer:
        """What signing needs under the authorization in force."""
        return self.authority.issuer(self.connection, self.authorization)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that sees one state of the database and changes nothing. Raises NotAuthenticated, OrganizationOverLimit."""
        with self.authority.database.read() as connection:
            self._begin(connection)
            try:
                yield
            finally:
                self._transaction = None

    @contextlib.contextmanager
    def writing(self, *, keep: bool = True) -> Iterator[None]:
        """A transaction that is kept, with what was recorded, when the block ends well, and taken back when it raises.

        With `keep` false it is taken back in any case. A refusal for which a denial was recorded is kept as that denial alone.
        Raises NotAuthenticated, OrganizationOverLimit.
        """
        refusal: BorrowRefused | None = None
        with self.authority.database.write(keep=keep) as connection:
            try:
                self._begin(connection)
                yield
            except BorrowRefused as error:
                if not self._denials:
                    raise
                refusal = error
                self.authority.database.undo(connection)
                self._events = self._denials
            finally:
                rows, at = self._events, self._transaction
                self._transaction, self._events, self._denials = None, [], []
            if rows and at is not None:
                events.append(connection, rows, at.at)
        if refusal is not None:
            raise refusal

    def record(self, rows: Iterable[Event]) -> None:
        """Adds rows to the log; they are written with the transaction, as its last statement."""
        self._events.extend(rows)

    def record_denial(self, rows: Iterable[Event]) -> None:
        """Adds the rows of a refusal to the log; they stay, though everything else of the transaction is taken back."""
        self._denials.extend(rows)

    def check_admitted(self, actor: Actor) -> None:
        """Raises OrganizationOverLimit for everyone but an administrator while there are too many members (seed S2)."""
        membership = self._under_way.membership
        if membership is not None:
            membership.check_admitted(actor)

    @property
    def _under_way(self) -> _Transaction:
        if self._transaction is None:
            raise RuntimeError("no transaction of this unit is under way")
        return self._transaction

    def _begin(self, connection: Connection) -> None:
        secret = self._actor.text if isinstance(self._actor, Secret) else None
        start = who.read(connection, None if secret is None else digest(secret))
        at = self.authority.clock()
        if secret is not None:
            self._actor = _actor_behind(start.bearer, at)
        self._transaction = _Transaction(connection, at, self._membership(connection, start), start.authorization_seq)
        if secret is not None and not self._open_over_limit:
            self.check_admitted(self.actor)
        if self.actor.role is Role.ADMINISTRATOR and self._transaction.membership is not None:
            self.excess = self._transaction.membership.excess()

    def _membership(self, connection: Connection, start: who.Who) -> Membership | None:
        if start.authorization_seq is None:
            return None
        return Membership.of(self.authority.authorization(connection, start.authorization_seq), start.type_counts)


def _actor_behind(bearer: who.Bearer | None, at: datetime) -> Actor:
    """Who a bearer is. Raises NotAuthenticated when the secret is nobody's, ended or revoked, or its member disabled."""
    if bearer is None or bearer.revoked_at is not None or bearer.disabled:
        raise NotAuthenticated("the bearer token is not known")
    if bearer.expires_at is not None and bearer.expires_at <= at:
        raise NotAuthenticated(f"the sign-in ended at {bearer.expires_at:%Y-%m-%d %H:%M} UTC", hint="Sign in again.")
    return Actor(bearer.member_id, bearer.username, bearer.role)
