"""Denials: storms of retries are one wait, and only a lack of seats counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from checkout_log import denials, read
from tests.notebooks.random_logs import BEGIN, event, open_log, raw_log
from tests.notebooks.reference import SECOND, Event, RawLog, Span
from tests.support.server_log import ServerLog

FULL = "-4,342 Licensed number of users already reached"
MINUTE = 60


def denied(*at: int, **fields: object) -> list[Event]:
    """Denials so many seconds after BEGIN."""
    return [event(second, "denial", **({"reason": FULL} | fields)) for second in at]


def episodes(events: list[Event], **fields: str) -> pd.DataFrame:
    return denials.episodes(open_log(raw_log(events, seconds=10_000)), **fields)


class TestEpisodes:
    def test_a_storm_of_retries_is_one_wait(self) -> None:
        rows = episodes(denied(*range(0, 3_600, 45)))
        assert rows[["lines", "machines", "quantity"]].to_numpy().tolist() == [[80, 1, 1]]
        assert (rows["last_at"] - rows["first_at"]).tolist() == [pd.Timedelta(seconds=3_555)]

    def test_a_pause_of_five_minutes_goes_on_and_a_longer_one_does_not(self) -> None:
        assert len(episodes(denied(0, 300))) == 1
        assert len(episodes(denied(0, 301))) == 2

    def test_the_gap_can_be_another(self) -> None:
        assert len(episodes(denied(0, 60, 121), gap="1min")) == 2

    def test_others_and_other_features_wait_for_themselves(self) -> None:
        assert len(episodes([*denied(0, 20), *denied(10, 30, member="bob"), *denied(15, 35, feature="G")])) == 3

    def test_a_member_waits_once_on_several_machines_unless_they_are_told_apart(self) -> None:
        events = [*denied(0, 60), *denied(30, machine="m2", quantity=4)]
        assert episodes(events)[["lines", "machines", "quantity"]].to_numpy().tolist() == [[3, 2, 4]]
        assert episodes(events, by="machine")["machine"].tolist() == ["m1", "m2"]

    @pytest.mark.parametrize(
        ("taken", "got_it"),
        [
            (event(60), True),
            (event(360), True),
            (event(360, machine="m2"), True),
            (event(361), False),
            (event(59), False),
            (event(100, member="bob"), False),
            (event(100, feature="G"), False),
            (event(100, "renewal"), False),
        ],
    )
    def test_who_gets_the_license_soon_after_was_not_lost(self, taken: Event, got_it: bool) -> None:
        log = open_log(raw_log([*denied(0, 60), taken]))
        assert denials.episodes(log)["got_it"].tolist() == [got_it]
        assert denials.counts(log)["lost"].tolist() == [int(not got_it)]


class TestCounts:
    def test_lines_episodes_and_user_days_stand_side_by_side(self) -> None:
        storm = denied(*range(0, 1_800, 60))
        later = denied(*range(6_000, 6_600, 60))
        row = denials.counts(open_log(raw_log([*storm, *later, *denied(10, member="bob")], seconds=10_000))).iloc[0]
        assert (row["raw"], row["episodes"], row["user_days"], row["lost"]) == (41, 3, 2, 3)

    def test_days_are_those_of_the_license_server(self) -> None:
        # 22:30 and 23:30 in UTC: half an hour before and after midnight in Berlin.
        of = raw_log(denied(37_800, 41_400), seconds=50_000)
        assert denials.counts(open_log(of))["user_days"].tolist() == [1]
        assert denials.counts(open_log(RawLog(of.events, of.spans, [], "Europe/Berlin")))["user_days"].tolist() == [2]

    @pytest.mark.parametrize(
        ("column", "fields"),
        [
            ("raw", {"reason": FULL}),
            ("raw", {"reason": "-24,332 Users are queued for this feature"}),
            ("raw", {"reason": "All licenses are reserved for others"}),
            ("raw", {"reason": "Licensed number of users already reached"}),
            ("raw", {"reason": "queued", "source": "lmstat"}),
            ("raw", {"reason": "-22", "source": "rlm"}),
            ("raw", {"reason": "pool-exhausted", "source": "authority"}),
            ("unsupported", {"reason": "unsupported"}),
            ("unexplained", {"reason": None}),
            ("other", {"reason": "-5,346 No such feature exists"}),
            ("other", {"reason": "-18,327 License server system does not support this feature"}),
            ("other", {"reason": "-4", "source": "rlm"}),
            ("other", {"reason": "-22,1", "source": "flexnet"}),
            ("other", {"reason": "not-assigned", "source": "authority"}),
        ],
    )
    def test_only_some_reasons_mean_a_lack_of_seats(self, column: str, fields: dict[str, object]) -> None:
        log = open_log(raw_log(denied(5, **fields)))
        row = denials.counts(log).iloc[0]
        kinds = ("raw", "unexplained", "other", "unsupported")
        assert {name: int(row[name]) for name in kinds} == {name: int(name == column) for name in kinds}
        assert len(denials.episodes(log)) == row["episodes"] == (column == "raw")

    def test_a_feature_that_was_never_denied_has_no_row(self) -> None:
        assert denials.counts(open_log(raw_log([event(0)]))).empty


def test_a_storm_in_the_log_of_a_server_is_one_wait_and_probes_are_none(tmp_path: Path) -> None:
    begin = datetime(2022, 5, 5, 8, tzinfo=UTC)
    log = ServerLog(ZoneInfo("UTC"))
    log.start(begin)
    for number in range(30):
        at = begin + timedelta(hours=1, seconds=70 * number)
        log.say(at, 'DENIED: "F1" ann@pc1  (Licensed number of users already reached. (-4,342:104 "Connection reset by peer"))')
        log.say(at, 'UNSUPPORTED: "F1" (BF04) bob@pc2  (No such feature exists. (-5,346))')
    log.say(begin + timedelta(hours=2), 'OUT: "F1" ann@pc1  ')
    row = denials.counts(read(log.save(tmp_path / "x"))).iloc[0]
    assert (row["raw"], row["episodes"], row["unsupported"]) == (30, 1, 30)
    assert (row["user_days"], row["lost"]) == (1, 1)


def test_times_of_an_episode_are_those_of_its_first_and_last_line() -> None:
    of = RawLog(denied(1, 2), [Span("P", BEGIN, BEGIN + 9 * SECOND)])
    row = denials.episodes(open_log(of)).iloc[0]
    assert [int(row[name].value) // 1_000 - BEGIN for name in ("first_at", "last_at")] == [1 * SECOND, 2 * SECOND]
