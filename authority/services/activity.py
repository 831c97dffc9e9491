"""License activity: who uses a product, when they last did, and who is offline with it (seed S1)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TypeVar

from authority.domain.activity import USED_LATELY, Activity
from authority.domain.borrows import Borrow
from authority.domain.catalogue import Product
from authority.domain.members import Privilege
from authority.domain.sessions import Session
from authority.services import pages
from authority.services.unit import Unit
from authority.storage import activity, borrows, sessions

Use = TypeVar("Use", Borrow, Session)


def listed(
    unit: Unit, product_id: str, *, cursor: str | None = None, limit: int = 100, unused_for: timedelta | None = None
) -> tuple[list[Activity], str | None]:
    """A page of those who hold a named product, or used a concurrent one, by user name, and the cursor of the next page.

    With `unused_for` those alone who did not use it for so long, see `Activity.is_unused_for`.
    Raises NotAllowed, NoSuchProduct, InvalidInput (no such cursor).
    """
    with unit.reading():
        unit.actor.needs(Privilege.VIEW_BORROWS)
        after = None if cursor is None else pages.parts(cursor, 1)[0]
        product = unit.authorization.product(product_id)
        page: list[Activity] = []
        while len(page) <= limit:
            activities = _page(unit, product, after, limit + 1)
            page += [item for item in activities if unused_for is None or item.is_unused_for(unused_for, unit.now)]
            if len(activities) <= limit:
                break
            after = activities[-1].member
    return page[:limit], pages.cursor(page[limit - 1].member) if len(page) > limit else None


def _page(unit: Unit, product: Product, after: str | None, limit: int) -> list[Activity]:
    connection, now = unit.connection, unit.now
    people = activity.people(connection, product.id, now, is_named=not product.is_concurrent, after=after, limit=limit)
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
