"""Who is asking: each request has one unit of work, for whoever its bearer token stands for."""

from __future__ import annotations

import contextlib

from flask import Flask, current_app, g, request

from authority.domain.members import ANYBODY
from authority.domain.refusals import NotAuthenticated
from authority.domain.sign_ins import Origin, address_of, agent_of
from authority.services.context import Authority
from authority.services.unit import Secret, Unit
from authority.web import attempts
from authority.web.publishing import Publisher

SCHEME = "bearer"
LONGEST_SECRET = 256


def authority() -> Authority:
    """The authority that this application serves."""
    authority_of_application: Authority = current_app.extensions["carnet"]
    return authority_of_application


def publisher_of(app: Flask) -> Publisher:
    """Who publishes the status lists that the application gives to strangers."""
    publisher: Publisher = app.extensions["carnet-publisher"]
    return publisher


def publish_soon() -> None:
    """Something ended by this request: strangers are to hear of it soon."""
    publisher_of(current_app).hurry()


def secret() -> str:
    """The bearer token of this request; the scheme's case and the number of spaces after it do not count (RFC 9110, 11.1, 11.4).

    Raises NotAuthenticated without one.
    """
    header = str(request.environ.get("HTTP_AUTHORIZATION", "")).strip(" \t")
    scheme, _, credentials = header.partition(" ")
    token = credentials.lstrip(" ")
    if scheme.lower() != SCHEME or not token or set(" \t") & set(token) or len(header) > LONGEST_SECRET:
        raise NotAuthenticated("this route needs a bearer token")
    return token


def origin(device: str | None = None) -> Origin:
    """From where this request comes. A token of an earlier sign-in, by default the bearer token, shows a device that is known."""
    if device is None:
        with contextlib.suppress(NotAuthenticated):
            device = secret()
    return Origin(address_of(request.remote_addr), agent_of(request.headers.get("User-Agent")), device)


def unit(*, open_over_limit: bool = False) -> Unit:
    """The unit of work of this request, for whoever its bearer token stands for.

    While the organization has too many members only administrators get in, and each answer to them says so (seed S2); with
    `open_over_limit` everybody does, for what gives licenses back. Raises NotAuthenticated without a token.
    """
    # Known to what is done after the request.
    text = secret()
    g.unit = work = Unit(current_app.extensions["carnet"], Secret(text), open_over_limit=open_over_limit)
    environ = request.environ
    if "HTTP_IF_MATCH" in environ:
        work.expected = _expected()
    if attempts.IN_ENVIRON in environ and environ["REQUEST_METHOD"] == "POST":
        attempts.attach(work, text)
    return work


def _expected() -> list[str]:
    """The versions in the header If-Match: an entity tag is a version, or one with a digest of a whole answer behind a point."""
    tags = request.if_match
    return ["*"] if tags.star_tag else [tag.partition(".")[0] for tag in sorted(tags.as_set())]


def check_known() -> None:
    """Raises NotAuthenticated when this request has no bearer token that is good. One whose unit has begun was looked at already."""
    if not ("unit" in g and g.unit.is_begun):
        # One of its own: what is wrong with other headers is told to who is known.
        with Unit(authority(), Secret(secret()), open_over_limit=True).reading():
            pass


def public() -> Unit:
    """The unit of work of a request that anybody may make."""
    g.unit = work = Unit(current_app.extensions["carnet"], ANYBODY)
    return work
