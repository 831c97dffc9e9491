"""Rows as CSV for spreadsheets, and back as they were."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.domain.refusals import InvalidInput
from authority.presentation import dialect, sheets
from authority.presentation.sheets import defused, joined, lines, parted, restored

COLUMNS = ("name", "note", "groups")
STARTS = ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "\uff1d", "\uff0b", "\uff0d", "\uff20"]
# Text as people write it, and what spreadsheets stumble over; NUL and half of a character are never stored.
PLAIN = st.characters(codec="utf-8", exclude_characters="\0")
TEXT = st.text(st.one_of(st.sampled_from("=+-@\t\r\n ';,\"\u3000\uff1d"), PLAIN))


def sheet(*rows: dict[str, Any]) -> str:
    return "".join(lines(COLUMNS, rows))


def read(data: str | bytes, never: dict[str, str] | None = None) -> list[dict[str, str]]:
    return [dict(row.cells) for row in rows_in(data, never)]


def rows_in(data: str | bytes, never: dict[str, str] | None = None) -> list[sheets.Row]:
    stream = io.BytesIO(data.encode() if isinstance(data, str) else data)
    return sheets.read(stream, COLUMNS, ["name"], never)


@pytest.mark.parametrize("start", STARTS, ids=ascii)
@pytest.mark.parametrize("before", ["", "'", "''"], ids=ascii)
def test_a_cell_that_a_spreadsheet_would_run_is_defused(start: str, before: str) -> None:
    assert defused(f"{before}{start}1+1") == f"'{before}{start}1+1"


@pytest.mark.parametrize("space", [" ", "   ", "\u00a0", "\u3000", "\v", "' "], ids=ascii)
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d"], ids=ascii)
def test_space_before_a_formula_does_not_hide_it(space: str, sign: str) -> None:
    assert defused(f"{space}{sign}1") == f"'{space}{sign}1"


@pytest.mark.parametrize("value", ["a=1", "", "'a", "''", " a", 7, -7, None, "laptop-1", "a\t"])
def test_other_cells_stay_as_they_are(value: Any) -> None:
    assert defused(value) == value
    assert not isinstance(value, str) or restored(value) == value


@given(TEXT)
def test_a_defused_cell_is_harmless_and_restored_as_it_was(text: str) -> None:
    cell = defused(text)
    assert not re.match(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n\0]", cell)
    assert not re.search(r"[;\t\r\n][^\S;\t\r\n]*[=+\-@\uff1d\uff0b\uff0d\uff20]", cell)
    assert restored(cell) == text


def test_a_cell_is_harmless_where_semicolons_or_tabs_are_between_cells() -> None:
    """Whose spreadsheet takes a semicolon opens the file by a double click; a quote within a cell of it means nothing there."""
    alias = "pc;=1+1;@SUM(A1)"
    text = sheet({"name": "ada", "note": alias, "groups": ["a", "=1+1", "x\t-2"]})
    for delimiter in ";\t":
        for cells in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            assert not [cell for cell in cells if cell.lstrip(' "').startswith(("=", "+", "-", "@"))], cells
    ((first, *_),) = [list(csv.reader([line], delimiter=";")) for line in lines(["note"], [{"note": alias}])][1:]
    assert first == [defused(alias)]
    assert read(text)[0]["note"] == alias


@given(st.lists(TEXT))
def test_a_list_in_a_cell_is_read_again_as_it_was(items: list[str]) -> None:
    assert list(parted(joined(items))) == items


@given(st.lists(st.tuples(TEXT, TEXT, st.lists(TEXT))))
def test_rows_are_read_again_as_they_were(rows: list[tuple[str, str, list[str]]]) -> None:
    values = [{"name": f"n{name}", "note": note, "groups": groups} for name, note, groups in rows]
    text = sheet({"name": "first", "note": None, "groups": ()}, *values)
    assert read(text) == [
        {"name": "first", "note": "", "groups": ""},
        *({"name": row["name"], "note": row["note"], "groups": joined(row["groups"])} for row in values),
    ]
    again = list(csv.reader(io.StringIO(text, newline="")))
    assert again[0] == list(COLUMNS)
    assert len(again) == len(rows) + 2


def test_the_form_is_that_of_rfc_4180() -> None:
    text = sheet(
        {"name": 'a "b", c', "note": "one\r\ntwo", "groups": ["x", "y; z"], "more": 1}, {"name": True, "note": -7, "groups": []}
    )
    assert text == 'name,note,groups\r\n"a ""b"", c","one\r\ntwo","x; ""y; z"""\r\ntrue,-7,\r\n'


