"""CSV as spreadsheets of many countries write it: which delimiter it has, what it says of itself, and cells that are not there."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

from authority.domain.refusals import InvalidInput

SAVE_AS = 'Save the sheet as "CSV UTF-8" and try again.'
DELIMITERS = (",", ";", "\t", "|")
# What Excel writes and reads as the first line of a file with another delimiter than its own; it shows no row for it.
SAYS_DELIMITER = re.compile('"?sep=([^\\w\\s"]|\t)"?[ ,;\t]*(?:\r\n|\r|\n|\\Z)', re.IGNORECASE)
# True and false: what people write, and TRUE and FALSE as spreadsheets in other languages write them.
WORDS = (
    ("true", "false"),
    ("yes", "no"),
    ("1", "0"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
    ("verdadero", "falso"),
    ("vero", "falso"),
    ("verdadeiro", "falso"),
    ("waar", "onwaar"),
    ("sant", "falskt"),
    ("sand", "falsk"),
    ("sann", "usann"),
    ("tosi", "epätosi"),
    ("prawda", "fałsz"),
    ("pravda", "nepravda"),
    ("igaz", "hamis"),
    ("adevărat", "fals"),
    ("cert", "fals"),
    ("истина", "ложь"),
    ("істина", "хибність"),
    ("doğru", "yanlış"),  # noqa: RUF001 - a letter of Turkish
    ("doğru", "yanliş"),
    ("αληθες", "ψευδες"),
    ("αληθης", "ψευδης"),
)
BLANK = "".join(DELIMITERS) + ' "\r\n\ufeff'


def records(text: str, columns: Collection[str] = ()) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of every record that is not blank; the first line of a spreadsheet has number 1.

    columns: names that its header may have, by which the delimiter is told. Raises InvalidInput for what is no CSV.
    """
    first_line = SAYS_DELIMITER.match(text)
    delimiter = _delimiter(text, columns) if first_line is None else first_line[1]
    stream = io.StringIO(text if first_line is None else text[first_line.end() :], newline="")
    number = 0
    try:
        for number, cells in enumerate(csv.reader(stream, delimiter=delimiter, strict=True), start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error as error:
        raise InvalidInput(f"row {number + 1} is no CSV: {error}", hint=SAVE_AS, row=number + 1) from error


def fitted(cells: Sequence[str], width: int) -> list[str]:
    """The cells of a row for a header of this width.

    Spreadsheets leave the last cells out of a row where they are empty, and write empty ones beside the table: the first are
    filled up, the others left out. What has more cells with content than the header stays too long.
    """
    row = list(cells)
    while len(row) > width and not row[-1].strip():
        row.pop()
    return row + [""] * (width - len(row))


def _delimiter(text: str, columns: Collection[str]) -> str:
    """That which parts the first line with content into the most known names, else into the most cells; else a comma."""
    first = next((line for line in io.StringIO(text, newline=None) if line.strip(BLANK)), "")

    def fits(delimiter: str) -> tuple[int, int]:
        cells = [cell.strip(' "\r\n') for cell in first.split(delimiter)]
        return sum(cell in columns for cell in cells), len(cells)

    return max(DELIMITERS, key=fits)


def is_true(cell: str) -> bool:
    """What a cell says, in any language of `WORDS`. Raises InvalidInput for another word."""
    word = _folded(cell)
    if word not in _TRUE:
        raise InvalidInput("there is no such value", hint="Write true or false.")
    return _TRUE[word]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text.strip()).casefold()


_TRUE = {_folded(word): value for pair in WORDS for word, value in zip(pair, (True, False), strict=True)}
