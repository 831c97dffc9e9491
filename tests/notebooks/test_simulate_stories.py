"""What is planted is there as often as asked, follows from what happened, and is told apart from what only looks like it."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from checkout_log import simulate
from checkout_log.columns import CAUSES
from tests.notebooks.simulations import month, year

KINDS = {
    "cut by a restart",
    "long job",
    "long trip",
    "holiday",
    "renewed",
    "new laptop",
    "two machines",
    "lapsed",
    "reconnected",
}


def cases(cause: str) -> pd.DataFrame:
    """The planted rows of a cause, with their sessions."""
    truth = year()
    stuck_cases = truth.stuck[truth.stuck["cause"] == cause]
    sessions = truth.sessions[["handle", "product", "feature", "mode", "start", "end", "until", "ended_by"]]
    return stuck_cases.merge(sessions, on=["handle", "product", "feature"], validate="one_to_one")


def each(frame: pd.DataFrame) -> list[Any]:
    """The rows, with their columns as attributes."""
    return list(frame.itertuples())


def later(row: Any, **same: str) -> pd.DataFrame:
    """Events after a license was taken, with these values."""
    events = year().events
    events_after: pd.DataFrame = events[events["at"] > row.since]
    for name, value in same.items():
        events_after = events_after[events_after[name] == value]
    return events_after


def test_every_cause_is_planted_as_often_as_asked() -> None:
    asked = asdict(simulate.Planted())
    cut = year().look_alikes[year().look_alikes["cause"] == "cut by a restart"]
    assert cut["case"].nunique() == asked.pop("cut_by_restart")
    counts = year().stuck.groupby("cause")["case"].nunique()
    assert {name: counts[name.replace("_", "-")] for name in asked if name != "look_alikes"} == {
        name: count for name, count in asked.items() if name != "look_alikes"
    }
    assert set(counts.index) == set(CAUSES)


def test_other_numbers_can_be_asked_for() -> None:
    planted = simulate.Planted(2, 1, 3, 1, 2, 1, 1)
    truth = simulate.run(replace(simulate.Organization(), planted=planted), 5)
    counts = truth.stuck.groupby("cause")["case"].nunique().to_dict()
    assert counts == {"overdue": 2, "outlier": 1, "holder-inactive": 3, "machine-gone": 1, "over-long-borrow": 1}
    assert truth.look_alikes["case"].nunique() == len(KINDS) + 1


def test_without_stories_nothing_is_stuck() -> None:
    assert month().stuck.empty
    assert month().look_alikes.empty


def test_what_is_stuck_holds_its_seat() -> None:
    for cause in CAUSES:
        rows = cases(cause)
        assert len(rows) == len(year().stuck[year().stuck["cause"] == cause])
        assert set(rows["ended_by"]) == {"open"}
        assert (rows["since"] == rows["start"]).all()
        assert rows["due"].equals(rows["until"])


def test_overdue_is_past_its_due_time_and_never_given_back() -> None:
    rows = cases("overdue")
    assert (rows["due"] < year().now).all()
    # The authority frees a seat at the due time by itself.
    assert not set(rows["product"]) & set(year().organization.served_by("authority"))
    for row in each(rows):
        assert later(row, member=row.member, product=row.product).empty
    lateness = year().now - rows["due"]
    assert lateness.min() < timedelta(days=2)
    assert lateness.max() > timedelta(days=60)


def test_the_holder_of_an_outlier_goes_on_elsewhere() -> None:
    rows = cases("outlier")
    assert (year().now - rows["since"] > timedelta(days=1)).all()
    assert (rows["mode"] == "session").all()
    assert all(len(later(row, member=row.member)) for row in each(rows))


def test_an_inactive_holder_is_silent_or_was_disabled() -> None:
    for row in each(cases("holder-inactive")):
        assert row.due > year().now
        rows = year().events[year().events["member"] == row.member]
        refused = rows["reason"] == "member-disabled"
        assert (year().now - rows["at"][~refused].max()) > timedelta(days=12)
        after = later(row, member=row.member)
        # What had begun before may still end on that day.
        assert refused.any() or (after["at"].empty or after["at"].max() - row.since < timedelta(days=1))
    notes = year().stuck[year().stuck["cause"] == "holder-inactive"]["note"]
    assert notes.str.contains("disabled").any()


def test_a_machine_that_is_gone_is_never_seen_again_and_another_took_its_place() -> None:
    events = year().events
    for row in each(cases("machine-gone")):
        assert row.due > year().now
        alias = events[events["machine"] == row.machine]["alias"].iloc[0]
        after = later(row)
        assert (after["machine"] != row.machine).all() or after[after["machine"] == row.machine]["at"].max() < row.since
        other = after[((after["alias"] == alias) | (after["member"] == row.member)) & (after["machine"] != row.machine)]
        known = set(events[events["at"] <= row.since]["machine"])
        assert set(other["machine"]) - known


def test_what_a_crash_cut_has_no_event_after() -> None:
    crash = next(stop for stop in year().stops if not stop.clean)
    rows = alike("cut by a restart")
    assert set(rows["ended_by"]) == {"restart"}
    assert (rows["end"] == pd.Timestamp(crash.down_at, unit="us", tz="UTC")).all()
    assert all(later(row, member=row.member, feature=row.feature).empty for row in each(rows))


def test_an_over_long_borrow_is_many_times_what_its_member_ever_used() -> None:
    sessions = year().sessions
    for row in each(cases("over-long-borrow")):
        mine = sessions[(sessions["member"] == row.member) & (sessions["mode"] == "borrow") & (sessions["start"] < row.since)]
        assert len(mine) >= 3
        assert (row.due - row.since) > 8 * (mine["end"] - mine["start"]).max()
        assert len(later(row, member=row.member))


def test_every_kind_of_look_alike_is_there_and_none_is_called_stuck() -> None:
    truth = year()
    counts = truth.look_alikes.groupby("cause")["case"].nunique()
    assert set(counts.index) == KINDS
    planted = truth.organization.planted
    assert counts.pop("cut by a restart") == planted.cut_by_restart
    assert set(counts) == {planted.look_alikes}
    assert not set(truth.look_alikes["handle"].dropna()) & set(truth.stuck["handle"])
    assert not set(truth.look_alikes["member"]) & set(truth.stuck["member"])


def alike(kind: str) -> pd.DataFrame:
    """The look-alikes of a kind, with their sessions."""
    truth = year()
    rows = truth.look_alikes[truth.look_alikes["cause"] == kind]
    return rows.merge(truth.sessions[["handle", "feature", "end", "until", "ended_by"]], on=["handle", "feature"])


def test_a_long_job_still_runs_after_three_days() -> None:
    rows = alike("long job")
    assert (rows["ended_by"] == "open").all()
    assert (year().now - rows["since"]).between(timedelta(days=2.5), timedelta(days=4)).all()


@pytest.mark.parametrize("kind", ["long trip", "renewed", "new laptop", "two machines"])
def test_borrows_that_look_stuck_are_within_their_due_time(kind: str) -> None:
    rows = alike(kind)
    assert (rows["ended_by"] == "open").all()
    assert (rows["due"] > year().now).all()


def test_a_renewed_borrow_was_renewed_before_its_first_due_time_and_that_has_passed() -> None:
    events = year().events
    for row in each(alike("renewed")):
        mine = events[events["handle"] == row.handle]
        first = mine[mine["event"] == "checkout"]["until"].iloc[0]
        assert first < year().now
        assert mine[mine["event"] == "renewal"]["at"].iloc[0] < first


def test_who_is_on_holiday_holds_nothing() -> None:
    truth = year()
    away = truth.look_alikes[truth.look_alikes["cause"] == "holiday"]
    assert away["handle"].isna().all()
    held = truth.sessions[truth.sessions["ended_by"] == "open"]
    assert not set(away["member"]) & set(held["member"])


def test_a_lapsed_borrow_is_ended_and_a_reconnected_session_was_cut_once() -> None:
    assert set(alike("lapsed")["ended_by"]) == {"expiry"}
    assert set(alike("reconnected")["ended_by"]) == {"restart"}
    for row in each(alike("reconnected")):
        assert len(later(row, member=row.member, feature=row.feature, event="checkout"))


def test_no_session_of_ordinary_days_is_open_for_more_than_a_day_but_jobs() -> None:
    truth = year()
    in_stories = set(truth.stuck["handle"]) | set(truth.look_alikes["handle"].dropna())
    held = truth.sessions[(truth.sessions["ended_by"] == "open") & (truth.sessions["mode"] == "session")]
    odd = held[~held["handle"].isin(in_stories) & (held["feature"] != "Solver")]
    assert (truth.now - odd["start"] < timedelta(days=1)).all()