GOOD: dict[str, str | bytes] = {
    "plain": "name,note\nada,x\neve,\n",
    "no end of the last line": "name,note\nada,x\neve,",
    "byte order mark": b"\xef\xbb\xbfname,note\r\nada,x\r\neve,\r\n",
    "mixed ends of lines": "name,note\rada,x\r\neve,\n",
    "semicolons": "name;note\nada;x\neve;\n",
    "spaces in the header": " name , note \nada,x\neve,\n",
    "quotes": '"name","note"\n"ada","x"\n"eve",""\n',
    "empty lines and rows": "\nname,note\n\nada,x\n,\neve,\n,\n\n",
    "tabs": "name\tnote\nada\tx\neve\t\n",
    "bars": "name|note\nada|x\neve|\n",
    "a first line that says the delimiter": "sep=;\r\nname;note\r\nada;x\r\neve;\r\n",
    "the same in quotes, with a mark": '\ufeff"sep=;"\nname;note\nada;x\neve;\n',
    "a comma that is said": "SEP=,\nname,note\nada,x\neve,\n",
    "a tab that is said": "sep=\t\nname\tnote\nada\tx\neve\t\n",
    "a delimiter that only the first line says": "sep=^\nname^note\nada^x\neve^\n",
    "columns without name and content": "name,note,,\nada,x,,\neve,,,\n",
    "such columns in front and between": ";name;;note\n;ada;;x\n;eve;;\n",
    "blanks beside the table": "name,note\nada,x, ,\neve,,,\n , \n",
    "rows without their last cells": "name,note\nada,x\neve\n",
    "semicolons, with the header cut": "name;note;;\nada;x\neve\n",
    "commas within quotes of a header with semicolons": '"name";"note"\n"ada";"x"\n"eve";""\n',
}


@pytest.mark.parametrize("data", GOOD.values(), ids=GOOD)
def test_what_spreadsheets_write_is_read(data: str | bytes) -> None:
    assert read(data) == [{"name": "ada", "note": "x"}, {"name": "eve", "note": ""}]


def test_what_must_be_there_is_said_where_something_must() -> None:
    for needed, hint in (
        (["name"], "There may be name, note, groups; there must be name."),
        ([], "There may be name, note, groups."),
    ):
        with pytest.raises(InvalidInput) as caught:
            sheets.read(io.BytesIO(b"color\nred\n"), COLUMNS, needed)
        assert caught.value.hint == hint


def test_a_first_line_that_says_the_delimiter_is_no_row_of_the_spreadsheet() -> None:
    assert [row.number for row in rows_in("sep=;\nname;note\nada;x\n")] == [2]


NAMES: dict[str, str] = {
    "one in each line": "ada\n\n eve \n",
    "byte order mark": "\ufeffada\r\neve\r\n",
    "one column of a spreadsheet": '"ada";;\n"eve"\n;;\n',
    "a header": "username\nada\neve\n",
    "a table": "sep=;\nfull_name;Username;\nAda;ada;\nEve;eve\nNobody;\n",
    "tabs": "username\tlast_used_at\nada\tnever\neve\tnever\n",
}


@pytest.mark.parametrize("text", NAMES.values(), ids=NAMES)
def test_names_are_read_from_lines_and_from_tables(text: str) -> None:
    assert sheets.read_names(io.BytesIO(text.encode()), "username") == ["ada", "eve"]


def test_a_defused_name_is_read_as_it_was() -> None:
    assert sheets.read_names(io.BytesIO(b"'-ada\no'brien\n"), "username") == ["-ada", "o'brien"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"ada,eve\n", 'row 1 has 2 cells, and no column is named "username"'),
        (b"member,since\nada,x\n", "row 1 has 2 cells"),
        (b"m\xfcller\n", "row 1 has bytes that are no UTF-8"),
        (b'"ada\n', "row 1 is no CSV"),
        (b"x" * (16 * 1024 * 1024 + 1), "larger than"),
    ],
    ids=["a list in a line", "another table", "Latin-1", "open quote", "no end"],
)
def test_what_has_no_names_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        sheets.read_names(io.BytesIO(data), "username")
    assert message in caught.value.message
    assert caught.value.hint


def test_rows_have_the_numbers_that_a_spreadsheet_shows() -> None:
    rows = rows_in('name,note\n\nada,"two\nlines"\n\neve,x\n')
    assert [(row.number, row.cells["name"]) for row in rows] == [(3, "ada"), (5, "eve")]


