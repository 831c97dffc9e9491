"""What was signed ahead of this machine's clock is not taken; a workstation that took it once has a way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chains import DAY, HOUR, START, refused
from tests.support.real_workstation import RealWorkstation, make_workstation

JUMP = START + 40 * DAY


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def status_file(here: RealWorkstation, seq: int, iat: int) -> bytes:
    here.chain.set_status(0, seq=seq, iat=iat)
    here.chain.status_list["exp"] = iat + 30 * DAY
    return here.chain.status_file()


def borrow_file(here: RealWorkstation, iat: int, *, letter: str = "C") -> bytes:
    """A new borrow that is made then, with the chain's list beside it."""
    here.next_borrow(letter)
    here.chain.borrow |= {"iat": iat, "nbf": iat, "exp": iat + 7 * DAY, "act": iat + 7 * DAY}
    return here.chain.borrow_file()


def took_a_list_of_the_future(here: RealWorkstation) -> None:
    """Its own clock was ahead then too."""
    here.install(status_file(here, 2, JUMP), JUMP)
    with refused("clock-turned-back"):
        here.check(START + HOUR)


def test_a_list_of_the_future_is_not_taken_and_nothing_changes(here: RealWorkstation) -> None:
    """support.esri.com 000006088; fallow-rs/fallow #453."""
    before = here.snapshot()
    with refused("clock-in-doubt"):
        here.install(status_file(here, 2, JUMP))
    assert here.snapshot() == before
    assert here.check(START + HOUR).member == "ada"


@pytest.mark.parametrize(("ahead", "is_taken"), [(DAY, True), (DAY + 1, False)])
def test_a_day_ahead_is_what_clocks_may_differ(here: RealWorkstation, ahead: int, *, is_taken: bool) -> None:
    data = status_file(here, 2, START + ahead)
    if is_taken:
        assert here.install(data)
        assert here.check(START).member == "ada"
    else:
        with refused("clock-in-doubt"):
            here.install(data)


def test_a_borrow_file_with_a_list_of_the_future_is_not_taken_before_a_newer_list_is_here(here: RealWorkstation) -> None:
    status_file(here, 2, JUMP)
    data = borrow_file(here, START + HOUR)
    before = here.snapshot()
    with refused("clock-in-doubt"):
        here.install(data, START + HOUR)
    assert here.snapshot() == before
    here.install(status_file(here, 3, START + HOUR), START + HOUR)
    here.install(data, START + HOUR)
    assert here.check(START + HOUR).borrow_id == "C" * 22


@pytest.mark.parametrize("what", ["the borrow", "its authorization"])
def test_a_borrow_or_an_authorization_of_the_future_is_not_taken(here: RealWorkstation, what: str) -> None:
    if what == "the borrow":
        data = borrow_file(here, JUMP)
    else:
        here.chain.authorization |= {"iat": JUMP, "seq": 2}
        here.chain.renew_authorization()
        data = borrow_file(here, START)
    before = here.snapshot()
    with refused("clock-in-doubt"):
        here.install(data)
    assert here.snapshot() == before


def test_an_authorization_file_of_the_future_is_not_taken(here: RealWorkstation) -> None:
    here.chain.authorization |= {"iat": JUMP, "seq": 2}
    here.chain.renew_authorization()
    before = here.snapshot()
    for data in (here.chain.authorization_file(), status_file(here, 2, START)):
        with refused("clock-in-doubt"):
            here.install(data)
    assert here.snapshot() == before


def test_the_tolerance_is_that_of_the_borrow(here: RealWorkstation) -> None:
    here.chain.borrow["pol"]["clock_tolerance"] = 60
    with refused("clock-in-doubt"):
        here.install(borrow_file(here, START + 61))
    assert here.install(borrow_file(here, START + 60))


@pytest.mark.parametrize("by", ["a status file", "a borrow file"])
def test_a_newer_list_of_an_earlier_time_is_the_way_back(here: RealWorkstation, by: str) -> None:
    """theupdateframework/specification #71, #150: recovery from a fast-forward."""
    took_a_list_of_the_future(here)
    now = START + 2 * HOUR
    newer = status_file(here, 3, now)
    here.install(newer if by == "a status file" else borrow_file(here, now), now)
    assert here.check(now).member == "ada"
    # The floor is the newer list's time, no longer that of the future and no earlier one.
    assert here.check(now - DAY).member == "ada"
    with refused("clock-turned-back"):
        here.check(now - DAY - 1)


def test_an_older_list_or_the_same_one_is_no_way_back(here: RealWorkstation) -> None:
    first, same = status_file(here, 1, START), status_file(here, 2, JUMP)
    took_a_list_of_the_future(here)
    with refused("status-list-rolled-back"):
        here.install(first, START + HOUR)
    with refused("clock-in-doubt"):
        here.install(same, START + HOUR)
    with refused("clock-turned-back"):
        here.check(START + HOUR)


def test_a_newer_list_of_a_later_time_only_raises_the_floor(here: RealWorkstation) -> None:
    here.install(status_file(here, 2, START + 2 * DAY), START + 2 * DAY)
    here.install(status_file(here, 3, START + 3 * DAY), START + 3 * DAY)
    with refused("clock-turned-back"):
        here.check(START + 2 * DAY - 1)


def test_what_the_authority_returned_to_forgets_no_return(here: RealWorkstation) -> None:
    returned = here.chain.borrow_file()
    here.give_up()
    here.install(status_file(here, 2, JUMP), JUMP)
    here.install(status_file(here, 3, START + HOUR), START + HOUR)
    with refused("given-up"):
        here.install(returned, START + HOUR)
