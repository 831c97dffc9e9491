"""License activity: who uses a product, when they last did, and who is offline with it (seed S1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

from authority.domain.activity import USED_LATELY, Activity, Dot
from authority.domain.borrows import Borrow
from authority.domain.catalogue import Product
from authority.domain.members import Privilege
from authority.domain.sessions import Session
from authority.services import filters, pages
from authority.services.unit import Unit
from authority.storage import activity, borrows, sessions
from authority.storage.member_lists import Filter

Use = TypeVar("Use", Borrow, Session)


LIMIT = 100
GROWTH = 4
SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose activity is wanted: members that a filter lets through, in a state, who did not use the product for so long; None: any.

    See `Activity.is_unused_for`.
    """

    members: Filter = field(default_factory=Filter)
    state: Dot | None = None
    unused_for: timedelta | None = None

    def lets_through(self, activity: Activity, now: datetime) -> bool:
        """Whether this is an activity that is wanted, of a member who is."""
        is_in_state = self.state is None or activity.state(now) is self.state
        return is_in_state and (self.unused_for is None or activity.is_unused_for(self.unused_for, now))


def listed(
    unit: Unit, product_id: str, wanted: Wanted | None = None, *, cursor: str | None = None
) -> tuple[list[Activity], str | None]:
    """A page of those who hold a named product, or used a concurrent one, by user name, and the cursor of the next page.

    Raises NotAllowed, NoSuchProduct, InvalidInput (no such cursor); NotFound, NoSuchProduct for a group or type that there is not.
    """
    wanted = wanted or Wanted()
    limit = wanted.members.limit or LIMIT
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        filters.check(unit, group=wanted.members.group, user_type=wanted.members.user_type)
        after = None if cursor is None else pages.parts(cursor, 1)[0]
        product = unit.authorization.product(product_id)
        page: list[Activity] = []
        most = limit + 1
        while len(page) <= limit:
            activities = _page(unit, product, replace(wanted, members=replace(wanted.members, after=after, limit=most)))
            page += [item for item in activities if wanted.lets_through(item, unit.now)]
            if len(activities) < most:
                break
            # Where few are let through, more are looked at in each step.
            after, most = activities[-1].member, GROWTH * most
    return page[:limit], pages.cursor(page[limit - 1].member) if len(page) > limit else None


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


def _page(unit: Unit, product: Product, wanted: Wanted) -> list[Activity]:
    connection, now = unit.connection, unit.now
    people = activity.people(
        connection,
        product.id,
        wanted.members,
        now,
        is_named=not product.is_concurrent,
        state=wanted.state,
        # `now` is in whole seconds: what is written in this very second may be a moment after it.
        unused_since=None if wanted.unused_for is None else now + SECOND - wanted.unused_for,
    )
    if not people:
        return []
    # By number and not by name: who had the name before is somebody else.
    numbers = [row.id for row in people]
    last_used = activity.last_used(connection, product.id, numbers)
    assigned_at = activity.assigned_at(connection, product.id, numbers)
    out = _by_member(borrows.out(connection, product.id, numbers, now))
    used = _by_member(sessions.used_since(connection, product.id, numbers, now - USED_LATELY, now))
    return [
        Activity(
            member=row.username,
            full_name=row.full_name,
            user_type=row.user_type,
            product=product.id,
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
