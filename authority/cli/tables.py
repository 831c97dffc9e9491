"""Tables for people: as wide as there is room, wrapped between words, and one record below the other where that is too narrow.

A cell is never broken within a word: an id can be copied from any table.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence

from rich.cells import cell_len

GAP = "  "


def width_of_output() -> int | None:
    """How many cells a line of stdout has: those of the terminal, or what COLUMNS says; None for a file or a pipe."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns or None
    return None


def without(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, may_go: Sequence[str]) -> list[str]:
    """The columns to be left out, in the order in which they may go, so that the longest words of all others have room in a row.

    None are when that does not help: then each row is a record, which has room for all.
    """
    needed = {column[0]: max(_longest_word(cell) for cell in column) for column in zip(names, *rows, strict=True)}
    for count in range(len(may_go) + 1):
        rest = [most for name, most in needed.items() if name not in may_go[:count]]
        if width is None or sum(rest) + len(GAP) * (len(rest) - 1) <= width:
            return list(may_go[:count])
    return []


def lines_of(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines of a table with these columns, of at most `width` cells unless a single word is longer; None is any width.

    Where not even the longest words of all columns have room beside each other, each row is a record: a line for each cell that
    has something in it.
    """
    natural = [max(map(cell_len, column)) for column in zip(names, *rows, strict=True)]
    needed = [max(_longest_word(cell) for cell in column) for column in zip(names, *rows, strict=True)]
    gaps = len(GAP) * (len(names) - 1)
    if width is None or sum(natural) + gaps <= width:
        yield from _table(names, rows, natural)
    elif sum(needed) + gaps <= width:
        yield from _table(names, rows, _widths(needed, natural, width - gaps))
    else:
        yield from _records(names, rows, width)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split(" ")))


def _widths(needed: Sequence[int], natural: Sequence[int], room: int) -> list[int]:
    """What each column gets: what it needs, and of the rest the same for each until it has what it wants."""
    widths = list(needed)
    for _ in range(room - sum(needed)):
        wanting = [place for place, width in enumerate(widths) if width < natural[place]]
        if not wanting:
            break
        widths[min(wanting, key=lambda place: widths[place])] += 1
    return widths


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[int]) -> Iterator[str]:
    for row in (names, *rows):
        wrapped = [_wrapped(cell, width) for cell, width in zip(row, widths, strict=True)]
        for number in range(max(map(len, wrapped))):
            parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
            yield GAP.join(_padded(part, width) for part, width in zip(parts, widths, strict=True)).rstrip()


def _records(names: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Iterator[str]:
    label = max(map(cell_len, names))
    for number, row in enumerate(rows):
        if number:
            yield ""
        for name, cell in zip(names, row, strict=True):
            for place, part in enumerate(_wrapped(cell, max(1, width - label - len(GAP))) if cell else ()):
                yield _padded("" if place else name, label) + GAP + part


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words; a longer word has a line of its own."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines[-1] else word
        if lines[-1] and cell_len(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines
