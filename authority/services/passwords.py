"""Passwords: one form whatever they were typed on, argon2id, and the same work for a user name that does not exist."""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from authority.domain.refusals import InvalidInput

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
_hasher = PasswordHasher()


def normalized(password: str) -> str:
    """The one form of a password: NFC, each white space U+0020 (RFC 8265, OpaqueString). A Mac types "ü" as two characters."""
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaced)


def hash_password(password: str) -> str:
    """The argon2id hash of a password in its one form. Raises InvalidInput when it is too short, too long or no Unicode."""
    text = normalized(password)
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise InvalidInput(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    try:
        return _hasher.hash(text)
    except UnicodeEncodeError as error:
        raise InvalidInput("a password is made of Unicode characters") from error


def is_right(password: str, password_hash: str | None) -> bool:
    """True when the password fits the hash; without a hash the same work is done, so that time tells nothing.

    What was hashed as it was typed, before passwords had one form, fits as well: composed and decomposed.
    """
    text = normalized(password)
    forms = dict.fromkeys((text, password, unicodedata.normalize("NFD", password)))
    is_one = [_fits(form[:LONGEST_PASSWORD], password_hash or _nobodys_hash()) for form in forms]
    return password_hash is not None and len(text) <= LONGEST_PASSWORD and any(is_one)


def _fits(text: str, password_hash: str) -> bool:
    try:
        return _hasher.verify(password_hash, text)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")
