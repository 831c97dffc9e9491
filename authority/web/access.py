"""Who is asking: the bearer token of a request becomes an Actor."""

from __future__ import annotations

from flask import current_app, g, request

from authority.domain.members import ANYBODY, Actor, Role
from authority.domain.refusals import NotAuthenticated
from authority.services import access, admission
from authority.services.context import Authority
from authority.services.unit import Secret, Unit

SCHEME = "Bearer "
LONGEST_SECRET = 256


def authority() -> Authority:
    """The authority that this application serves."""
    found: Authority = current_app.extensions["carnet"]
    return found


def secret() -> str:
    """The bearer token of this request. Raises NotAuthenticated without one."""
    header = request.headers.get("Authorization", "")
    if not header.startswith(SCHEME) or len(header) > LONGEST_SECRET:
        raise NotAuthenticated("this route needs a bearer token")
    return header.removeprefix(SCHEME).strip()


def unit(*, open_over_limit: bool = False) -> Unit:
    """The unit of work of this request, for whoever its bearer token stands for.

    While the organization has too many members only administrators get in, and each answer to them says so (seed S2); with
    `open_over_limit` everybody does, for what gives licenses back. Raises NotAuthenticated without a token.
    """
    unit_of_request = Unit(authority(), Secret(secret()), open_over_limit=open_over_limit)
    g.unit = unit_of_request
    return unit_of_request


def public() -> Unit:
    """The unit of work of a request that anybody may make."""
    return Unit(authority(), ANYBODY)


def actor() -> Actor:
    """Who sent this request. Raises NotAuthenticated.

    While the organization has too many members only administrators get in, and each answer to them says so (seed S2).
    Raises OrganizationOverLimit.
    """
    found, membership = _signed_in(), admission.current(authority())
    membership.check_admitted(found)
    g.excess = membership.excess()
    return found


def tell_excess() -> None:
    """Makes the answer say that there are too many members, where it goes to an administrator (seed S2)."""
    g.excess = admission.current(authority()).excess()


def actor_over_limit() -> Actor:
    """The same, for what stays open to everyone over the limit: giving licenses back. Raises NotAuthenticated."""
    found = _signed_in()
    if found.role is Role.ADMINISTRATOR:
        tell_excess()
    return found


def _signed_in() -> Actor:
    return access.actor_of(authority(), secret())
