"""What became of the rows of a table of borrows to be released."""

from __future__ import annotations

from typing import Literal

from authority.presentation.borrows import BorrowShown
from authority.presentation.shown import Repeated, Shown


class ReleasedBorrow(Shown):
    """A borrow that was released, or in a dry run would be."""

    id: Repeated
    ok: Literal[True] = True
    borrow: BorrowShown


class RefusedRelease(Shown):
    """A row that names no borrow, or one that cannot be released, and why."""

    id: Repeated
    ok: Literal[False] = False
    code: str
    message: Repeated
    hint: Repeated
