"""Signing in by a provider of OpenID Connect: out to it, and back with its answer."""

from __future__ import annotations

import dataclasses
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, request, url_for

from authority.domain.oidc import Transaction
from authority.domain.refusals import NotAuthenticated, Refusal
from authority.services import access, oidc
from authority.web import problems
from authority.web.access import authority, origin, public
from authority.web.console import cookies
from authority.web.console.addresses import HOME
from authority.web.console.frame import page, see_other
from authority.web.console.sign_in import following, own_address

if TYPE_CHECKING:
    # What speaks with providers is installed where there are some.
    from authority.web.oidc import ProviderClient

pages = Blueprint("oidc", __name__)
# How long somebody may stay at the provider.
PATIENCE = timedelta(minutes=10)


@pages.get("/sign-in/oidc/<name>")
def leave(name: str) -> Response:
    """Leads to the provider; `next` is where the answer leads to, an address of our own."""
    address_after = following()
    try:
        address, transaction = _client(name).begin(address_after)
    except Refusal as error:
        return _sign_in_page(error, address_after)
    response = see_other(address)
    cookies.write(response, cookies.PROVIDER, _to_keep(transaction), PATIENCE)
    return response


@pages.get("/sign-in/oidc/<name>/answer")
def answer(name: str) -> Response:
    """Signs in whom the provider's answer names, once: what the browser kept is of no use afterwards.

    An earlier sign-in of this browser ends, as it does with a password.
    """
    client, transaction = _client(name), _kept(name)
    try:
        if transaction is None:
            raise NotAuthenticated(
                "this browser asked for no such answer, or too long ago", hint="Begin again: sign in once more."
            )
        claims = client.claims(transaction, request.args)
        earlier = cookies.sign_in_secret()
        secret, _ = oidc.sign_in(authority(), client.provider, claims, origin(earlier))
    except Refusal as error:
        # Not here: the address has the provider's code, which is nobody's business any more.
        response = see_other(url_for("console.sign_in.index", next=transaction.next if transaction else HOME))
        cookies.write_refusal(response, problems.of_refusal(error))
    else:
        if earlier is not None:
            access.sign_out(public(), earlier)
        response = see_other(own_address(transaction.next))
        cookies.write(response, cookies.SIGN_IN, secret)
    cookies.remove(response, cookies.PROVIDER)
    return response


def _client(name: str) -> ProviderClient:
    clients: dict[str, ProviderClient] = current_app.extensions["carnet-providers"]
    if name not in clients:
        abort(HTTPStatus.NOT_FOUND)
    return clients[name]


def _to_keep(transaction: Transaction) -> str:
    """In letters that every cookie may have."""
    return urlsafe_b64encode(json.dumps(dataclasses.asdict(transaction)).encode()).decode()


def _kept(name: str) -> Transaction | None:
    """What this browser kept of the question, None when it kept nothing, or asked another provider."""
    try:
        transaction = Transaction(**json.loads(urlsafe_b64decode(cookies.read(cookies.PROVIDER) or "")))
    except (ValueError, TypeError, RecursionError):
        return None
    is_text = all(isinstance(value, str) for value in dataclasses.astuple(transaction))
    return transaction if is_text and transaction.provider == name else None


def _sign_in_page(error: Refusal, address: str) -> Response:
    """The form of the sign-in, with what went wrong."""
    return page("sign_in.html", problem=problems.of_refusal(error), next=address, unsent="")
