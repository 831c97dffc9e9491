"""A unit of work: what one use case does in one transaction, with one time, for one actor, under one authorization."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from authority.domain import versions
from authority.domain.catalogue import Authorization
from authority.domain.changes import label, spoken
from authority.domain.clocks import BETWEEN_SERVERS
from authority.domain.events import Event
from authority.domain.members import Actor, CredentialKind, Role, within
from authority.domain.membership import Membership
from authority.domain.refusals import ChangedMeanwhile, InvalidInput, NotAuthenticated, Refusal, StorageUnavailable
from authority.domain.sign_ins import SIGN_IN_LASTS, USE_KEPT_EVERY
from authority.services.context import Authority
from authority.signing.encoding import digest_of
from authority.signing.issuing import Issuer
from authority.storage import credentials, events, organization, who
from authority.storage.db.prepared import pipeline
from authority.storage.organization import Organization


@dataclass(frozen=True, slots=True)
class Secret:
    """A bearer token as it was sent; whose it is, the unit finds out with its first statement.

    What comes from a browser's cookie is a sign-in (`of_sign_in`): an API key is nobody's there, for signing out would not end it.
    """

    text: str
    of_sign_in: bool = False

    def __repr__(self) -> str:
        return "Secret(...)"


class Claim(Protocol):
    """A key of a client's own for one request, which is taken with what is done."""

    def look(self, unit: Unit) -> None:
        """Raises what becomes of a request whose key was taken before; nothing is written."""

    def claim(self, unit: Unit) -> None:
        """Takes the key. Raises as `look` does."""


