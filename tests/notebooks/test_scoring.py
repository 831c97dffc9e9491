"""What was found is held against what was planted: right, wrong, missed, and more than was planted."""

from __future__ import annotations

import csv
from pathlib import Path

import pandas as pd
import pytest

from checkout_log import releasing, scoring, stuck
from checkout_log.columns import CAUSES
from checkout_log.scoring import LOOK_ALIKE, NOT_FOUND, ORDINARY
from checkout_log.simulate import Truth
from tests.support.pictured import site_with_stories


def truth() -> Truth:
    found = site_with_stories().truth
    assert found is not None
    return found


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
    found = scores.loc["outlier", "found"]
    assert scores.loc["outlier", "precision"] == pytest.approx((found - 1) / found)
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
    found = stuck.find(site_with_stories().log)
    row = found[found["due"].isna()].head(1).assign(member="=cmd|' /C calc'!A0", handle="-starts-with-a-sign")
    path = releasing.write_csv(row, tmp_path / "x.csv")
    with path.open(encoding="utf-8", newline="") as file:
        (read,) = csv.DictReader(file)
    assert read["member"] == "'=cmd|' /C calc'!A0"
    assert read["handle"] == "'-starts-with-a-sign"
    assert read["due"] == ""
    assert read["since"].endswith("Z")
