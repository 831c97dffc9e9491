"""Logs that the simulator writes can be read by simple independent means, and hold what happened."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from checkout_log import simulate
from checkout_log.columns import EVENTS, names
from checkout_log.errors import QuestionInvalid
from tests.notebooks.simulations import few_weeks, month, most_in_use, year

TIMES = re.compile(r"^([ 1]\d|2[0-3]|[ ]\d):[0-5]\d:[0-5]\d \((\w+)\) ")
WRITERS = {
    "jsonl": simulate.write_jsonl,
    "csv": simulate.write_csv,
    "parquet": simulate.write_parquet,
}


def counted(product: str, event: str, *, probes: bool = False) -> int:
    """How many events of a kind there are in the month."""
    events = month().events
    mine = events[(events["product"] == product) & (events["event"] == event)]
    return int((mine["reason"].eq("unsupported").fillna(value=False) == probes).sum())


def lines_of(paths: list[Path]) -> list[str]:
    return [line for path in paths for line in path.read_text(encoding="utf-8-sig").splitlines()]


@pytest.mark.parametrize("form", WRITERS)
def test_the_same_truth_is_written_the_same(form: str, tmp_path: Path) -> None:
    again = simulate.run(few_weeks(), month().seed)
    first, second = (WRITERS[form](truth, tmp_path / name)[0] for truth, name in ((month(), "a"), (again, "b")))
    assert first.read_bytes() == second.read_bytes()


def test_jsonl_is_the_authority_s_export(tmp_path: Path) -> None:
    (path,) = simulate.write_jsonl(month(), tmp_path / "log.jsonl")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(month().events)
    assert all(list(row) == names(EVENTS) for row in rows)
    assert {row["source"] for row in rows} == {"authority"}
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", row["at"]) for row in rows)
    at = pd.to_datetime([row["at"] for row in rows], format="ISO8601").astype("datetime64[us, UTC]")
    assert sorted(at) == month().events["at"].tolist()
    assert sum(row["until"] is None for row in rows) == month().events["until"].isna().sum()
    assert all(type(row["quantity"]) is int for row in rows)


def test_no_cell_of_the_csv_is_run_by_a_spreadsheet_and_all_can_be_restored(tmp_path: Path) -> None:
    (path,) = simulate.write_csv(month(), tmp_path / "log.csv")
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == names(EVENTS)
    cells = {cell for row in rows for cell in row}
    assert not any(cell[:1] in tuple("=+-@\t\r\n") for cell in cells if cell)
    quoted = [cell for cell in cells if cell.startswith("'")]
    assert any(cell.startswith(("'=", "'-", "'@")) for cell in quoted)
    aliases = {row[header.index("alias")].removeprefix("'") for row in rows} - {""}
    assert aliases == set(month().events["alias"].dropna())


def test_parquet_has_the_types_of_the_export(tmp_path: Path) -> None:
    (path,) = simulate.write_parquet(month(), tmp_path / "log.parquet")
    table = pq.read_table(path)
    assert table.schema.field("at").type == pa.timestamp("us", tz="UTC")
    assert table.schema.field("until").type == pa.timestamp("us", tz="UTC")
    assert table.schema.names == names(EVENTS)
    assert sorted(table["at"].to_pandas()) == month().events["at"].tolist()
    assert set(table["source"].to_pylist()) == {"authority"}


def test_only_some_products_can_be_exported(tmp_path: Path) -> None:
    (path,) = simulate.write_parquet(month(), tmp_path / "log.parquet", products=["arcgis-pro"])
    assert set(pq.read_table(path)["product"].to_pylist()) == {"arcgis-pro"}
    with pytest.raises(QuestionInvalid, match="arcgis-po"):
        simulate.write_parquet(month(), tmp_path / "log.parquet", products=["arcgis-po"])


def test_a_flexnet_log_has_a_line_for_each_event(tmp_path: Path) -> None:
    lines = lines_of(simulate.write_flexnet(month(), tmp_path))
    counts = {verb: sum(f" {verb}: " in line for line in lines) for verb in ("OUT", "IN", "DENIED", "UNSUPPORTED")}
    assert counts == {
        "OUT": counted("strucalc", "checkout"),
        "IN": counted("strucalc", "checkin"),
        "DENIED": counted("strucalc", "denial"),
        "UNSUPPORTED": counted("strucalc", "denial", probes=True),
    }
    assert min(counts.values()) > 50
    events = month().events
    for tail, reason in (("(INACTIVE)", "idle"), ("(SHUTDOWN)", "shutdown")):
        mine = events[(events["product"] == "strucalc") & (events["reason"] == reason)]
        assert sum(line.endswith(tail) for line in lines) == len(mine) > 0
    assert all(TIMES.match(line) for line in lines)
    assert any("(4 licenses)" in line for line in lines)


def test_times_of_a_flexnet_log_are_those_of_the_wall_also_when_the_clock_is_moved(tmp_path: Path) -> None:
    events = month().events[month().events["product"] == "strucalc"]
    for zone in ("Europe/Berlin", "America/New_York"):
        lines = lines_of(simulate.write_flexnet(month(), tmp_path, timezone=zone))
        times = [line[:8] for line in lines if re.search(r" (OUT|IN|DENIED|UNSUPPORTED): ", line)]
        wall = events["at"].dt.tz_convert(zone)
        assert times == [f"{at.hour:2d}:{at:%M:%S}" for at in wall]
    assert "2025-10-26" in set(wall.dt.strftime("%Y-%m-%d"))


def test_a_flexnet_log_starts_stamps_sums_up_and_stops(tmp_path: Path) -> None:
    lines = lines_of(simulate.write_flexnet(month(), tmp_path))
    starts = [line for line in lines if "(lmgrd) FlexNet Licensing" in line]
    assert [line.rsplit("(", 1)[1] for line in starts] == ["10/1/2025)", "10/12/2025)", "10/23/2025)"]
    assert sum("Server started on" in line for line in lines) == 3
    assert sum("SHUTDOWN request" in line for line in lines) == 1
    assert sum("Lost connection to lmgrd" in line for line in lines) == 1
    stamps = {daemon: [line for line in lines if f"({daemon}) TIMESTAMP" in line] for daemon in ("lmgrd", "strucalc")}
    assert all(4 * 35 - 10 <= len(days) <= 4 * 36 for days in stamps.values())
    summaries = [line for line in lines if "(@strucalc-SLOG@) Time: " in line]
    assert len(summaries) > 6 * 34
    assert summaries[0].endswith("(@strucalc-SLOG@) Time: Wed Oct 01 2025 04:00:00 CEST")
    assert summaries[-1].endswith("CET")


def test_traps_change_how_a_log_looks_and_not_what_happened(tmp_path: Path) -> None:
    plain = lines_of(simulate.write_flexnet(month(), tmp_path, name="plain.log"))
    traps = simulate.Traps(
        late_lines=0.05, missing_stamps=0.5, untimed_lines=0.02, crlf=True, bom=True, files=4, overlap=25, seed=3
    )
    paths = simulate.write_flexnet(month(), tmp_path, traps=traps, name="odd.log")
    assert [path.name for path in paths] == ["odd.01.log", "odd.02.log", "odd.03.log", "odd.04.log"]
    assert paths[0].read_bytes().startswith(b"\xef\xbb\xbf")
    assert not any(path.read_bytes().startswith(b"\xef\xbb\xbf") for path in paths[1:])
    assert all(b"\n" not in path.read_bytes().replace(b"\r\n", b"") for path in paths)
    parts = [lines_of([path]) for path in paths]
    for before, after in pairwise(parts):
        assert before[-25:] == after[:25]
    odd = [line for number, part in enumerate(parts) for line in part[25 if number else 0 :]]
    for verb in (" OUT: ", " IN: ", " DENIED: ", " UNSUPPORTED: "):
        # The key that stands in a line about a probe is drawn, and so differs.
        same_lines = [
            sorted(re.sub(r"\(\w{10}\) |:104 .*\"", "", line) for line in part if verb in line) for part in (plain, odd)
        ]
        assert same_lines[0] == same_lines[1]
    stamps = [sum("TIMESTAMP" in line for line in part) for part in (plain, odd)]
    assert 0.3 < stamps[1] / stamps[0] < 0.7
    assert any(line and not TIMES.match(line) for line in odd)
    assert "" in odd
    assert 0 < sum(behind(first, second) for first, second in pairwise(odd)) < 0.06 * len(odd)


def behind(first: str, second: str) -> bool:
    """Whether the second of two lines is up to five seconds older than the first."""
    if not (TIMES.match(first) and TIMES.match(second)):
        return False
    seconds = [int(line[:2]) * 3600 + int(line[3:5]) * 60 + int(line[6:8]) for line in (first, second)]
    return 0 < seconds[0] - seconds[1] <= 5


def test_a_log_can_be_written_in_an_older_encoding(tmp_path: Path) -> None:
    (path,) = simulate.write_flexnet(month(), tmp_path, traps=simulate.Traps(encoding="cp1252"))
    assert "ö".encode("cp1252") in path.read_bytes()


@pytest.mark.parametrize("wrong", [{"late_lines": 2.0}, {"files": 0}, {"overlap": -1}])
def test_traps_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(QuestionInvalid):
        simulate.Traps(**wrong)  # type: ignore[arg-type]


def test_several_daemons_write_into_one_log(tmp_path: Path) -> None:
    lines = lines_of(simulate.write_flexnet(month(), tmp_path, products=["strucalc", "arcgis-desktop"]))
    events = month().events
    for product in ("strucalc", "arcgis-desktop"):
        out = (events["product"].eq(product) & events["event"].eq("checkout")).sum()
        assert sum(f"({product}) OUT: " in line for line in lines) == out > 0


def held_at(truth: simulate.Truth, product: str, at: datetime) -> pd.DataFrame:
    sessions = truth.sessions[truth.sessions["product"] == product]
    return sessions[(sessions["start"] <= at) & ((sessions["end"] > at) | (sessions["ended_by"] == "open"))]


def test_lmstat_shows_who_holds_what_at_its_time(tmp_path: Path) -> None:
    at = datetime(2025, 10, 22, 9, 30, tzinfo=UTC)
    paths = simulate.write_lmstat(year(), tmp_path, [at, at + timedelta(days=1)])
    assert len(paths) == 2
    text = paths[0].read_text(encoding="utf-8")
    assert "status on Wed 10/22/2025 11:30" in text
    held = held_at(year(), "strucalc", at)
    users = re.findall(
        r"^    (.+) (\S+) \S+ \(v\S+\) \(\S+ \d+\), start (\w{3} \d+/\d+ \d+:\d\d)(?:, (\d+) licenses)?$", text, re.MULTILINE
    )
    assert sorted((name, host) for name, host, _, _ in users) == sorted(zip(held["member"], held["machine"], strict=True))
    assert sum(int(count or 1) for *_, count in users) == held["quantity"].sum()
    totals = re.findall(r"Users of (\S+):  \(Total of (\d+) licenses? issued;  Total of (\d+) licenses? in use\)", text)
    assert [name for name, _, _ in totals] == ["SUITE", "Analysis", "Report_Gen", "Solver"]
    assert {name: int(used) for name, _, used in totals} == {
        name: held[held["feature"] == name]["quantity"].sum() for name, _, _ in totals
    }


def test_the_linger_of_a_borrow_counts_from_its_start_to_its_due_time(tmp_path: Path) -> None:
    (path,) = simulate.write_lmstat(year(), tmp_path, [year().now], products=["geomodel"])
    lingers = sorted(int(seconds) for seconds in re.findall(r"\(linger: (\d+)\)", path.read_text(encoding="utf-8")))
    held = held_at(year(), "geomodel", year().now)
    borrows = held[held["mode"] == "borrow"]
    assert lingers == sorted((borrows["until"] - borrows["start"]).dt.total_seconds().astype(int))


def test_a_snapshot_needs_an_aware_time(tmp_path: Path) -> None:
    with pytest.raises(QuestionInvalid, match="time zone"):
        simulate.write_lmstat(month(), tmp_path, [datetime(2025, 10, 22, 9, 30)])  # noqa: DTZ001


@pytest.mark.parametrize("form", ["std", "detailed"])
def test_an_rlm_report_log_has_a_record_for_each_event(form: str, tmp_path: Path) -> None:
    (path,) = simulate.write_rlm(month(), tmp_path, form)
    lines = path.read_text(encoding="utf-8").splitlines()
    first = {
        verb: sum(line.startswith(f"{verb} ") for line in lines) for verb in ("OUT", "IN", "DENY", "START", "SHUTDOWN", "END")
    }
    events = month().events[month().events["product"] == "geomodel"]
    taken_back = events["reason"].eq("shutdown").fillna(value=False).sum()
    assert first == {
        "OUT": counted("geomodel", "checkout"),
        "IN": counted("geomodel", "checkin") - taken_back,
        "DENY": (events["event"] == "denial").sum(),
        "START": 2,
        "SHUTDOWN": 1,
        "END": 1,
    }
    assert sum(re.fullmatch(r"\d\d/\d\d/\d{4} \d\d:\d\d", line) is not None for line in lines) > 48 * 35
    assert sum(line.startswith("PRODUCT ") for line in lines) == 4


def test_handles_of_a_report_log_pair_and_its_counts_are_right(tmp_path: Path) -> None:
    (path,) = simulate.write_rlm(month(), tmp_path, "std")
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    opened = {row[10]: row for row in rows if row[:1] == ["OUT"]}
    closed = {row[10]: row for row in rows if row[:1] == ["IN"]}
    assert len(opened) == counted("geomodel", "checkout")
    assert set(closed) <= set(opened)
    assert all((row[2], row[4], row[5]) == (opened[key][1], opened[key][4], opened[key][5]) for key, row in closed.items())
    in_use = [int(row[8]) for row in rows if row[:1] == ["OUT"] and row[1] == "modeler"]
    sessions = month().sessions
    assert max(in_use) == most_in_use(sessions[sessions["feature"] == "modeler"])
    assert min(in_use) == 1


def test_a_roaming_license_says_for_how_many_days_and_is_in_use_at_the_end(tmp_path: Path) -> None:
    (path,) = simulate.write_rlm(year(), tmp_path)
    lines = path.read_text(encoding="utf-8").splitlines()
    borrows = year().sessions[(year().sessions["product"] == "geomodel") & (year().sessions["mode"] == "borrow")]
    roams = [int(line.split()[-2], 16) for line in lines if line.startswith("OUT ")]
    assert sum(days > 0 for days in roams) == len(borrows)
    assert sum(line.startswith("ROAM_EXTEND ") for line in lines) >= 1
    last = [line for line in lines[-60:] if line.startswith("INUSE ")]
    assert len(last) == len(held_at(year(), "geomodel", year().now))


def test_an_rlm_debug_log_has_a_line_for_each_event(tmp_path: Path) -> None:
    (path,) = simulate.write_rlm(month(), tmp_path, "debug")
    lines = path.read_text(encoding="utf-8").splitlines()
    assert all(re.match(r"\d\d/\d\d \d\d:\d\d \(geomodel\) ", line) for line in lines)
    assert sum(" OUT: " in line for line in lines) == counted("geomodel", "checkout")
    denied = counted("geomodel", "denial")
    assert sum("All licenses in use" in line for line in lines) == denied > 0
    assert sum(" DENIED: (" in line for line in lines) == denied + counted("geomodel", "denial", probes=True)
    assert sum("automatic@midnight" in line for line in lines) == 35


def test_another_form_of_an_rlm_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QuestionInvalid, match="small"):
        simulate.write_rlm(month(), tmp_path, "small")


def test_the_zone_of_a_report_log_is_told(tmp_path: Path) -> None:
    (path,) = simulate.write_rlm(month(), tmp_path, timezone="America/New_York")
    offset = datetime(2025, 10, 1, tzinfo=ZoneInfo("America/New_York")).utcoffset()
    assert offset is not None
    assert f"TIMEZONE {-offset // timedelta(minutes=1)} 0 # EDT" in path.read_text(encoding="utf-8")
