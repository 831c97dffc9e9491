"""Of several files the newest counts, in whatever order they come; and nobody takes another's place."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from tests.support.chains import DAY, HOUR, START, refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier import sentences
from verifier.workstation.installed import BorrowInstalled

NOW = START + 2 * HOUR


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def renewal(here: RealWorkstation, number: int, days: int) -> bytes:
    """A later token of the same borrow, with a list of its own time beside it."""
    iat = START + number * HOUR // 2
    here.chain.borrow |= {"jti": f"{number}" * 22, "iat": iat, "nbf": iat, "exp": START + days * DAY}
    here.chain.set_status(0, seq=1 + number, iat=iat)
    return here.chain.borrow_file()


def another(here: RealWorkstation, letter: str, iat: int, **changes: object) -> bytes:
    here.next_borrow(letter)
    here.chain.borrow |= {"iat": iat, "nbf": iat, "exp": iat + 5 * DAY, "act": iat + 5 * DAY} | changes
    return here.chain.borrow_file()


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
def test_the_newest_token_of_a_borrow_stays_whatever_the_order(here: RealWorkstation, order: tuple[int, ...]) -> None:
    """Particular/ServiceControl #466, ServiceInsight #362: an earlier license takes precedence over the active one."""
    tokens = [here.chain.borrow_file(), renewal(here, 1, 10), renewal(here, 2, 20)]
    for number in (*order, *order):
        here.install(tokens[number], NOW)
    assert (here.check(NOW).days_left, here.check(NOW + 19 * DAY).member) == (20, "ada")


def test_an_earlier_token_is_told_as_such_and_changes_no_borrow(here: RealWorkstation) -> None:
    first = here.chain.borrow_file()
    newest = renewal(here, 1, 20)
    extensions = ("3DAnalyst",)
    stays = BorrowInstalled("arcgis-pro", "Standard", extensions, START + 20 * DAY, is_new=True)
    assert here.install(newest, NOW) == stays
    installed = here.install(first, NOW)
    assert installed == stays._replace(is_new=False, is_earlier=True)
    assert sentences.installed(installed).endswith("until 2026-03-22T09:00:00Z, as before: this file is of an earlier token")
    assert here.store.borrow_file("arcgis-pro") == newest


def test_a_later_token_with_the_same_end_is_the_newer_one(here: RealWorkstation) -> None:
    """A renewal that asked for less keeps the end; what else it says counts."""
    first = here.chain.borrow_file()
    here.chain.borrow["pol"]["status_max_age"] = 3600
    strict = renewal(here, 1, 7)
    for data in (strict, first):
        here.install(data, START + HOUR)
    with refused("status-list-stale"):
        here.check(START + 3 * HOUR)
    # Not even then: an earlier token is no way around a demand.
    here.install(first, START + 3 * HOUR)
    with refused("status-list-stale"):
        here.check(START + 3 * HOUR)


def test_a_newer_list_beside_an_earlier_token_is_kept(here: RealWorkstation) -> None:
    here.install(renewal(here, 1, 20), NOW)
    here.chain.borrow |= {"jti": "b" * 22, "iat": START, "nbf": START, "exp": START + 7 * DAY}
    here.chain.set_status(1, seq=9, iat=NOW)
    with refused("revoked"):
        here.install(here.chain.borrow_file(), NOW)
    here.chain.set_status(0, seq=8, iat=NOW)
    here.install(here.chain.borrow_file(), NOW)
    with refused("status-list-rolled-back"):
        here.chain.set_status(0, seq=7, iat=NOW)
        here.install(here.chain.status_file(), NOW)


def test_a_damaged_file_is_in_nobodys_way(here: RealWorkstation) -> None:
    first = here.chain.borrow_file()
    here.install(renewal(here, 1, 20), NOW)
    path = here.home / "borrows" / "arcgis-pro.borrow"
    path.write_bytes(path.read_bytes()[:-40])
    here.install(first, NOW)
    assert here.check(NOW).days_left == 7


def test_an_earlier_borrow_does_not_take_the_place_of_the_next(here: RealWorkstation) -> None:
    """It was released, and the list beside the next one is from before that."""
    earlier = here.chain.borrow_file()
    here.install(another(here, "C", START + HOUR), NOW)
    assert not here.install(earlier, NOW).is_new
    assert here.check(NOW).borrow_id == "C" * 22


def test_another_members_borrow_is_not_pushed_aside(here: RealWorkstation) -> None:
    """Its seat would stay taken, and nobody could give it back."""
    before = here.snapshot()
    with refused("already-borrowed"):
        here.install(another(here, "C", START + HOUR, member="eve"), NOW)
    assert here.snapshot() == before
    assert here.check(NOW).member == "ada"


def test_the_borrow_of_another_os_user_is_not_pushed_aside(here: RealWorkstation) -> None:
    own = here.chain.borrow["sub"]
    path = here.home / "borrows" / "arcgis-pro.borrow"
    path.write_bytes(another(here, "C", START, sub="uid:4711", user={"name": "eve"}))
    before = here.snapshot()
    with refused("already-borrowed"):
        here.install(another(here, "D", START + HOUR, sub=own), NOW)
    assert here.snapshot() == before


@pytest.mark.parametrize("how", ["returned", "by time", "revoked", "of another machine key"])
def test_a_borrow_that_ended_is_in_nobodys_way(here: RealWorkstation, how: str) -> None:
    now = START + 8 * DAY if how == "by time" else NOW
    if how == "returned":
        here.give_up(START + HOUR)
    if how == "revoked":
        here.chain.set_status(1, seq=2, iat=START + HOUR)
        here.install(here.chain.status_file(), START + HOUR)
    if how == "of another machine key":
        key = dict(here.chain.borrow["cnf"])
        here.chain.borrow["cnf"] = {"jkt": "K" * 43}
        (here.home / "borrows" / "arcgis-pro.borrow").write_bytes(here.chain.borrow_file())
        here.chain.borrow["cnf"] = key
    place = dict(here.chain.borrow["status"]["status_list"], idx=78)
    data = another(here, "C", now, member="eve", status={"status_list": place})
    here.install(data, now)
    assert here.check(now).member == "eve"


def test_other_products_are_apart(here: RealWorkstation) -> None:
    here.install(another(here, "C", START + HOUR, member="eve", aud="arcgis-allsource"), NOW)
    assert (here.check(NOW).member, here.check(NOW, "arcgis-allsource").member) == ("ada", "eve")


def test_who_was_renamed_renews(here: RealWorkstation) -> None:
    here.chain.borrow["member"] = "ada.jones"
    here.install(renewal(here, 1, 20), NOW)
    assert here.check(NOW).member == "ada.jones"
