"""Searching members: a page, or all, with what they hold and whether they are at it now or offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authority.domain.activity import USED_LATELY, Dot
from authority.domain.members import Assignment, Member, Privilege
from authority.domain.membership import Membership
from authority.domain.refusals import InvalidInput
from authority.services import filters, pages
from authority.services.unit import Unit
from authority.storage import assignments, member_search, members
from authority.storage.member_search import Order, Search


@dataclass(frozen=True, slots=True)
class Row:
    """A member in a list, with what is held; `state` is red while offline, until `offline_until`, and green when used lately."""

    member: Member
    licenses: tuple[Assignment, ...]
    state: Dot
    offline_until: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of members, the cursor of the next page, how many are on all pages, and how many there are and may be (seed S2)."""

    rows: list[Row]
    cursor: str | None
    matching: int
    membership: Membership


def page(
    unit: Unit, wanted: Search, *, unused_for: timedelta | None = None, cursor: str | None = None, limit: int = 100
) -> Page:
    """A page of members, with current and licensed membership beside it.

    With `unused_for` those who used no license for so long, and are there for as long.
    Raises NotAllowed, InvalidInput (no such cursor); NotFound, NoSuchProduct for a group or type that there is not.
    """
    with unit.reading():
        wanted = _checked(unit, wanted, unused_for)
        after = None if cursor is None else pages.parts(cursor, 1)[0]
        if after is not None and wanted.order is not Order.USERNAME and members.by_username(unit.connection, after) is None:
            raise InvalidInput("the last member of the page before is gone", hint="Begin again without a cursor.")
        rows = member_search.find(unit.connection, wanted, unit.now, after=after, limit=limit + 1)
        following = pages.cursor(rows[limit - 1].username) if len(rows) > limit else None
        matching = member_search.count(unit.connection, wanted, unit.now)
        return Page(_rows(unit, rows[:limit]), following, matching, unit.membership)


def every(unit: Unit, wanted: Search, *, unused_for: timedelta | None = None) -> list[Row]:
    """All members who are wanted. Raises what `page` raises."""
    with unit.reading():
        wanted = _checked(unit, wanted, unused_for)
        return _rows(unit, member_search.find(unit.connection, wanted, unit.now))


def _checked(unit: Unit, wanted: Search, unused_for: timedelta | None) -> Search:
    unit.actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
    filters.check(unit, group=wanted.group, user_type=wanted.user_type)
    return wanted if unused_for is None else replace(wanted, unused_since=unit.now - unused_for)


def _rows(unit: Unit, people: Sequence[Member]) -> list[Row]:
    ids = [member.id for member in people]
    licenses: dict[int, list[Assignment]] = {}
    offline: dict[int, datetime] = {}
    lately: set[int] = set()
    for some in members.in_pages(ids):
        licenses |= assignments.of_members(unit.connection, some)
        offline |= member_search.offline_until(unit.connection, some, unit.now)
        lately |= member_search.used_since(unit.connection, some, unit.now - USED_LATELY)
    return [
        Row(member, tuple(licenses.get(member.id, ())), _state(member.id, offline, lately), offline.get(member.id))
        for member in people
    ]


def _state(member_id: int, offline: dict[int, datetime], lately: set[int]) -> Dot:
    """Offline comes first: it is what blocks the license elsewhere, and lasts."""
    if member_id in offline:
        return Dot.RED
    return Dot.GREEN if member_id in lately else Dot.NONE
