"""Cursors: where a page ended, as one text that needs no quoting in a URL."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass

from authority.domain.names import is_shown
from authority.domain.refusals import InvalidInput
from authority.signing.encoding import encode


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page stands in its list: rows before it, rows of the whole, and the cursor of the page before it.

    `previous` is "" for the first page and None where no page comes before. Not `is_whole`: there are more rows than were counted, and
    `before` says nothing.
    """

    total: int
    before: int = 0
    previous: str | None = None
    is_whole: bool = True


def place(total: int, following: int, preceding: Sequence[str], limit: int, *, is_whole: bool = True) -> Place:
    """The place of a page that goes on after a row: with the number of rows after that row, and the cursors of up to `limit` before it.

    The page before ends with that row, so that it goes on after the last of them where there are so many.
    """
    return Place(total, max(0, total - following), preceding[limit - 1] if len(preceding) >= limit else "", is_whole)


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
