"""The console as one: its pages, its files, and what templates know."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

from flask import Blueprint, Flask, Response, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup

from authority.presentation import event_words
from authority.services.attempts import DoneBefore
from authority.web.console import cookies, mistakes, navigation, typed, unsent
from authority.web.console.addresses import HOME
from authority.web.console.formats import agent_words, counted_of, days_left, iso, number, place_words, sentence, told, utc
from authority.web.console.frame import address_of, admit, check_parameters, done_before, here, own_path, providers, see_other
from authority.web.console.hints import hint_on_page
from authority.web.console.visiting import organization_name, product_name

# Those that strangers may open; all others stand in the menu, or below one that does.
FOR_STRANGERS = ("sign_in", "oidc")
STATIC = Path(__file__).parent / "static"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With "no-referrer" browsers would send "Origin: null" with every form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# A file's address has its digest in it: another text has another address.
YEAR = 365 * 24 * 60 * 60


def register(app: Flask) -> None:
    """Adds the console to an application, below /console/."""
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        form_token=cookies.form_token,
        typed=typed,
        error_at=mistakes.error_at,
        mistakes=mistakes.of_page,
        without_secrets=unsent.without_secrets,
        providers=providers,
        organization_name=organization_name,
        here=here,
        own_path=own_path,
        address_of=address_of,
        static=static_address,
    )
    app.jinja_env.filters.update(
        sentence=lambda text: _told(sentence(text)),
        told=_told,
        iso=iso,
        utc=utc,
        days_left=days_left,
        hint=_hint,
        number=number,
        counted=counted_of,
        product=product_name,
        denial=event_words.denial,
        agent=agent_words,
        place=place_words,
    )
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = YEAR
    console = Blueprint("console", __name__, url_prefix="/console", template_folder="templates", static_folder="static")
    console.before_request(admit)
    console.after_request(check_parameters)
    for name in (*navigation.BY_NAME, *FOR_STRANGERS):
        console.register_blueprint(import_module(f"{__package__}.{name}").pages)
    app.register_blueprint(console)
    app.register_error_handler(DoneBefore, done_before)

    @app.route("/console")
    def console_without_slash() -> Response:
        return see_other(HOME)


def _told(text: str, *, is_short: bool = False) -> Markup:
    """A text in whose sentences times are those of the reader."""
    return told(text, cookies.zone(), is_short=is_short)


def _hint(text: str, code: str) -> str:
    """The hint of a refusal that stands in a page, in the words of pages."""
    return hint_on_page(code, text)


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:16]


def static_address(name: str) -> str:
    """The address of a file of the console."""
    return url_for("console.static", filename=name, v=_digest(name))
