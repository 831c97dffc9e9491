"""What members see of their own licenses: each level and extension yes or no, until when, and how offline (seed S3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from authority.domain.borrows import Borrow, BorrowState
from authority.domain.catalogue import Authorization, Product, check_not_ended
from authority.domain.entitlement import check_may_use, check_not_overallocated
from authority.domain.members import Assignment, Member
from authority.domain.offline_rules import OfflineRule, latest_end
from authority.domain.refusals import Refusal
from authority.domain.sessions import Session


@dataclass(frozen=True, slots=True)
class OwnLicense:
    """One product as its user sees it.

    `longest_days` and `default_days` are what a borrow made now can have, None while offline use is not allowed. `borrow` is
    the one that is out, `sessions` are the active ones. `problem` is why the product cannot be used now, None when it can.
    """

    product: Product
    levels: Mapping[str, bool]
    extensions: Mapping[str, bool]
    ends_at: datetime
    offline_allowed: bool
    longest_days: int | None
    default_days: int | None
    borrow: Borrow | None
    sessions: tuple[Session, ...]
    problem: Refusal | None


def is_shown(authorization: Authorization, member: Member, product: Product, held: Assignment | None, *, in_use: bool) -> bool:
    """True for a named product that the member holds, a concurrent one that the type may use, and what is in use anyhow."""
    if not product.is_concurrent:
        return in_use or held is not None
    user_type = authorization.user_types.get(member.user_type)
    return in_use or (user_type is not None and user_type.may_use(product.id))


def levels(product: Product, held: Assignment | None) -> dict[str, bool]:
    """Each level yes or no, low to high.

    Of a named product the one that is assigned is the one with the yes (seed S3); of a concurrent one, those with seats.
    """
    if product.is_concurrent:
        return {level: product.seats.get(level, 0) > 0 for level in product.levels}
    return {level: held is not None and held.level == level for level in product.levels}


def extensions(product: Product, held: Assignment | None) -> dict[str, bool]:
    """Each extension yes or no: assigned, or for a concurrent product licensed."""
    if product.is_concurrent:
        return {code: seats > 0 for code, seats in product.extensions.items()}
    return {code: held is not None and code in held.extensions for code in product.extensions}


def offline_days(
    rule: OfflineRule, authorization: Authorization, product: Product, now: datetime
) -> tuple[int, int] | tuple[None, None]:
    """The longest and the default of a borrow made now, in whole days; None twice where offline use is not allowed."""
    if not rule.allowed:
        return None, None
    latest, _ = latest_end(rule, authorization, product, now)
    longest = max(0, (latest - now) // timedelta(days=1))
    return longest, min(rule.default_days, longest)


def problem(
    member: Member, authorization: Authorization, product: Product, assigned: Mapping[str, int], now: datetime
) -> Refusal | None:
    """Why nobody, or not this member, can start or borrow the product now (seed S1); None when nothing is in the way."""
    try:
        check_may_use(member, authorization, product)
        check_not_ended(authorization, product, now)
        if not product.is_concurrent:
            check_not_overallocated(product, assigned)
    except Refusal as error:
        return error
    return None


def borrow_out(held: Sequence[Borrow], now: datetime) -> Borrow | None:
    """The newest of the borrows that hold a seat, an active one before one that was revoked."""
    newest_first = sorted(held, key=lambda borrow: borrow.issued_at, reverse=True)
    return next((borrow for borrow in newest_first if borrow.state(now) is BorrowState.ACTIVE), next(iter(newest_first), None))
