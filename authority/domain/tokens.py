"""A token that was made for a borrow, as the database keeps it and as the log of what left has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a borrow, made again at any time from `payload`, the text that the key `kid` signed; it holds no secret."""

    jti: str
    borrow_id: str
    request_jti: str
    request_digest: str
    payload: str
    kid: str
    status_index: int
    status_seq: int
    authorization_seq: int
    expires_at: datetime
    request_number: int | None = None
    returns: int | None = None
