"""The cookies of the console: who is signed in, what was just done, and what ties a stranger's form to a browser."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from flask import Response, g, request
from itsdangerous import BadSignature, Signer, URLSafeSerializer

# Browsers keep no cookie for longer (RFC 6265bis, 5.5).
LONGEST = timedelta(days=400)
SIGN_IN, FORM, NOTICE, PROVIDER = "carnet", "carnet-form", "carnet-notice", "carnet-provider"
LONGEST_SECRET = 256


@dataclass(frozen=True, slots=True)
class Notice:
    """What was done, for the page that comes next: a sentence, and what to do next as text and address."""

    text: str
    next: tuple[tuple[str, str], ...] = ()


def is_https() -> bool:
    """True when the browser speaks https, to this server or to a proxy before it."""
    return (
        request.is_secure
        or request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower() == "https"
        or request.headers.get("Origin") == f"https://{request.host}"
    )


def read(name: str) -> str | None:
    """The value of a cookie. Over https only one that no other host and no plain connection can have set is taken."""
    value = request.cookies.get(f"__Host-{name}")
    if value is None and not is_https():
        value = request.cookies.get(name)
    return value if value and len(value) <= LONGEST_SECRET * 16 else None


def write(response: Response, name: str, value: str, lasts: timedelta | None = None) -> None:
    """Sets a cookie that no script reads and no other site's form sends; without `lasts` it ends with the browser."""
    https = is_https()
    response.set_cookie(
        f"__Host-{name}" if https else name, value, max_age=lasts, secure=https, httponly=True, samesite="Lax", path="/"
    )


def remove(response: Response, name: str) -> None:
    """Makes the browser forget a cookie."""
    for full_name in (name, f"__Host-{name}"):
        if full_name in request.cookies:
            secure = full_name != name
            response.delete_cookie(full_name, path="/", secure=secure, httponly=True, samesite="Lax")


def sign_in_secret() -> str | None:
    """The bearer secret of the sign-in, None for a stranger."""
    secret = read(SIGN_IN)
    return secret if secret and len(secret) <= LONGEST_SECRET else None


def form_token() -> str:
    """What every form carries, so that no other site can send it: made from what only this browser's cookie and the server know."""
    return _signer(_form_key()).get_signature(b"form").decode()


def is_form_token(token: str) -> bool:
    """True when a form was made for this browser and this sign-in; compared in constant time."""
    key = sign_in_secret() or read(FORM)
    return key is not None and _signer(key).verify_signature(b"form", token.encode())


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
        sentence, links = _serializer(secret).loads(text)
    except BadSignature:
        return None
    return Notice(sentence, tuple((label, address) for label, address in links))


def write_notice(response: Response, value: Notice) -> None:
    """Keeps what was done for the page that comes next; the visitor is signed in."""
    secret = sign_in_secret()
    assert secret is not None  # noqa: S101 - nobody else does anything
    write(response, NOTICE, str(_serializer(secret).dumps([value.text, value.next])), timedelta(minutes=5))


def _serializer(secret: str) -> URLSafeSerializer:
    return URLSafeSerializer(secret, salt="carnet.notice", signer_kwargs={"digest_method": hashlib.sha256})
