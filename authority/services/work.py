"""What every use case needs that changes members or their licenses: the lock, the authorization, the counts and the log."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.catalogue import Authorization
from authority.domain.events import Event
from authority.domain.members import Actor, Assignment, Member
from authority.services.context import Authority
from authority.storage import events
from authority.storage import members as stored
from authority.storage.assignments import Held
from authority.storage.counts import Counts, counting
from authority.storage.pending import Pending


@dataclass(frozen=True, slots=True)
class Work:
    """One transaction that changes members or licenses: who does it, when, and under which authorization.

    Decided is member by member; rows, counts and log are written at its end, however many members it is about.
    """

    authority: Authority
    connection: Connection
    actor: Actor
    authorization: Authorization
    at: datetime
    counts: Counts
    _pending: Pending = field(default_factory=Pending)
    _log: list[Event] = field(default_factory=list)

    def log(self, rows: Iterable[Event]) -> None:
        """Adds rows to the log."""
        self._log.extend(rows)

    def add(self, member: Member, password_hash: str | None) -> Member:
        """The new member, counted; its number is known when it is `written`."""
        self.counts.count_type(member.user_type, 1)
        return self._pending.add(member, password_hash)

    def change(self, before: Member, after: Member) -> None:
        """Changes a member, and counts a change of type."""
        self.counts.count_type(before.user_type, -1)
        self.counts.count_type(after.user_type, 1)
        self._pending.change(before, after)

    def held(self, member: Member, product_id: str) -> Assignment | None:
        """What the member holds of a product by now; nobody borrows it until this transaction ends."""
        said = self._pending.said(member.id, product_id)
        return stored.assignment(self.connection, member.id, product_id, lock=True) if said is None else said.after

    def replace(self, member: Member, product_id: str, before: Assignment | None, after: Assignment | None) -> None:
        """The member holds `after` in place of `before`, and it is counted; None means nothing."""
        self.counts.count_license(before, after)
        self._pending.hold(Held(member.id, product_id, before, after))

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """A part that is kept or taken back by itself: when the block raises, nothing of it is left."""
        logged = len(self._log)
        try:
            with self._pending.part(), self.counts.part():
                yield
        except BaseException:
            del self._log[logged:]
            raise

    def write(self) -> None:
        """Writes what was decided."""
        self._pending.write(self.connection, self.at)
        if self._log:
            events.append(self.connection, self._log, self.at)

    def written(self, member: Member) -> Member:
        """A member with the number in the table."""
        return changed(member, id=self._pending.number(member.id))


@contextlib.contextmanager
def work(authority: Authority, connection: Connection, actor: Actor) -> Iterator[Work]:
    """The work of a transaction that has begun. The lock comes before anything is read: others who change members wait."""
    with counting(connection) as counts:
        found = Work(authority, connection, actor, authority.authorization(connection), authority.clock(), counts)
        yield found
        found.write()
