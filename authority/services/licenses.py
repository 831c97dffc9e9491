"""Assigning and unassigning licenses of named products, one or many, and what is available."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from authority.domain.borrows import Borrow
from authority.domain.catalogue import Product
from authority.domain.licenses import Extensions, assignment_for, check_assignable, version_values
from authority.domain.members import Assignment, Member, Privilege
from authority.domain.refusals import NotFound
from authority.services import filters, pages
from authority.services.members import existing, give, take
from authority.services.several import Outcome, all_or_none
from authority.services.unit import Unit
from authority.services.work import Work, working
from authority.storage import assignments, borrows, holds, pools


@dataclass(frozen=True, slots=True)
class Wish:
    """A license to be assigned: a level (None keeps the one held) and extensions, in place of what was held.

    With None for `extensions` those held stay, but for what is in `added` and `removed`.
    """

    username: str
    product: str
    level: str | None
    extensions: tuple[str, ...] | None
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def words(self) -> str:
        """`ada arcgis-pro`: whose license of which product."""
        return f"{self.username} {self.product}"


@dataclass(frozen=True, slots=True)
class Assigned:
    """What a member held of a product before, None for nothing, and what the member holds now."""

    before: Assignment | None
    after: Assignment


@dataclass(frozen=True, slots=True)
class Held:
    """A license that a member holds."""

    username: str
    license: Assignment


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


def assign(unit: Unit, username: str, product_id: str, level: str | None, extensions: tuple[str, ...]) -> Assignment:
    """Gives a member a level and extensions of a named product, in place of what the member held of it.

    Raises NotAllowed, NotFound, NoSuchProduct, InvalidInput, TypeNotCompatible, PoolExhausted.
    """
    return assign_many(unit, [Wish(username, product_id, level, extensions)])[0].done().after


def assign_many(
    unit: Unit, wishes: Sequence[Wish], *, row_by_row: bool = False, dry_run: bool = False
) -> list[Outcome[Wish, Assigned]]:
    """Assigns many in one transaction: all or nothing, the first refusal being raised; or row by row, each told.

    With `dry_run` every check is made and nothing changed. Raises NotAllowed, and what `assign` raises unless `row_by_row`.
    """
    with _working_on_licenses(unit, dry_run=dry_run) as work:
        assign_one = partial(_assign, work, is_alone=len(wishes) == 1)
        return all_or_none(wishes, assign_one, name=Wish.words, one_by_one=row_by_row)


@contextlib.contextmanager
def _working_on_licenses(unit: Unit, *, dry_run: bool) -> Iterator[Work]:
    """A transaction of who may assign licenses; with `dry_run` nothing of it is kept. Raises NotAllowed."""
    with unit.writing(keep=not dry_run):
        unit.actor.needs(Privilege.ASSIGN_LICENSES)
        # The work's lock is of use here too: no member is removed meanwhile, whose licenses nobody could take back.
        with working(unit) as work:
            yield work


def _assign(work: Work, wish: Wish, *, is_alone: bool) -> Assigned:
    member = existing(work.unit.connection, wish.username)
    product = work.unit.authorization.product(wish.product)
    before = work.held(member, product.id)
    if is_alone:
        _compare(work.unit, member, product.id, before)
    return Assigned(before, assign_within(work, member, before, wish))


def _compare(unit: Unit, member: Member, product_id: str, held: Assignment | None) -> None:
    """Raises ChangedMeanwhile when the license is not what whoever asks has seen; of several at once nothing is compared."""
    unit.compare(f"the license of {product_id} of {member.username}", None if held is None else version_values(held))


def assign_within(work: Work, member: Member, before: Assignment | None, wish: Wish) -> Assignment:
    """What a member who holds `before` of the product holds when the wish was granted; the privilege was checked.

    Every check comes before the first change, so that a refused row leaves nothing in a row-by-row transaction.
    Raises NoSuchProduct, InvalidInput, TypeNotCompatible, PoolExhausted.
    """
    authorization = work.unit.authorization
    product = authorization.product(wish.product)
    check_assignable(authorization, member, product)
    extensions = Extensions(wish.extensions, wish.added, wish.removed)
    after = assignment_for(product, before, wish.level, extensions)
    give(work, member, before, after)
    return after


@dataclass(frozen=True, slots=True)
class License:
    """A member's license of a product, to be taken."""

    username: str
    product: str

    def words(self) -> str:
        """`ada arcgis-pro`: whose license of which product."""
        return f"{self.username} {self.product}"


