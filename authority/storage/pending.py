"""What one transaction changes of members and their licenses: collected first, then written, the rows of each table at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.members import Member
from authority.storage import assignments, members
from authority.storage.assignments import Held


class Pending:
    """Rows to be written. A new member has a number below zero until then; each member is changed once."""

    def __init__(self) -> None:
        self._new: list[tuple[Member, str | None]] = []
        self._changed: list[tuple[Member, Member]] = []
        self._held: list[Held] = []
        # The places in `_held` of what was said of a member and product, oldest first.
        self._places: dict[tuple[int, str], list[int]] = {}
        self._numbers: list[int] = []

    def add(self, member: Member, password_hash: str | None) -> Member:
        """The member with a number below zero."""
        found = replace(member, id=-1 - len(self._new))
        self._new.append((found, password_hash))
        return found

    def change(self, before: Member, after: Member) -> None:
        """The member is to be as `after` says."""
        if before.id < 0:
            place = -1 - before.id
            self._new[place] = (after, self._new[place][1])
        else:
            self._changed.append((before, after))

    def hold(self, held: Held) -> None:
        """The member is to hold this in place of that."""
        self._places.setdefault(held.key, []).append(len(self._held))
        self._held.append(held)

    def said(self, member_id: int, product: str) -> Held | None:
        """What was said last of this member and product; None when nothing was."""
        places = self._places.get((member_id, product))
        return self._held[places[-1]] if places else None

    @contextlib.contextmanager
    def part(self) -> Iterator[None]:
        """When the block raises, what it added is forgotten."""
        new, changed, held = len(self._new), len(self._changed), len(self._held)
        try:
            yield
        except BaseException:
            del self._new[new:], self._changed[changed:]
            while len(self._held) > held:
                key = self._held.pop().key
                self._places[key].pop()
                if not self._places[key]:
                    del self._places[key]
            raise

    def write(self, connection: Connection, at: datetime) -> None:
        """Writes all of it; `number` knows the new members from then on."""
        self._numbers = members.insert_members(connection, self._new)
        members.update_members(connection, self._changed)
        found = [
            Held(self.number(member_id), product, self._held[places[0]].before, self._held[places[-1]].after)
            for (member_id, product), places in self._places.items()
        ]
        assignments.replace(connection, found, at)

    def number(self, member_id: int) -> int:
        """The number of a member in the table."""
        return member_id if member_id >= 0 else self._numbers[-1 - member_id]