BAD: dict[str, tuple[str | bytes, str]] = {
    "empty": (b"", "empty"),
    "blank lines alone": ("\n\n", "empty"),
    "byte order mark alone": (b"\xef\xbb\xbf", "empty"),
    "header alone": ("name,note\n", "no row"),
    "empty rows alone": ("name,note\n,\n,\n", "no row"),
    "unknown column": ("name,color\nada,red\n", 'unknown: "color"'),
    "a cell under no name": ("name,note,\nada,x,\neve,,oh\n", "row 3 has 3 cells, the header has 2"),
    "a cell under no name between": ("name,,note\nada,,x\neve,oh,\n", 'row 3 has "oh" in column 2, which has no name'),
    "column twice": ("name,note,note\nada,a,b\n", 'twice: "note"'),
    "column missing": ("note\nx\n", 'missing: "name"'),
    "no header": ("ada,x\n", "unknown"),
    "one cell too many": ("name,note\nada,x,y\n", "row 2 has 3 cells"),
    "NUL": ("name,note\nada,a\0b\n", 'row 2 has a NUL character in the column "note"'),
    "Latin-1": (b"name,note\nada,x\nm\xfcller,x\n", 'row 3 has bytes that are no UTF-8 in the column "name"'),
    "half of a surrogate": (b"name,note\nada,\xed\xa0\x80\n", "row 2"),
    "UTF-16": ("name,note\nada,x\n".encode("utf-16"), "no UTF-8"),
    "binary": (bytes(range(256)) * 40, "no UTF-8"),
    "zip, as of a workbook": (b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00\xff\xfe", "no UTF-8"),
    "open quote": ('name,note\nada,"x\neve,y\n', "row 2 is no CSV"),
    "text behind a quote": ('name,note\nada,"x"y\n', "row 2 is no CSV"),
    "enormous cell": ("name,note\nada," + "x" * 200_000 + "\n", "row 2 is no CSV"),
    "spaces": ("name note\nada x\n", "unknown"),
    "a delimiter said that it has not": ("sep=;\nname,note\nada,x\n", "unknown"),
}


@pytest.mark.parametrize(("data", "message"), BAD.values(), ids=BAD)
def test_what_is_no_sheet_is_refused(data: str | bytes, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert message in caught.value.message
    assert caught.value.hint


def test_all_rows_of_a_wrong_form_are_told_together() -> None:
    data = "name,note\n" + "ada,x,y\neve,x\n" * 30
    with pytest.raises(InvalidInput) as caught:
        read(data)
    assert caught.value.evidence["rows"] == list(range(2, 62, 2))
    assert "row 2 has 3 cells, the header has 2; row 4 " in caught.value.message
    assert caught.value.message.endswith("and 10 more rows")


def test_a_column_that_must_not_be_is_told_what_to_do_instead() -> None:
    with pytest.raises(InvalidInput) as caught:
        read("name,secret\nada,x\n", {"secret": "Keep it to yourself."})
    assert caught.value.hint == "Keep it to yourself."


WORDS = {
    True: "TRUE true Yes 1 WAHR VRAI VERDADERO VERO VERDADEIRO WAAR SANT SAND TOSI PRAWDA IGAZ ИСТИНА DOĞRU ＴＲＵＥ",
    False: "FALSE false No 0 FALSCH FAUX FALSO ONWAAR FALSKT FALSK EPÄTOSI EPA\u0308TOSI FAŁSZ NEPRAVDA HAMIS ЛОЖЬ YANLIŞ yanlış",
}


@pytest.mark.parametrize(("value", "word"), [(value, word) for value, words in WORDS.items() for word in words.split()])
def test_true_and_false_are_read_in_the_languages_of_spreadsheets(*, value: bool, word: str) -> None:
    assert dialect.is_true(f" {word} ") is value


@pytest.mark.parametrize("word", ["", "2", "maybe", "on", "x", "truefalse"])
def test_another_word_is_neither_true_nor_false(word: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        dialect.is_true(word)
    assert caught.value.hint == "Write true or false."


def test_no_word_is_both_true_and_false() -> None:
    assert not {true for true, _ in dialect.WORDS} & {false for _, false in dialect.WORDS}


@pytest.mark.parametrize("data", [b"x" * (16 * 1024 * 1024 + 1), b"name\n" + b"x\n" * 100_001], ids=["bytes", "rows"])
def test_there_is_an_end_to_what_is_read(data: bytes) -> None:
    with pytest.raises(InvalidInput, match=r"larger than|more than") as caught:
        read(data)
    assert caught.value.hint == "Split it into several files."


@pytest.mark.parametrize("cell", ['"', 'a; "b', '"a" b', 'a"b', '"a""'])
def test_a_list_whose_quotes_do_not_match_is_refused(cell: str) -> None:
    with pytest.raises(InvalidInput):
        parted(cell)


@pytest.mark.parametrize(("cell", "items"), [("", ()), ("  ", ()), ("a;b;", ("a", "b")), (' a ; "b" ;; c', ("a", "b", "c"))])
def test_a_list_is_read_as_people_write_it(cell: str, items: tuple[str, ...]) -> None:
    assert parted(cell) == items
