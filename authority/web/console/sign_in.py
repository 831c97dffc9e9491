"""Signing in with a name and a password, and signing out."""

from __future__ import annotations

import re

from flask import Blueprint, Response, request, url_for
from pydantic import Field

from authority.services import access
from authority.web.access import origin, public
from authority.web.console import cookies
from authority.web.console.addresses import HOME
from authority.web.console.forms import Form, Password, Text, read
from authority.web.console.frame import page, see_other, shown_again
from authority.web.console.reopening import form_again
from authority.web.console.unsent import LONGEST, opened

pages = Blueprint("sign_in", __name__)
OWN_ADDRESS = re.compile(r"/console/[!-\[\]-~]*")


class SignIn(Form):
    username: Text = Field("", max_length=128)
    password: Password = ""
    remember: bool = False
    # What was typed when an earlier sign-in had ended.
    unsent: str = Field("", max_length=LONGEST)


class Where(Form):
    next: str = ""


@pages.get("/sign-in")
def index() -> Response:
    """The form, with why a provider's answer signed nobody in; `next` is where it leads to, an address of our own."""
    refusal = None if request.form else cookies.refusal()
    return page("sign_in.html", problem=refusal, next=following(), unsent=request.form.get("unsent", ""))


@pages.post("/sign-in")
@shown_again(index)
def sign_in() -> Response:
    """The cookie holds the bearer secret of the sign-in: what is signed in here can be ended like any other sign-in.

    An earlier one of this browser ends, for nobody would have its secret any more. Of a form that was sent when the earlier one had
    ended the same member sees again what was typed; everybody else is led to the page that was asked for.
    """
    form, earlier = read(SignIn), cookies.sign_in_secret()
    place = origin(earlier)
    secret, _ = access.sign_in(public(), form.username, form.password, remember=form.remember, origin=place)
    if earlier is not None:
        access.sign_out(public(), earlier)
    typed = opened(form.unsent) if form.unsent else None
    again = None if typed is None else form_again(typed, secret)
    response = again or see_other(following())
    cookies.write(response, cookies.SIGN_IN, secret, cookies.LONGEST if form.remember else None)
    return response


@pages.post("/sign-out")
def sign_out() -> Response:
    """Ends the sign-in, here and for whoever has a copy of the cookie."""
    secret = cookies.sign_in_secret()
    if secret is not None:
        access.sign_out(public(), secret)
    response = see_other(url_for("console.sign_in.index"))
    cookies.remove(response, cookies.SIGN_IN)
    return response


def following() -> str:
    """Where the sign-in leads to, as its address says. Raises InvalidInput for another parameter of the address."""
    return own_address(read(Where, request.args).next)


def own_address(text: str) -> str:
    """The address if it is one of a page of ours, else that of the first page: nobody is led elsewhere."""
    return text if OWN_ADDRESS.fullmatch(text) else HOME
