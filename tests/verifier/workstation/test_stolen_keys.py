"""T27: what a workstation does once a carried file says that a key of the authority was stolen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.chains import DAY, HOUR, START, Signer, key_record, refused
from tests.support.real_workstation import RealWorkstation, make_workstation

NUMBER = 2**40


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def revoke(here: RealWorkstation, use: str, known: list[str]) -> Signer:
    """The next authorization revokes the key of a use and names another; returns the stolen one."""
    chain, new = here.chain, Signer()
    stolen = chain.borrow_key if use == "borrow" else chain.status_key
    for record in chain.authorization["keys"]:
        if record["kid"] == stolen.kid:
            record |= {"revoked": True, "known": known}
    chain.authorization["keys"] = [*chain.authorization["keys"], key_record(new, use, START)]
    chain.renew_authorization()
    if use == "borrow":
        chain.borrow_key = new
    else:
        chain.status_key = new
    return stolen


@pytest.mark.parametrize("carried", ["status", "authorization"])
def test_t27_a_back_dated_token_is_good_before_one_carried_file_and_not_after_it(here: RealWorkstation, carried: str) -> None:
    chain, known = here.chain, here.chain.borrow["jti"]
    good = dict(chain.borrow)
    chain.borrow |= {"jti": "T" * 22, "iat": START - HOUR, "nbf": START - HOUR, "exp": START + 9 * DAY}
    thiefs = chain.borrow_file()
    here.install(thiefs)
    assert here.check().days_left == 9
    revoke(here, "borrow", [known])
    chain.borrow = good
    here.install(chain.status_file() if carried == "status" else chain.authorization_file())
    with refused("key-not-valid"):
        here.check()
    with refused("key-not-valid"):
        here.install(thiefs)


def test_t27_known_borrows_stay_good_after_the_file(here: RealWorkstation) -> None:
    revoke(here, "borrow", [here.chain.borrow["jti"]])
    here.install(here.chain.status_file())
    assert here.check().member == "ada"


@pytest.mark.parametrize("way", ["status file", "renewal", "authorization, then status file"])
def test_t27_lists_of_a_stolen_status_key_say_nothing_however_high_their_number(here: RealWorkstation, way: str) -> None:
    """The thief's list has the highest number; the next one by the new key is taken, and an old one of the new key is not."""
    chain = here.chain
    chain.set_status(0, seq=NUMBER)
    here.install(chain.status_file())
    stolen = revoke(here, "status", [])
    if way.startswith("authorization"):
        here.install(chain.authorization_file())
        with refused("status-list-unusable", "status-list-missing"):
            here.check()
    chain.set_status(0, seq=3)
    if way == "renewal":
        chain.borrow |= {"jti": "N" * 22, "exp": chain.borrow["exp"] + DAY}
        here.install(chain.borrow_file())
    else:
        here.install(chain.status_file())
    assert here.check().member == "ada"
    for seq, key in ((2, chain.status_key), (NUMBER + 1, stolen)):
        chain.set_status(0, seq=seq)
        chain.status_key, new = key, chain.status_key
        with refused("status-list-rolled-back" if key is new else "status-list-unusable"):
            here.install(chain.status_file())
        chain.status_key = new
    chain.set_status(1, seq=4)
    here.install(chain.status_file())
    with refused("revoked"):
        here.check()
