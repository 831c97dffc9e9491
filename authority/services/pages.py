"""Cursors: where a page ended, as one text that needs no quoting in a URL."""

from __future__ import annotations

import base64
import json

from authority.domain.names import is_shown
from authority.domain.refusals import InvalidInput
from authority.signing.encoding import encode


def cursor(*parts: str) -> str:
    """The texts by which the last row of a page is known, as one."""
    return encode(json.dumps(parts).encode())


def parts(text: str, count: int) -> tuple[str, ...]:
    """The texts that a cursor was made of. Raises InvalidInput unless it is one of so many printable texts."""
    try:
        values = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, list) or len(values) != count:
        raise _not_known()
    if not all(isinstance(part, str) and is_shown(part) for part in values):
        raise _not_known()
    return tuple(values)


def _not_known() -> InvalidInput:
    return InvalidInput("this is the cursor of no page of this list", hint="Begin again without a cursor.")
