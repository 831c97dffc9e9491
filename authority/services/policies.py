"""The rules about offline use, and changing them."""

from __future__ import annotations

from authority.domain.events import Event
from authority.domain.members import Actor, Privilege
from authority.domain.offline_rules import OfflineRule, check_rule
from authority.services.context import Authority
from authority.storage import events, organization


def show(authority: Authority) -> OfflineRule:
    """The organization's rule."""
    with authority.database.read() as connection:
        return organization.organization_rule(connection)


def change(
    authority: Authority, actor: Actor, *, allowed: bool | None, longest_days: int | None, default_days: int | None
) -> OfflineRule:
    """Changes what is given of the organization's rule and keeps the rest; borrows already out stay as they are.

    Raises NotAllowed, InvalidInput.
    """
    actor.needs(Privilege.MANAGE_AUTHORITY)
    with authority.database.write() as connection:
        before = organization.organization_rule(connection)
        after = OfflineRule(
            before.allowed if allowed is None else allowed,
            before.longest_days if longest_days is None else longest_days,
            before.default_days if default_days is None else default_days,
            before.decided_by,
        )
        check_rule(after)
        organization.put_organization_rule(connection, after)
        reason = (
            f"offline {'allowed' if after.allowed else 'not allowed'}, {after.longest_days} days, default {after.default_days}"
        )
        events.append(connection, [Event(kind="policy-changed", actor=actor.username, reason=reason)], authority.clock())
    return after
