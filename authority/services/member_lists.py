"""Lists of members with what they hold and whether they are offline or at work: a page of those that a filter lets through, or all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authority.domain.activity import Dot
from authority.domain.members import Assignment, Member, Privilege
from authority.domain.membership import Membership
from authority.domain.refusals import InvalidInput
from authority.services import filters, pages
from authority.services.pages import Place
from authority.services.unit import Unit
from authority.storage import assignments, member_lists, members
from authority.storage.member_lists import Filter, Order


@dataclass(frozen=True, slots=True)
class Listed:
    """A member with what they hold, and the color of the mark beside them: offline, used lately, or neither (seed S1).

    `offline_until` is the end of the last borrow that is out.
    """

    member: Member
    licenses: tuple[Assignment, ...]
    state: Dot
    offline_until: datetime | None


@dataclass(frozen=True, slots=True)
class Page:
    """Members in the order that was asked for, the cursor of the next page, how many there are and may be (seed S2), and where the page stands among all that the filter lets through."""

    members: list[Listed]
    cursor: str | None
    membership: Membership
    place: Place

    @property
    def total(self) -> int:
        """How many the filter lets through."""
        return self.place.total


def page(unit: Unit, wanted: Filter, *, unused_for: timedelta | None = None, cursor: str | None = None) -> Page:
    """A page of members, or all of them where the filter has no limit.

    Raises NotAllowed for who may neither manage members nor licenses, InvalidInput (no such cursor); NotFound, NoSuchProduct
    for a group, type or product that there is not.
    """
    with unit.reading():
        unit.actor.needs_one_of(Privilege.ASSIGN_LICENSES, Privilege.MANAGE_MEMBERS)
        filters.check(unit, group=wanted.group, user_type=wanted.user_type, product=wanted.product)
        after = None if cursor is None else pages.parts(cursor, 1)[0]
        if after is not None and wanted.order is not Order.USERNAME and members.by_username(unit.connection, after) is None:
            raise InvalidInput("the last member of the page before is gone", hint="Begin again without a cursor.")
        since = None if unused_for is None else unit.now - unused_for
        wanted = replace(wanted, unused_since=since, after=after)
        rows = _rows(unit, replace(wanted, limit=None if wanted.limit is None else wanted.limit + 1))
        place = _place(unit, wanted)
    shown = rows[: wanted.limit]
    following = pages.cursor(shown[-1].member.username) if len(rows) > len(shown) else None
    return Page(shown, following, unit.membership, place)


def _place(unit: Unit, wanted: Filter) -> Place:
    connection, now = unit.connection, unit.now
    total = member_lists.count(connection, wanted, now)
    if wanted.after is None or wanted.limit is None:
        return Place(total)
    names = member_lists.preceding(connection, wanted, now)
    following = member_lists.following(connection, wanted, now)
    return pages.place(total, following, [pages.cursor(name) for name in names], wanted.limit)


def _rows(unit: Unit, wanted: Filter) -> list[Listed]:
    connection, now = unit.connection, unit.now
    people = member_lists.listed(connection, wanted, now)
    numbers = [member.id for member in people]
    held = assignments.of_members(connection, numbers)
    offline = member_lists.offline_until(connection, numbers, now)
    at_work = member_lists.used_lately(connection, numbers, now)

    def state(number: int) -> Dot:
        return Dot.RED if number in offline else Dot.GREEN if number in at_work else Dot.NONE

    return [Listed(member, tuple(held.get(member.id, ())), state(member.id), offline.get(member.id)) for member in people]
