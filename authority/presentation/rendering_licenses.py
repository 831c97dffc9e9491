"""Licenses as the objects that people and programs see: who holds what, one's own license, and license activity."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authority.domain.activity import Activity
from authority.domain.borrows import Borrow, BorrowState
from authority.domain.own_license import OwnLicense
from authority.domain.refusals import Refusal
from authority.domain.sessions import Session
from authority.presentation import rendering
from authority.presentation.rendering import rfc3339
from authority.services.licenses import Held, Outcome, Unassigned
from authority.services.me import Me


def held_license(found: Held) -> dict[str, Any]:
    """An assignment with the member who holds it."""
    return {"member": found.username} | rendering.assignment(found.license)


def outcome(found: Outcome) -> dict[str, Any]:
    """What became of one license to be assigned: `ok` with what is held now, or the refusal's code, message and hint."""
    row: dict[str, Any] = {"member": found.wish.username, "product": found.wish.product, "ok": found.refusal is None}
    if found.held is not None:
        row |= {"level": found.held.level, "extensions": list(found.held.extensions)}
    if found.refusal is not None:
        row |= {"code": found.refusal.code, "message": found.refusal.message, "hint": found.refusal.hint}
    return row


def unassigned(found: Unassigned, now: datetime) -> dict[str, Any]:
    """A license taken from a member, and what the borrow that is out does; both are None when none is out."""
    held = found.borrow
    note = None
    if held is not None and held.state(now) is BorrowState.ACTIVE:
        note = f"a borrow is out until {rfc3339(held.expires_at)} and stays good; revoke or release it if it must not"
    elif held is not None:
        note = f"a borrow was {held.state(now)}; its copy may still run, and its seat stays taken, until {rfc3339(held.seat_free_at)}"
    return {
        "member": found.username,
        "taken": rendering.assignment(found.taken),
        "borrow": None if held is None else rendering.borrow(held, now),
        "note": note,
    }


def me(found: Me, now: datetime) -> dict[str, Any]:
    """Who somebody is, and their own licenses."""
    names = (
        "username",
        "full_name",
        "user_type",
        "role",
        "groups",
        "vendor_access",
        "download_permission",
        "last_used_at",
    )
    shown = rendering.member(found.member)
    return {name: shown[name] for name in names} | {"products": [own_license(item, now) for item in found.licenses]}


def own_license(found: OwnLicense, now: datetime) -> dict[str, Any]:
    """One product as its user sees it (seed S3)."""
    return {
        "id": found.product.id,
        "name": found.product.name,
        "mode": found.product.mode,
        "levels": dict(found.levels),
        "extensions": dict(found.extensions),
        "until": rfc3339(found.ends_at),
        "offline_allowed": found.offline_allowed,
        "longest_days": found.longest_days,
        "default_days": found.default_days,
        "borrow": None if found.borrow is None else rendering.borrow(found.borrow, now),
        "sessions": [rendering.session(item, now) for item in found.sessions],
        "problem": None if found.problem is None else _problem(found.problem),
    }


def _problem(found: Refusal) -> dict[str, Any]:
    return {"code": found.code, "message": found.message, "hint": found.hint}


def activity(found: Activity, now: datetime) -> dict[str, Any]:
    """What one member does with one product (seed S1)."""
    return {
        "member": found.member,
        "full_name": found.full_name,
        "user_type": found.user_type,
        "product": found.product,
        "last_used_at": rfc3339(found.last_used_at),
        "days_since_last_used": found.days_since_last_used(now),
        "state": found.state(now),
        "computer": found.computer(),
        "since": rfc3339(found.since()),
        "until": rfc3339(found.until()),
        "borrows": [_borrow(item) for item in found.borrows],
        "sessions": [_session(item) for item in found.active(now)],
    }


def _borrow(found: Borrow) -> dict[str, Any]:
    return {
        "id": found.id,
        "computer": found.machine.alias or found.machine.id,
        "since": rfc3339(found.issued_at),
        "until": rfc3339(found.expires_at),
    }


def _session(found: Session) -> dict[str, Any]:
    return {
        "id": found.id,
        "computer": found.machine.alias or found.machine.id,
        "created_at": rfc3339(found.created_at),
        "last_used_at": rfc3339(found.last_used_at),
        "active_until": rfc3339(found.active_until),
    }
