"""License activity: who uses a product, when they last did, and who is offline with it (seed S1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from authority.domain.activity import USED_LATELY, Activity, Dot
from authority.domain.borrows import Borrow
from authority.domain.members import Privilege
from authority.domain.sessions import Session
from authority.services import filters, pages
from authority.services.pages import Place
from authority.services.unit import Unit
from authority.storage import activity, borrows, sessions
from authority.storage.member_lists import Filter

Use = TypeVar("Use", Borrow, Session)


LIMIT = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose activity is wanted: members that a filter lets through, in a state, who did not use the product for so long; None: any.

    Who has it in use, offline or connected, is not unused; who never used it counts from when the license was assigned, or is unused for any time.
    """

    members: Filter = field(default_factory=Filter)
    state: Dot | None = None
    unused_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Activities by user name, the cursor of the next page, and where the page stands among all that are wanted."""

    rows: list[Activity]
    cursor: str | None
    place: Place


def listed(
    unit: Unit, product_id: str, wanted: Wanted | None = None, *, cursor: str | None = None
) -> tuple[list[Activity], str | None]:
    """A page of those who hold a named product, or used a concurrent one, by user name, and the cursor of the next page.

    Raises NotAllowed, NoSuchProduct, InvalidInput (no such cursor); NotFound, NoSuchProduct for a group or type that there is not.
    """
    with unit.reading():
        return _listed(unit, _checked(unit, product_id, wanted or Wanted(), cursor))


def page(unit: Unit, product_id: str, wanted: Wanted, *, cursor: str | None = None) -> Page:
    """What `listed` gives, and where it stands. Raises what `listed` raises."""
    with unit.reading():
        checked = _checked(unit, product_id, wanted, cursor)
        rows, following = _listed(unit, checked)
        return Page(rows, following, _place(unit, checked))


def _checked(unit: Unit, product_id: str, wanted: Wanted, cursor: str | None) -> activity.Wanted:
    unit.actor.needs(Privilege.VIEW_BORROWS)
    filters.check(unit, group=wanted.members.group, user_type=wanted.members.user_type)
    after = None if cursor is None else pages.parts(cursor, 1)[0]
    product = unit.authorization.product(product_id)
    people = replace(wanted.members, after=after, limit=wanted.members.limit or LIMIT)
    return activity.Wanted(product.id, not product.is_concurrent, people, wanted.state, wanted.unused_for)


def _listed(unit: Unit, wanted: activity.Wanted) -> tuple[list[Activity], str | None]:
    limit = wanted.members.limit or LIMIT
    rows = _page(unit, replace(wanted, members=replace(wanted.members, limit=limit + 1)))
    return rows[:limit], pages.cursor(rows[limit - 1].member) if len(rows) > limit else None


def _place(unit: Unit, wanted: activity.Wanted) -> Place:
    connection, now = unit.connection, unit.now
    total = activity.count(connection, wanted, now)
    if wanted.members.after is None:
        return Place(total)
    names = activity.preceding(connection, wanted, now)
    following = activity.following(connection, wanted, now)
    return pages.place(total, following, [pages.cursor(name) for name in names], wanted.members.limit or LIMIT)


def every(unit: Unit, product_id: str, wanted: Wanted) -> Iterator[Activity]:
    """All that `listed` gives page by page; the first page is read at once, the others when it is their turn."""
    page, cursor = listed(unit, product_id, wanted)

    def rest() -> Iterator[Activity]:
        rows, after = page, cursor
        yield from rows
        while after is not None:
            rows, after = listed(unit, product_id, wanted, cursor=after)
            yield from rows

    return rest()


def _page(unit: Unit, wanted: activity.Wanted) -> list[Activity]:
    connection, now, product = unit.connection, unit.now, wanted.product
    people = activity.people(connection, wanted, now)
    if not people:
        return []
    # By number and not by name: who had the name before is somebody else.
    numbers = [row.id for row in people]
    last_used = activity.last_used(connection, product, numbers)
    assigned_at = activity.assigned_at(connection, product, numbers)
    out = _by_member(borrows.out(connection, product, numbers, now))
    used = _by_member(sessions.used_since(connection, product, numbers, now - USED_LATELY, now))
    return [
        Activity(
            member=row.username,
            full_name=row.full_name,
            user_type=row.user_type,
            product=product,
            last_used_at=last_used.get(row.id),
            borrows=tuple(out.get(row.id, ())),
            sessions=tuple(used.get(row.id, ())),
            assigned_at=assigned_at.get(row.id),
        )
        for row in people
    ]


def _by_member(uses: Iterable[Use]) -> dict[int, list[Use]]:
    by_member: dict[int, list[Use]] = {}
    for use in uses:
        by_member.setdefault(use.member_id, []).append(use)
    return by_member
