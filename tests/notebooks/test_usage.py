"""Measures of use, worked out by hand: one test for each definition that logs make easy to get wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times, qth_survival_time

from checkout_log import usage
from checkout_log.log import Log
from checkout_log.measuring.levels import COUNTED, GROUPINGS
from checkout_log.measuring.survival import quantile, survival
from checkout_log.store import Option, frame_of_options
from tests.notebooks.random_logs import BEGIN, event, open_log, raw_log
from tests.notebooks.reference import SECOND, Era, Event, RawLog, Span

HOUR, DAY = 3_600, 86_400


def used(start: int, end: int, **fields: Any) -> list[Event]:
    """A session from its start to its end, in seconds after BEGIN."""
    return [event(start, **fields), event(end, "checkin", **fields)]


def hundred(*sessions: Sequence[Event]) -> RawLog:
    """A log of a hundred seconds."""
    return raw_log([one for session in sessions for one in session], seconds=100)


def table(frame: pd.DataFrame, *columns: str) -> list[list[object]]:
    rows: list[list[object]] = frame[list(columns)].to_numpy().tolist()
    return rows


class TestPeaks:
    @pytest.mark.parametrize("grouping", GROUPINGS)
    def test_in_one_second_a_return_comes_first_whatever_the_order_of_lines(self, grouping: str) -> None:
        six = [event(number, member=f"u{number}", machine=f"m{number}") for number in range(6)]
        seventh, first_back = event(50, member="u6", machine="m6"), event(50, "checkin", member="u0", machine="m0")
        for lines in ([seventh, first_back], [first_back, seventh]):
            row = usage.peaks(open_log(raw_log([*six, *lines])), grouping).iloc[0]
            assert (row["peak"], row["upper"]) == (6, 6)

    def test_the_seventh_counts_a_second_before_a_return(self) -> None:
        six = [event(number, member=f"u{number}") for number in range(6)]
        row = usage.peaks(open_log(raw_log([*six, event(49, member="u6"), event(50, "checkin", member="u0")]))).iloc[0]
        assert row["peak"] == 7
        assert row["peak_at"] == pd.Timestamp((BEGIN + 49 * SECOND) * 1_000, tz="UTC")

    def test_what_one_license_is_depends_on_the_grouping(self) -> None:
        events = [event(1, quantity=3), event(2), event(3, machine="m2"), event(4, member="bob"), event(5, machine="m3")]
        log = open_log(raw_log(events))
        assert {name: int(usage.peaks(log, name)["peak"].iloc[0]) for name in COUNTED} == {
            "handle": 7,
            "machine": 3,
            "member": 2,
            "member-machine": 4,
            "vendor": 7,
        }

    @pytest.mark.parametrize(
        ("dup_group", "peak"),
        [("NONE", 7), ("SITE", 1), ("U", 2), ("UD", 2), ("H", 3), ("UH", 4), ("uhd", 4), ("V", 7), ("D", 7), ("odd", 7)],
    )
    def test_what_one_license_is_the_license_file_says(self, dup_group: str, peak: int) -> None:
        events = [event(1, quantity=3), event(2), event(3, machine="m2"), event(4, member="bob"), event(5, machine="m3")]
        others = [event(1, feature="G", quantity=3)]
        log = open_log(raw_log([*events, *others]))
        said = Option("P", "F", "dup-group", None, None, dup_group, None, 0, "license-file")
        log = Log(replace(log.stored, options=frame_of_options([said])), log.engine)
        # Nothing is said of G: each of its checkouts counts.
        assert usage.peaks(log, "vendor")["peak"].tolist() == [peak, 3]
        # Whatever else was asked before, or is asked after.
        assert usage.peaks(log, "machine")["peak"].tolist() == [3, 1]
        assert usage.peaks(log, "vendor")["lower"].tolist() == [0, 0]

    def test_lines_of_a_license_file_that_disagree_say_nothing(self) -> None:
        log = open_log(raw_log([event(1), event(2), event(3, machine="m2")]))
        said = [Option("P", "F", "dup-group", None, None, name, None, 0, "license-file") for name in ("U", "H")]
        log = Log(replace(log.stored, options=frame_of_options(said)), log.engine)
        assert usage.peaks(log, "vendor")["peak"].tolist() == [3]

    def test_who_holds_two_and_gives_back_one_still_counts(self) -> None:
        log = open_log(hundred(used(10, 90), used(20, 30)))
        assert table(usage.time_at_level(log, "member"), "level", "share") == [[0, 0.2], [1, 0.8]]

    def test_percentiles_go_by_time_and_not_by_events(self) -> None:
        spikes = [used(second, second + 1, quantity=9) for second in range(0, 80, 20)]
        row = usage.peaks(open_log(hundred(used(0, 99, member="bob"), *spikes))).iloc[0]
        # Ten are in use for 4 of 100 seconds, but after half of the checkouts.
        assert (row["peak"], row["p95"], row["p99"]) == (10, 1, 10)

    def test_percentiles_go_by_time_and_not_by_days(self) -> None:
        noons = [one for day in range(10) for one in used(day * DAY, day * DAY + HOUR)]
        row = usage.peaks(open_log(raw_log(noons, seconds=10 * DAY))).iloc[0]
        # One is in use on each of ten days, but in an hour of 24 only.
        assert (row["peak"], row["p95"], row["p99"]) == (1, 0, 1)

    def test_a_share_that_is_met_exactly_is_enough(self) -> None:
        log = open_log(hundred(used(0, 95), used(0, 5, member="bob")))
        assert usage.peaks(log)["p95"].tolist() == [1]
        assert [usage.needed(log, share)["seats"].iloc[0] for share in (0.05, 0.0500001, 0.95, 0.9500001, 1)] == [0, 1, 1, 2, 2]

    def test_gaps_between_logs_are_not_observed(self) -> None:
        of = hundred(used(0, 10), used(80, 90))
        parts = [Span("P", BEGIN, BEGIN + 20 * SECOND), Span("P", BEGIN + 80 * SECOND, BEGIN + 100 * SECOND)]
        log = open_log(RawLog(of.events, parts))
        assert usage.peaks(log)["observed_days"].iloc[0] == pytest.approx(40 / DAY)
        assert table(usage.time_at_level(log), "level", "share") == [[0, 0.5], [1, 0.5]]


class TestBounds:
    def test_what_was_never_seen_to_start_counts_above_only(self) -> None:
        row = usage.peaks(open_log(hundred([event(50, "checkin", quantity=2)], used(10, 20)))).iloc[0]
        assert (row["lower"], row["peak"], row["upper"]) == (1, 1, 3)

    def test_what_was_never_seen_to_end_does_not_count_below(self) -> None:
        log = open_log(hundred([event(10)], used(20, 30, member="bob")))
        assert table(usage.peaks(log), "lower", "peak", "upper") == [[1, 2, 2]]
        assert table(usage.exceedance(log), "level", "lower", "share", "upper") == [[1, 0.1, 0.9, 0.9], [2, 0, 0.1, 0.1]]

    def test_what_a_restart_cut_does_not_count_below(self) -> None:
        of = hundred([event(10, era=1)])
        log = open_log(RawLog(of.events, of.spans, [Era(1, "P", BEGIN, BEGIN + 60 * SECOND)]))
        assert table(usage.efficiency(log), "seat", "lower", "hours", "upper") == [[1, 0, 50 / HOUR, 50 / HOUR]]

    def test_what_has_an_uncertain_date_does_not_count_below(self) -> None:
        log = open_log(hundred(used(10, 20, ambiguous=True)))
        assert table(usage.peaks(log), "lower", "peak", "upper") == [[0, 1, 1]]


class TestShares:
    def test_each_level_has_its_time_and_each_seat_its_own(self) -> None:
        log = open_log(hundred(used(0, 40), used(10, 30, member="bob"), used(10, 20, member="eve", quantity=2)))
        assert table(usage.time_at_level(log), "level", "share") == [[0, 0.6], [1, 0.2], [2, 0.1], [4, 0.1]]
        assert usage.exceedance(log)["share"].tolist() == [0.4, 0.2, 0.1, 0.1]
        assert usage.efficiency(log)["hours"].tolist() == [40 / HOUR, 20 / HOUR, 10 / HOUR, 10 / HOUR]

    def test_where_no_time_was_observed_no_share_is_given(self) -> None:
        log = open_log(raw_log(used(0, 0), seconds=0))
        assert usage.peaks(log)["observed_days"].tolist() == [0]
        assert usage.time_at_level(log).empty
        assert usage.needed(log)["seats"].tolist() == [0]


class TestHeatMap:
    def night(self, day: datetime) -> pd.DataFrame:
        """One license in use for the whole of a day in Berlin."""
        begin, end = (int(at.timestamp()) * SECOND for at in (day, day + timedelta(days=1)))
        rows = [event(0)._replace(at=begin), event(0, "checkin")._replace(at=end, line=2)]
        log = open_log(RawLog(rows, [Span("P", begin, end)], [], "Europe/Berlin"))
        frame = usage.heat_map(log).set_index("hour")
        return frame[frame["observed_hours"] > 0]

    def test_the_hour_that_is_left_out_in_spring_was_not_observed(self) -> None:
        rows = self.night(datetime.fromisoformat("2024-03-31T00:00+01:00"))
        # The day that began with winter time and lasts 24 hours ends at one o'clock on the next.
        assert rows[rows["weekday"] == 6]["observed_hours"].to_dict() == {hour: 1.0 for hour in range(24) if hour != 2}
        assert rows[rows["weekday"] == 0]["observed_hours"].to_dict() == {0: 1.0}
        assert (rows["average"] == 1).all()

    def test_the_hour_that_comes_twice_in_autumn_counts_twice(self) -> None:
        rows = self.night(datetime.fromisoformat("2024-10-27T00:00+02:00"))
        assert rows["observed_hours"].to_dict() == {hour: 2.0 if hour == 2 else 1.0 for hour in range(23)}
        assert (rows["average"] == 1).all()

    def test_averages_are_of_the_observed_time(self) -> None:
        log = open_log(raw_log(used(0, HOUR // 4, quantity=4), seconds=HOUR // 2))
        row = usage.heat_map(log).iloc[0]
        assert (row["weekday"], row["hour"]) == (2, 12)
        assert (row["peak"], row["average"], row["observed_hours"]) == (4, 2, 0.5)

    def test_hours_are_those_of_the_zone(self) -> None:
        log = open_log(raw_log(used(0, HOUR), seconds=HOUR))
        rows = usage.heat_map(log, timezone="Asia/Kathmandu")
        assert table(rows[rows["observed_hours"] > 0], "hour", "observed_hours") == [[17, 0.25], [18, 0.75]]


class TestLengths:
    def test_open_ones_are_not_dropped_from_the_median(self) -> None:
        """Closed after 1, 3 and 5 hours, still open after 2 and 4: half are over after 5 hours, not after 3."""
        closed = [one for hours in (1, 3, 5) for one in used(0, hours * HOUR, member=f"c{hours}")]
        still_open = [event((9 - hours) * HOUR, member=f"o{hours}") for hours in (2, 4)]
        row = usage.lengths(open_log(raw_log([*closed, *still_open], seconds=9 * HOUR))).iloc[0]
        assert (row["sessions"], row["censored"]) == (5, 2)
        assert (row["p25_hours"], row["median_hours"], row["p75_hours"]) == (3, 5, 5)
        assert row["naive_median_hours"] == 3

    def test_where_most_are_open_the_median_is_unknown(self) -> None:
        closed = [one for number in range(4) for one in used(0, HOUR, member=f"c{number}")]
        row = usage.lengths(open_log(raw_log([*closed, *(event(0) for _ in range(6))], seconds=9 * HOUR))).iloc[0]
        assert pd.isna(row["median_hours"])
        assert (row["p25_hours"], row["naive_median_hours"]) == (1, 1)

    def test_what_a_restart_cut_lasted_at_least_so_long(self) -> None:
        of = raw_log([*used(0, HOUR), event(0, era=1, member="bob")], seconds=9 * HOUR)
        log = open_log(RawLog(of.events, of.spans, [Era(1, "P", BEGIN, BEGIN + 2 * HOUR * SECOND)]))
        assert table(usage.lengths(log), "sessions", "censored") == [[2, 1]]

    def test_the_median_and_its_interval_are_those_of_kaplan_and_meier(self) -> None:
        random = np.random.default_rng(5)
        lasted = random.exponential(3 * HOUR, 300).astype(int)
        starts = random.integers(0, 9 * HOUR, 300)
        is_closed = starts + lasted < 10 * HOUR
        events = [
            one
            for number, (start, length) in enumerate(zip(starts.tolist(), lasted.tolist(), strict=True))
            for one in (used(start, start + length, handle=f"h{number}", source="authority"))[: 1 + is_closed[number]]
        ]
        row = usage.lengths(open_log(raw_log(events, seconds=10 * HOUR))).iloc[0]
        lengths = np.where(is_closed, lasted, 10 * HOUR - starts)
        fitted = KaplanMeierFitter().fit(lengths, is_closed)
        bounds = median_survival_times(fitted.confidence_interval_).iloc[0]
        assert row["median_hours"] * HOUR == pytest.approx(fitted.median_survival_time_)
        assert (row["lower"] * HOUR, row["upper"] * HOUR) == pytest.approx((bounds.iloc[0], bounds.iloc[1]))
        assert row["p95_hours"] * HOUR == pytest.approx(qth_survival_time(0.05, fitted.survival_function_))
        # Half of all sessions truly last longer than 3 h * ln 2 = 2.1 h; without the open ones it seems to be less.
        assert row["naive_median_hours"] < row["lower"] < 3 * np.log(2) < row["upper"]

    def test_sessions_that_are_alike_in_length_and_end_are_one_row_that_counts_them(self) -> None:
        events = [one for name in ("ann", "bob", "eve") for one in used(0, 2 * HOUR, member=name)]
        idle = [event(0, member="max"), event(3 * HOUR, "checkin", member="max", reason="idle")]
        log = open_log(raw_log([*events, *idle, event(HOUR, member="pat")], seconds=9 * HOUR))
        rows = table(usage.lasted(log).sort_values("hours"), "ended_by", "is_seen_to_end", "hours", "sessions")
        assert rows == [["checkin", True, 2, 3], ["idle", True, 3, 1], ["open", False, 8, 1]]
        assert usage.members_taken_back(log) == 1

    def test_a_quantile_of_counted_lengths_is_that_of_all_of_them(self) -> None:
        random = np.random.default_rng(3)
        for _ in range(20):
            lasted, counts = random.integers(0, 9, 6), random.integers(1, 5, 6)
            for share in (0, 0.25, 0.5, 0.99, 1):
                assert quantile(lasted, counts, share) == pytest.approx(np.quantile(np.repeat(lasted, counts), share))
        assert np.isnan(quantile([], [], 0.5))

    def test_the_share_still_open_and_its_interval_are_those_of_lifelines(self) -> None:
        random = np.random.default_rng(1)
        for _ in range(20):
            lasted = random.integers(0, 12, random.integers(1, 30))
            is_closed, counts = random.random(len(lasted)) < random.random(), random.integers(1, 4, len(lasted))
            fitted, curve = KaplanMeierFitter().fit(lasted, is_closed, weights=counts), survival(lasted, is_closed, counts)
            assert curve.times.tolist() == fitted.survival_function_.index.tolist()
            assert np.allclose(curve.share, fitted.survival_function_.iloc[:, 0])
            assert np.allclose(np.column_stack([curve.low, curve.high]), fitted.confidence_interval_)


class TestWhoUses:
    def test_days_count_from_the_last_act_of_the_member(self) -> None:
        ann = [event(0), event(DAY, "checkin"), event(3 * DAY, "denial", reason="queued")]
        bob = [event(0, member="bob"), event(4 * DAY, "checkin", member="bob", reason="idle"), event(5 * DAY, member="bob")]
        rows = usage.last_used(open_log(raw_log([*ann, *bob], seconds=10 * DAY)))
        assert table(rows, "member", "days_since", "uses", "is_held") == [["ann", 9, 1, False], ["bob", 5, 2, True]]

    def test_what_the_server_or_an_administrator_ends_is_no_sign_of_use(self) -> None:
        ends = [event(DAY, "checkin", reason="idle"), event(DAY, "release", member="bob"), event(DAY, "end", member="eve")]
        begins = [event(0), event(0, member="bob"), event(0, member="eve")]
        rows = usage.last_used(open_log(raw_log([*begins, *ends], seconds=10 * DAY)))
        assert rows["days_since"].tolist() == [10, 10, 10]
        assert not rows["is_held"].any()

    def test_it_can_be_asked_of_an_earlier_time(self) -> None:
        log = open_log(raw_log([*used(0, 4 * DAY), event(6 * DAY)], seconds=10 * DAY))
        earlier = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=BEGIN) + timedelta(days=3)
        assert table(usage.last_used(log, earlier), "days_since", "uses", "is_held") == [[3, 1, True]]

    def test_who_was_only_denied_used_nothing(self) -> None:
        assert usage.last_used(open_log(raw_log([event(0, "denial", reason="queued")]))).empty

    def test_a_package_and_its_part_in_one_second_are_one_action(self) -> None:
        pair = [event(5, feature="SUITE"), event(5, feature="PART")]
        twice = [event(9, feature="SUITE"), event(9, feature="SUITE"), event(9, feature="PART"), event(9, feature="PART")]
        others = [event(5, feature="SUITE", machine="m2"), event(6, feature="PART"), event(6, feature="PART", member="bob")]
        rows = usage.user_actions(open_log(raw_log([*pair, *twice, *others])))
        assert table(rows, "checkouts", "actions") == [[9, 6]]

    def test_requests_are_used_denied_and_unsupported(self) -> None:
        denied = [event(1, "denial", reason="-4,342 full"), event(2, "denial"), event(3, "denial", reason="unsupported")]
        rows = usage.requests(open_log(raw_log([event(0), *denied, event(4, "checkin"), event(5, "renewal")])))
        assert table(rows, "requests", "used", "denied", "unsupported") == [[4, 1, 2, 1]]

    def test_a_member_of_two_groups_counts_for_both(self) -> None:
        rows = usage.requests(open_log(raw_log([event(0, group="gis; staff"), event(1, group="gis"), event(2)])), by="group")
        assert dict(zip(rows["group"].fillna("none"), rows["requests"], strict=True)) == {"gis": 2, "staff": 1, "none": 1}
