"""The authority's export in three forms, and its database."""

from __future__ import annotations

import csv
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from authority.presentation import sheets
from checkout_log import read, spreadsheets
from checkout_log.columns import EVENTS
from checkout_log.errors import ColumnsWrong, SourceNotFound, SourceUnreadable
from checkout_log.sources.export import _cell

NAMES = [column.name for column in EVENTS]
AT = datetime(2025, 10, 26, 0, 30, 0, 123_456, tzinfo=UTC)
ROW: dict[str, Any] = {
    "at": AT,
    "event": "checkout",
    "mode": "borrow",
    "handle": "Zm9v",
    "product": "arcgis-pro",
    "feature": "Advanced",
    "member": "=ann",
    "group": "gis; planners",
    "machine": "m-1",
    "alias": "Ann's",
    "os_user": None,
    "quantity": 1,
    "until": datetime(2025, 11, 26, tzinfo=UTC),
    "reason": None,
    "source": "authority",
    "line": 7,
}
ROWS = [ROW, ROW | {"event": "checkin", "until": None, "line": 8, "at": datetime(2025, 10, 27, tzinfo=UTC)}]


def text(value: object) -> object:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else value


def as_lines(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps({name: text(value) for name, value in row.items()}) + "\n" for row in rows))
    return path


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow([defused("" if value is None else text(value)) for value in row.values()])
    return path


