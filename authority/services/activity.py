"""License activity: who uses a product, when they last did, and who is offline with it (seed S1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from authority.domain.activity import USED_LATELY, Activity
from authority.domain.borrows import Borrow
from authority.domain.members import Actor, Privilege
from authority.domain.sessions import Session
from authority.services import pages
from authority.services.context import Authority
from authority.storage import activity as stored
from authority.storage import borrows, sessions

Use = TypeVar("Use", Borrow, Session)


def listed(
    authority: Authority, actor: Actor, product_id: str, *, cursor: str | None = None, limit: int = 100
) -> tuple[list[Activity], str | None]:
    """A page of those who hold a named product, or used a concurrent one, by user name, and the cursor of the next page.

    Raises NotAllowed, NoSuchProduct, InvalidInput (no such cursor).
    """
    actor.needs(Privilege.VIEW_BORROWS)
    after = None if cursor is None else pages.parts(cursor, 1)[0]
    now = authority.now()
    with authority.database.read() as connection:
        product = authority.authorization(connection).product(product_id)
        is_named = not product.is_concurrent
        rows = stored.people(connection, product.id, now, is_named=is_named, after=after, limit=limit + 1)
        people = rows[:limit]
        if not people:
            return [], None
        ends = people[0].username, people[-1].username
        last_used = stored.last_used(connection, product.id, *ends)
        out = _by_member(borrows.out(connection, product.id, *ends, now))
        used = _by_member(sessions.used_since(connection, product.id, *ends, now - USED_LATELY, now))
    found = [
        Activity(
            member=row.username,
            full_name=row.full_name,
            user_type=row.user_type,
            product=product.id,
            last_used_at=last_used.get(row.username),
            borrows=tuple(out.get(row.username, ())),
            sessions=tuple(used.get(row.username, ())),
        )
        for row in people
    ]
    return found, pages.cursor(people[-1].username) if len(rows) > limit else None


def _by_member(found: Iterable[Use]) -> dict[str, list[Use]]:
    mine: dict[str, list[Use]] = {}
    for item in found:
        mine.setdefault(item.member, []).append(item)
    return mine
