"""Who is asking: the bearer token of a request becomes an Actor."""

from __future__ import annotations

from flask import current_app, request

from authority.domain.members import Actor
from authority.domain.refusals import NotAuthenticated
from authority.services import access
from authority.services.context import Authority

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


def actor() -> Actor:
    """Who sent this request. Raises NotAuthenticated."""
    return access.actor_of(authority(), secret())
