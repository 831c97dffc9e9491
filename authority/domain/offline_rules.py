"""How long a license may be away: the organization's rule, capped by what the vendor authorized."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from authority.domain.catalogue import Authorization, Product
from authority.domain.refusals import DurationTooLong, InvalidInput, OfflineNotAllowed, ProductExpired


@dataclass(frozen=True, slots=True)
class OfflineRule:
    """Offline use allowed or not, the longest borrow and the one given when nobody says how long."""

    allowed: bool
    longest_days: int
    default_days: int
    decided_by: str


# The organization starts with these (contract, section 1.2).
FIRST_RULE = OfflineRule(allowed=True, longest_days=30, default_days=7, decided_by="organization")


def check_rule(rule: OfflineRule) -> None:
    """Raises InvalidInput for days that make no sense."""
    if not 1 <= rule.default_days <= rule.longest_days:
        raise InvalidInput(
            f"the default of {rule.default_days} days must be at least 1 and at most the longest, {rule.longest_days} days"
        )


def end_of_borrow(
    rule: OfflineRule, authorization: Authorization, product: Product, now: datetime, days: int | None, until: datetime | None
) -> datetime:
    """When a borrow made now ends.

    With neither `days` nor `until` the rule's default is given, cut to what is allowed at all. A time that was asked for is
    never cut: it is given, or refused with the limit (seed S0).

    Raises OfflineNotAllowed, ProductExpired, DurationTooLong, InvalidInput.
    """
    if not rule.allowed:
        raise OfflineNotAllowed(f"offline use is not allowed ({rule.decided_by})", decided_by=rule.decided_by)
    if authorization.end_of(product) <= now:
        raise ProductExpired(f'"{product.id}" ended at {authorization.end_of(product):%Y-%m-%d %H:%M} UTC', product=product.id)
    latest, why = latest_end(rule, authorization, product, now)
    if days is None and until is None:
        return min(latest, now + timedelta(days=rule.default_days))
    asked = _asked_end(now, days, until)
    if asked <= now:
        raise InvalidInput("the end asked for lies in the past", asked=asked.isoformat())
    if asked > latest:
        limit = (latest - now) / timedelta(days=1)
        raise DurationTooLong(
            f"asked for until {asked:%Y-%m-%d %H:%M} UTC, at most {limit:.4g} days are allowed, "
            f"until {latest:%Y-%m-%d %H:%M} UTC ({why})",
            limit_days=round(limit, 4),
            limit_until=latest.isoformat(),
            decided_by=why,
        )
    return asked


def latest_end(rule: OfflineRule, authorization: Authorization, product: Product, now: datetime) -> tuple[datetime, str]:
    """The latest end that any borrow made now can have, and what sets it."""
    bounds = [
        (now + timedelta(days=rule.longest_days), f"{rule.decided_by}: {rule.longest_days} days"),
        (now + timedelta(days=authorization.max_borrow_days), f"authorization: {authorization.max_borrow_days} days"),
        (authorization.ends_at, "end of the authorization"),
    ]
    if product.until is not None:
        bounds.append((product.until, f"end of {product.id}"))
    return min(bounds, key=lambda bound: bound[0])


def _asked_end(now: datetime, days: int | None, until: datetime | None) -> datetime:
    try:
        return now + timedelta(days=days) if days is not None else until or now
    except OverflowError as error:
        raise DurationTooLong(f"{days} days end beyond the calendar", limit_days=0) from error