def unassign(unit: Unit, usernames: Sequence[str], product_id: str) -> list[Unassigned]:
    """Takes the licenses of a product from members, all or none. A borrow that is out stays good and can be checked in.

    A product that is no longer licensed at all can still be taken from its holders. Raises NotAllowed, NotFound, NoSuchProduct.
    """
    return [outcome.done() for outcome in unassign_many(unit, [License(username, product_id) for username in usernames])]


def unassign_many(
    unit: Unit, licenses: Sequence[License], *, row_by_row: bool = False, dry_run: bool = False
) -> list[Outcome[License, Unassigned]]:
    """Takes licenses in one transaction: all or none, the first refusal being raised; or row by row, each told.

    With `dry_run` every check is made and nothing changed. Raises NotAllowed, and what `unassign` raises unless `row_by_row`.
    """
    with _working_on_licenses(unit, dry_run=dry_run) as work:
        take_one = partial(_take, work, is_alone=len(licenses) == 1)
        return all_or_none(licenses, take_one, name=License.words, one_by_one=row_by_row)


def _take(work: Work, license_: License, *, is_alone: bool) -> Unassigned:
    member = existing(work.unit.connection, license_.username)
    return _unassign(work, member, license_.product, is_alone=is_alone)


def _unassign(work: Work, member: Member, product_id: str, *, is_alone: bool) -> Unassigned:
    unit, before = work.unit, work.held(member, product_id)
    if is_alone:
        _compare(unit, member, product_id, before)
    if before is None:
        product = unit.authorization.product(product_id)
        raise NotFound(f'the member {member.username} holds no license of "{product.id}"', member=member.username)
    take(work, member, before)
    holding = borrows.holding(unit.connection, member.id, product_id, unit.now)
    return Unassigned(member.username, before, holding[0] if holding else None)


def listed(
    unit: Unit,
    *,
    username: str | None = None,
    product_id: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> tuple[list[Held], str | None]:
    """A page of who holds what, by user name and product, and the cursor of the next page; None means all.

    Raises NotAllowed, InvalidInput (no such cursor), NotFound (no such member), NoSuchProduct.
    """
    with unit.reading():
        unit.actor.needs(Privilege.ASSIGN_LICENSES)
        filters.check(unit, member=username, product=product_id)
        after = None if cursor is None else pages.parts(cursor, 2)
        rows = assignments.listed(unit.connection, username=username, product=product_id, after=after, limit=limit + 1)
    page = [Held(name, assignment) for name, assignment in rows[:limit]]
    return page, pages.cursor(page[-1].username, page[-1].license.product) if len(rows) > limit else None


def availability(unit: Unit, product_id: str | None = None) -> list[Availability]:
    """Every level and extension of every product, or of one; of what is licensed no more, what is still assigned or in use.

    Raises NotAllowed, NoSuchProduct.
    """
    with unit.reading():
        unit.actor.needs(Privilege.ASSIGN_LICENSES)
        rows = available(unit, product_id)
    if not rows and product_id is not None:
        unit.authorization.product(product_id)
    return rows


def available(unit: Unit, product_id: str | None = None) -> list[Availability]:
    """What `availability` gives, within a transaction of the unit that is under way."""
    authorization = unit.authorization
    products = [product for product in authorization.products.values() if product_id in (None, product.id)]
    gone = pools.products(unit.connection) - authorization.products.keys()
    gone = gone if product_id is None else gone & {product_id}
    rows = [row for product in products for row in _available(unit, product)]
    return rows + [row for name in sorted(gone) for row in _still_used(unit, name)]


def used(unit: Unit, product: Product) -> Mapping[str, int]:
    """How many of each level and extension are assigned; of a concurrent product how many are in use."""
    if product.is_concurrent:
        return holds.in_use(unit.connection, product.id, unit.now)
    return pools.assigned(unit.connection, product.id)


def _available(unit: Unit, product: Product) -> Iterator[Availability]:
    counts, ends_at = used(unit, product), unit.authorization.end_of(product)
    for feature in dict.fromkeys((*product.levels, *product.extensions, *counts)):
        yield Availability(product.id, feature, product.seats_of(feature), counts.get(feature, 0), ends_at)


def _still_used(unit: Unit, product_id: str) -> Iterator[Availability]:
    """What of a product that is gone is assigned, or in use where it was a concurrent one."""
    counts = pools.assigned(unit.connection, product_id) or holds.in_use(unit.connection, product_id, unit.now)
    for feature, count in sorted(counts.items()):
        yield Availability(product_id, feature, 0, count, None)
