"""How tokens write bytes, digests and times."""

from __future__ import annotations

from datetime import UTC, datetime

from verifier.core.keys import digest_of, encode
from verifier.core.reading import LAST_SECOND
from verifier.errors import Malformed

__all__ = ["digest_of", "encode", "instant"]


def instant(seconds: int) -> datetime:
    """The aware UTC time of so many seconds since 1970. Raises Malformed before 1970, and beyond the year 9999.

    Milliseconds in place of seconds lie beyond it.
    """
    if not 0 <= seconds <= LAST_SECOND:
        raise Malformed(f"the time {seconds} lies beyond the calendar: times are seconds since 1970")
    return datetime.fromtimestamp(seconds, UTC)
