"""log export --format parquet: the same rows as JSON lines, with real times and numbers, read as an analyst reads them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checkout_log import read
from tests.support.borrowing import workstation
from tests.support.console import Console


@pytest.fixture
def used(console: Console) -> Console:
    """An authority with some events, and a text that a spreadsheet would run."""
    console.good("member", "add", "eve", "--type", "GIS Professional", "--group", "=cmd")
    laptop = workstation("laptop")
    console.borrow(laptop, "eve", extensions=())
    console.good("borrow", "check-in", console.receipt(laptop))
    return console


def test_parquet_has_the_rows_of_json_lines(used: Console, tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    assert used.good("log", "export", "--format", "parquet", "-o", str(path)) == {"file": str(path)}
    table = pq.read_table(path)
    lines = [json.loads(line) for line in used.run("log", "export").out.splitlines()]
    assert table.column_names == list(lines[0])
    assert table.schema.field("at").type == table.schema.field("until").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("quantity").type == pa.int64()
    rows = table.to_pylist()
    assert [row["at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for row in rows] == [line["at"] for line in lines]
    for name in ("event", "handle", "group", "quantity", "source", "line"):
        assert [row[name] for row in rows] == [line[name] for line in lines]
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_the_analysts_library_reads_every_export_alike(used: Console, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"log.{form}"
    used.good("log", "export", "--format", form, "-o", str(path))
    (session,) = read(path).sessions().to_dict("records")
    assert (session["member"], session["product"], session["mode"], session["ended_by"]) == (
        "eve",
        "arcgis-pro",
        "borrow",
        "checkin",
    )
    (database,) = read(f"sqlite:///{used.home / 'authority.db'}").sessions().to_dict("records")
    assert database == session


def test_parquet_needs_a_file(used: Console) -> None:
    assert used.run("log", "export", "--format", "parquet").status == 2
    assert used.run("log", "export", "--format", "parquet", "-o", str(used.home / "missing" / "x")).status == 2


def test_without_pyarrow_it_says_what_to_install(used: Console, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refusal = used.refused("settings-invalid", 3, "log", "export", "--format", "parquet", "-o", str(tmp_path / "x.parquet"))
    assert "carnet[notebooks]" in refusal["message"]
    assert list(tmp_path.glob("*.parquet")) == []