def defused(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.lstrip("'").lstrip().startswith(tuple("=+-@")) else value


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    times = {"at": pa.timestamp("us", "UTC"), "until": pa.timestamp("us", "UTC"), "quantity": pa.int64(), "line": pa.int64()}
    pq.write_table(
        pa.table({name: pa.array([row[name] for row in rows], times.get(name, pa.string())) for name in rows[0]}), path
    )
    return path


FORMS = {"jsonl": as_lines, "csv": as_csv, "parquet": as_parquet}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_column_comes_back_as_it_was(tmp_path: Path, form: Any) -> None:
    log = read(form(tmp_path / "x", ROWS))
    frame = log.events()
    read_rows = frame.astype(object).where(frame.notna(), None).to_dict("records")
    assert [{**row, "at": row["at"].to_pydatetime()} for row in read_rows] == [
        {**row, "until": row["until"] and pd.Timestamp(row["until"])} for row in ROWS
    ]
    assert log.quality()[["lines", "events", "malformed"]].to_numpy().tolist() == [[2, 2, 0]]


def test_the_order_of_columns_does_not_matter(tmp_path: Path) -> None:
    shuffled = [{name: row[name] for name in reversed(NAMES)} for row in ROWS]
    for name, form in FORMS.items():
        assert len(read(form(tmp_path / name, shuffled)).events()) == 2


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("change", ["missing", "unknown"])
def test_other_columns_are_refused_by_name(tmp_path: Path, form: Any, change: str) -> None:
    rows = [{name: value for name, value in row.items() if change == "unknown" or name != "alias"} for row in ROWS]
    rows = [row | {"color": "red"} if change == "unknown" else row for row in rows]
    with pytest.raises(ColumnsWrong, match="lacks alias" if change == "missing" else "has color"):
        read(form(tmp_path / "x", rows))


DAMAGED: dict[str, dict[str, Any]] = {
    "no time": {"at": None},
    "a time before there were licenses": {"at": datetime(1, 1, 1, tzinfo=UTC)},
    "a time far ahead": {"at": datetime(9999, 12, 31, tzinfo=UTC)},
    "an unknown event": {"event": "theft"},
    "an unknown mode": {"mode": "loan"},
    "an unknown source": {"source": "hearsay"},
    "no product": {"product": None},
    "an empty feature": {"feature": ""},
    "no quantity": {"quantity": None},
    "a negative quantity": {"quantity": -1},
    "a huge quantity": {"quantity": 2**40},
    "no line": {"line": None},
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("damage", DAMAGED.values(), ids=DAMAGED)
def test_a_row_that_breaks_a_rule_is_counted_and_left_out(tmp_path: Path, form: Any, damage: dict[str, Any]) -> None:
    log = read(form(tmp_path / "x", [ROWS[0], ROWS[1] | damage]))
    assert log.events()["line"].tolist() == [7]
    assert log.quality()["malformed"].tolist() == [1]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_a_borrow_can_be_due_for_ever(tmp_path: Path, form: Any) -> None:
    log = read(form(tmp_path / "x", [ROWS[0] | {"until": datetime(9999, 12, 31, tzinfo=UTC)}]))
    assert [until.year for until in log.events()["until"]] == [9999]
    assert log.quality()["malformed"].tolist() == [0]


TORN = {
    "half a line": '{"at": "2025',
    "a list": "[1, 2]",
    "a number": "17",
    "a naive time": json.dumps({name: text(value) for name, value in (ROW | {"at": "2025-10-26T00:30:00"}).items()}),
    "a number for a name": json.dumps({name: text(value) for name, value in (ROW | {"member": 5}).items()}),
    "true for a number": json.dumps({name: text(value) for name, value in (ROW | {"quantity": True}).items()}),
    "other members": '{"at": 1}',
    "depth": '{"a":' * 100_000,
}


@pytest.mark.parametrize("line", TORN.values(), ids=TORN)
def test_a_torn_line_is_counted(tmp_path: Path, line: str) -> None:
    path = as_lines(tmp_path / "x", ROWS)
    path.write_text(path.read_text() + line + "\n")
    assert read(path).quality()[["lines", "events", "malformed"]].to_numpy().tolist() == [[3, 2, 1]]


def test_a_csv_row_of_another_length_or_with_a_huge_cell_is_counted(tmp_path: Path) -> None:
    path = as_csv(tmp_path / "x", ROWS)
    path.write_text(path.read_text() + "a,b\n" + '"' + "x" * 200_000 + '",b\n')
    assert read(path).quality()["malformed"].tolist() == [2]


def saved_again(path: Path, form: str) -> Path:
    """The table as a spreadsheet saves it: another delimiter, a mark, columns beside the table, last cells left out."""
    rows = list(csv.reader(path.read_text().splitlines()))
    delimiter, first, encoding = {
        "semicolons": (";", "", "utf-8-sig"),
        "tabs": ("\t", "", "utf-16"),
        "a first line that says the delimiter": (";", "sep=;\r\n", "utf-8-sig"),
        "columns beside the table": (",", "", "utf-8"),
        "rows without their last cells": (";", "", "utf-8-sig"),
    }[form]
    with path.open("w", newline="", encoding=encoding) as stream:
        stream.write(first)
        for row in rows:
            cells = [*row, "", " "] if form == "columns beside the table" else list(row)
            while form == "rows without their last cells" and not cells[-1]:
                cells.pop()
            csv.writer(stream, delimiter=delimiter).writerow(cells)
        csv.writer(stream, delimiter=delimiter).writerow([""] * len(rows[0]))
    return path


FORMS_OF_SPREADSHEETS = (
    *("semicolons", "tabs", "a first line that says the delimiter", "columns beside the table"),
    "rows without their last cells",
)


@pytest.mark.parametrize("form", FORMS_OF_SPREADSHEETS)
def test_a_csv_that_a_spreadsheet_saved_again_is_read_as_it_was(tmp_path: Path, form: str) -> None:
    # With the optional columns last, rows end with empty cells.
    last = ("until", "reason", "os_user")
    rows = [{name: row[name] for name in (*(name for name in NAMES if name not in last), *last)} for row in ROWS]
    saved = read(saved_again(as_csv(tmp_path / "saved", rows), form))
    pd.testing.assert_frame_equal(saved.events(), read(as_csv(tmp_path / "own", ROWS)).events())
    assert saved.quality()[["lines", "events", "malformed"]].to_numpy().tolist() == [[2, 2, 0]]


@pytest.mark.parametrize("nameless", ["behind", "in front"])
def test_a_csv_row_with_a_cell_under_no_name_is_counted(tmp_path: Path, nameless: str) -> None:
    path = as_csv(tmp_path / "x", ROWS)
    header, first, second = path.read_text().splitlines()
    form = {"behind": "{0},{1}", "in front": "{1},{0}"}[nameless]
    path.write_text("\n".join(form.format(row, cell) for row, cell in ((header, ""), (first, ""), (second, "oh"))))
    assert read(path).quality()[["lines", "events", "malformed"]].to_numpy().tolist() == [[2, 1, 1]]


@given(st.text(alphabet="'=+-@ \t;＝ａb", max_size=8))
def test_defused_cells_are_what_they_were(cell: str) -> None:
    """As the authority writes them, and as this room does."""
    assert spreadsheets.defused(cell) == sheets.defused(cell)
    assert _cell("member", sheets.defused(cell)) == (cell or None)


def test_times_in_parquet_become_whole_microseconds(tmp_path: Path) -> None:
    table = pq.read_table(as_parquet(tmp_path / "x", ROWS))
    nanoseconds = table.set_column(0, "at", table["at"].cast(pa.timestamp("ns", "UTC")))
    madrid = nanoseconds.set_column(12, "until", table["until"].cast(pa.timestamp("s", "Europe/Madrid")))
    pq.write_table(madrid, tmp_path / "y")
    pd.testing.assert_frame_equal(read(tmp_path / "x").events(), read(tmp_path / "y").events())


@pytest.mark.parametrize(
    ("column", "kind"), [("at", pa.string()), ("at", pa.timestamp("us")), ("quantity", pa.float64()), ("member", pa.int64())]
)
def test_a_parquet_column_of_another_type_is_refused(tmp_path: Path, column: str, kind: pa.DataType) -> None:
    table = pq.read_table(as_parquet(tmp_path / "x", ROWS))
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, pa.nulls(len(table), kind)), tmp_path / "x")
    with pytest.raises(ColumnsWrong, match=column):
        read(tmp_path / "x")


