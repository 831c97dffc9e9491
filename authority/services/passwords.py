"""Passwords: one form whatever they were typed on, argon2id, and the same work for a user name that does not exist."""

from __future__ import annotations

import contextlib
import threading
import unicodedata
from collections.abc import Iterator
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from authority.domain.refusals import InvalidInput, TooManyRequests

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
# How many passwords of one lane are compared at once, and how many wait for it: each takes 64 MiB and a tenth of a second.
AT_ONCE, WAITING = 2, 4
_hasher = PasswordHasher()


class Lane:
    """A way for so many passwords at once and a short queue, so that a crowd costs this process a bounded amount of work."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(AT_ONCE + WAITING)
        self._work = threading.BoundedSemaphore(AT_ONCE)

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """A place to compare one password. Raises TooManyRequests when the queue is full."""
        if not self._places.acquire(blocking=False):
            raise TooManyRequests("too many are signing in at this moment: the next try is in 1 second", seconds=1)
        try:
            with self._work:
                yield
        finally:
            self._places.release()


# Who signed in from here before does not queue behind strangers.
STRANGERS, KNOWN = Lane(), Lane()


def normalized(password: str) -> str:
    """The one form of a password: NFC, each white space U+0020 (RFC 8265, OpaqueString). A Mac types "ü" as two characters."""
    spaced = "".join(" " if unicodedata.category(char) == "Zs" else char for char in password)
    return unicodedata.normalize("NFC", spaced)


def hash_password(password: str) -> str:
    """The argon2id hash of a password in its one form. Raises InvalidInput when it is too short, too long or no Unicode."""
    text = normalized(password)
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise InvalidInput(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", about="password")
    try:
        return _hasher.hash(text)
    except UnicodeEncodeError as error:
        raise InvalidInput("a password is made of Unicode characters", about="password") from error


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
