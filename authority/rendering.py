"""Values as the objects that people and programs see: the same in REST answers and in `--json`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from authority.domain.borrows import Borrow
from authority.domain.catalogue import Authorization
from authority.domain.members import Assignment, Member
from authority.domain.sessions import Session
from authority.services.licenses import Availability


def rfc3339(at: datetime | None) -> str | None:
    """`2026-03-01T12:00:00Z`, None for None."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def borrow(found: Borrow, now: datetime) -> dict[str, Any]:
    """The borrow object of the contract, section 4."""
    return {
        "id": found.id,
        "member": found.member,
        "user_type": found.user_type,
        "groups": list(found.groups),
        "product": found.product,
        "level": found.level,
        "extensions": list(found.extensions),
        "machine": {"id": found.machine.id, "alias": found.machine.alias, "source": found.machine.source},
        "user": {"id": found.user.id, "name": found.user.name},
        "issued_at": rfc3339(found.issued_at),
        "expires_at": rfc3339(found.expires_at),
        "state": found.state(now),
        "ended_at": rfc3339(found.ended_at or (found.expires_at if now >= found.expires_at else None)),
        "seat_free_at": rfc3339(found.seat_free_at),
        "decided_by": found.decided_by,
        "reason": found.end_reason,
        "copy_may_run_until": rfc3339(found.expires_at) if _copy_may_run(found, now) else None,
    }


def _copy_may_run(found: Borrow, now: datetime) -> bool:
    """False when the copy is certainly of no use: its time is over, or its holder proved to have given it up."""
    return now < found.expires_at and found.receipt_jti is None


def member(found: Member) -> dict[str, Any]:
    """A member object."""
    return {
        "username": found.username,
        "full_name": found.full_name,
        "user_type": found.user_type,
        "role": str(found.role),
        "groups": list(found.groups),
        "disabled": found.disabled,
        "vendor_access": found.vendor_access,
        "download_permission": found.download_permission,
        "last_used_at": rfc3339(found.last_used_at),
        "created_at": rfc3339(found.created_at),
    }


def authorization(found: Authorization, used: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The authorization with what of it is used."""
    return {
        "organization": found.organization,
        "organization_name": found.organization_name,
        "vendor": found.vendor,
        "seq": found.seq,
        "begins_at": rfc3339(found.begins_at),
        "ends_at": rfc3339(found.ends_at),
        "days_left": (found.ends_at - now).days,
        "max_borrow_days": found.max_borrow_days,
        "members": {"current": used["members"], "maximum": found.members_total, "types": dict(found.members_by_type)},
        "user_types": {
            item.name: {"includes": dict(item.includes), "may_hold": list(item.may_hold)} for item in found.user_types.values()
        },
        "products": [
            {
                "id": product.id,
                "name": product.name,
                "mode": product.mode,
                "until": rfc3339(product.until),
                "levels": list(product.levels),
                "seats": {
                    feature: {
                        "licensed": product.seats_of(feature),
                        "used": used["products"][product.id].get(feature, 0),
                        "available": product.seats_of(feature) - used["products"][product.id].get(feature, 0),
                    }
                    for feature in (*product.levels, *product.extensions)
                },
            }
            for product in found.products.values()
        ],
    }


def session(found: Session, now: datetime) -> dict[str, Any]:
    """A session object: which computer, since when, last used, active until (seed S1), and how it ended."""
    return {
        "id": found.id,
        "member": found.member,
        "groups": list(found.groups),
        "product": found.product,
        "level": found.level,
        "extensions": list(found.extensions),
        "machine": {"id": found.machine.id, "alias": found.machine.alias, "source": found.machine.source},
        "user": {"id": found.user.id, "name": found.user.name},
        "created_at": rfc3339(found.created_at),
        "last_used_at": rfc3339(found.last_used_at),
        "active_until": rfc3339(found.active_until),
        "state": found.state(now),
        "ended_at": rfc3339(found.ended_at or (found.active_until if now >= found.active_until else None)),
        "save_by": rfc3339(found.save_by),
    }


def assignment(found: Assignment) -> dict[str, Any]:
    """What a member holds of a named product."""
    return {
        "product": found.product,
        "level": found.level,
        "extensions": list(found.extensions),
        "included": found.included,
    }


def availability(found: Availability) -> dict[str, Any]:
    """One level or extension: licensed, used, available (also negative)."""
    return {
        "product": found.product,
        "feature": found.feature,
        "licensed": found.licensed,
        "used": found.used,
        "available": found.available,
        "ends_at": rfc3339(found.ends_at),
    }
