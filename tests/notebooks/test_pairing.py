"""Events become sessions as the definitions say."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from time import process_time

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from checkout_log.columns import names
from checkout_log.pairing import PAIRS
from checkout_log.reading import read
from tests.bench.analysing import server_log
from tests.notebooks.comparing import assert_same
from tests.notebooks.random_logs import BEGIN, event, many, open_log, random_logs, raw_log
from tests.notebooks.reference import SECOND, Era, RawLog

# An example costs its queries, however many logs it holds.
FEW = settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
ORDER = names(PAIRS)


def paired(of: RawLog) -> pd.DataFrame:
    """The pairs of a raw log, times in seconds after BEGIN, in order."""
    log = open_log(of)
    frame = log.engine.frame(log.pairs, PAIRS)
    for name in ("start", "end", "until", "last_at"):
        frame[name] = (frame[name] - pd.Timestamp(BEGIN * 1_000, tz="UTC")).dt.total_seconds()
    return frame.sort_values(["start", "end", "handle"], ignore_index=True)


def sessions(of: RawLog) -> list[tuple[float, float, int, str]]:
    """Start, end, quantity and ending of the sessions."""
    frame = paired(of)
    return list(frame.loc[frame["started"], ["start", "end", "quantity", "ended_by"]].itertuples(index=False, name=None))


def in_run(events: list[tuple[int, str]], **given_: object) -> RawLog:
    """Events of one run of the license server, which ends after 500 seconds."""
    numbered = raw_log([event(at, kind, era=1, **given_) for at, kind in events])
    return RawLog(numbered.events, numbered.spans, [Era(1, "P", BEGIN, BEGIN + 500 * SECOND)])


class TestFirstOutFirstIn:
    def test_an_in_closes_the_oldest_out_of_the_same_user_on_the_same_host(self) -> None:
        assert sessions(raw_log([event(1), event(2), event(5, "checkin"), event(9, "checkin")])) == [
            (1, 5, 1, "checkin"),
            (2, 9, 1, "checkin"),
        ]

    def test_another_host_or_user_or_feature_is_another_queue(self) -> None:
        events = [event(1), event(2, machine="m2"), event(3, member="bob"), event(4, feature="G")]
        assert sessions(raw_log([*events, event(5, "checkin", machine="m2")])) == [
            (1, 1_000, 1, "open"),
            (2, 5, 1, "checkin"),
            (3, 1_000, 1, "open"),
            (4, 1_000, 1, "open"),
        ]

    def test_an_in_of_two_ends_part_of_an_out_of_three(self) -> None:
        assert sessions(raw_log([event(1, quantity=3), event(5, "checkin", quantity=2), event(6, "checkin")])) == [
            (1, 5, 2, "checkin"),
            (1, 6, 1, "checkin"),
        ]

    def test_an_in_of_two_ends_two_outs_of_one(self) -> None:
        assert sessions(raw_log([event(1), event(2), event(5, "checkin", quantity=2)])) == [
            (1, 5, 1, "checkin"),
            (2, 5, 1, "checkin"),
        ]

    def test_an_upgrade_adds_units_to_the_queue(self) -> None:
        assert sessions(raw_log([event(1), event(3, "upgrade", quantity=2), event(5, "checkin", quantity=3)])) == [
            (1, 5, 1, "checkin"),
            (3, 5, 2, "checkin"),
        ]

    def test_events_of_one_moment_pair_in_the_order_of_lines(self) -> None:
        assert sessions(raw_log([event(1), event(5, "checkin"), event(5), event(7, "checkin")])) == [
            (1, 5, 1, "checkin"),
            (5, 7, 1, "checkin"),
        ]

    def test_which_one_ended_is_ambiguous_while_a_newer_one_is_open(self) -> None:
        rows = paired(raw_log([event(1), event(2), event(5, "checkin"), event(6), event(7, "checkin"), event(9, "checkin")]))
        assert rows[["start", "ambiguous", "undated"]].to_numpy().tolist() == [
            [1, True, False],
            [2, True, False],
            [6, False, False],
        ]

    def test_a_handle_that_is_used_again_is_part_of_the_queue(self) -> None:
        events = [
            event(1, handle="a", source="rlm"),
            event(2, handle="b", source="rlm"),
            event(3, "checkin", handle="b", source="rlm"),
        ]
        assert sessions(raw_log([*events, event(4, handle="b", source="rlm")])) == [
            (1, 1_000, 1, "open"),
            (2, 3, 1, "checkin"),
            (4, 1_000, 1, "open"),
        ]


class TestWhatHasNoStart:
    def test_an_in_without_an_out_is_no_session(self) -> None:
        assert sessions(raw_log([event(3, "checkin"), event(5), event(7, "checkin")])) == [(5, 7, 1, "checkin")]

    def test_it_was_open_since_the_log_began(self) -> None:
        rows = paired(raw_log([event(3, "checkin", quantity=2)]))
        assert rows[["start", "end", "quantity", "started"]].to_numpy().tolist() == [[0, 3, 2, False]]

    def test_it_was_open_since_the_run_of_the_server_began(self) -> None:
        of = raw_log([event(3, "checkin", era=1)])
        rows = paired(RawLog(of.events, of.spans, [Era(1, "P", BEGIN + 2 * SECOND, None)]))
        assert rows[["start", "end"]].to_numpy().tolist() == [[2, 3]]

    def test_an_in_of_three_after_an_out_of_one_has_two_without_a_start(self) -> None:
        rows = paired(raw_log([event(2), event(5, "checkin", quantity=3)]))
        assert rows[["start", "end", "quantity", "started"]].to_numpy().tolist() == [[0, 5, 2, False], [2, 5, 1, True]]

    def test_a_borrow_that_was_renewed_only_was_out_since_the_log_began(self) -> None:
        of = raw_log([event(3, "renewal", mode="borrow", handle="b", source="authority", until=50)])
        assert paired(of)[["start", "end", "ended_by", "started"]].to_numpy().tolist() == [[0, 50, "expiry", False]]


class TestEndings:
    def test_the_reason_of_an_in_tells_an_idle_time_out_and_a_shutdown(self) -> None:
        events = [event(1), event(2, "checkin", reason="idle"), event(3), event(4, "checkin", reason="shutdown")]
        assert [row[3] for row in sessions(raw_log(events))] == ["idle", "shutdown"]

    def test_an_administrator_releases_or_ends(self) -> None:
        events = [event(1), event(2, "release", reason="lost"), event(3), event(4, "end", reason="idle")]
        assert [row[3] for row in sessions(raw_log(events))] == ["release", "end"]

    def test_a_restart_cuts_what_is_open(self) -> None:
        rows = paired(in_run([(1, "checkout")]))
        assert rows[["end", "ended_by", "cut", "censored"]].to_numpy().tolist() == [[500, "restart", True, False]]

    def test_an_in_after_a_restart_ends_nothing_from_before(self) -> None:
        of = raw_log([event(1, era=1), event(600, "checkin", era=2)])
        eras = [Era(1, "P", BEGIN, BEGIN + 500 * SECOND), Era(2, "P", BEGIN + 500 * SECOND, None)]
        assert paired(RawLog(of.events, of.spans, eras))[["start", "end", "started"]].to_numpy().tolist() == [
            [1, 500, True],
            [500, 600, False],
        ]

    def test_a_borrow_outlasts_a_restart(self) -> None:
        of = raw_log([event(1, mode="borrow", source="rlm", until=9_000, era=1)])
        eras = [Era(1, "P", BEGIN, BEGIN + 500 * SECOND), Era(2, "P", BEGIN + 500 * SECOND, None)]
        rows = paired(RawLog(of.events, of.spans, eras))
        assert rows[["end", "ended_by", "cut", "censored"]].to_numpy().tolist() == [[1_000, "open", False, True]]

    def test_a_session_that_is_taken_along_later_is_a_borrow(self) -> None:
        of = raw_log(
            [event(1, source="rlm", handle="a"), event(2, "renewal", mode="borrow", source="rlm", handle="a", until=60)]
        )
        assert paired(of)[["end", "mode", "ended_by"]].to_numpy().tolist() == [[60, "borrow", "expiry"]]

    def test_what_was_given_back_is_not_renewed(self) -> None:
        back = [event(1, source="rlm", handle="a"), event(2, "checkin", source="rlm", handle="a")]
        late = event(3, "renewal", mode="borrow", source="rlm", handle="a", until=60)
        rows = paired(raw_log([*back, late]))
        assert rows[["end", "mode", "last_at"]].to_numpy().tolist() == [[2, "session", 2]]
        again = event(4, source="rlm", handle="a")
        assert paired(raw_log([*back, again, late._replace(at=late.at + 2 * SECOND)]))["mode"].tolist() == ["session", "borrow"]

    def test_what_is_open_lasts_at_least_to_the_end_of_the_log(self) -> None:
        rows = paired(raw_log([event(1)], seconds=77))
        assert rows[["end", "ended_by", "cut", "censored"]].to_numpy().tolist() == [[77, "open", False, True]]


class TestBorrows:
    def borrow(self, *events: tuple[int, str, int], seconds: int = 1_000) -> list[tuple[float, float, int, str]]:
        return sessions(
            raw_log(
                [event(at, kind, mode="borrow", handle="b", source="authority", until=until) for at, kind, until in events],
                seconds,
            )
        )

    def test_a_borrow_that_nobody_returns_ends_when_it_is_due(self) -> None:
        assert self.borrow((1, "checkout", 50)) == [(1, 50, 1, "expiry")]

    def test_a_renewal_moves_the_due_time(self) -> None:
        assert self.borrow((1, "checkout", 50), (9, "renewal", 80)) == [(1, 80, 1, "expiry")]

    def test_a_revoked_borrow_keeps_its_seat_until_it_is_due(self) -> None:
        assert self.borrow((1, "checkout", 50), (9, "revocation", 50)) == [(1, 50, 1, "revocation")]

    def test_a_revoked_borrow_can_be_released(self) -> None:
        assert self.borrow((1, "checkout", 50), (9, "revocation", 50), (20, "release", 50)) == [(1, 20, 1, "release")]

    @pytest.mark.parametrize(
        ("before", "end"), [((), (50, "expiry")), (((20, "release", 50),), (20, "release"))], ids=["by time", "released"]
    )
    def test_a_receipt_that_comes_late_ends_nothing(
        self, before: tuple[tuple[int, str, int], ...], end: tuple[float, str]
    ) -> None:
        """It moves no seat: the quantity of its row is 0."""
        acts = [event(at, kind, mode="borrow", handle="b", source="authority", until=due) for at, kind, due in before]
        out = event(1, mode="borrow", handle="b", source="authority", until=50)
        late = event(70, "checkin", mode="borrow", handle="b", source="authority", until=50, quantity=0)
        assert sessions(raw_log([out, *acts, late])) == [(1, end[0], 1, end[1])]

    def test_a_borrow_that_is_not_yet_due_is_open(self) -> None:
        assert self.borrow((1, "checkout", 5_000)) == [(1, 1_000, 1, "open")]

    def test_rows_of_the_authority_need_no_order(self) -> None:
        assert self.borrow((9, "checkin", 50), (1, "checkout", 50)) == [(1, 9, 1, "checkin")]

    def test_an_end_before_the_start_has_no_length_and_is_ambiguous(self) -> None:
        rows = paired(raw_log([event(9, handle="s", source="authority"), event(5, "end", handle="s", source="authority")]))
        assert rows[["start", "end", "ambiguous"]].to_numpy().tolist() == [[9, 9, True]]


@given(random_logs(products=6))
@FEW
def test_pairs_are_those_of_the_reference(of: RawLog) -> None:
    log = open_log(of)
    assert_same(log.engine.frame(log.pairs, PAIRS), expected_rows(of), PAIRS, ORDER)


def test_pairs_of_many_logs_at_once_are_those_of_the_reference() -> None:
    of = many(seed=1, count=300)
    log = open_log(of)
    assert_same(log.engine.frame(log.pairs, PAIRS), expected_rows(of), PAIRS, ORDER)


def expected_rows(of: RawLog) -> list[dict[str, object]]:
    """The pairs that the reference gives, as rows of PAIRS."""
    rows = [asdict(use) for use in of.uses]
    for row in rows:
        for name in ("start", "end", "until", "last_at"):
            row[name] = None if row[name] is None else pd.Timestamp(row[name] * 1_000, tz="UTC")
    return rows


@given(random_logs(products=6), st.sampled_from((2, 21_000, 10**9)))
@FEW
def test_units_are_counted_and_never_written_out(of: RawLog, times: int) -> None:
    """With so many times the units the same uses come out, with so many times the quantity: the reference is asked about one."""
    events = [one._replace(quantity=one.quantity * times) for one in of.events]
    log = open_log(replace(of, events=events))
    rows = [row | {"quantity": int(str(row["quantity"])) * times} for row in expected_rows(of)]
    assert_same(log.engine.frame(log.pairs, PAIRS), rows, PAIRS, ORDER)


def test_many_units_cost_what_one_does(tmp_path: Path) -> None:
    seconds = []
    for tokens in (1, 1, 999_999):
        path = tmp_path / "debug.log"
        path.write_text(server_log(300, tokens), encoding="utf-8")
        log, begin = read(path), process_time()
        sessions = log.sessions()
        seconds.append(process_time() - begin)
        assert len(sessions) == 300
        assert set(sessions["quantity"]) == {tokens}
    # The first run pays for what is loaded once. A row for each unit would take minutes.
    assert seconds[2] < 3 * seconds[1] + 1


def test_sessions_are_the_started_pairs_in_order_of_start() -> None:
    log = open_log(many(seed=2, count=30))
    rows = log.sessions()
    assert len(rows) == int(log.pairs.started.sum().execute())
    assert rows["start"].is_monotonic_increasing
