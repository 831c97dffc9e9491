"""Values as the objects that people and programs see: the same in REST answers and in `--json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from authority.domain.borrows import Borrow
from authority.domain.catalogue import Authorization, end_warning
from authority.domain.members import Assignment, Member
from authority.domain.membership import Membership
from authority.domain.offline_rules import Rule
from authority.domain.pools import PoolRule
from authority.domain.sessions import Session, SessionSettings
from authority.services.authorizations import Installation
from authority.services.defaults import Defaults
from authority.services.licenses import Availability
from authority.services.members import Changed
from authority.services.policies import Explained
from authority.services.pools import PoolState
from authority.storage.api_keys import ApiKey


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


def member_with_licenses(found: Member, held: Iterable[Assignment]) -> dict[str, Any]:
    """A member object with what the member holds of named products."""
    return member(found) | {"licenses": [assignment(item) for item in held]}


def member_change(found: Changed, *, dry_run: bool) -> dict[str, Any]:
    """A member after a change, and what it did, or would do, to the licenses."""
    effect = {name: [assignment(item) for item in getattr(found.licenses, name)] for name in ("taken", "given", "kept")}
    return {"member": member(found.after), "licenses": effect, "dry_run": dry_run}


def member_defaults(found: Defaults) -> dict[str, Any]:
    """What new members get; `add_ons` has a level for each product."""
    return asdict(found) | {"groups": list(found.groups), "add_ons": dict(found.add_ons)}


def membership(found: Membership) -> dict[str, Any]:
    """Current and licensed membership; a maximum of None means any number."""
    types = {name: {"current": current, "maximum": maximum} for name, (current, maximum) in found.by_type.items()}
    return {"current": found.current, "maximum": found.maximum, "types": types}


def authorization(found: Authorization, used: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The authorization with what of it is used, and from 30 days before its end with a warning."""
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
        "warning": end_warning(found, now),
    }


def installation(found: Installation, now: datetime, *, dry_run: bool) -> dict[str, Any]:
    """What an installation did, or would do: `changes` and `consequences` are sentences, `shortages` has the numbers."""
    return {
        "installed": found.is_new and not dry_run,
        "organization": found.authorization.organization,
        "vendor": found.authorization.vendor,
        "seq": found.authorization.seq,
        "seq_before": found.before.seq,
        "ends_at": rfc3339(found.authorization.ends_at),
        "trust_replaced": found.trust_file is not None and not dry_run,
        "members": {"current": found.members, "maximum": found.authorization.members_total},
        "changes": list(found.changes),
        "consequences": list(found.consequences),
        "shortages": [
            {
                "product": item.product,
                "feature": item.feature,
                "licensed": item.licensed,
                "used": item.used,
                "available": item.available,
            }
            for item in found.shortages
        ],
        "warning": "; ".join(filter(None, (found.trouble, end_warning(found.authorization, now)))) or None,
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


def pool(found: PoolState) -> dict[str, Any]:
    """The seats of one level or extension of a concurrent product: in use, borrowed, and what the rules keep back."""
    return {
        "product": found.rule.product,
        "feature": found.rule.feature,
        "licensed": found.licensed,
        "in_use": found.in_use,
        "borrowed": found.borrowed,
        "borrowable": found.borrowable,
        "low_water": found.rule.low_water,
        "most_borrowed": found.rule.most_borrowed,
        "from_higher": found.rule.from_higher,
        "groups": [
            {"group": share.group, "reserved": share.reserved, "maximum": share.maximum, "in_use": share.in_use}
            for share in found.groups
        ],
    }


def pool_rule(found: PoolRule) -> dict[str, Any]:
    """A rule about the seats of a level or extension; `group` is empty where it is for everybody."""
    return {
        "product": found.product,
        "feature": found.feature,
        "group": found.group_name,
        "low_water": found.low_water,
        "most_borrowed": found.most_borrowed,
        "reserved": found.reserved,
        "maximum": found.maximum,
        "from_higher": found.from_higher,
    }


def rule(found: Rule) -> dict[str, Any]:
    """A rule about offline use; `subject` and `product` are empty where it is for all, None is left to the organization's."""
    return asdict(found)


def explained(found: Explained) -> dict[str, Any]:
    """The rule in effect for a member and a product, and the way to it."""
    return {
        "member": found.member,
        "product": found.product,
        "allowed": found.rule.allowed,
        "longest_days": found.rule.longest_days,
        "default_days": found.rule.default_days,
        "decided_by": found.rule.decided_by,
        "path": list(found.rule.path),
        "explanation": found.text,
    }


def api_key(found: ApiKey) -> dict[str, Any]:
    """An API key, without its secret."""
    return {
        "id": found.id,
        "name": found.name,
        "member": found.member,
        "created_at": rfc3339(found.created_at),
        "revoked_at": rfc3339(found.revoked_at),
    }


def session_settings(found: SessionSettings) -> dict[str, Any]:
    """What administrators set about sessions."""
    return asdict(found)


# What a spreadsheet gets of a borrow, in this order.
BORROW_COLUMNS = (
    "id",
    "member",
    "user_type",
    "groups",
    "product",
    "level",
    "extensions",
    "machine_id",
    "machine_alias",
    "user_id",
    "user_name",
    "issued_at",
    "expires_at",
    "state",
    "ended_at",
    "seat_free_at",
    "decided_by",
    "reason",
    "copy_may_run_until",
)


def borrow_row(found: Borrow, now: datetime) -> dict[str, Any]:
    """A borrow without objects in it: at least `BORROW_COLUMNS`."""
    machine, user = found.machine, found.user
    more = {"machine_id": machine.id, "machine_alias": machine.alias, "user_id": user.id, "user_name": user.name}
    return borrow(found, now) | more
