"""Who looks at a page, and the unit of work that is theirs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from flask import g, request

from authority.domain.catalogue import names_of
from authority.domain.members import ANYBODY, Actor
from authority.domain.refusals import NotAuthenticated, Refusal
from authority.services.attempts import Once
from authority.services.unit import Secret, Unit
from authority.signing.encoding import digest_of
from authority.web.access import authority
from authority.web.console import cookies


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who looks at a page, as of when, and what the organization has too much of."""

    secret: str = field(repr=False)
    actor: Actor
    organization: str
    excess: str | None
    now: datetime
    # What people call the products that are licensed, by id.
    products: Mapping[str, str] = field(default_factory=dict)


def visitor() -> Visitor:
    """Who looks at this page; it is a page for those who are signed in."""
    who: Visitor = g.visitor
    return who


def unit(*, open_over_limit: bool = False, once: bool = True) -> Unit:
    """The unit of work of this page, for who is signed in; like `authority.web.access.unit`.

    A form that is sent a second time, as by loading its answer again, does nothing (DoneBefore), unless it may be done again.
    Raises DoneBefore, NotAuthenticated, OrganizationOverLimit.
    """
    g.unit = work = Unit(authority(), Secret(visitor().secret, of_sign_in=True), open_over_limit=open_over_limit)
    if request.method == "POST" and once:
        if "once" not in g:
            g.once = Once(_digest_of_form())
            # Before anything else is looked at: what the form is about may be gone because it was done.
            with work.reading():
                g.once.look(work)
        work.attempt = g.once
    return work


def _digest_of_form() -> str:
    """A word for all that the form says, with the word of its page (see `cookies.form_token`)."""
    parts: list[object] = [request.full_path, list(request.form.items(multi=True))]
    for name, file in request.files.items(multi=True):
        place = file.tell()
        file.seek(0)
        parts.append([name, file.filename, hashlib.sha256(file.read()).hexdigest()])
        file.seek(place)
    return digest_of(json.dumps(parts).encode("utf-8", "surrogatepass"))


def begun(work: Unit | None = None) -> Unit:
    """The unit of work of this page, or another, after a reading that asks for nothing: what it knows of the organization is known."""
    work = work or unit()
    with work.reading():
        pass
    return work


def signed_in() -> Visitor:
    """Who the cookie of the browser says is there. Raises NotAuthenticated, OrganizationOverLimit."""
    secret = cookies.sign_in_secret()
    if secret is None:
        raise NotAuthenticated("this page is for those who are signed in")
    work = begun(Unit(authority(), Secret(secret, of_sign_in=True)))
    products = names_of(work.authorization.products.values())
    return Visitor(secret, work.actor, work.authorization.organization_name, work.excess, work.now, products)


def organization_name() -> str:
    """Whose authority this is, for who is not signed in yet; "" where it cannot be read now."""
    with suppress(Refusal):
        return begun(Unit(authority(), ANYBODY, open_over_limit=True)).authorization.organization_name
    return ""


def product_name(product: str) -> str:
    """What people call a product; its id where it is licensed no more, and beside its name where two have the same."""
    return visitor().products.get(product, product)
