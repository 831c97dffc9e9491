"""What is named as stuck is held against what happened next, and nothing that came after is seen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkout_log import hindsight, read, scoring, simulate, stuck
from checkout_log.columns import BORROW, TIME, WHOLE, Column, names
from checkout_log.errors import QuestionInvalid
from checkout_log.log import Log
from checkout_log.measuring import open_uses, questions, shares
from checkout_log.pairing import EXACT_SOURCES, PAIRS
from tests.notebooks.comparing import assert_same
from tests.notebooks.random_logs import BEGIN, event, many, open_log, random_logs, raw_log, together
from tests.notebooks.reference import CLOSING, DAY, OPENING, SECOND, RawLog, Span
from tests.notebooks.simulations import month
from tests.notebooks.test_pairing import ORDER, expected_rows
from tools import backtests

# An example costs its queries, however many logs it holds.
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
GOING_ON = (Column("moment", WHOLE, False, ""), Column("since", TIME, False, ""), *PAIRS)
RESTART = """\
 8:00:00 (lmgrd) FlexNet Licensing (v11.16.2.1 build 1 x64_lsb) started on lic1 (linux) (3/{day}/2026)
 8:00:00 (lmgrd) Started acmelmd (internet tcp_port 40000 pid 11)
 8:00:01 (acmelmd) Server started on lic1 for:	solver
