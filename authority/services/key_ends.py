"""Keys of the authority whose time is nearly over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from authority.domain.catalogue import WARNING_BEFORE_END, Authorization, AuthorizedKey, KeyUse


@dataclass(frozen=True, slots=True)
class EndingKey:
    """A key of the authority that the authorization lets sign until a time that is near, while no other one goes on."""

    kid: str
    use: KeyUse
    ends_at: datetime


def ending_keys(authorization: Authorization, now: datetime) -> tuple[EndingKey, ...]:
    """The key of each use that ends last, when that is within 30 days: then nobody signs any more."""
    last: dict[KeyUse, AuthorizedKey] = {}
    for key in _signing(authorization.keys.values(), now):
        if key.use not in last or key.ends_at > last[key.use].ends_at:
            last[key.use] = key
    return tuple(EndingKey(key.kid, key.use, key.ends_at) for key in last.values() if key.ends_at - now <= WARNING_BEFORE_END)


def _signing(keys: Iterable[AuthorizedKey], now: datetime) -> list[AuthorizedKey]:
    return [key for key in keys if key.ends_at > now and not key.is_revoked]
