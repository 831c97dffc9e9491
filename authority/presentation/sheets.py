"""Shown things as rows of CSV, and rows back: RFC 4180 in UTF-8, with nothing in it that a spreadsheet would run."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import IO, Any

from authority.domain.plurals import counted
from authority.domain.refusals import InvalidInput
from authority.domain.texts import is_utf16
from authority.presentation import dialect
from authority.presentation.shown import NOT_IN_SHEETS, Shown, rfc3339

# A member's row has some 150 bytes: room for several times the members of a large organization, and an end for anything else.
LARGEST_FILE = 16 * 1024 * 1024
MOST_ROWS = 100_000
MOST_NAMED = 20

# A cell that begins like this would be run as a formula (OWASP ASVS 1.2.10). Full-width forms count, and so does a sign behind
# white space, which some programs drop first. An apostrophe of the cell's own before all that counts as well: so every cell that
# was written can be told from every other, and is read again as it was.
FORMULA = re.compile("'*(\\s*[=+\\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0])")
# Where lists have semicolons or tabs between cells, a cell begins behind each of them, in quotes or not: there it is the same.
END = "\r\n"
SEPARATORS = ";\t\r\n"
BEHIND = f"'*[^\\S{SEPARATORS}]*[=+\\-@\uff1d\uff0b\uff0d\uff20]"
FORMULA_BEHIND = re.compile(f"([{SEPARATORS}])(?={BEHIND})")
DEFUSED_BEHIND = re.compile(f"([{SEPARATORS}])'(?={BEHIND})")
# NUL, and what is left of bytes that are no UTF-8.
UNREADABLE = re.compile("[\0\udc80-\udcff]")
# One name of a list in a cell: as it is, or in quotes with the quotes in it doubled.
ITEM = re.compile(r'\s*+(?:"((?:[^"]|"")*+)"\s*+|([^;"]*+))(;|\Z)')


@dataclass(frozen=True, slots=True)
class Row:
    """One row that was read: its number as a spreadsheet shows it (the header is row 1), and its cells by column."""

    number: int
    cells: Mapping[str, str]


def columns_of(model: type[Shown]) -> tuple[str, ...]:
    """The columns of a shown thing in the order of its fields; of a thing within it `machine.id` is the column `machine_id`."""
    return tuple("_".join(path) for path in _paths(model))


def lines_of(model: type[Shown], things: Iterable[Shown]) -> Iterator[str]:
    """The text of a CSV file with `columns_of` the model and a row for each thing, line by line, each with its end."""
    values = attrgetter(*(".".join(path) for path in _paths(model)))
    columns = columns_of(model)
    return lines(columns, (dict(zip(columns, values(thing), strict=True)) for thing in things))


def _paths(model: type[Shown]) -> Iterator[tuple[str, ...]]:
    """The names that lead to each cell."""
    for name, field in model.model_fields.items():
        if NOT_IN_SHEETS in field.metadata:
            continue
        if isinstance(field.annotation, type) and issubclass(field.annotation, Shown):
            yield from ((name, *path) for path in _paths(field.annotation))
        else:
            yield (name,)


def lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """The text of a CSV file with a header, line by line, each with its end; rows may have more than the columns.

    Nothing is an empty cell, a list is one cell, true and false are these words, a time is RFC 3339, and text is defused.
    """
    # What has a character of the end of a line is quoted: so are semicolons and tabs, which are between cells elsewhere.
    writer = csv.writer(_Echo(), lineterminator=END + ";\t")
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([_cell(row[name]) for name in columns])


class _Echo:
    """Gives back what the CSV writer would write, with the end of a line alone."""

    def write(self, text: str) -> str:
        """The line."""
        return text[: -len(";\t")]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return rfc3339(value)
    return defused(joined(value) if isinstance(value, list | tuple) else value)


def defused(value: Any) -> Any:
    """The cell, with an apostrophe before what a spreadsheet would run as a formula, whatever it has between cells."""
    if not isinstance(value, str):
        return value
    cell = FORMULA_BEHIND.sub(r"\1'", value)
    return f"'{cell}" if FORMULA.match(value) else cell


def restored(cell: str) -> str:
    """The cell as it was before it was defused."""
    cell = DEFUSED_BEHIND.sub(r"\1", cell)
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell, 1) else cell


def joined(items: Iterable[str]) -> str:
    """A list as the text of one cell: semicolons between, and quotes around an item that could be misread."""
    return "; ".join(_item(item) for item in items)


def _item(item: str) -> str:
    is_plain = item != "" and item == item.strip() and not set(item) & {";", '"'}
    return item if is_plain else '"' + item.replace('"', '""') + '"'


def parted(cell: str) -> tuple[str, ...]:
    """The list in a cell; what is empty without quotes is left out. Raises InvalidInput for quotes that do not match."""
    items, at = [], 0
    while at < len(cell):
        match = ITEM.match(cell, at)
        if match is None:
            raise InvalidInput(
                "its quotes do not match", hint='Put ; between names; a name that has ; or " itself is "in ""quotes""".'
            )
        quoted, plain, _ = match.groups()
        if quoted is not None:
            items.append(quoted.replace('""', '"'))
        elif plain.strip():
            items.append(plain.strip())
        at = match.end()
    return tuple(items)