"""
DAYS = "14:00:00 (lmgrd) TIMESTAMP 3/{day}/2026\n"


def cut_raw(of: RawLog, moment: int) -> RawLog:
    """What a log of the same servers would hold that had been read at this moment."""
    spans = [span._replace(end=max(min(span.end, moment), span.begin + 1)) for span in of.spans if span.begin <= moment]
    eras = [
        era._replace(end=None if era.end is not None and era.end > moment else era.end)
        for era in of.eras
        if era.begin <= moment
    ]
    return RawLog([one for one in of.events if one.at <= moment], spans, eras, of.timezone)


@given(random_logs(products=5), st.integers(0, 40_000 * 31))
@FEW
def test_a_log_until_a_time_is_the_log_that_was_known_then(of: RawLog, seconds: int) -> None:
    moment = BEGIN + seconds * SECOND
    log = open_log(of).until(moment)
    assert_same(log.engine.frame(log.pairs, PAIRS), expected_rows(cut_raw(of, moment)), PAIRS, ORDER)


def test_what_is_stuck_at_a_time_is_told_alike_by_the_whole_log_and_by_one_that_ends_then() -> None:
    of = many(seed=3, count=120)
    log, ends = open_log(of), of.end()
    for share in (3, 5, 8):
        moment = BEGIN + (ends - BEGIN) * share // 9
        now = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment)
        wanted = stuck.Thresholds(inactive=timedelta(hours=2), outlier_least=timedelta(minutes=5), fewest_closed=1)
        whole = stuck.find(log, now, wanted)
        pd.testing.assert_frame_equal(in_order(whole), in_order(stuck.find(open_log(cut_raw(of, moment)), now, wanted)))
        assert len(whole) > 0


LOOSE = stuck.Thresholds(
    inactive=timedelta(hours=2),
    outlier_least=timedelta(minutes=5),
    long_factor=1.0,
    long_least=timedelta(seconds=1),
    gone_silence=timedelta(minutes=1),
    fewest_closed=1,
    least_confidence=0.0,
)


def alone(log: Log, asked: list[int], wanted: stuck.Thresholds) -> list[stuck.Row]:
    """What is named at these times: each is asked of the log as it was known then, by itself. The slow reference."""
    return [row for at in asked for _use, row in stuck.named(log, open_uses.when(at), wanted)]


def assert_alike(rows: list[stuck.Row], others: list[stuck.Row]) -> None:
    """The rows are the same, whatever their order."""
    assert sorted(map(repr, rows)) == sorted(map(repr, others))
    assert rows


def test_times_that_are_asked_together_say_what_each_says_alone() -> None:
    borrow = {"mode": "borrow", "source": "authority"}
    returned = [event(10, handle="b1", until=500, **borrow), event(20, "checkin", handle="b1", source="authority")]
    longer = event(30, handle="b2", until=9_000_000, **borrow)
    of = together([many(seed=5, count=30), raw_log([*returned, longer], 1_000_000)])
    log = open_log(of)
    asked = hindsight.moments(log, 3)
    rows = [row for _use, row in stuck.named_at_each(log, asked, LOOSE)]
    assert_alike(rows, alone(log, asked, LOOSE))
    assert {row[0] for row in rows} >= {"overdue", "holder-inactive", "over-long-borrow", "outlier"}


def test_times_of_a_simulated_organization_say_what_each_says_alone(tmp_path: Path) -> None:
    """Of each kind of log that it writes, with handles and without, of several servers."""
    truth = month()
    simulate.write_logs(truth, tmp_path)
    log = read(tmp_path, timezone=truth.organization.timezone)
    asked = hindsight.moments(log, 2)
    wanted = replace(LOOSE, outlier_least=timedelta(hours=8))
    rows = [row for _use, row in stuck.named_at_each(log, asked, wanted)]
    assert_alike(rows, alone(log, asked, wanted))


@given(random_logs(products=4), st.lists(st.integers(-1, 40_000 * 31), min_size=1, max_size=3, unique=True))
@FEW
def test_what_was_held_at_a_time_is_held_by_the_log_that_was_known_then(of: RawLog, seconds: list[int]) -> None:
    """Its lengths, due times and quantities too: of what was to come nothing is seen."""
    log, asked = open_log(of), sorted(BEGIN + at * SECOND for at in seconds)
    rows = log.engine.frame(log.going_on(asked), GOING_ON)
    for at in asked:
        mine = rows[(rows["moment"] == at) & (rows["censored"] | (rows["ended_by"] == "expiry"))]
        expected = [
            row for row in expected_rows(cut_raw(of, at)) if row["started"] and (row["censored"] or row["ended_by"] == "expiry")
        ]
        begun = {span.product for span in of.spans if span.begin <= at}
        assert_same(mine[mine["product"].isin(begun)], [row for row in expected if row["product"] in begun], PAIRS, ORDER)


def test_a_part_of_a_log_is_looked_at_as_a_part() -> None:
    of = many(seed=5, count=20)
    log = open_log(of).only(since=BEGIN + 100_000 * SECOND, features=["F"])
    asked = hindsight.moments(log, 2)
    assert_alike([row for _use, row in stuck.named_at_each(log, asked, LOOSE)], alone(log, asked, LOOSE))


def left_open(of: RawLog) -> dict[tuple[object, ...], list[int]]:
    """The starts of the units of each user that are open when every end takes the newest, one by one: the slow reference."""
    running = {0, *(era.era for era in of.eras if era.end is None)}
    opened: dict[tuple[object, ...], list[int]] = {}
    for one in sorted(of.events, key=lambda one: (one.at, one.segment, one.line)):
        if one.handle is not None or one.member is None or one.machine is None or one.era not in running:
            continue
        units = opened.setdefault((one.product, one.feature, one.member, one.machine, one.era), [])
        if one.event in OPENING:
            units += [one.at] * one.quantity
        elif one.event in CLOSING:
            del units[max(0, len(units) - one.quantity) :]
    return {key: units for key, units in opened.items() if units}


def test_since_when_something_is_open_without_a_pause_is_told_as_if_each_end_took_the_newest() -> None:
    of = many(seed=7, count=80)
    log, starts = open_log(of), left_open(of)
    rows = log.engine.frame(log.going_on([of.end()]), GOING_ON)
    oldest: dict[tuple[object, ...], list[int]] = {}
    for row in rows[rows["handle"].isna() & rows["censored"]].sort_values("start").itertuples():
        key = (row.product, row.feature, row.member, row.machine, row.era)
        if key in starts:
            # The first of its units is the one that may have been open for longest.
            turns = oldest.setdefault(key, [])
            assert row.since.value // 1_000 == starts[key][len(turns)]
            turns += [row.since.value // 1_000] * row.quantity
        else:
            assert row.since == row.start
    assert max(map(len, oldest.values())) > 2
    assert (rows["since"] < rows["start"]).any()


def test_only_what_is_old_enough_is_held_and_what_its_handle_or_its_due_time_tells() -> None:
    log, least = open_log(many(seed=3, count=30)), timedelta(days=2)
    asked = questions.nows_at(log, hindsight.moments(log, 5))
    every, old = open_uses.held(log, asked), open_uses.held(log, asked, least)
    assert list(every) == list(old) == sorted(set(asked["moment"]))
    for at, uses in every.items():
        tells = [use for use in uses if use.now - use.since >= least or use.mode == BORROW or use.source in EXACT_SOURCES]
        assert old[at] == tells
    assert 0 < sum(map(len, old.values())) < sum(map(len, every.values()))


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows in an order of their own, where several are equally bad."""
    return frame.sort_values(list(frame.columns), ignore_index=True)


