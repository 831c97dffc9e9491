"""Ending borrows: check in, revoke, release and time, on both databases."""

from __future__ import annotations

import pytest

from authority.domain.members import CONSOLE
from authority.domain.refusals import (
    AlreadyBorrowed,
    InvalidInput,
    NotAllowed,
    NotFound,
    OverlapNotAccepted,
    RequestInvalid,
)
from authority.services import borrow, endings
from authority.services.unit import Unit
from tests.support.authorities import ON_SQLITE, Bench
from tests.support.borrowing import at_once, claims_of, codes, issued_to, seats_held, workstation
from tests.support.database_contents import contents, log_rows, unchanged
from verifier.workstation.carry import Wish


def test_a_check_in_frees_the_seat_and_the_license_is_borrowed_elsewhere(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop, days=9)
    bench.clock.turn(days=1)
    ended = endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    assert (ended.state(bench.clock()), ended.seat_free_at, ended.ended_at) == ("checked-in", bench.clock(), bench.clock())
    assert seats_held(bench, "arcgis-pro", "Advanced") == 0
    assert issued_to(bench, ada, workstation("tower")).is_new
    (row,) = log_rows(bench.authority.database, "checkin")
    assert (row["handle"], row["feature"], row["reason"]) == (issued.borrow.id, "Advanced", "checked-in")


