"""The cookies of the console: who is signed in, what was just done, and what ties a stranger's form to a browser."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, g, request
from itsdangerous import BadData, Signer, URLSafeSerializer

from authority.web.problems import Problem

# Browsers keep no cookie for longer (RFC 6265bis, 5.5).
LONGEST = timedelta(days=400)
SIGN_IN, FORM, NOTICE, PROVIDER = "carnet", "carnet-form", "carnet-notice", "carnet-provider"
# Cookies of this name are set and sent over https, by and to this very host (RFC 6265bis, 4.1.3.2).
HOST_ALONE = "__Host-"
# Set by a script of the pages; it is of no weight.
ZONE = "carnet-zone"
LONGEST_SECRET = 256
# Browsers keep cookies of up to 4,096 bytes (RFC 6265, 6.1), and proxies take answers whose headers have 4 KiB in all.
LONGEST_NOTICE = 2000


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said on the page that comes next: a sentence, what to do next as text and address, and whether something was done."""

    text: str
    next: tuple[tuple[str, str], ...] = ()
    is_done: bool = True


def is_https() -> bool:
    """True when the browser speaks https: to this server, to a trusted proxy that says so (`proxies.behind`), or as its form says.

    Over a plain connection it sends no cookie of this host alone.
    """
    is_of_form = request.headers.get("Origin") == f"https://{request.host}"
    return request.is_secure or is_of_form or any(name.startswith(HOST_ALONE) for name in request.cookies)


def read(name: str) -> str | None:
    """The value of a cookie. Over https only one that no other host and no plain connection can have set is taken.

    Behind a proxy that is not trusted a form alone says that it is https: the page that it stands on could set no such cookie.
    """
    value = request.cookies.get(f"{HOST_ALONE}{name}")
    if value is None and not request.is_secure:
        value = request.cookies.get(name)
    return value if value and len(value) <= LONGEST_SECRET * 16 else None


def zone() -> tzinfo:
    """The zone of the reader's computer, as its browser says by a script; UTC where it says none, or one that nobody knows here."""
    try:
        return ZoneInfo(request.cookies.get(ZONE, ""))
    except (KeyError, OSError, ValueError):
        return UTC


def write(response: Response, name: str, value: str, lasts: timedelta | None = None) -> None:
    """Sets a cookie that no script reads and no other site's form sends; without `lasts` it ends with the browser."""
    https = is_https()
    response.set_cookie(
        f"{HOST_ALONE}{name}" if https else name, value, max_age=lasts, secure=https, httponly=True, samesite="Lax", path="/"
    )


def remove(response: Response, name: str) -> None:
    """Makes the browser forget a cookie."""
    for full_name in (name, f"{HOST_ALONE}{name}"):
        if full_name in request.cookies:
            secure = full_name != name
            response.delete_cookie(full_name, path="/", secure=secure, httponly=True, samesite="Lax")


def sign_in_secret() -> str | None:
    """The bearer secret of the sign-in, None for a stranger. An API key in its place is nobody's (`Secret.of_sign_in`)."""
    secret: str | None = g.get("new_sign_in") or read(SIGN_IN)
    return secret if secret and len(secret) <= LONGEST_SECRET else None


def form_token() -> str:
    """What every form carries, so that no other site can send it: made from what only this browser's cookie and the server know.

    It begins with the number of the member who is signed in, and with a word that each page has anew: by it a form that is sent a
    second time is known. A stranger's has neither.
    """
    member = g.visitor.actor.member_id if "visitor" in g else 0
    word = g.setdefault("form_word", secrets.token_urlsafe(9)) if sign_in_secret() else ""
    return _signer(_form_key()).sign(f"{member}~{word}").decode()


def is_form_token(token: str) -> bool:
    """True when a form was made for this browser and this sign-in; compared in constant time."""
    key = sign_in_secret() or read(FORM)
    return key is not None and _signer(key).validate(token.encode())


def member_of(token: str) -> int:
    """The number of the member for whom a form says that it was made, 0 for nobody's."""
    number = token.partition("~")[0]
    return int(number) if re.fullmatch(r"[0-9]{1,18}", number) else 0


def seal(purpose: str, value: object) -> str:
    """The value as a text that only this browser can send back, and nobody can change."""
    return str(_serializer(_form_key(), purpose).dumps(value))


def unseal(purpose: str, text: str) -> Any:
    """The value of a text that was sealed for this browser. Raises BadData."""
    return _serializer(sign_in_secret() or read(FORM) or "", purpose).loads(text)


def _form_key() -> str:
    """The secret of the sign-in; for a stranger one that the next response sets as a cookie."""
    key = sign_in_secret() or read(FORM)
    if key is None:
        key = g.setdefault("new_form_key", secrets.token_urlsafe(32))
    return key


def _signer(key: str) -> Signer:
    return Signer(key, salt="carnet.form", key_derivation="hmac", digest_method=hashlib.sha256)


def notice() -> Notice | None:
    """What this sign-in just did, to be shown once; None when it is not this sign-in's own."""
    text, secret = read(NOTICE), sign_in_secret()
    if text is None or secret is None:
        return None
    try:
        sentence, links, is_done = _serializer(secret, "notice").loads(text)
    except BadData:
        return None
    return Notice(sentence, tuple((label, address) for label, address in links), is_done)


def write_notice(response: Response, value: Notice) -> bool:
    """Keeps what was done for the page that comes next; the visitor is signed in. False, and nothing is kept, when it is too long."""
    secret = sign_in_secret()
    assert secret is not None  # noqa: S101 - nobody else does anything
    text = str(_serializer(secret, "notice").dumps([value.text, value.next, value.is_done]))
    if len(text) > LONGEST_NOTICE:
        return False
    write(response, NOTICE, text, timedelta(minutes=5))
    return True


def refusal() -> Problem | None:
    """Why a provider's answer signed nobody in, to be said once; None when there is no such thing."""
    try:
        status, code, detail, hint, headers = unseal("refusal", read(NOTICE) or "")
    except BadData:
        return None
    return Problem(status, code, detail, hint, headers=headers)


def write_refusal(response: Response, problem: Problem) -> None:
    """Keeps why a provider's answer signed nobody in, for the page of the sign-in."""
    values = [problem.status, problem.code, problem.detail, problem.hint, dict(problem.headers or {})]
    write(response, NOTICE, seal("refusal", values), timedelta(minutes=5))
    write_new_form_key(response)


def write_new_form_key(response: Response) -> None:
    """Sets the cookie that ties what was made in this request to the browser of a stranger, where one was made."""
    if "new_form_key" in g:
        write(response, FORM, g.new_form_key)


def _serializer(secret: str, purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt=f"carnet.{purpose}", signer_kwargs={"digest_method": hashlib.sha256})
