"""The simulator writes the export as a real authority writes it: columns, forms, order, kinds of rows and reasons."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from operator import attrgetter
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from authority.domain.refusals import BorrowRefused
from checkout_log import read, simulate
from checkout_log.columns import SESSION
from tests.notebooks.replay import organization
from tests.notebooks.replay.home import FORMS, Home

# A time with the text before it, as every line of JSON has it.
TIME = rb'": "\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"'


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The exports that the simulator writes of a like organization, long enough for its own stories."""
    stories = simulate.Planted(0, 0, 3, 3, 0, 1, 0)
    truth = simulate.run(organization.organization(240, planted=stories), organization.SEED)
    folder = tmp_path_factory.mktemp("simulated")
    writers = {"jsonl": simulate.write_jsonl, "csv": simulate.write_csv, "parquet": simulate.write_parquet}
    return {form: writers[form](truth, folder / f"log.{form}")[0] for form in FORMS}


def test_the_simulator_writes_the_columns_and_forms_that_the_authority_writes(home: Home, simulated: dict[str, Path]) -> None:
    assert pq.read_schema(simulated["parquet"]).equals(pq.read_schema(home.exports["parquet"]))
    real, made = (folder["csv"].read_bytes().splitlines(keepends=True)[0] for folder in (home.exports, simulated))
    assert real == made
    real, made = (folder["jsonl"].read_bytes() for folder in (home.exports, simulated))
    assert list(json.loads(real.splitlines()[0])) == list(json.loads(made.splitlines()[0]))
    assert b"\\u" not in real + made
    assert len(re.findall(TIME, real)) > len(real.splitlines())
    assert len(re.findall(TIME, made)) > len(made.splitlines())


def filled(path: Path) -> dict[tuple[str, str], dict[str, set[bool]]]:
    """For each kind of row whether its cells are filled: always, never, or both."""
    events = read(path).events()
    return {key: {name: set(rows[name].notna()) for name in events.columns} for key, rows in events.groupby(["event", "mode"])}


def test_the_simulator_fills_the_cells_that_the_authority_fills(home: Home, simulated: dict[str, Path]) -> None:
    real, made = filled(home.exports["jsonl"]), filled(simulated["jsonl"])
    assert len(made) >= 8
    different = {
        (*kind, name): (cells, real[kind][name])
        for kind, columns in made.items()
        for name, cells in columns.items()
        if not cells <= real[kind][name]
    }
    assert different == {}


def codes(path: Path) -> dict[tuple[str, str], set[object]]:
    """The reasons that are codes, by kind of row; what administrators write is their own."""
    events = read(path).events()
    rows = events[events["event"].isin(["checkout", "renewal", "checkin", "end", "denial"])]
    return {key: set(group["reason"].dropna()) for key, group in rows.groupby(["event", "mode"])}


def test_the_simulator_gives_reasons_in_the_words_of_the_authority(home: Home, simulated: dict[str, Path]) -> None:
    real, made = codes(home.exports["jsonl"]), codes(simulated["jsonl"])
    refusals = {one.code for one in every_subclass(BorrowRefused)}
    for kind, reasons in made.items():
        assert reasons <= (refusals if kind[0] == "denial" else real[kind])
    assert real["end", SESSION] == {"time", "administrator", "member removed"}


def every_subclass(of: type[Any]) -> set[type[Any]]:
    return {kind for one in of.__subclasses__() for kind in {one} | every_subclass(one)}


@pytest.mark.parametrize("whose", ["the authority's", "the simulator's"])
def test_rows_stand_in_the_order_in_which_they_were_written(home: Home, simulated: dict[str, Path], whose: str) -> None:
    """What time ended is written later, with the time of its end, which is a whole second."""
    path = (home.exports if whose == "the authority's" else simulated)["jsonl"]
    rows = list(pd.read_json(path, lines=True, convert_dates=["at"]).itertuples())
    assert all(before.line < after.line for before, after in pairwise(rows))
    by_time = [row for row in rows if (row.event, row.reason) == ("end", "time")]
    assert all(row.at.microsecond == 0 for row in by_time)
    others = [row for row in rows if row not in by_time]
    assert sorted(others, key=attrgetter("at", "line")) == others
    assert sorted(rows, key=attrgetter("at", "line")) != rows
    starts = {row.handle: row.line for row in rows if row.event == "checkout"}
    for row in by_time:
        between = [
            one for one in rows if one.member == row.member and one.at >= row.at and starts[row.handle] < one.line < row.line
        ]
        assert not [one for one in between if one.event in ("checkout", "denial") and one.mode == SESSION]
