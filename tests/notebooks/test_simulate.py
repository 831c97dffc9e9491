"""An organization that is simulated lives as it was told: habits, full pools, restarts, and the same for the same seed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checkout_log import simulate
from checkout_log.columns import ENDINGS, EVENT_KINDS, EVENTS, SESSIONS, UNSUPPORTED, checked
from checkout_log.errors import QuestionInvalid
from tests.notebooks.simulations import few_weeks, in_use_at, month, most_in_use, pools, year

FULL = "pool-exhausted"


def starts_of(truth: simulate.Truth, group: str) -> pd.Series:
    """When the sessions of a group began, on the wall."""
    events = truth.events
    rows = events[(events["event"] == "checkout") & (events["group"] == group) & (events["mode"] == "session")]
    at: pd.Series = rows["at"].dt.tz_convert(truth.organization.timezone)
    return at


def test_the_same_seed_gives_the_same_and_another_gives_something_else() -> None:
    again, other = simulate.run(few_weeks(), 1), simulate.run(few_weeks(), 2)
    for name in ("events", "sessions", "stuck", "look_alikes"):
        pd.testing.assert_frame_equal(getattr(month(), name), getattr(again, name))
    assert not month().events["handle"].equals(other.events["handle"])


def test_stories_too_are_the_same_for_the_same_seed() -> None:
    again = simulate.run(seed=year().seed)
    pd.testing.assert_frame_equal(year().stuck, again.stuck)
    pd.testing.assert_frame_equal(year().events, again.events)


def test_events_and_sessions_have_the_columns_of_the_library() -> None:
    truth = year()
    checked(truth.events, EVENTS)
    checked(truth.sessions, SESSIONS)
    assert set(truth.events["event"]) <= set(EVENT_KINDS)
    assert set(truth.sessions["ended_by"]) == set(ENDINGS)
    assert set(truth.events["source"]) == {"simulator"}
    assert truth.events["line"].tolist() == list(range(1, len(truth.events) + 1))
    assert truth.events["at"].is_monotonic_increasing
    assert truth.events["at"].max() <= truth.now
    assert truth.sessions["end"].max() <= truth.now
    assert (truth.sessions["start"] < truth.sessions["end"]).all()


def test_every_checkout_is_a_session_and_every_end_in_the_log_is_its_end() -> None:
    truth = year()
    keys = ["product", "feature", "handle"]
    started = truth.events[truth.events["event"] == "checkout"].set_index(keys)["at"]
    sessions = truth.sessions.set_index(keys)
    assert started.index.is_unique
    pd.testing.assert_series_equal(started.sort_index(), sessions["start"].sort_index(), check_names=False)
    closed = truth.events[truth.events["event"].isin(["checkin", "end", "release"])].set_index(keys)["at"]
    is_closed = sessions["ended_by"].isin(["checkin", "idle", "shutdown", "end", "release"])
    pd.testing.assert_series_equal(closed.sort_index(), sessions["end"][is_closed].sort_index(), check_names=False)


def test_no_pool_ever_gives_more_seats_than_it_has_and_some_give_all() -> None:
    truth = year()
    most = {
        pool: most_in_use(sessions)
        for pool, sessions in truth.sessions.groupby(["product", "feature"])
        if pool in pools(truth.organization)
    }
    seats = pools(truth.organization)
    assert all(most[pool] <= seats[pool] for pool in most)
    assert sum(most[pool] == seats[pool] for pool in most) >= 4


def denials_when_full(truth: simulate.Truth) -> tuple[int, int]:
    """How many denials of full pools there are, and how many of them at a moment at which the seats asked for were not free."""
    denials = truth.events[(truth.events["event"] == "denial") & (truth.events["reason"] == FULL)]
    right = 0
    for (product, feature), rows in denials.groupby(["product", "feature"]):
        mine = truth.sessions[(truth.sessions["product"] == product) & (truth.sessions["feature"] == feature)]
        seats = pools(truth.organization)[str(product), str(feature)]
        right += int((in_use_at(mine, rows["at"]) + rows["quantity"].to_numpy() > seats).sum())
    return len(denials), right


def test_denials_happen_only_when_the_pool_is_full() -> None:
    count, right = denials_when_full(year())
    assert count > 1000
    assert right == count


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), scarce=st.integers(1, 8), days=st.integers(1, 9))
def test_few_seats_are_never_exceeded_and_refused_only_when_taken(seed: int, scarce: int, days: int) -> None:
    sample = few_weeks(days)
    few = tuple(
        product if product.named else replace(product, levels=tuple(replace(one, seats=scarce) for one in product.levels))
        for product in sample.products
    )
    truth = simulate.run(replace(sample, products=few, begins_on=date(2025, 10, 20)), seed)
    for (product, feature), seats in pools(truth.organization).items():
        is_mine = (truth.sessions["product"] == product) & (truth.sessions["feature"] == feature)
        assert most_in_use(truth.sessions[is_mine]) <= seats
    count, right = denials_when_full(truth)
    assert right == count


def test_refused_clients_try_again_after_30_to_90_seconds() -> None:
    events = year().events
    # A job asks for many handles at once; a person for one.
    denials = events[(events["reason"] == FULL) & (events["group"] != "batch")]
    waits = denials.groupby(["member", "machine", "feature"])["at"].diff().dt.total_seconds()
    retried = waits[waits <= 90]
    assert len(retried) > 100
    assert (retried >= 30).mean() > 0.95


def test_probes_are_denials_of_features_that_are_not_served() -> None:
    truth = year()
    probes = truth.events[truth.events["reason"] == UNSUPPORTED]
    licensed = {(product.name, one.name) for product in truth.organization.products for one in product.features}
    assert len(probes) > 100
    assert not set(zip(probes["product"], probes["feature"], strict=True)) & licensed


def test_the_office_works_on_weekdays_by_day_and_goes_to_lunch() -> None:
    starts = starts_of(year(), "office")
    by_hour = starts.groupby([starts.dt.weekday, starts.dt.hour]).size()
    assert by_hour.get((1, 10), 0) > 500
    assert by_hour.get((6, 3), 0) == 0
    hours = starts.groupby(starts.dt.hour).size()
    assert hours[12] < 0.6 * min(hours[10], hours[14])
    assert (starts.dt.weekday < 5).mean() > 0.99


def test_the_office_keeps_its_hours_when_the_clock_is_moved() -> None:
    starts = starts_of(year(), "office")
    winter, summer = starts[starts.dt.month.isin([1, 2])], starts[starts.dt.month.isin([6, 7])]
    assert abs(winter.dt.hour.median() - summer.dt.hour.median()) <= 1
    assert winter.dt.tz_convert("UTC").dt.hour.median() - summer.dt.tz_convert("UTC").dt.hour.median() >= 0.5


def test_students_are_silent_between_terms() -> None:
    starts = starts_of(year(), "students")
    assert (starts.dt.month == 6).sum() > 300
    assert (starts.dt.month.isin([8, 9])).sum() == 0


def test_batch_runs_by_night_with_many_handles_on_one_host() -> None:
    truth = year()
    starts = starts_of(truth, "batch")
    assert ((starts.dt.hour >= 18) | (starts.dt.hour < 3)).mean() > 0.7
    jobs = truth.sessions[truth.sessions["feature"] == "Solver"]
    assert jobs.groupby(["machine", "start"]).size().max() >= 5
    assert (jobs["end"] - jobs["start"]).quantile(0.99) > timedelta(days=3)


def test_crews_borrow_for_days_and_mostly_return_in_time() -> None:
    truth = year()
    crew = set(truth.events[truth.events["group"] == "field"]["member"])
    borrows = truth.sessions[(truth.sessions["mode"] == "borrow") & truth.sessions["member"].isin(crew)]
    ended = borrows[borrows["ended_by"] != "open"]
    assert (ended["ended_by"] == "checkin").mean() > 0.85
    asked = (borrows["until"] - borrows["start"]).dt.total_seconds() / 86400
    assert asked.min() > 4
    assert asked.median() > 8
    assert (ended["end"] <= ended["until"]).all()


def test_a_borrow_that_lapsed_frees_its_seat_and_its_member_is_seen_again_unless_told_otherwise() -> None:
    truth = year()
    in_stories = set(truth.look_alikes["handle"].dropna())
    lapsed = truth.sessions[(truth.sessions["ended_by"] == "expiry") & ~truth.sessions["handle"].isin(in_stories)]
    assert len(lapsed)
    assert (lapsed["end"] == lapsed["until"]).all()
    for row in list[Any](lapsed.itertuples()):
        mine = truth.events[(truth.events["member"] == row.member) & (truth.events["product"] == row.product)]
        assert (mine["at"] > row.end).any()


def test_a_clean_stop_takes_sessions_back_and_a_crash_cuts_them_and_clients_come_back() -> None:
    truth = month()
    clean, crash = (stop for stop in truth.stops if stop.server == "flexnet")
    mine = truth.sessions[(truth.sessions["product"] == "strucalc") & (truth.sessions["mode"] == "session")]
    for stop, ended_by in ((clean, "shutdown"), (crash, "restart")):
        at, up = (pd.Timestamp(moment, unit="us", tz="UTC") for moment in (stop.down_at, stop.up_at))
        ended = mine[mine["end"] == at]
        assert set(ended["ended_by"]) == {ended_by}
        assert not ((mine["start"] > at) & (mine["start"] < up)).any()
        back = mine[(mine["start"] >= up) & (mine["start"] < up + timedelta(hours=2))]
        assert set(ended["member"]) <= set(back["member"])
    assert (truth.events["reason"] == "shutdown").sum() == (truth.sessions["ended_by"] == "shutdown").sum()


def test_servers_other_than_the_authority_know_seconds_and_hosts_only() -> None:
    events = year().events
    others = events[events["product"].isin(["strucalc", "geomodel"])]
    assert (others["at"].astype("int64") % 1_000_000 == 0).all()
    assert others["alias"].isna().all()
    assert others["os_user"].isna().all()
    assert events[events["product"] == "arcgis-pro"]["alias"].notna().all()


def test_the_default_is_some_300_members_and_a_year() -> None:
    truth = year()
    assert 280 <= truth.events["member"].nunique() <= 320
    assert truth.organization.days >= 365
    assert truth.now.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"days": 30}, "30 days are too short"),
        ({"days": 0, "planted": simulate.NOTHING_PLANTED}, "0 days"),
        ({"timezone": "Mars/Olympus"}, "Mars/Olympus"),
        ({"products": simulate.Organization().products[:1]}, "which is not there"),
    ],
)
def test_an_organization_whose_parts_do_not_fit_says_so(change: dict[str, object], said: str) -> None:
    with pytest.raises(QuestionInvalid, match=said) as caught:
        replace(simulate.Organization(), **change)  # type: ignore[arg-type]
    assert caught.value.hint


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"restarts": ()}, "no server crashes"),
        ({"groups": simulate.Organization().groups[:1]}, "need a group of FieldCrew"),
        ({"planted": simulate.Planted(overdue=60)}, "too few members"),
    ],
)
def test_stories_that_have_no_place_say_so(change: dict[str, object], said: str) -> None:
    with pytest.raises(QuestionInvalid, match=said):
        simulate.run(replace(simulate.Organization(), **change))  # type: ignore[arg-type]


def test_an_unknown_kind_of_server_is_refused() -> None:
    product = simulate.Product("x", "sentinel", (simulate.Feature("y", 1),))
    with pytest.raises(QuestionInvalid, match="sentinel"):
        simulate.Organization(groups=(), products=(product,), planted=simulate.NOTHING_PLANTED)


def test_an_organization_of_one_group_can_be_simulated() -> None:
    office = simulate.Organization().groups[:1]
    truth = simulate.run(replace(few_weeks(7), groups=office), 3)
    assert set(truth.events["group"]) == {"office"}
    assert np.all(truth.stuck.empty)
