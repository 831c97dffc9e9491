"""Assigning and unassigning licenses of named products, one or many, and what is available."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from authority.domain.borrows import Borrow
from authority.domain.catalogue import Authorization, Product
from authority.domain.licenses import assignment_for, check_assignable
from authority.domain.members import Actor, Assignment, Member, Privilege
from authority.domain.refusals import NotFound, Refusal
from authority.services import pages
from authority.services.context import Authority
from authority.services.members import existing, give, take
from authority.services.work import Work, work
from authority.storage import assignments, borrows, pools
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
    """One level or extension: licensed, used (assigned, or for concurrent products in use), and the rest, also negative.

    `ends_at` is None for a product that the authorization does not have.
    """

    product: str
    feature: str
    licensed: int
    used: int
    ends_at: datetime | None

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
    # The work's lock is of use here too: no member is removed meanwhile, whose licenses nobody could take back.
    with authority.database.write() as connection, work(authority, connection, actor) as doing:
        return [_outcome(doing, wish, row_by_row=row_by_row) for wish in wishes]


def _outcome(doing: Work, wish: Wish, *, row_by_row: bool) -> Outcome:
    try:
        member = existing(doing.connection, wish.username)
        product = doing.authorization.product(wish.product)
        return Outcome(wish, assign_within(doing, member, doing.held(member, product.id), wish), None)
    except Refusal as error:
        if not row_by_row:
            raise
        return Outcome(wish, None, error)


def assign_within(doing: Work, member: Member, before: Assignment | None, wish: Wish) -> Assignment:
    """Assigns what is wished for within a transaction that is under way, to a member who holds `before` of the product.

    The privilege was checked. Every check comes before the first change, so that a refused row leaves nothing in a row-by-row transaction.
    """
    product = doing.authorization.product(wish.product)
    check_assignable(doing.authorization, member, product)
    after = assignment_for(product, before, wish.level, wish.extensions)
    give(doing, member, before, after)
    return after


def unassign(authority: Authority, actor: Actor, usernames: Sequence[str], product_id: str) -> list[Unassigned]:
    """Takes the licenses of a product from members, all or none. A borrow that is out stays good and can be checked in.

    A product that is no longer licensed at all can still be taken from its holders. Raises NotAllowed, NotFound, NoSuchProduct.
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    with authority.database.write() as connection, work(authority, connection, actor) as doing:
        return [_unassign(doing, existing(connection, username), product_id) for username in usernames]


def _unassign(doing: Work, member: Member, product_id: str) -> Unassigned:
    before = doing.held(member, product_id)
    if before is None:
        product = doing.authorization.product(product_id)
        raise NotFound(f'{member.username} holds no license of "{product.id}"', member=member.username)
    take(doing, member, before)
    held = borrows.holding(doing.connection, member.id, product_id, doing.authority.now())
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
    """Every level and extension of every product, or of one; of what is licensed no more, what is still assigned or in use.

    Raises NotAllowed, NoSuchProduct.
    """
    actor.needs(Privilege.ASSIGN_LICENSES)
    now = authority.now()
    with authority.database.read() as connection:
        authorization = authority.authorization(connection)
        products = [product for product in authorization.products.values() if product_id in (None, product.id)]
        found = [item for product in products for item in _available(connection, authorization, product, now)]
        gone = stored_organization.known_products(connection) - authorization.products.keys()
        found += [
            item
            for name in sorted(gone if product_id is None else gone & {product_id})
            for item in _still_used(connection, name, now)
        ]
    if not found and product_id is not None:
        authorization.product(product_id)
    return found


def _available(connection: Connection, authorization: Authorization, product: Product, now: datetime) -> Iterator[Availability]:
    if product.is_concurrent:
        used = pools.seats_in_use(connection, product.id, now)
    else:
        used = stored_organization.assigned(connection, product.id)
    ends_at = authorization.end_of(product)
    for feature in dict.fromkeys((*product.levels, *product.extensions, *used)):
        yield Availability(product.id, feature, product.seats_of(feature), used.get(feature, 0), ends_at)


def _still_used(connection: Connection, product_id: str, now: datetime) -> Iterator[Availability]:
    """What of a product that is gone is assigned, or in use where it was a concurrent one."""
    used = stored_organization.assigned(connection, product_id) or pools.seats_in_use(connection, product_id, now)
    for feature, count in sorted(used.items()):
        yield Availability(product_id, feature, 0, count, None)
