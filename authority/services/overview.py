"""Reads that need no rule: trust file, authorization and its use, health."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authority.domain.catalogue import Authorization
from authority.domain.members import Privilege
from authority.domain.refusals import DatabaseLost
from authority.services import going_out, licenses
from authority.services.unit import Unit
from authority.storage import events, members, organization, status_lists


def check_ready(unit: Unit) -> None:
    """Raises, with the reason, unless the database answers and is the one that this process has been using all along.

    The log only grows: a log that ends before a number it had is that of another database, or of an older copy of this one.
    Raises StorageUnavailable, DatabaseLost, DatabaseBehind, NotSetUp, AuthorizationUnusable.
    """
    remembered = unit.authority.remembered
    # Read before the transaction begins, so that what another thread saw meanwhile is no reason.
    before = remembered.last_event
    with unit.reading():
        last = events.last(unit.connection)
        going_out.check_numbers(unit.authority, status_lists.last_seq(unit.connection), unit.authorization.seq)
    if last < before:
        raise DatabaseLost(f"the log ends with event {last} and had {before}: another database took the place of this one")
    remembered.last_event = max(last, remembered.last_event)


def trust_file(unit: Unit) -> bytes:
    """The trust file that workstations install first."""
    return trust_file_since(unit)[0]


def trust_file_since(unit: Unit) -> tuple[bytes, datetime]:
    """The trust file that workstations install first, and since when it is that one."""
    with unit.reading():
        text = unit.organization.trust_file
        return text.encode(), organization.trusted_since(unit.connection, text) or unit.organization.created_at


def authorization(unit: Unit) -> tuple[Authorization, dict[str, Any]]:
    """The authorization in force, and what of it is used: `members` (count) and `products` (product to feature to count).

    Raises NotAllowed for who may not assign licenses.
    """
    with unit.reading():
        unit.actor.needs(Privilege.ASSIGN_LICENSES)
        products = {product.id: licenses.used(unit, product) for product in unit.authorization.products.values()}
        by_type = members.type_counts(unit.connection)
    return unit.authorization, {"members": unit.membership.current, "by_type": by_type, "products": products}
