"""How many seats are enough, and what a shorter longest borrow gives back, worked out by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from checkout_log import sizing
from tests.notebooks.random_logs import event, open_log, raw_log
from tests.notebooks.reference import Event

DAY = 86_400
FULL = "-4,342 Licensed number of users already reached"


def enough(*events: Event, **fields: object) -> pd.DataFrame:
    """What it says of each number of seats in a log of a hundred seconds."""
    return sizing.enough(open_log(raw_log(list(events), seconds=100)), **fields).set_index("seats")  # type: ignore[arg-type]


def denied(at: int, **fields: object) -> Event:
    return event(at, "denial", **({"reason": FULL} | fields))


class TestEnough:
    def test_seats_that_are_exceeded_for_some_of_the_time(self) -> None:
        held = [event(0), event(10, member="bob"), event(40, "checkin"), event(20, "checkin", member="bob")]
        rows = enough(*held)
        assert rows["exceeded"].to_dict() == {1: 0.1, 2: 0.0}
        assert rows["episodes"].tolist() == [0, 0]

    def test_whoever_waits_needs_a_seat_beside_those_in_use(self) -> None:
        rows = enough(event(0), event(1, member="bob"), denied(50, member="eve"))
        assert rows["unmet"].to_dict() == {1: 1, 2: 1, 3: 0}

    def test_a_request_for_several_needs_as_many(self) -> None:
        assert enough(event(0), denied(50, member="eve", quantity=3))["unmet"].to_dict() == {1: 1, 2: 1, 3: 1, 4: 0}

    def test_who_waits_at_the_same_time_needs_a_seat_beside_the_other(self) -> None:
        """Bob waits from 50 to 70 and Eve from 60 on: Bob needed a second seat, Eve a third."""
        rows = enough(event(0), denied(50, member="bob"), denied(60, member="eve"), denied(70, member="bob"))
        assert rows["unmet"].to_dict() == {1: 2, 2: 1, 3: 0}

    def test_who_waits_afterwards_can_have_the_same_seat(self) -> None:
        rows = enough(event(0), denied(50, member="bob"), denied(60, member="eve"), gap="1s")
        assert rows["unmet"].to_dict() == {1: 2, 2: 0}

    def test_a_seat_given_back_in_the_second_of_the_denial_was_taken_before(self) -> None:
        rows = enough(event(0), denied(50, member="bob"), event(50, "checkin"))
        assert rows["unmet"].to_dict() == {1: 1, 2: 0}

    def test_probes_and_rules_need_no_seat(self) -> None:
        rows = enough(event(0), denied(50, reason="unsupported"), denied(60, reason="-18,327 not served"))
        assert rows[["episodes", "unmet"]].to_numpy().tolist() == [[0, 0]]

    def test_other_numbers_can_be_asked_for(self) -> None:
        assert enough(event(0), event(0, member="bob"), seats=[5, 0, 1])["exceeded"].to_dict() == {0: 1, 1: 1, 5: 0}

    def test_machines_can_count_as_one(self) -> None:
        assert enough(event(0), event(0, member="bob"), license="machine").index.tolist() == [1]

    def test_where_no_time_was_observed_no_share_is_given(self) -> None:
        log = open_log(raw_log([event(0), event(0, "checkin")], seconds=0))
        rows = sizing.enough(log, seats=[0, 1])
        assert rows[["exceeded", "lower", "upper"]].isna().all(axis=None)


def on(day: float, kind: str = "checkout", **fields: object) -> Event:
    """An event of a borrow so many days after the log began."""
    usual: dict[str, object] = {"mode": "borrow", "handle": "b", "source": "authority", "until": 90 * DAY}
    return event(int(day * DAY), kind, **(usual | fields))


def what_if(*events: Event, longest: int = 3) -> dict[str, float]:
    (row,) = sizing.what_if(open_log(raw_log(list(events), seconds=30 * DAY)), longest).to_dict("records")
    return {str(name): value for name, value in row.items() if name not in ("product", "feature")}


GIVEN_BACK = ("seat_days", "given_back", "lower", "upper")


class TestWhatIf:
    @pytest.mark.parametrize(
        ("more", "expected", "used_beyond"),
        [
            ([], (10, 7, 7, 7), 0),
            # A checkout at the same machine on day 5 keeps the seat until then; if anybody, until the end.
            ([event(6 * DAY)], (10, 5, 0, 7), 1),
            ([event(6 * DAY, machine="m2")], (10, 7, 7, 7), 0),
            ([event(6 * DAY, member="bob")], (10, 7, 7, 7), 0),
            ([event(3 * DAY)], (10, 7, 7, 7), 0),
            # Renewed on day 4: of two parts of 4 and 6 days one and three are given back; the renewal is a sign of wanting it on.
            ([on(5, "renewal")], (10, 3, 3, 4), 1),
        ],
        ids=["silence", "a sign", "elsewhere", "another", "before", "renewed"],
    )
    def test_a_borrow_of_ten_days_gives_back_what_is_longer_than_three(
        self, more: list[Event], expected: tuple[float, ...], used_beyond: int
    ) -> None:
        rows = what_if(on(1), *more, on(11, "checkin"))
        assert tuple(rows[name] for name in GIVEN_BACK) == pytest.approx(expected)
        assert (rows["borrows"], rows["shortened"], rows["used_beyond"]) == (1, 1, used_beyond)

    def test_a_borrow_that_is_short_enough_gives_back_nothing(self) -> None:
        rows = what_if(on(1), on(4, "checkin"))
        assert tuple(rows[name] for name in GIVEN_BACK) == (3, 0, 0, 0)
        assert rows["shortened"] == 0

    def test_what_was_given_back_in_the_last_moment_is_not_what_is_still_out_then(self) -> None:
        out = on(1, quantity=2, source="flexnet", handle=None, until=None)
        rows = what_if(out, on(30, "checkin", source="flexnet", handle=None, until=None))
        assert (rows["borrows"], rows["shortened"]) == (2, 2)

    def test_several_seats_are_given_back_together(self) -> None:
        assert what_if(on(1, quantity=4), on(11, "checkin", quantity=4))["given_back"] == 28

    def test_what_is_still_out_counts_up_to_the_end_of_the_log(self) -> None:
        rows = what_if(on(20))
        assert tuple(rows[name] for name in GIVEN_BACK) == (10, 7, 7, 7)

    def test_the_peak_goes_down_where_borrows_overlapped_by_the_surplus_alone(self) -> None:
        first = [on(1), on(11, "checkin")]
        second = [on(5, handle="c", member="bob"), on(9, "checkin", handle="c", member="bob")]
        session = [event(6 * DAY, member="eve"), event(7 * DAY, "checkin", member="eve")]
        rows = what_if(*first, *second, *session)
        assert (rows["peak_before"], rows["peak_after"], rows["peak_after_lower"], rows["peak_after_upper"]) == (3, 2, 2, 2)
        # A sign of the first on day 10 would have kept its seat: at least, at most, and by the last sign.
        rows = what_if(*first, *second, *session, event(10 * DAY, feature="G", mode="session"))
        assert (rows["peak_before"], rows["peak_after"], rows["peak_after_lower"], rows["peak_after_upper"]) == (3, 3, 2, 3)

    def test_features_without_borrows_have_no_row(self) -> None:
        assert sizing.what_if(open_log(raw_log([event(0)])), 3).empty