def test_t24_the_same_receipt_a_hundred_times_at_once_ends_one_borrow_once(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    receipt = laptop.receipt_for(issued_to(bench, ada, laptop).file, bench.clock())
    answers = at_once([lambda: endings.check_in(Unit(bench.authority, ada), receipt)] * 100)
    assert codes(answers) == {"done": 100}
    assert len(log_rows(bench.authority.database, "checkin")) == 1


def test_an_old_receipt_does_not_end_the_next_borrow(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    receipt = laptop.receipt_for(issued_to(bench, ada, laptop).file, bench.clock())
    endings.check_in(Unit(bench.authority, ada), receipt)
    bench.clock.turn(hours=1)
    again = issued_to(bench, ada, laptop)
    endings.check_in(Unit(bench.authority, ada), receipt)
    assert borrow.show(Unit(bench.authority, ada), again.borrow.id).state(bench.clock()) == "active"
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1


def test_another_receipt_for_a_borrow_that_was_checked_in_is_known_and_moves_no_seat(bench: Bench) -> None:
    """A workstation whose state was lost makes a second one, and its next request names it."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    first = laptop.receipt_for(issued.file, bench.clock())
    checked_in = endings.check_in(Unit(bench.authority, ada), first)
    bench.clock.turn(minutes=1)
    second = laptop.receipt_for(issued.file, bench.clock())
    assert endings.check_in(Unit(bench.authority, ada), second) == checked_in
    for receipt in (first, second):
        with unchanged(bench.authority.database):
            endings.check_in(Unit(bench.authority, ada), receipt)
    rows = log_rows(bench.authority.database, "checkin")
    assert [(row["quantity"], row["reason"]) for row in rows] == [(1, "checked-in"), (0, "checked-in")]


@pytest.mark.parametrize("how", ["by time", "released", "revoked, and its time is over"])
def test_a_late_return_is_known_logged_and_hinders_no_renewal(bench: Bench, how: str) -> None:
    """RoseSilverSoftware/IlluminatedCloud #2191, #1918: an activation that cannot be given back and blocks the next."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    pro, desktop = issued_to(bench, ada, laptop, days=20), issued_to(bench, ada, laptop, product="arcgis-desktop", days=2)
    if how == "released":
        endings.release(Unit(bench.authority, CONSOLE), desktop.borrow.id, "thought lost", accept_overlap=True)
    if how.startswith("revoked"):
        endings.revoke(Unit(bench.authority, CONSOLE), desktop.borrow.id, "audit")
    bench.clock.turn(days=1 if how == "released" else 3)
    before = borrow.show(Unit(bench.authority, ada), desktop.borrow.id)
    after = endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(desktop.file, bench.clock()))
    state = before.state(bench.clock())
    assert (after.state(bench.clock()), after.seat_free_at, after.ended_at) == (state, before.seat_free_at, before.ended_at)
    assert after.copy_may_run_until(bench.clock()) is None
    assert borrow.show(Unit(bench.authority, ada), desktop.borrow.id) == after
    (row,) = log_rows(bench.authority.database, "checkin")
    assert (row["handle"], row["quantity"], row["reason"]) == (desktop.borrow.id, 0, state)
    assert issued_to(bench, ada, laptop, days=25).borrow.id == pro.borrow.id


@pytest.mark.parametrize("by", ["the holder", "an administrator"])
def test_after_a_release_by_mistake_the_found_machine_is_settled_and_its_next_borrow_renewed(bench: Bench, by: str) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    actor = ada if by == "the holder" else CONSOLE
    lost = issued_to(bench, ada, laptop, days=10)
    released = endings.release(Unit(bench.authority, CONSOLE), lost.borrow.id, "thought lost", accept_overlap=True)
    assert released.copy_may_run_until(bench.clock()) == lost.borrow.expires_at
    receipt = laptop.receipt_for(lost.file, bench.clock())
    assert endings.check_in(Unit(bench.authority, actor), receipt).copy_may_run_until(bench.clock()) is None
    again = issued_to(bench, ada, laptop, days=5)
    assert again.borrow.id != lost.borrow.id
    assert issued_to(bench, ada, laptop, days=20).borrow.id == again.borrow.id


def test_a_receipt_that_comes_again_is_answered_to_who_may_bring_it_alone(bench: Bench) -> None:
    ada, eve, laptop = bench.member("ada"), bench.member("eve"), workstation("laptop")
    receipt = laptop.receipt_for(issued_to(bench, ada, laptop).file, bench.clock())
    ended = endings.check_in(Unit(bench.authority, ada), receipt)
    with pytest.raises(NotAllowed):
        endings.check_in(Unit(bench.authority, eve), receipt)
    for actor in (ada, CONSOLE, bench.administrator()):
        assert endings.check_in(Unit(bench.authority, actor), receipt) == ended


@ON_SQLITE
@pytest.mark.parametrize("token", ["of another borrow", "of nobody"])
def test_a_receipt_names_a_token_of_the_borrow_that_it_ends(bench: Bench, token: str) -> None:
    """Contract, section 3.5: `borrow` is the token given up; one of another borrow proves nothing about this one."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    bench.clock.turn(minutes=1)
    other = issued_to(bench, ada, laptop, product="arcgis-desktop")
    jti = claims_of(other.file)["jti"] if token == "of another borrow" else "n" * 22
    with pytest.raises((RequestInvalid, NotAllowed)):
        endings.check_in(Unit(bench.authority, ada), laptop.receipt(issued.borrow.id, jti, bench.clock()))
    assert borrow.show(Unit(bench.authority, ada), issued.borrow.id).state(bench.clock()) == "active"


@ON_SQLITE
def test_only_the_same_machine_user_and_account_check_in(bench: Bench) -> None:
    ada, eve, laptop = bench.member("ada"), bench.member("eve"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    thief = workstation("laptop")
    with pytest.raises(NotAllowed):
        endings.check_in(Unit(bench.authority, ada), thief.receipt_for(issued.file, bench.clock()))
    with pytest.raises(NotAllowed):
        endings.check_in(Unit(bench.authority, eve), laptop.receipt_for(issued.file, bench.clock()))
    with pytest.raises(NotFound):
        endings.check_in(Unit(bench.authority, ada), laptop.receipt("A" * 22, "B" * 22, bench.clock()))
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1
    assert log_rows(bench.authority.database, "checkin") == []


def test_release_frees_the_seat_and_the_license_is_borrowed_elsewhere(bench: Bench) -> None:
    ada = bench.member("ada")
    issued = issued_to(bench, ada, workstation("laptop"), days=9)
    with pytest.raises(AlreadyBorrowed):
        issued_to(bench, ada, workstation("tower"))
    with pytest.raises(OverlapNotAccepted):
        endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "stolen", accept_overlap=False)
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1
    ended = endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "stolen", accept_overlap=True)
    assert (ended.state(bench.clock()), ended.end_reason) == ("released", "stolen")
    assert issued_to(bench, ada, workstation("tower")).is_new
    (row,) = log_rows(bench.authority.database, "release")
    assert (row["handle"], row["actor"], row["reason"]) == (issued.borrow.id, "console", "stolen")
    assert row["until"] == issued.borrow.expires_at


def test_a_revoked_borrow_keeps_its_seat_until_it_would_have_ended(bench: Bench) -> None:
    ada = bench.member("ada")
    issued = issued_to(bench, ada, workstation("laptop"), days=9)
    ended = endings.revoke(Unit(bench.authority, CONSOLE), issued.borrow.id, "audit")
    assert (ended.state(bench.clock()), ended.seat_free_at) == ("revoked", issued.borrow.expires_at)
    bench.clock.turn(days=9, seconds=-1)
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1
    with pytest.raises(AlreadyBorrowed):
        issued_to(bench, ada, workstation("tower"))
    bench.clock.turn(seconds=1)
    assert seats_held(bench, "arcgis-pro", "Advanced") == 0
    assert issued_to(bench, ada, workstation("tower")).is_new
    assert [row["reason"] for row in log_rows(bench.authority.database, "revocation")] == ["audit"]


def test_a_revoked_borrow_is_not_renewed_on_its_machine(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    endings.revoke(Unit(bench.authority, CONSOLE), issued.borrow.id, "audit")
    with pytest.raises(AlreadyBorrowed):
        issued_to(bench, ada, laptop)
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(issued.file, bench.clock()))
    again = issued_to(bench, ada, laptop)
    assert again.borrow.id != issued.borrow.id
    assert borrow.show(Unit(bench.authority, ada), issued.borrow.id).state(bench.clock()) == "revoked"


def test_time_frees_the_seat_with_no_job_and_no_row_written(bench: Bench) -> None:
    ada = bench.member("ada")
    issued = issued_to(bench, ada, workstation("laptop"), days=3)
    before = contents(bench.authority.database)
    bench.clock.turn(days=3, seconds=-1)
    assert seats_held(bench, "arcgis-pro", "Advanced") == 1
    bench.clock.turn(seconds=1)
    assert seats_held(bench, "arcgis-pro", "Advanced") == 0
    assert borrow.show(Unit(bench.authority, ada), issued.borrow.id).state(bench.clock()) == "expired"
    assert contents(bench.authority.database) == before
    assert issued_to(bench, ada, workstation("tower")).is_new


def test_after_its_end_a_borrow_is_not_renewed_but_made_new(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    first = issued_to(bench, ada, laptop, days=1)
    bench.clock.turn(days=1)
    second = issued_to(bench, ada, laptop, days=1)
    assert second.borrow.id != first.borrow.id
    assert [len(log_rows(bench.authority.database, kind)) for kind in ("checkout", "renewal")] == [2, 0]


@pytest.mark.parametrize(
    "reason", ["", "   ", "a" * 501, "a\nb", "\x1b[2J", "a\x00b", "\u202e", "\udc80"], ids=lambda text: ascii(text)[:12]
)
def test_a_reason_is_printable_and_bounded(sqlite_bench: Bench, reason: str) -> None:
    issued = issued_to(sqlite_bench, sqlite_bench.member("ada"), workstation("laptop"))
    with pytest.raises(InvalidInput):
        endings.revoke(Unit(sqlite_bench.authority, CONSOLE), issued.borrow.id, reason)
    with pytest.raises(InvalidInput):
        endings.release(Unit(sqlite_bench.authority, CONSOLE), issued.borrow.id, reason, accept_overlap=True)
    assert seats_held(sqlite_bench, "arcgis-pro", "Advanced") == 1


def test_many_endings_at_once_leave_exactly_one(bench: Bench) -> None:
    ada, laptop = bench.member("ada"), workstation("laptop")
    issued = issued_to(bench, ada, laptop)
    receipt = laptop.receipt_for(issued.file, bench.clock())

    def release() -> object:
        return endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost", accept_overlap=True)

    answers = at_once([release, lambda: endings.check_in(Unit(bench.authority, ada), receipt)] * 10)
    ended = borrow.show(Unit(bench.authority, ada), issued.borrow.id)
    logged = [len(log_rows(bench.authority.database, kind)) for kind in ("release", "checkin")]
    assert logged in ([0, 1], [1, 1])
    assert ended.state(bench.clock()) == ("released" if logged[0] else "checked-in")
    # The receipt is taken however the borrow ended; of the releases one at most.
    assert codes(answers)["borrow-already-ended"] == (9 if logged[0] else 10)


def test_a_request_made_before_the_release_is_answered_as_ever(bench: Bench) -> None:
    """The lost machine's own request, sent again, gets the released borrow and no new one."""
    ada, laptop = bench.member("ada"), workstation("laptop")
    request = laptop.request(Wish("arcgis-pro"), bench.clock())
    issued = borrow.issue(Unit(bench.authority, ada), request)
    endings.release(Unit(bench.authority, CONSOLE), issued.borrow.id, "lost", accept_overlap=True)
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert (again.borrow.state(bench.clock()), again.file) == ("released", issued.file)
    assert seats_held(bench, "arcgis-pro", "Advanced") == 0
