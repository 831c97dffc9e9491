"""API keys as administrators see them, never the secret nor what stands for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that acts as the member; with `revoked_at` it is of no use any more."""

    id: str
    name: str
    member: str
    created_at: datetime
    revoked_at: datetime | None
