"""Cells of tables that people open in spreadsheets: nothing in them is run, and each can be read again as it was."""

from __future__ import annotations

import re
from typing import Any

# What a spreadsheet would run as a formula, also behind white space and with the signs of full width. What began with
# apostrophes and then such a sign counts too, so that every cell can be restored.
_FORMULA = re.compile("'*(\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0])")


def defused(value: Any) -> Any:
    """A cell, with an apostrophe before what a spreadsheet would run as a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def restored(cell: str) -> str:
    """A cell as it was before it was defused."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell
