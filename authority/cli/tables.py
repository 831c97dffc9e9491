"""Tables for people: as wide as there is room; in a narrow window columns give way, then cells are folded.

Only where that is not enough one record stands below the other. An id is never broken: it can be copied from any table.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from rich.cells import cell_len, chop_cells

GAP = "  "
# An id can be copied from any table; what is longer, as names may be, is folded where it has to.
ID_LENGTH = 22
SHORT_WORD, SHORT_TEXT, LONG_WORD = 12, 16, 32


def width_of_output() -> int | None:
    """How many cells a line of stdout has: those of the terminal, or what COLUMNS says; None for a file or a pipe."""
    if sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit():
        return shutil.get_terminal_size().columns or None
    return None


def shortened(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None, may_go: Sequence[str]) -> list[str]:
    """The columns to be left out, in the order in which they may go, so that all others have room beside each other in readable cells.

    One that has room nevertheless, as a narrow one beside a wide one that went after it, stays.
    Where not even the last ones have, it is all that may go: their cells are folded. None are where a row has to be a record, which
    has room for all.
    """
    columns = dict(zip(names, zip(names, *rows, strict=True), strict=True))
    for count in range(len(may_go) + 1):
        rest = [column for name, column in columns.items() if name not in may_go[:count]]
        if width is None or _with_gaps(list(map(_readable, rest))) <= width:
            return _without_room(may_go[:count], columns, width)
    return list(may_go) if _with_gaps(list(map(_least, rest))) <= (width or 0) else []


def _without_room(gone: Sequence[str], columns: Mapping[str, Sequence[str]], width: int | None) -> list[str]:
    """Those of the columns that have no room beside all others, when as many of them as have it stay, the most wanted first."""
    rest = list(gone)
    for name in reversed(gone):
        shown = [column for other, column in columns.items() if other == name or other not in rest]
        if width is None or _with_gaps(list(map(_readable, shown))) <= width:
            rest.remove(name)
    return rest


def lines_of(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[str]:
    """The lines of a table with these columns, of at most `width` cells; None is any width.

    Cells are folded between words, and words that are longer than an id within them, where a row has no room else. Where not even
    then there is any, each row is a record: a line for each cell that has something in it, and a longer word in a line of its own.
    """
    for part in rows_of(names, rows, width):
        yield from part


def rows_of(names: Sequence[str], rows: Sequence[Sequence[str]], width: int | None) -> Iterator[list[str]]:
    """The lines of such a table (see `lines_of`) for each of its rows: first those of its head, unless each row is a record."""
    columns = list(zip(names, *rows, strict=True))
    widths = list(map(_natural, columns))
    if width is not None and _with_gaps(widths) > width:
        widths = list(map(_least, columns))
        if _with_gaps(widths) > width:
            yield from (_record(names, row, width, is_first=not number) for number, row in enumerate(rows))
            return
        for wish in (_usual, _readable, _natural):
            widths = _widened(widths, list(map(wish, columns)), width - _with_gaps(widths))
    yield from (_row(row, widths) for row in (names, *rows))


def headed(
    names: Sequence[str], rows: Sequence[Sequence[str]], heads: Sequence[str] | None, width: int | None
) -> Iterator[str]:
    """The lines of a table (see `lines_of`) whose rows that share a head, where there are heads, stand below it."""
    parts = list(rows_of(names, rows, width))
    yield from (line for part in parts[: len(parts) - len(rows)] for line in part)
    last = ""
    for part, head in zip(parts[len(parts) - len(rows) :], heads or [""] * len(rows), strict=True):
        if head and head != last:
            yield from _folded(head, width or cell_len(head))
        last = head
        yield from part


def _natural(column: Sequence[str]) -> int:
    return max(map(cell_len, column))


def _longest(column: Sequence[str]) -> int:
    """As wide as its longest word."""
    return max(map(_longest_word, column))


def _usual(column: Sequence[str]) -> int:
    """As wide as its longest word, but for one that is much longer than those of most rows."""
    return _of_most(list(map(_longest_word, column)), LONG_WORD)


def _readable(column: Sequence[str]) -> int:
    """Wide enough for every word, for short texts in one line and for longer ones in some two.

    What is much longer than most of its column is folded, so that one long name takes no other column away.
    """
    natural = _of_most(list(map(cell_len, column)), 2 * LONG_WORD)
    return max(_usual(column), min(natural, max(SHORT_TEXT, natural // 2)))


def _of_most(lengths: Sequence[int], long: int) -> int:
    """The greatest of the lengths, but for what is long and longer than three in four are; the first one is the head's."""
    most = sorted(lengths[1:])[len(lengths[1:]) * 3 // 4] if len(lengths) > 1 else 0
    return max(lengths[0], min(max(lengths), max(long, most)))


def _least(column: Sequence[str]) -> int:
    """Wide enough for ids, times and heads; longer words are folded in what a short one needs."""
    longest = _longest(column)
    return longest if longest <= ID_LENGTH else max(SHORT_WORD, _longest_word(column[0]))


def _with_gaps(widths: Sequence[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _longest_word(text: str) -> int:
    return max(map(cell_len, text.split(" ")))


def _widened(widths: Sequence[int], wishes: Sequence[int], room: int) -> list[int]:
    """What each column gets: what it has, and of the rest the same for each until it has what it wants."""
    widened = list(widths)
    for _ in range(room):
        wanting = [place for place, width in enumerate(widened) if width < wishes[place]]
        if not wanting:
            break
        widened[min(wanting, key=lambda place: widened[place])] += 1
    return widened


def _row(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    folded = [_folded(cell, width) for cell, width in zip(row, widths, strict=True)]
    return [
        GAP.join(_padded(part, width) for part, width in zip(parts, widths, strict=True)).rstrip()
        for parts in zip_longest(*folded, fillvalue="")
    ]


def _record(names: Sequence[str], row: Sequence[str], width: int, *, is_first: bool) -> list[str]:
    label = max(map(cell_len, names))
    lines = [] if is_first else [""]
    for name, cell in zip(names, row, strict=True):
        for place, part in enumerate(_wrapped(cell, max(1, width - label - len(GAP))) if cell else ()):
            lines.append(_padded("" if place else name, label) + GAP + part)
    return lines


def _folded(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken between words, and within one that is longer."""
    return [part for line in _wrapped(text, width) for part in (chop_cells(line, width) if cell_len(line) > width else [line])]


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