def read(
    stream: IO[bytes], columns: Collection[str], needed: Collection[str], never: Mapping[str, str] | None = None
) -> list[Row]:
    """The rows below the header, in their order, without the blank ones; cells are restored.

    What spreadsheets write is taken: a byte order mark, any line ends, semicolons or tabs in place of commas, a first line that
    says which, columns without name and content, and rows that end with their last cell that is not empty.

    Args:
        stream: where the bytes come from; no more than `LARGEST_FILE` of them are read.
        columns: those that there may be, in any order.
        needed: those of them that there must be.
        never: others, with what to do instead.

    Raises:
        InvalidInput: with all rows that cannot be read, or what is wrong with the header or the whole.
    """
    records = dialect.records(_text(stream), columns)
    header = _header(next(records, (0, []))[1], columns, needed, never or {})
    rows: list[Row] = []
    wrong: dict[int, str] = {}
    for number, record in records:
        if len(rows) + len(wrong) == MOST_ROWS:
            raise InvalidInput(f"the file has more than {MOST_ROWS} rows", hint="Split it into several files.")
        cells = dialect.fitted(record, len(header))
        problem = _problem(header, cells)
        if problem is not None:
            wrong[number] = problem
        else:
            rows.append(Row(number, {name: restored(cell) for name, cell in zip(header, cells, strict=True) if name}))
    _refuse(wrong)
    if not rows:
        raise InvalidInput("the file has no row below its header")
    return rows


def read_names(stream: IO[bytes], column: str) -> list[str]:
    """The names in a file, in their order: one in each line, or those in this column of a table, whatever else the table has.

    Raises InvalidInput for what cannot be read, and for a line with several cells where no column has the name.
    """
    records = list(dialect.records(_text(stream), (column,)))
    header = [cell.strip().lower() for cell in records[0][1]] if records else []
    is_table = column in header
    at = header.index(column) if is_table else 0
    names: list[str] = []
    wrong: dict[int, str] = {}
    for number, record in records[1:] if is_table else records:
        cells = dialect.fitted(record, len(header) if is_table else 1)
        if len(cells) > 1 and not is_table:
            wrong[number] = f'has {counted(len(cells), "cell")}, and no column is named "{column}"'
        elif UNREADABLE.search(cells[at]) is not None:
            wrong[number] = "has bytes that are no UTF-8"
        elif cells[at].strip():
            names.append(restored(cells[at]).strip())
    _refuse(wrong)
    return names


def _text(stream: IO[bytes]) -> str:
    data = stream.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise InvalidInput(f"the file is larger than {LARGEST_FILE >> 20} MiB", hint="Split it into several files.")
    if is_utf16(data):
        raise InvalidInput("the file is no UTF-8 text but UTF-16, as PowerShell and some editors save it", hint=dialect.SAVE_AS)
    return data.decode("utf-8-sig", "surrogateescape")


def _header(cells: Sequence[str], columns: Collection[str], needed: Collection[str], never: Mapping[str, str]) -> list[str]:
    """The names of the columns, "" for one that has none."""
    may_be = f"There may be {', '.join(columns)}"
    if not cells:
        raise InvalidInput("the file is empty; its first row names the columns", hint=f"{may_be}.")
    if any(UNREADABLE.search(cell) for cell in cells):
        raise InvalidInput("the file is no UTF-8 text", hint=dialect.SAVE_AS, row=1)
    header = [cell.strip() for cell in cells]
    while not header[-1]:
        header.pop()
    for name in header:
        if name in never:
            raise InvalidInput(f'there must be no column "{name}"', hint=never[name], row=1, column=name)
    unknown = [name for name in header if name and name not in columns]
    twice = sorted({name for name in header if name and header.count(name) > 1}) if not unknown else []
    missing = [name for name in needed if name not in header]
    for names, fault in ((unknown, "unknown"), (twice, "named twice"), (missing, "missing")):
        if names:
            listing = ", ".join(f'"{name[:140]}"' for name in names[:MOST_NAMED])
            hint = f"{may_be}; there must be {', '.join(needed)}." if needed else f"{may_be}."
            raise InvalidInput(f"columns {fault}: {listing}", hint=hint, row=1)
    return header


def _problem(header: Sequence[str], cells: Sequence[str]) -> str | None:
    """What is wrong with the form of a row, or None."""
    if len(cells) != len(header):
        return f"has {counted(len(cells), 'cell')}, the header has {len(header)}"
    for number, (name, cell) in enumerate(zip(header, cells, strict=True), start=1):
        unreadable = UNREADABLE.search(cell)
        if unreadable is not None:
            return f'has {"a NUL character" if unreadable[0] == chr(0) else "bytes that are no UTF-8"} in the column "{name}"'
        if not name and cell.strip():
            return f'has "{cell.strip()[:40]}" in column {number}, which has no name'
    return None


def _refuse(wrong: Mapping[int, str]) -> None:
    if not wrong:
        return
    problems = [f"row {number} {problem}" for number, problem in list(wrong.items())[:MOST_NAMED]]
    if len(wrong) > MOST_NAMED:
        problems.append(f"and {counted(len(wrong) - MOST_NAMED, 'more row')}")
    raise InvalidInput(
        "; ".join(problems),
        hint=f"Correct these rows, or delete in them what belongs to no column. {dialect.SAVE_AS}",
        rows=list(wrong),
    )
