"""What the simulator writes as logs of real servers is read back as what happened."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from checkout_log import simulate
from checkout_log.log import Log
from checkout_log.reading import read
from tests.notebooks.simulations import month, year

COMPARED = ["at", "event", "product", "feature", "member", "machine", "quantity"]
IN_ORDER = ["at", "product", "feature", "member", "machine", "event", "reason", "handle"]
EXPORTS = {"jsonl": simulate.write_jsonl, "csv": simulate.write_csv, "parquet": simulate.write_parquet}
FLEXNET_LOGS = {
    "plain": simulate.Traps(),
    "late lines, CRLF and BOM": simulate.Traps(late_lines=0.02, untimed_lines=0.01, crlf=True, bom=True),
    "rotated": simulate.Traps(files=4),
    "rotated with an overlap": simulate.Traps(files=4, overlap=40),
    "most stamps lost": simulate.Traps(missing_stamps=0.9),
    "everything": simulate.Traps(
        late_lines=0.02, missing_stamps=0.5, untimed_lines=0.01, crlf=True, bom=True, encoding="cp1252", files=3, overlap=30
    ),
}


def events_of(product: str, unit: str = "s") -> pd.DataFrame:
    """The events of a product in the month, to the second or the minute."""
    events = month().events
    rows = events[events["product"] == product]
    return rows.assign(at=rows["at"].dt.floor(unit))


def assert_same(truth: pd.DataFrame, log: Log) -> None:
    """The events of the log are those of the truth, however often each."""
    counts = truth[COMPARED].value_counts().sub(log.events()[COMPARED].value_counts(), fill_value=0)
    assert counts[counts != 0].empty


@pytest.mark.parametrize("form", EXPORTS)
def test_an_export_is_read_as_it_happened(form: str, tmp_path: Path) -> None:
    log = read(*EXPORTS[form](month(), tmp_path / f"log.{form}"), timezone="Europe/Berlin")
    read_events, truth = (frame.sort_values(IN_ORDER, ignore_index=True) for frame in (log.events(), month().events))
    # The authority says of a check-in that it was one, and writes what time ends when somebody looks.
    assert read_events["line"].sort_values().tolist() == truth["line"].sort_values().tolist()
    is_checked_in = truth["event"].eq("checkin") & truth["reason"].isna()
    exported = truth.assign(reason=truth["reason"].mask(is_checked_in, "checked-in"))
    pd.testing.assert_frame_equal(read_events.drop(columns=["source", "line"]), exported.drop(columns=["source", "line"]))
    assert set(read_events["source"]) == {"authority"}


def test_sessions_of_an_export_start_and_end_as_they_did(tmp_path: Path) -> None:
    """What is open ends with the log, and what the log cannot know stays open: a crash, or a seat that is held past its due time."""
    # In the form that is read five times as fast; the others say the same, as the tests above show.
    log = read(*simulate.write_parquet(year(), tmp_path / "log.parquet"))
    both = year().sessions.merge(log.sessions(), on=["handle", "product", "feature"], suffixes=("", "_read"), how="outer")
    assert len(both) == len(year().sessions)
    assert (both["start"] == both["start_read"]).all()
    ended = both[~both["ended_by"].isin(["open", "restart"])]
    assert (ended["end"] == ended["end_read"]).all()
    assert (ended["ended_by"] == ended["ended_by_read"]).all()


@pytest.mark.parametrize("traps", FLEXNET_LOGS.values(), ids=FLEXNET_LOGS)
def test_a_flexnet_log_is_read_as_it_happened(traps: simulate.Traps, tmp_path: Path) -> None:
    log = read(*simulate.write_flexnet(month(), tmp_path, traps=traps), timezone="Europe/Berlin")
    assert_same(events_of("strucalc"), log)
    assert log.quality()["undated"].sum() == 0


def test_a_flexnet_log_of_another_zone_is_read_as_it_happened(tmp_path: Path) -> None:
    log = read(*simulate.write_flexnet(month(), tmp_path, timezone="America/New_York"), timezone="America/New_York")
    assert_same(events_of("strucalc"), log)


def test_a_crash_in_a_flexnet_log_cuts_the_sessions_that_it_cut(tmp_path: Path) -> None:
    log = read(*simulate.write_flexnet(month(), tmp_path), timezone="Europe/Berlin")
    truth = month().sessions[month().sessions["product"] == "strucalc"]
    # Without handles the log cannot tell which seats of one user came back; how many did is the same.
    seats, read_seats = (frame.groupby(["feature", "ended_by"])["quantity"].sum() for frame in (truth, log.sessions()))
    assert {"restart", "shutdown", "idle"} <= set(seats.index.get_level_values("ended_by"))
    pd.testing.assert_series_equal(seats, read_seats)


@pytest.mark.parametrize(("form", "unit"), [("detailed", "s"), ("std", "s"), ("debug", "min")])
def test_an_rlm_log_is_read_as_it_happened(form: str, unit: str, tmp_path: Path) -> None:
    """Of people who never borrow: what is out over a stop is told anew when the server comes up."""
    log = read(*simulate.write_rlm(month(), tmp_path, form), timezone="Europe/Berlin")
    travelers = set(month().sessions[month().sessions["mode"] == "borrow"]["member"])
    truth, read_events = (frame[~frame["member"].isin(travelers)] for frame in (events_of("geomodel", unit), log.events()))
    # The standard form has the minute of a denial, and a stop takes sessions back without a line.
    truth = truth[~truth["reason"].eq("shutdown").fillna(value=False)]
    if form == "std":
        is_denial = truth["event"] == "denial"
        truth = truth.assign(at=truth["at"].where(~is_denial, truth["at"].dt.floor("min")))
    counts = truth[COMPARED].value_counts().sub(read_events[COMPARED].value_counts(), fill_value=0)
    assert counts[counts != 0].empty


def test_a_roaming_license_is_due_when_it_was(tmp_path: Path) -> None:
    log = read(*simulate.write_rlm(month(), tmp_path), timezone="Europe/Berlin")
    events = log.events()
    rows = events[(events["event"] == "checkout") & (events["mode"] == "borrow")]
    sessions = month().sessions
    borrows = sessions[(sessions["product"] == "geomodel") & (sessions["mode"] == "borrow")]
    both = borrows.merge(rows[["member", "at", "until"]], left_on=["member", "start"], right_on=["member", "at"])
    assert len(both) == len(borrows) > 3
    # The record has days, the due time is an evening.
    assert ((both["until_y"] - both["until_x"]).abs() <= pd.Timedelta(hours=12)).all()


def test_snapshots_of_lmstat_show_what_is_held(tmp_path: Path) -> None:
    at = pd.Timestamp("2025-10-22 09:30", tz="UTC").to_pydatetime()
    log = read(*simulate.write_lmstat(month(), tmp_path, [at]), timezone="Europe/Berlin")
    held = month().sessions[(month().sessions["start"] <= at) & (month().sessions["end"] > at)]
    mine = held[held["product"] == "strucalc"]
    rows = log.sessions()
    assert sorted(zip(rows["feature"], rows["member"], rows["machine"], strict=True)) == sorted(
        zip(mine["feature"], mine["member"], mine["machine"], strict=True)
    )
    assert rows["quantity"].sum() == mine["quantity"].sum()


def test_logs_of_all_servers_together_hold_every_event(tmp_path: Path) -> None:
    paths = simulate.write_logs(month(), tmp_path)
    assert [path.name for path in paths] == ["checkout-log.jsonl", "debug.log", "geomodel.rlog"]
    log = read(*paths, timezone="Europe/Berlin")
    exported = set(month().organization.served_by("authority"))
    rows = log.events()[log.events()["product"].isin(exported | {"strucalc"})]
    truth = month().events[month().events["product"] != "geomodel"]
    assert len(rows) == len(truth)
    assert set(log.events()["source"]) == {"authority", "flexnet", "rlm"}
