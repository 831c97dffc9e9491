"""Tables that people open in spreadsheets and save again: no cell is run, each is read as it was, whatever the delimiter."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

DELIMITERS = (",", ";", "\t", "|")
# What Excel writes and reads as the first line of a file with another delimiter than its own.
_SAYS_DELIMITER = re.compile('"?sep=([^\\w\\s"]|\t)"?[ ,;\t]*', re.IGNORECASE)
_BLANK = "".join(DELIMITERS) + ' "\r\n'

# What a spreadsheet would run as a formula, also behind white space and with the signs of full width. What began with
# apostrophes and then such a sign counts too, so that every cell can be restored.
_FORMULA = re.compile("'*(\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0])")

# Where lists have semicolons or tabs between cells, a cell begins behind each of them, in quotes or not: there it is the same.
_SEPARATORS = ";\t\r\n"
_BEHIND = f"'*[^\\S{_SEPARATORS}]*[=+\\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA_BEHIND = re.compile(f"([{_SEPARATORS}])(?={_BEHIND})")
_DEFUSED_BEHIND = re.compile(f"([{_SEPARATORS}])'(?={_BEHIND})")


def defused(value: Any) -> Any:
    """A cell, with an apostrophe before what a spreadsheet would run as a formula, whatever it has between cells."""
    if not isinstance(value, str):
        return value
    cell = _FORMULA_BEHIND.sub(r"\1'", value)
    return f"'{cell}" if _FORMULA.match(value) else cell


def restored(cell: str) -> str:
    """A cell as it was before it was defused."""
    cell = _DEFUSED_BEHIND.sub(r"\1", cell)
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell, 1) else cell


def records(lines: Iterable[str], columns: Collection[str]) -> Iterator[list[str] | None]:
    """The cells of every record that is not blank, the header's first; None for a record that is no CSV.

    lines: without their ends. columns: names that the header may have, by which the delimiter is told.
    """
    rest: Iterator[str] = itertools.dropwhile(lambda line: not line.strip(_BLANK), lines)
    first = next(rest, "")
    sep_line = _SAYS_DELIMITER.fullmatch(first)
    if sep_line is None:
        delimiter, rest = _delimiter(first, columns), itertools.chain([first], rest)
    else:
        delimiter = sep_line[1]
    rows = csv.reader((f"{line}\n" for line in rest), delimiter=delimiter)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield None
            continue
        if any(cell.strip() for cell in row):
            yield row


def fitted(cells: Sequence[str], width: int) -> list[str]:
    """The cells of a row for a header of this width: spreadsheets leave last empty cells out, and write some beside the table."""
    row = list(cells)
    while len(row) > width and not row[-1].strip():
        row.pop()
    return row + [""] * (width - len(row))


def _delimiter(first: str, columns: Collection[str]) -> str:
    """That which parts the line into the most known names, else into the most cells; else a comma."""

    def fits(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip(' "') for cell in first.split(delimiter)]
        return sum(cell in columns for cell in cells), len(cells)

    return max(DELIMITERS, key=fits)
