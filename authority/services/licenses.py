"""Assigning and unassigning licenses of named products, one or many, and what is available."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.borrows import Borrow
from authority.domain.catalogue import CONCURRENT
from authority.domain.licenses import check_assignable, check_free, wanted
from authority.domain.members import Actor, Assignment, Privilege
from authority.domain.refusals import NotFound, Refusal
from authority.services import pages
from authority.services.context import Authority
from authority.services.members import existing, member_event
from authority.storage import assignments, borrows, events
from authority.storage import members as stored
from authority.storage import organization as stored_organization


@dataclass(frozen=True, slots=True)
class Wish:
    """A license to be assigned: a level (None keeps the one held) and extensions, in place of what was held."""

    username: str
    product: str
    level: str | None
    extensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A license that a member holds."""

    username: str
    license: Assignment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one wish: the license held now, or the refusal."""

    wish: Wish
    held: Assignment | None
    refusal: Refusal | None


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A license taken from a member, and the borrow that stays good until it ends or is checked in."""

    username: str
    taken: Assignment
    borrow: Borrow | None


@dataclass(frozen=True, slots=True)
class Availability:
    """One level or extension: licensed, used (assigned, or for concurrent products in use), and the rest, also negative."""

    product: str
    feature: str
    licensed: int
    used: int
    ends_at: datetime

    @property
    def available(self) -> int:
        """Licensed minus used; negative after a smaller authorization was installed."""
        return self.licensed - self.used


def assign(
    authority: Authority, actor: Actor, username: str, product_id: str, level: str | None, extensions: tuple[str, ...]
) -> Assignment:
    """Gives a member a level and extensions of a named product, in place of what the member held of it.

    Raises NotAllowed, NotFound, NoSuchProduct, InvalidInput, TypeNotCompatible, PoolExhausted.
    """
    outcome = assign_many(authority, actor, [Wish(username, product_id, level, extensions)])[0]
    assert outcome.held is not None  # noqa: S101 - a refusal was raised
    return outcome.held


def assign_many(authority: Authority, actor: Actor, wishes: Sequence[Wish], *, row_by_row: bool = False) -> list[Outcome]:
    """Assigns many in one transaction: all or nothing, the first refusal being raised; or row by row, each told.

    Raises NotAllowed, and what `assign` raises unless `row_by_row`.
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    with authority.database.write() as connection:
        stored.lock_counts(connection)  # no member is removed meanwhile, whose licenses nobody could take back
        return [_outcome(authority, connection, actor, wish, row_by_row=row_by_row) for wish in wishes]


def _outcome(authority: Authority, connection: Connection, actor: Actor, wish: Wish, *, row_by_row: bool) -> Outcome:
    try:
        return Outcome(wish, assign_within(authority, connection, actor, wish), None)
    except Refusal as error:
        if not row_by_row:
            raise
        return Outcome(wish, None, error)


def assign_within(authority: Authority, connection: Connection, actor: Actor, wish: Wish) -> Assignment:
    """The same as `assign` within a transaction that is under way; the privilege was checked.

    Every check comes before the first change, so that a refused row leaves nothing in a row-by-row transaction.
    """
    authorization = authority.authorization(connection)
    member, product = existing(connection, wish.username), authorization.product(wish.product)
    check_assignable(authorization, member, product)
    before = stored.assignment(connection, member.id, product.id, lock=True)
    after = wanted(product, before, wish.level, wish.extensions)
    stored_organization.lock_pools(connection, product.id)
    check_free(product, stored_organization.assigned(connection, product.id), before, after)
    assignments.replace(connection, member.id, before, after, authority.clock())
    rows = [
        member_event("license-assigned", actor, member, product.id, feature) for feature in (after.level, *after.extensions)
    ]
    events.append(connection, rows, authority.clock())
    return after


def unassign(authority: Authority, actor: Actor, usernames: Sequence[str], product_id: str) -> list[Unassigned]:
    """Takes the licenses of a product from members, all or none. A borrow that is out stays good and can be checked in.

    A product that is no longer licensed at all can still be taken from its holders. Raises NotAllowed, NotFound, NoSuchProduct.
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    with authority.database.write() as connection:
        stored.lock_counts(connection)
        return [unassign_within(authority, connection, actor, username, product_id) for username in usernames]


def unassign_within(authority: Authority, connection: Connection, actor: Actor, username: str, product_id: str) -> Unassigned:
    """The same for one member within a transaction that is under way; the privilege was checked."""
    member = existing(connection, username)
    before = stored.assignment(connection, member.id, product_id, lock=True)
    if before is None:
        product = authority.authorization(connection).product(product_id)
        raise NotFound(f'{member.username} holds no license of "{product.id}"', member=member.username)
    stored_organization.lock_pools(connection, product_id)
    assignments.replace(connection, member.id, before, None, authority.clock())
    held = borrows.holding(connection, member.id, product_id, authority.now())
    rows = [
        member_event("license-unassigned", actor, member, product_id, feature) for feature in (before.level, *before.extensions)
    ]
    events.append(connection, rows, authority.clock())
    return Unassigned(member.username, before, held[0] if held else None)


def listed(
    authority: Authority,
    actor: Actor,
    *,
    username: str | None = None,
    product_id: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> tuple[list[Held], str | None]:
    """A page of who holds what, by user name and product, and the cursor of the next page; None means all.

    Raises NotAllowed, InvalidInput (no such cursor).
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    after = None if cursor is None else pages.parts(cursor, 2)
    with authority.database.read() as connection:
        rows = assignments.listed(connection, username=username, product=product_id, after=after, limit=limit + 1)
    found = [Held(name, item) for name, item in rows]
    following = pages.cursor(found[limit - 1].username, found[limit - 1].license.product) if len(found) > limit else None
    return found[:limit], following


def availability(authority: Authority, actor: Actor, product_id: str | None = None) -> list[Availability]:
    """Every level and extension of every product, or of one. Raises NotAllowed, NoSuchProduct."""
    actor.needs(Privilege.ASSIGN_LICENSES)
    now, found = authority.now(), []
    with authority.database.read() as connection:
        authorization = authority.authorization(connection)
        products = authorization.products.values() if product_id is None else [authorization.product(product_id)]
        for product in products:
            if product.mode == CONCURRENT:
                used = borrows.seats_in_use(connection, product.id, now)
            else:
                used = stored_organization.assigned(connection, product.id)
            ends_at = authorization.end_of(product)
            found += [
                Availability(product.id, feature, product.seats_of(feature), used.get(feature, 0), ends_at)
                for feature in dict.fromkeys((*product.levels, *product.extensions, *used))
            ]
    return found
