"""The four endings of a borrow and when its seat is free, with values alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authority.domain import endings as rules
from authority.domain.borrows import Borrow, Ending
from authority.domain.refusals import BorrowAlreadyEnded, NotAllowed, OverlapNotAccepted
from tests.support.values import NOW, a_borrow, a_receipt

DAY = timedelta(days=1)
ACTS = ("check in", "revoke", "release")


def act(name: str, borrow: Borrow, at: datetime) -> Borrow:
    if name == "check in":
        return rules.checked_in(borrow, a_receipt(), at)
    if name == "revoke":
        return rules.revoked(borrow, "lost", at)
    return rules.released(borrow, "lost", at, accept_overlap=True)


def test_time_ends_a_borrow_and_frees_its_seat_at_the_same_second() -> None:
    borrow = a_borrow()
    before = borrow.expires_at - timedelta(seconds=1)
    assert (borrow.state(before), borrow.holds_seat(before)) == ("active", True)
    assert (borrow.state(borrow.expires_at), borrow.holds_seat(borrow.expires_at)) == ("expired", False)


@pytest.mark.parametrize(
    ("name", "state", "free_after"),
    [
        pytest.param("check in", "checked-in", DAY, id="check in frees at once"),
        pytest.param("revoke", "revoked", 7 * DAY, id="revoke keeps the seat until the end"),
        pytest.param("release", "released", DAY, id="release frees at once"),
    ],
)
def test_every_ending_has_its_own_name_and_its_own_time_for_the_seat(name: str, state: str, free_after: timedelta) -> None:
    after = act(name, a_borrow(), NOW + DAY)
    assert after.state(NOW + 2 * DAY) == state
    assert after.seat_free_at == NOW + free_after
    assert after.ended_at == NOW + DAY
    assert after.expires_at == a_borrow().expires_at


@pytest.mark.parametrize("second", ["revoke", "release"])
@pytest.mark.parametrize("first", ["check in", "release", None])
def test_a_borrow_that_ended_cannot_be_ended_again(first: str | None, second: str) -> None:
    borrow = a_borrow() if first is None else act(first, a_borrow(), NOW + DAY)
    with pytest.raises(BorrowAlreadyEnded) as caught:
        act(second, borrow, NOW + 8 * DAY if first is None else NOW + 2 * DAY)
    assert caught.value.evidence["state"] in {"expired", "checked-in", "released"}


def test_a_revoked_borrow_is_not_revoked_twice() -> None:
    with pytest.raises(BorrowAlreadyEnded):
        act("revoke", act("revoke", a_borrow(), NOW), NOW + DAY)


def test_a_receipt_for_a_revoked_borrow_frees_the_seat_and_keeps_the_ending() -> None:
    after = act("check in", act("revoke", a_borrow(), NOW), NOW + DAY)
    assert (after.ended_by, after.seat_free_at, after.receipt_jti) == (Ending.REVOKED, NOW + DAY, a_receipt().jti)
    assert after.end_reason == "lost"


def test_a_revoked_borrow_can_be_released_while_it_holds_its_seat() -> None:
    after = act("release", act("revoke", a_borrow(), NOW), NOW + DAY)
    assert (after.ended_by, after.seat_free_at) == (Ending.RELEASED, NOW + DAY)


def test_a_revoked_borrow_whose_seat_is_free_again_is_not_released() -> None:
    with pytest.raises(BorrowAlreadyEnded):
        act("release", act("revoke", a_borrow(), NOW), NOW + 7 * DAY)


@pytest.mark.parametrize(
    ("ended", "at"),
    [
        pytest.param(a_borrow(), NOW + 8 * DAY, id="by time"),
        pytest.param(act("release", a_borrow(), NOW + DAY), NOW + 2 * DAY, id="released"),
        pytest.param(act("release", a_borrow(), NOW + DAY), NOW + 8 * DAY, id="released, and its time is over"),
        pytest.param(act("revoke", a_borrow(), NOW + DAY), NOW + 7 * DAY, id="revoked, and its time is over"),
    ],
)
def test_a_receipt_of_a_borrow_that_ended_keeps_its_ending_and_takes_back_that_a_copy_may_run(
    ended: Borrow, at: datetime
) -> None:
    """Contract, section 8: so that a found machine can be settled."""
    after = act("check in", ended, at)
    assert after == replace(ended, receipt_jti=a_receipt().jti)
    assert after.copy_may_run_until(at) is None


def test_of_two_receipts_the_borrow_has_the_first() -> None:
    once = act("check in", a_borrow(), NOW + DAY)
    assert rules.checked_in(once, a_receipt(jti="Q" * 22), NOW + 2 * DAY) == once


def test_release_says_until_when_two_copies_may_run_and_needs_that_accepted() -> None:
    with pytest.raises(OverlapNotAccepted) as caught:
        rules.released(a_borrow(), "lost", NOW + DAY, accept_overlap=False)
    assert caught.value.evidence == {"until": a_borrow().expires_at.isoformat()}
    assert "laptop" in caught.value.message
    assert "6 days from now" in caught.value.message


@pytest.mark.parametrize(
    ("left", "said"),
    [(7 * DAY, "7 days"), (7 * DAY - timedelta(seconds=1), "7 days"), (DAY, "1 day"), (timedelta(seconds=1), "1 day")],
)
def test_a_release_counts_the_days_as_the_workstation_does(left: timedelta, said: str) -> None:
    """Begun days: "10 days left" here and "9 days from now" there were the same time."""
    borrow = a_borrow()
    with pytest.raises(OverlapNotAccepted, match=f" UTC, {said} from now"):
        rules.released(borrow, "lost", borrow.expires_at - left, accept_overlap=False)


def test_what_is_over_needs_no_overlap_accepted() -> None:
    with pytest.raises(BorrowAlreadyEnded):
        rules.released(a_borrow(), "lost", NOW + 7 * DAY, accept_overlap=False)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"machine_id": "machine-2"}, id="another machine"),
        pytest.param({"machine_key": "L" * 43}, id="another machine key"),
        pytest.param({"user_id": "uid:1001"}, id="another user"),
    ],
)
@pytest.mark.parametrize("account", [1, None], ids=["the member", "an administrator"])
def test_check_in_only_works_from_where_the_borrow_is(changes: dict[str, Any], account: int | None) -> None:
    with pytest.raises(NotAllowed):
        rules.check_receipt(a_borrow(), a_receipt(**changes), account)


def test_check_in_only_works_with_the_same_account() -> None:
    with pytest.raises(NotAllowed) as caught:
        rules.check_receipt(a_borrow(), a_receipt(), 2)
    assert caught.value.evidence == {"member": "ada"}
    for account in (1, None):
        rules.check_receipt(a_borrow(), a_receipt(), account)


@dataclass
class Expected:
    """What the table of the four endings says, without the code that is tested."""

    state: str = "active"
    free_at: datetime = a_borrow().seat_free_at

    def is_open(self, at: datetime) -> bool:
        return self.state in {"active", "revoked"} and at < self.free_at

    def after(self, name: str, at: datetime) -> str | None:
        """The state that the act leads to, None when it is refused; a receipt of what has ended changes no state."""
        if name == "check in" and not self.is_open(at):
            return self.state
        if self.state == "active":
            if at >= a_borrow().expires_at:
                return None
            return {"check in": "checked-in", "revoke": "revoked", "release": "released"}[name]
        if self.state == "revoked" and at < self.free_at:
            return {"check in": "revoked", "revoke": None, "release": "released"}[name]
        return None


@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 60)), max_size=12))
def test_any_sequence_of_endings_stays_within_the_table(steps: list[tuple[str, int]]) -> None:
    borrow, expected, at = a_borrow(), Expected(), NOW
    for name, hours in steps:
        at += timedelta(hours=hours)
        state = expected.after(name, at)
        if state is None:
            with pytest.raises(BorrowAlreadyEnded):
                act(name, borrow, at)
        else:
            borrow = act(name, borrow, at)
            frees = name != "revoke" and expected.is_open(at)
            expected = Expected(state, at if frees else expected.free_at)
        shown = "expired" if expected.state == "active" and at >= a_borrow().expires_at else expected.state
        assert borrow.state(at) == shown
        assert borrow.seat_free_at == expected.free_at
        assert borrow.expires_at == a_borrow().expires_at
        assert borrow.holds_seat(at) == (at < expected.free_at)


def test_a_check_in_says_when_and_by_which_receipt() -> None:
    after = rules.checked_in(a_borrow(end_reason="by mistake"), a_receipt(), NOW + DAY)
    assert after == a_borrow(
        ended_at=NOW + DAY,
        ended_by=Ending.CHECKED_IN,
        seat_free_at=NOW + DAY,
        receipt_jti=a_receipt().jti,
    )


def test_a_receipt_for_a_revoked_borrow_changes_its_seat_and_its_receipt_alone() -> None:
    revoked = rules.revoked(a_borrow(), "audit", NOW)
    after = rules.checked_in(revoked, a_receipt(), NOW + DAY)
    assert after == replace(revoked, seat_free_at=NOW + DAY, receipt_jti=a_receipt().jti)
    assert rules.checked_in(after, a_receipt(), NOW + 2 * DAY) == after


def test_a_borrow_is_active_up_to_its_end_and_not_at_it() -> None:
    borrow = a_borrow()
    assert borrow.state(borrow.expires_at - timedelta(seconds=1)) == "active"
    assert borrow.state(borrow.expires_at) == "expired"


def test_a_release_says_why_and_when() -> None:
    after = rules.released(a_borrow(), "stolen", NOW + DAY, accept_overlap=True)
    assert after == a_borrow(ended_at=NOW + DAY, ended_by=Ending.RELEASED, end_reason="stolen", seat_free_at=NOW + DAY)
