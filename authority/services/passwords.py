"""Passwords: argon2id, and the same work for a user name that does not exist."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from authority.domain.refusals import InvalidInput

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
_hasher = PasswordHasher()


def hash_password(password: str) -> str:
    """The argon2id hash of a password. Raises InvalidInput when it is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    return _hasher.hash(password)


def is_right(password: str, password_hash: str | None) -> bool:
    """True when the password fits the hash; without a hash the same work is done, so that time tells nothing."""
    try:
        _hasher.verify(password_hash or _nobodys_hash(), password[:LONGEST_PASSWORD])
    except (Argon2Error, InvalidHashError):
        return False
    return password_hash is not None and len(password) <= LONGEST_PASSWORD


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("nobody has this password")