def test_exports_that_overlap_are_counted_once(tmp_path: Path) -> None:
    more = [ROW | {"line": number, "at": AT.replace(second=number)} for number in range(10, 20)]
    as_lines(tmp_path / "a", [*ROWS, *more[:6]])
    as_csv(tmp_path / "b", more[3:])
    log = read(tmp_path)
    assert sorted(log.events()["line"]) == [7, 8, *range(10, 20)]
    assert log.quality()["overlapping"].sum() == 3
    assert len(log.stored.spans) == 1


def database(path: Path, rows: list[dict[str, Any]]) -> str:
    columns = [name for name in NAMES if name not in ("at", "event", "source", "line", "until")]
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        names = ", ".join(f'"{name}"' for name in columns)
        connection.execute(
            sa.text(f"create table events (id integer primary key, at bigint, kind text, until bigint, {names})")
        )
        for row in rows:
            values = {name: row[name] for name in columns}
            extra = {"id": row["line"], "at": micros(row["at"]), "kind": row["event"], "until": micros(row["until"])}
            marks = ", ".join(f":{name}" for name in (*extra, *values))
            query = f"insert into events (id, at, kind, until, {names}) values ({marks})"  # noqa: S608 - names of our own columns
            connection.execute(sa.text(query), extra | values)
    engine.dispose()
    return f"sqlite:///{path}"


def micros(at: datetime | None) -> int | None:
    return None if at is None else (at - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution)


def test_a_database_holds_what_its_export_holds(tmp_path: Path) -> None:
    address = database(tmp_path / "a.db", [*ROWS, ROW | {"event": "member-added", "line": 9}])
    log = read(address)
    pd.testing.assert_frame_equal(log.events(), read(as_lines(tmp_path / "x", ROWS)).events())
    quality = log.quality().iloc[0]
    assert (quality["file"], quality["kind"], quality["lines"], quality["events"], quality["other"]) == (
        address,
        "database",
        3,
        2,
        1,
    )


def test_a_database_and_its_export_are_counted_once(tmp_path: Path) -> None:
    log = read(database(tmp_path / "a.db", ROWS), as_csv(tmp_path / "x", ROWS))
    assert len(log.events()) == 2


def test_a_file_that_is_a_database_is_read_as_one(tmp_path: Path) -> None:
    database(tmp_path / "a.log", ROWS)
    assert len(read(tmp_path / "a.log").events()) == 2


def test_a_database_is_never_written_or_made(tmp_path: Path) -> None:
    address = database(tmp_path / "a.db", ROWS)
    before = (tmp_path / "a.db").read_bytes()
    read(address)
    assert (tmp_path / "a.db").read_bytes() == before
    with pytest.raises(SourceNotFound):
        read(f"sqlite:///{tmp_path}/missing.db")
    assert [path.name for path in tmp_path.iterdir()] == ["a.db"]


def test_a_database_without_the_table_is_unreadable(tmp_path: Path) -> None:
    sqlite3.connect(tmp_path / "a.db").execute("create table other (id)").connection.close()
    with pytest.raises(SourceUnreadable):
        read(f"sqlite:///{tmp_path}/a.db")


def test_a_row_of_a_database_that_breaks_a_rule_is_counted(tmp_path: Path) -> None:
    address = database(tmp_path / "a.db", [*ROWS, ROW | {"line": 9, "product": None}, ROW | {"line": 10, "mode": "loan"}])
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute(
            "insert into events (id, at, kind, mode, product, feature, quantity) values (11, 'noon', 'checkout', 'session', 'p', 'f', 1)"
        )
    connection.close()
    assert read(address).quality()[["lines", "events", "malformed"]].to_numpy().tolist() == [[5, 2, 3]]


ADDRESSES = [
    "postgresql+psycopg://ann:s3cret@127.0.0.1:1/db",
    "postgresql+psycopg://127.0.0.1:1/db?user=ann&password=s3cret",
    "postgresql+nodriver://ann:s3cret@127.0.0.1:1/db",
    "nosuch://ann:s3cret@127.0.0.1:1/db",
    "postgresql://ann:s3cret@127.0.0.1:notaport/db",
    "://ann:s3cret@x",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_password_is_in_no_error(address: str) -> None:
    with pytest.raises(SourceUnreadable) as caught:
        read(address)
    error: BaseException | None = caught.value
    while error is not None:
        assert "s3cret" not in str(error)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def test_a_password_is_in_no_row_about_quality(tmp_path: Path) -> None:
    address = database(tmp_path / "a.db", ROWS)
    assert "s3cret" not in read(f"{address}?password=s3cret").quality().to_string()