class Unit:
    """What every use case is given. It begins `reading` or `writing` once or more; each is one transaction on one connection.

    What a unit knows of its transaction it knows from its beginning, in two statements' time; all but the connection stays
    readable afterwards. While the organization has too many members only administrators get in (seed S2), except with
    `open_over_limit`: giving licenses back stays open.
    """

    # The connection of the transaction that is under way.
    connection: Connection
    # The time of this transaction: to the microsecond as the log has it, and in whole seconds as tokens have it.
    at: datetime
    now: datetime
    # Who asks; the actor behind a secret is found with the first statement.
    actor: Actor
    # The API key or sign-in that asks, None where nobody's secret was sent; `marked` when its use is to be kept now.
    credential: str | None = None
    marked: bool = False
    organization: Organization
    # The authorization in force, what signing needs under it, and how many members there are and may be.
    authorization: Authorization
    issuer: Issuer
    membership: Membership

    def __init__(self, authority: Authority, actor: Actor | Secret, *, open_over_limit: bool = False) -> None:
        self.authority = authority
        self._secret = actor if isinstance(actor, Secret) else None
        if isinstance(actor, Actor):
            self.actor = actor
        self._open_over_limit = open_over_limit
        self._events: list[tuple[datetime, Event]] = []
        self._denials: list[tuple[datetime, Event]] = []
        # What there is too much of, for an administrator to be told with each answer (seed S2); None when all is well.
        self.excess: str | None = None
        # What deserves a second look about what was done; None when nothing does.
        self.note: str | None = None
        # The versions that whoever asks has seen of what is to be changed, `*` for any; None when that does not matter.
        self.expected: Collection[str] | None = None
        # The key that the client gave its request; it is taken in the transaction of what is done.
        self.attempt: Claim | None = None
        self._is_compared = False

    @property
    def is_begun(self) -> bool:
        """Whether it is known who asks: the secret was somebody's, or there was none to look at."""
        return hasattr(self, "actor")

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """A transaction that sees one state of the database and changes nothing.

        Raises NotAuthenticated, OrganizationOverLimit, NotSetUp.
        """
        with self.authority.database.read() as connection:
            self._begin(connection, changing=False)
            try:
                yield
            finally:
                del self.connection
        if self.marked:
            self._keep_use()

    @contextlib.contextmanager
    def writing(
        self,
        *,
        keep: bool = True,
        beside: bool = False,
        alone: bool = False,
        first: Callable[[Connection], None] | None = None,
    ) -> Iterator[None]:
        """A transaction that is kept, with what was recorded, when the block ends well, and taken back when it raises.

        With `keep` false it is taken back in any case. A refusal for which a denial was recorded is kept as that denial alone.
        `beside` is one that is not what was asked for, but counts or logs that it was: the request's key is not taken by it.
        One that is `alone` replaces most of the database, and records no denials.
        `first` writes what there has to be before a unit can begin: the organization that is being set up.
        Raises NotAuthenticated, OrganizationOverLimit, NotSetUp.
        """
        refusal: Refusal | None = None
        with self.authority.database.write(keep=keep, alone=alone, at_end=self._write_events) as connection:
            if first is not None:
                first(connection)
            self._begin(connection, changing=True)
            self._events, self._denials, self._is_compared = [], [], False
            try:
                if keep and self.attempt is not None:
                    self._use_key(self.attempt, take=not beside)
                yield
                if self.expected is not None and not self._is_compared:
                    raise InvalidInput("nothing that is done here has a version to compare", hint="Send it without If-Match.")
            except Refusal as error:
                if not self._denials:
                    raise
                refusal = error
                self.authority.database.undo(connection)
                self._events = self._denials
            finally:
                del self.connection
        if refusal is not None:
            raise refusal

    def _use_key(self, attempt: Claim, *, take: bool) -> None:
        if take:
            # Once: what comes after it belongs to what is done.
            self.attempt = None
            attempt.claim(self)
        else:
            attempt.look(self)

    def compare(self, name: str, values: versions.Values | None) -> None:
        """Raises ChangedMeanwhile when the thing of this name, None where it is not there, is not what whoever asks has seen.

        It is locked, so that nobody else changes it until this transaction ends.
        """
        self._is_compared = True
        if self.expected is None or versions.of(values) in self.expected or ("*" in self.expected and values is not None):
            return
        if values is None:
            raise ChangedMeanwhile(f"{name} is not there any more", version=versions.NONE, changed={})
        seen = next(iter(self.expected), "")
        changed = {key: values[key] for key in versions.changed(seen, values)}
        words = "it was not there before" if seen == versions.NONE else _words(changed)
        raise ChangedMeanwhile(f"another change of {name} came first: {words}", version=versions.of(values), changed=changed)

    def record(self, rows: Iterable[Event], at: datetime | None = None) -> None:
        """Adds rows to the log, of this transaction's time unless another is named; they are its last statement."""
        self._events += [(at or self.at, row) for row in rows]

    def record_denial(self, rows: Iterable[Event]) -> None:
        """Adds the rows of a refusal to the log; they stay, though everything else of the transaction is taken back."""
        self._denials += [(self.at, row) for row in rows]

    def lock_organization(self) -> None:
        """Makes others who call this wait until this transaction ends: who changes members, licenses, rules or settings.

        What the unit knows is read anew, for somebody may have installed an authorization while this waited.
        """
        organization.lock(self.connection)
        self._know(self.connection, who.read(self.connection, None))

    def _write_events(self, connection: Connection) -> None:
        if self._events:
            events.append(connection, self._events)
        if self.marked and self.credential is not None:
            credentials.touch(connection, self.credential, self.at, self.at - USE_KEPT_EVERY)

    def _keep_use(self) -> None:
        """Keeps that the credential was used; a database that is busy is no reason to refuse what was read."""
        with contextlib.suppress(StorageUnavailable), self.authority.database.write(at_end=self._write_events):
            self._events = []

    def _begin(self, connection: Connection, *, changing: bool) -> None:
        secret = self._secret
        # In a pipeline, so that PostgreSQL begins and answers in one go.
        with pipeline(connection):
            start = who.read(connection, None if secret is None else digest_of(secret.text))
        self.at = self.authority.clock()
        self.now = self.at.replace(microsecond=0)
        if secret is not None:
            is_another = secret.of_sign_in and start.bearer is not None and start.bearer.kind is not CredentialKind.SIGN_IN
            self.actor = _actor_behind(None if is_another else start.bearer, self.at, changing=changing)
        if start.bearer is not None:
            self.credential, used_at = start.bearer.credential_id, start.bearer.last_used_at
            self.marked = self.at - used_at > USE_KEPT_EVERY
        self._know(connection, start)
        if secret is not None and not self._open_over_limit:
            self.membership.check_admitted(self.actor.role)
        if self.actor.role is Role.ADMINISTRATOR:
            self.excess = self.membership.excess()
        self.connection = connection

    def _know(self, connection: Connection, start: who.Who) -> None:
        terms = self.authority.terms(connection, start.authorization_seq)
        self.organization, self.authorization = terms.organization, terms.authorization
        self.issuer = Issuer(self.authority.ring, terms.authorization, terms.trust_file)
        self.membership = Membership.of(self.authorization, start.type_counts)


def _words(values: versions.Values) -> str:
    """`role is now analyst; user type is now Viewer`."""
    return "; ".join(f"{label(name)} is now {spoken(name, value)}" for name, value in values.items())


def _actor_behind(bearer: who.Bearer | None, at: datetime, *, changing: bool) -> Actor:
    """Who a bearer is. Raises NotAuthenticated when the secret is nobody's, ended or revoked, or its member disabled."""
    if bearer is None or bearer.revoked_at is not None or bearer.disabled:
        raise NotAuthenticated("the bearer token is not known")
    ends_at, is_sign_in = bearer.expires_at, bearer.kind is CredentialKind.SIGN_IN
    if ends_at is not None and ends_at <= at:
        what, hint = ("sign-in", "Sign in again.") if is_sign_in else ("API key", "Ask an administrator for a new one.")
        raise NotAuthenticated(f"the {what} ended at {ends_at:%Y-%m-%d %H:%M} UTC", hint=hint)
    # Made while this server's clock was ahead, it would be good for so much longer.
    if is_sign_in and ends_at is not None and ends_at > at + SIGN_IN_LASTS + BETWEEN_SERVERS:
        raise NotAuthenticated(f"the sign-in ends at {ends_at:%Y-%m-%d %H:%M} UTC, too late", hint="Sign in again.")
    scopes = bearer.scopes
    return Actor(bearer.member_id, bearer.username, bearer.role, None if scopes is None else within(scopes, changing=changing))
