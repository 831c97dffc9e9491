"""Work: what one transaction changes of members and their licenses, decided row by row and written at its end."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias, TypeVar

from authority.domain.events import Event
from authority.domain.members import Assignment, Member
from authority.services.unit import Unit
from authority.storage import assignments, members
from authority.storage.assignments import LicenseChange
from authority.storage.counts import Counts
from authority.storage.members import MemberChange

Change: TypeAlias = MemberChange | LicenseChange
Changes = TypeVar("Changes", MemberChange, LicenseChange)


class Work:
    """What was decided so far, as changes from a state to the next, so that each can be taken back by its reverse.

    Nothing is written before the end; `counts` are already those with all changes. A new member has a number below zero
    until then.
    """

    def __init__(self, unit: Unit) -> None:
        """A transaction of the unit is under way, and the organization is locked in it: see `working`."""
        self.unit = unit
        self.counts = Counts(unit.connection)
        self._changes: list[Change] = []
        self._events: list[Event] = []
        # What was decided that a member holds of a product.
        self._holdings: dict[tuple[int, str], Assignment | None] = {}
        self._last_number = 0
        # The numbers in the table of new members, known when they are written.
        self._numbers: dict[int, int] = {}

    def record(self, rows: Iterable[Event]) -> None:
        """Adds rows to the log."""
        self._events.extend(rows)

    def add(self, member: Member, password_hash: str | None) -> Member:
        """The new member, with a number below zero."""
        self._last_number -= 1
        after = replace(member, id=self._last_number)
        self._decide(MemberChange(None, after, password_hash))
        return after

    def change(self, before: Member, after: Member) -> None:
        """Changes a member."""
        self._decide(MemberChange(before, after))

    def remove(self, member: Member) -> None:
        """Removes a member, who holds nothing any more."""
        self._decide(MemberChange(member, None))

    def held(self, member: Member, product_id: str) -> Assignment | None:
        """What the member holds of a product by now; nobody borrows it until this transaction ends."""
        key = (member.id, product_id)
        if key in self._holdings:
            return self._holdings[key]
        return assignments.get(self.unit.connection, member.id, product_id, lock=True)

    def hold(self, member: Member, product_id: str, before: Assignment | None, after: Assignment | None) -> None:
        """The member holds `after` in place of `before`; None means nothing."""
        self._decide(LicenseChange(member.id, product_id, before, after))

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """A part that is kept or taken back by itself: when the block raises, nothing of it is left."""
        changes, rows = len(self._changes), len(self._events)
        try:
            yield
        except BaseException:
            self._back_to(changes, rows)
            raise

    def discard(self) -> None:
        """Takes back everything, so that nothing is written."""
        self._back_to(0, 0)

    def _back_to(self, changes: int, rows: int) -> None:
        """Takes back what was decided and recorded since there were so many changes and log rows, the last first."""
        while len(self._changes) > changes:
            self._count(self._changes.pop().reversed())
        del self._events[rows:]

    def write(self) -> None:
        """Writes the rows of each table at once, however many members the work is about, and adds to the log."""
        connection, at = self.unit.connection, self.unit.at
        of_members = _first_to_last(change for change in self._changes if isinstance(change, MemberChange))
        of_licenses = _first_to_last(change for change in self._changes if isinstance(change, LicenseChange))
        new = [change for change in of_members if change.before is None]
        self._numbers = dict(zip([change.key for change in new], members.add(connection, new), strict=True))
        members.change(connection, of_members)
        assignments.put(connection, [replace(change, member_id=self._number(change.member_id)) for change in of_licenses], at)
        for change in of_members:
            if change.after is None:
                members.remove(connection, change.key, at)
        self.counts.write(connection)
        self.unit.record(self._events)

    def written(self, member: Member) -> Member:
        """The member with the number in the table, known after `write`."""
        return replace(member, id=self._number(member.id))

    def _number(self, member_id: int) -> int:
        return self._numbers.get(member_id, member_id)

    def _decide(self, change: Change) -> None:
        self._changes.append(change)
        self._count(change)

    def _count(self, change: Change) -> None:
        if isinstance(change, LicenseChange):
            self._holdings[change.key] = change.after
            self.counts.count_license(change.before, change.after)
        else:
            self.counts.count_member(change.before, change.after)


def _first_to_last(changes: Iterable[Changes]) -> list[Changes]:
    """One change for each member, or member and product: from the first state to the last."""
    by_key: dict[object, Changes] = {}
    for change in changes:
        first = by_key.get(change.key)
        by_key[change.key] = change if first is None else replace(first, after=change.after)
    return list(by_key.values())


@contextlib.contextmanager
def working(unit: Unit) -> Iterator[Work]:
    """The work of a transaction of the unit; what was decided is written when the block ends, and nothing is when it raises.

    The lock comes before anything is read: others who change members or licenses wait until the transaction ends.
    """
    unit.lock_organization()
    work = Work(unit)
    yield work
    work.write()
