"""API keys as administrators see them, never the secret nor what stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authority.domain.members import Scope


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that acts as the member within its scopes; with `revoked_at`, or past `expires_at`, it is of no use any more.

    `last_used_at` is exact to an hour; None: never, or not later than an hour after it was made.
    """

    id: str
    name: str
    member: str
    created_at: datetime
    revoked_at: datetime | None
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
