"""Giving a borrow up: it stops working here first, and the receipt is the same however often it is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.chains import DAY, START, refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from tests.support.systems import ON_POSIX
from verifier.core import carried, claims, files, jose
from verifier.core.carried import Receipt
from verifier.core.times import rfc3339_of
from verifier.errors import GivenUp
from verifier.workstation import carry, install
from verifier.workstation.store import Store


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def receipt(here: RealWorkstation, data: bytes) -> Receipt:
    """The receipt in a return file, verified with the key that it carries, which must be this machine's."""
    signed = jose.open_by_jwk(files.parse(data, "return")[1]["receipt"], claims.RECEIPT_TYP)
    assert signed.key.kid == here.chain.workstation.machine_key
    return carried.receipt(signed.claims)


def bury(here: RealWorkstation) -> None:
    """What is left behind by a power failure between the tombstone and the receipt."""
    borrow = claims.borrow(here.chain.borrow)
    install._bury(here.store, here.store.state(), borrow, START)


def test_a_returned_borrow_no_longer_works_here(here: RealWorkstation) -> None:
    own = receipt(here, here.give_up(START + DAY))
    assert own == Receipt(
        jti=own.jti,
        iat=START + DAY,
        borrow_id="B" * 22,
        borrow_jti="J" * 22,
        machine_id=here.chain.borrow["machine"]["id"],
        user_id=here.chain.borrow["sub"],
        count=1,
        requests=0,
    )
    with pytest.raises(GivenUp, match=f"returned .* at {rfc3339_of(START + DAY)}"):
        here.check()


def test_the_receipt_is_the_same_bytes_each_time(here: RealWorkstation) -> None:
    first = here.give_up(START)
    assert here.give_up(START + DAY) == first
    assert install.give_up(Store(here.home), "arcgis-pro") == first


def test_t24_a_return_cut_short_leaves_no_license_and_is_finished_with_one_receipt(here: RealWorkstation) -> None:
    bury(here)
    with refused("given-up"):
        here.check()
    with refused("given-up"):
        here.install(here.chain.borrow_file())
    data = here.give_up(START + DAY)
    assert (receipt(here, data).count, receipt(here, data).iat) == (1, START)
    assert here.give_up() == data
    assert here.store.state().receipt_count == 1


@ON_POSIX
def test_a_return_that_cannot_be_signed_leaves_the_license_as_it_was(here: RealWorkstation) -> None:
    (here.home / "machine-key.pem").chmod(0o644)
    with refused("state-damaged"):
        here.give_up()
    (here.home / "machine-key.pem").chmod(0o600)
    assert here.check().member == "ada"


def test_receipts_are_counted_and_chained(here: RealWorkstation) -> None:
    first = here.give_up()
    before = here.store.state().last_receipt
    here.next_borrow("C")
    here.install(here.chain.borrow_file())
    assert here.check().borrow_id == "C" * 22
    second = here.give_up()
    assert [receipt(here, data).count for data in (first, second)] == [1, 2]
    assert receipt(here, first).jti != receipt(here, second).jti
    assert before is not None
    assert here.store.state().last_receipt not in {None, before}


def test_the_next_request_carries_the_hash_of_the_last_receipt(here: RealWorkstation) -> None:
    from verifier.workstation.carry import Wish

    def asked() -> Any:
        token = json.loads(carry.request(here.store, Wish("arcgis-pro")))["request"]
        return carried.request(jose.open_by_jwk(token, claims.REQUEST_TYP).claims)

    assert asked().prev is None
    here.give_up()
    assert asked().prev == here.store.state().last_receipt
    assert asked().organization == "field-survey"


def test_a_returned_borrow_cannot_be_installed_again(here: RealWorkstation) -> None:
    data = here.chain.borrow_file()
    here.give_up()
    before = here.snapshot()
    with refused("given-up"):
        here.install(data)
    assert here.snapshot() == before


def test_a_renewed_token_of_a_returned_borrow_is_refused(here: RealWorkstation) -> None:
    here.give_up()
    here.chain.borrow |= {"jti": "N" * 22, "iat": START + DAY, "nbf": START + DAY, "exp": START + 9 * DAY}
    with refused("given-up"):
        here.install(here.chain.borrow_file(), START + DAY)


def test_an_expired_or_ended_borrow_can_still_be_returned(here: RealWorkstation) -> None:
    here.chain.set_status(1, seq=2)
    here.install(here.chain.status_file())
    with refused("revoked"):
        here.check()
    assert receipt(here, here.give_up(START + 30 * DAY)).iat == START + 30 * DAY


def test_a_receipt_is_never_dated_before_the_borrow(here: RealWorkstation) -> None:
    assert receipt(here, here.give_up(START - 400 * DAY)).iat == START


def test_what_is_not_installed_cannot_be_returned(here: RealWorkstation) -> None:
    before = here.snapshot()
    for product in ("arcgis-allsource", "../arcgis-pro", ""):
        with refused("no-borrow"):
            install.give_up(here.store, product)
    assert here.snapshot() == before


@pytest.mark.parametrize(
    ("claim", "value", "code"),
    [
        ("machine", {"id": "another", "source": "s", "alias": None}, "wrong-machine"),
        ("sub", "uid:4242", "wrong-user"),
        ("cnf", {"jkt": "A" * 43}, "wrong-machine-key"),
    ],
    ids=["machine", "user", "machine key"],
)
def test_the_borrow_of_another_machine_user_or_key_cannot_be_returned_here(
    here: RealWorkstation, claim: str, value: Any, code: str
) -> None:
    here.chain.borrow[claim] = value
    (here.home / "borrows" / "arcgis-pro.borrow").write_bytes(here.chain.borrow_file())
    with refused(code):
        here.give_up()
    assert here.store.state().given_up == {}


def test_deleting_the_state_after_a_return_does_not_bring_the_license_back(here: RealWorkstation) -> None:
    here.give_up()
    (here.home / "state.json").unlink()
    with refused("given-up", "not-activated-in-time", "state-damaged", "no-borrow"):
        here.check(START + DAY)


def test_a_later_return_does_not_make_this_machine_forget_an_earlier_one(here: RealWorkstation) -> None:
    """The first borrow has ended when the second is returned; a clock turned back must not bring it to life."""
    first = here.chain.borrow_file(with_list=False)
    here.give_up()
    later = START + 8 * DAY
    here.next_borrow("C")
    here.chain.borrow |= {"iat": later, "nbf": later, "exp": later + DAY, "act": later + DAY}
    here.install(here.chain.borrow_file(with_list=False), later)
    here.give_up(later)
    with refused("given-up", "clock-turned-back", "expired"):
        here.install(first, START)