def test_a_file_that_is_cut_at_a_time_tells_the_same_as_the_whole_one_at_that_time(tmp_path: Path) -> None:
    """The text itself is cut: what stands after the time is not there to be seen."""
    truth = simulate.run(simulate.Organization(), 7)
    (tmp_path / "whole").mkdir()
    (path,) = simulate.write_flexnet(truth, tmp_path / "whole")
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    cut = tmp_path / "cut.log"
    cut.write_text("".join(lines[: len(lines) * 2 // 3]), encoding="utf-8")
    zone = truth.organization.timezone
    early = read(cut, timezone=zone)
    now = early.quality()["end"].max().to_pydatetime()
    wanted = stuck.Thresholds(inactive=timedelta(minutes=5), least_confidence=0.0)
    whole = stuck.find(read(path, timezone=zone), now, wanted)
    assert len(whole) > 0
    pd.testing.assert_frame_equal(in_order(whole), in_order(stuck.find(early, now, wanted)))


def test_a_restart_that_lies_after_the_time_is_not_seen(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    first = RESTART.format(day=2) + ' 8:10:00 (acmelmd) OUT: "solver" ann@pc-1  \n'
    path.write_text(first + "".join(DAYS.format(day=day) for day in range(2, 5)) + RESTART.format(day=5), encoding="utf-8")
    log = read(path)
    assert stuck.find(log, datetime(2026, 3, 4, tzinfo=UTC)).empty
    assert stuck.find(log).empty


def test_a_job_on_another_node_has_not_taken_the_place_of_the_first(tmp_path: Path) -> None:
    path = tmp_path / "debug.log"
    path.write_text(
        " 8:00:00 (lmgrd) TIMESTAMP 3/2/2026\n"
        ' 8:10:00 (acmelmd) OUT: "solver" hpcuser@node-1  \n'
        " 8:00:00 (lmgrd) TIMESTAMP 3/3/2026\n"
        ' 8:10:00 (acmelmd) OUT: "solver" hpcuser@node-2  \n'
        " 8:00:00 (lmgrd) TIMESTAMP 3/4/2026\n"
        ' 9:10:00 (acmelmd) IN: "solver" hpcuser@node-2  \n'
        + "".join(f" 8:00:00 (lmgrd) TIMESTAMP 3/{day}/2026\n" for day in range(5, 9)),
        encoding="utf-8",
    )
    assert stuck.find(read(path)).empty


class TestWhatBecameOfIt:
    """Uses of 40 silent days, each ended in another way; asked about once, in the middle."""

    ENDINGS: tuple[tuple[str | None, dict[str, str], str], ...] = (
        ("checkin", {}, "returned"),
        ("checkin", {"reason": "idle"}, "taken_back"),
        ("checkin", {"reason": "shutdown"}, "restarted"),
        ("release", {}, "taken_back"),
        (None, {}, "open"),
    )

    def log(self) -> RawLog:
        events = []
        for number, (kind, fields, _) in enumerate(self.ENDINGS):
            who = {"member": f"u{number}", "machine": f"m{number}"}
            events.append(event(number, **who))
            if kind is not None:
                events.append(event(70 * 86_400, kind, **who, **fields))
        return raw_log(events, 90 * 86_400)

    def test_each_use_that_was_named_is_counted_once_by_its_fate(self) -> None:
        (row,) = scoring.backtest(open_log(self.log()), times=1).to_dict("records")
        counts = [row[name] for name in ("cause", "named", "returned", "taken_back", "restarted", "open")]
        assert counts == ["holder-inactive", 5, 1, 2, 1, 1]
        assert row["precision"] == 0.8

    def test_what_was_left_and_named_and_whether_confidences_are_what_they_say(self) -> None:
        """A fifth that hung for two days is too young to be named; of what a restart ended nobody knows whether it was left."""
        of = self.log()
        young = [
            event(39 * 86_400, member="young", machine="y"),
            event(85 * 86_400, "checkin", member="young", machine="y", reason="idle"),
        ]
        log = open_log(replace(of, events=[*of.events, *young]))
        (of_cause, of_any) = scoring.recall(log, times=1).to_dict("records")
        assert [of_cause[name] for name in ("cause", "left", "named", "recall")] == ["holder-inactive", 4, 3, 0.75]
        assert of_any | {"cause": "holder-inactive"} == of_cause
        assert (of_any["low"], of_any["high"]) == shares.wilson(3, 4)
        (row,) = scoring.calibration(log, times=1).to_dict("records")
        assert [row[name] for name in ("confidence", "named", "expected", "right", "agrees")] == [0.5, 5, 0.5, 0.8, True]
        assert (row["low"], row["high"]) == shares.wilson(4, 5)
        # Of many that are said to be likely and are returned, it does not agree.
        sure = [event(number, member=f"s{number}", machine=f"s{number}") for number in range(20)]
        back = [event(80 * 86_400 + number, "checkin", member=f"s{number}", machine=f"s{number}") for number in range(20)]
        (row,) = scoring.calibration(open_log(raw_log([*sure, *back], 90 * 86_400)), times=1).to_dict("records")
        assert (row["right"], row["agrees"]) == (0, False)

    def test_the_table_of_the_documentation_has_a_row_for_a_log(self) -> None:
        row = backtests.row("x.log", open_log(self.log()), times=1)
        assert row == "| x.log | 5 | 1 | 5 | 1 | 4 of 5: 38 % to 96 % | 3 of 3: 44 % to 100 % |"
        assert row.count("|") == backtests.HEAD[0].count("|")

    def test_each_use_is_counted_once_however_often_it_was_named(self) -> None:
        table = scoring.backtest(open_log(self.log()), times=12)
        assert table.groupby("cause")["named"].max().tolist() == [5]
        assert (table["named"] == table[["returned", "taken_back", "restarted", "open"]].sum(axis=1)).all()

    def test_what_is_named_in_the_last_week_is_not_asked_about(self) -> None:
        log = open_log(self.log())
        assert BEGIN + 81 * DAY < max(hindsight.moments(log, 24)) <= BEGIN + 83 * DAY

    def test_a_short_log_is_asked_no_more_often_than_it_has_moments(self) -> None:
        assert hindsight.moments(open_log(RawLog([event(0)], [Span("P", BEGIN, BEGIN + 4)])), 24) == [
            BEGIN,
            BEGIN + 1,
            BEGIN + 2,
        ]

    def test_the_columns_are_these_also_where_nothing_was_named(self) -> None:
        table = scoring.backtest(open_log(raw_log([event(1), event(2, "checkin")])), times=2)
        assert list(table.columns) == names(scoring.BACKTEST)
        assert table.empty
        log = open_log(raw_log([event(1), event(2, "checkin")]))
        for measure, columns in ((scoring.recall, scoring.RECALL), (scoring.calibration, scoring.CALIBRATION)):
            table = measure(log, times=2)
            assert list(table.columns) == names(columns)
            assert table.empty

    @pytest.mark.parametrize("times", [0, -1, 1.5, True])
    def test_a_number_of_times_that_makes_no_sense_is_refused(self, times: int) -> None:
        with pytest.raises(QuestionInvalid):
            scoring.backtest(open_log(self.log()), times=times)

    def test_a_log_without_time_has_no_rows(self) -> None:
        assert scoring.backtest(open_log(RawLog([event(0)], [Span("P", BEGIN, BEGIN + 1)]))).empty


def test_the_interval_of_a_share_is_wilsons() -> None:
    """Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, and 0 of 20."""
    assert shares.wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert shares.wilson(0, 20) == pytest.approx((0, 0.1611), abs=5e-5)
    assert shares.wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)
