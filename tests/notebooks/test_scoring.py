"""What was found is held against what was planted: right, wrong, missed, and more than was planted."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pandas as pd
import pytest

from checkout_log import read, scoring, stuck, usage
from checkout_log.columns import CAUSES
from checkout_log.report import release_table
from checkout_log.scoring import LOOK_ALIKE, NOT_FOUND, ORDINARY
from checkout_log.simulate import Truth
from tests.notebooks.pictures import site_with_stories


def truth() -> Truth:
    planted = site_with_stories().truth
    assert planted is not None
    return planted


def perfect() -> pd.DataFrame:
    """What a perfect search would find: each planted case once, under its cause."""
    cases = truth().stuck.drop_duplicates("case")
    return pd.DataFrame({name: cases[name] for name in ("cause", "product", "member", "machine", "since")}).reset_index(
        drop=True
    )


def test_a_perfect_search_scores_one() -> None:
    scores = scoring.scores(scoring.matched(perfect(), truth()))
    assert (scores["precision"] == 1).all()
    assert (scores["recall"] == 1).all()
    assert list(scores["cause"]) == list(CAUSES)


def test_what_is_missed_lowers_recall_alone() -> None:
    first = perfect().iloc[0]["cause"]
    pairs = scoring.matched(perfect().iloc[1:], truth())
    scores = scoring.scores(pairs).set_index("cause")
    planted = scores.loc[first, "planted"]
    assert scores.loc[first, "recall"] == pytest.approx((planted - 1) / planted)
    assert scores.loc[first, "precision"] == 1
    assert scoring.confusion(pairs).loc[first, NOT_FOUND] == 1


def test_what_was_not_planted_lowers_precision_alone() -> None:
    invented = perfect().iloc[[0]].assign(member="nobody", cause="outlier")
    pairs = scoring.matched(pd.concat([perfect(), invented], ignore_index=True), truth())
    scores = scoring.scores(pairs).set_index("cause")
    named = scores.loc["outlier", "found"]
    assert scores.loc["outlier", "precision"] == pytest.approx((named - 1) / named)
    assert scores.loc["outlier", "recall"] == 1
    assert scoring.confusion(pairs).loc[ORDINARY, "outlier"] == 1


def test_what_only_looks_stuck_is_counted_when_it_is_called_stuck() -> None:
    alike = truth().look_alikes.dropna(subset=["handle"]).drop_duplicates("case")
    rows = pd.DataFrame({name: alike[name] for name in ("product", "member", "machine", "since")}).assign(cause="outlier")
    table = scoring.confusion(scoring.matched(pd.concat([perfect(), rows], ignore_index=True), truth()))
    assert table.loc[LOOK_ALIKE, "outlier"] == len(alike)
    assert table.loc[LOOK_ALIKE, NOT_FOUND] == 0


def test_another_cause_that_is_true_as_well_counts_as_right() -> None:
    cases = truth().stuck.drop_duplicates("case")
    both = cases[cases["also"].notna()].iloc[0]
    other = str(both["also"]).split("; ")[0]
    is_it = (perfect()["member"] == both["member"]) & (perfect()["cause"] == both["cause"])
    scores = scoring.scores(scoring.matched(perfect().assign(cause=perfect()["cause"].mask(is_it, other)), truth()))
    assert (scores["recall"] == 1).all()
    assert (scores["precision"] == 1).all()


def test_the_same_license_taken_at_another_time_is_another_one() -> None:
    later = perfect().assign(since=perfect()["since"] + pd.Timedelta(hours=1))
    pairs = scoring.matched(later, truth())
    assert (pairs.loc[pairs["planted"].isin(CAUSES), "found"] == NOT_FOUND).all()
    assert (pairs["planted"] == ORDINARY).sum() == len(later)


def test_a_table_for_release_runs_nothing_in_a_spreadsheet(tmp_path: Path) -> None:
    stuck_uses = stuck.find(site_with_stories().log)
    row = stuck_uses.head(1).assign(member="=cmd|' /C calc'!A0", handle="-starts-with-a-sign", due=pd.NaT)
    path = release_table.write_csv(row, tmp_path / "x.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["member"] == "'=cmd|' /C calc'!A0"
    assert read["handle"] == "'-starts-with-a-sign"
    assert read["due"] == ""
    assert read["since"].endswith("Z")


def ended(*rows: tuple[float, str]) -> pd.DataFrame:
    """Sessions of one feature that lasted so many hours and ended so."""
    frame = pd.DataFrame(rows, columns=["hours", "ended_by"])
    return frame.assign(mode="session", product="p", feature="f", sessions=1)


def test_rules_on_length_are_held_against_what_a_server_took_back_as_idle() -> None:
    frame = ended((1.5, "idle"), (0.5, "idle"), (3, "checkin"), (0.2, "checkin"), (0.1, "checkin"), (900, "restart"))
    row = scoring.reclaims(frame, limits=(1,)).set_index("rule").loc["longer than 1 h"]
    assert row[["idle_called", "idle_not_called", "returned_called", "returned_not_called"]].tolist() == [1, 1, 1, 2]
    assert (row["precision"], row["recall"]) == (0.5, 0.5)


def test_an_outlier_is_far_longer_than_its_feature_s_own_sessions() -> None:
    usual = [(1.0, "checkin")] * 300
    row = scoring.reclaims(ended(*usual, (30, "idle"), (20, "idle"))).set_index("rule").loc["outlier"]
    assert (row["idle_called"], row["idle_not_called"], row["returned_called"]) == (1, 1, 0)
    few = scoring.reclaims(ended((1.0, "checkin"), (30, "idle"))).set_index("rule").loc["outlier"]
    assert (few["idle_called"], few["recall"]) == (0, 0)


def test_nothing_is_held_against_labels_that_are_not_there() -> None:
    assert scoring.reclaims(ended((1.0, "checkin"))).empty


def test_idle_reclaims_of_a_real_server_are_not_told_by_length() -> None:
    """A month of an Autodesk server with a time-out of one hour: no outlier among 248 reclaims, and no limit is right half the time."""
    corpus = os.environ.get("CARNET_LOG_CORPUS")
    if corpus is None:
        pytest.skip("CARNET_LOG_CORPUS names no folder with real logs")
    lasted = usage.lasted(read(Path(corpus) / "adskflex_borrow_options_2016.log"))
    rows = scoring.reclaims(lasted).set_index("rule")
    counts = ["idle_called", "idle_not_called", "returned_called", "returned_not_called"]
    assert rows.loc["outlier", counts].tolist() == [0, 248, 2, 1_668]
    assert rows.loc["longer than 1 h", counts].tolist() == [244, 4, 316, 1_354]
    assert rows["precision"].max() < 0.5
