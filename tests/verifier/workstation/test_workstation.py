"""The verifier with the state of a real workstation: what is installed, what is refused, and what a refusal leaves behind."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest

import verifier
from tests.support.chains import DAY, HOUR, START, URI, at, make_chain, refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from tests.support.systems import ON_POSIX
from verifier.cli.main import main
from verifier.core.grant import Grant, Workstation
from verifier.core.times import rfc3339_of
from verifier.errors import CarnetError, NotActivatedInTime
from verifier.workstation import install
from verifier.workstation.check import licenses, this_workstation
from verifier.workstation.installed import AuthorizationInstalled, BorrowInstalled, StatusListInstalled, TrustInstalled
from verifier.workstation.store import Store


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


@pytest.fixture
def bare(tmp_path: Path) -> RealWorkstation:
    """With trust, but no borrow yet."""
    return make_workstation(tmp_path / "home", installed=False)


def test_an_installed_borrow_is_good(here: RealWorkstation) -> None:
    granted = here.check()
    assert (granted.product, granted.level, granted.member, granted.days_left) == ("arcgis-pro", "Standard", "ada", 7)
    assert granted.warnings == ()


def test_installing_says_what_was_installed_and_whether_it_was_before(bare: RealWorkstation) -> None:
    chain, ends = bare.chain, START + 7 * DAY
    roots = (chain.root.kid,)
    assert bare.install(chain.trust_file()) == TrustInstalled("field-survey", roots, is_new=False)
    borrow = BorrowInstalled("arcgis-pro", "Standard", ("3DAnalyst",), ends, is_new=True)
    for is_new in (True, False):
        assert bare.install(chain.authorization_file()) == AuthorizationInstalled("field-survey", 1, is_new)
        assert bare.install(chain.status_file()) == StatusListInstalled(1, chain.status_list["iat"], is_new)
        assert bare.install(chain.borrow_file()) == borrow._replace(is_new=is_new)


def test_installing_twice_changes_nothing(here: RealWorkstation) -> None:
    before = here.snapshot()
    for data in (here.chain.trust_file(), here.chain.borrow_file(), here.chain.status_file(), here.chain.authorization_file()):
        assert here.install(data)
    assert here.snapshot() == before


@ON_POSIX
@pytest.mark.parametrize("first", [["trust", "org.trust"], ["alias", "laptop"], ["identity"]], ids=lambda argv: argv[0])
def test_the_state_is_for_its_user_alone_whatever_is_done_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: list[str]
) -> None:
    """A careless umask must not let others read or replace what proves who this machine is."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "org.trust").write_bytes(make_chain().trust_file())
    before = os.umask(0)
    try:
        assert main([*first, "--home", str(tmp_path / "home")]) == 0
    finally:
        os.umask(before)
    paths = [tmp_path / "home", *(tmp_path / "home").rglob("*")]
    assert len(paths) >= 2
    assert {
        str(path.relative_to(tmp_path)): oct(path.stat().st_mode & 0o777) for path in paths if path.stat().st_mode & 0o077
    } == {}


def test_without_trust_nothing_can_be_checked_or_installed(tmp_path: Path) -> None:
    store, chain = Store(tmp_path / "home"), make_chain()
    with refused("no-trust"):
        verifier.check("arcgis-pro", home=store.home)
    for data in (chain.borrow_file(), chain.status_file(), chain.authorization_file()):
        with refused("no-trust"):
            install.install(store, data)


@pytest.mark.parametrize("product", ["arcgis-allsource", "ARCGIS-PRO", "../arcgis-pro", "arcgis-pro\0", "", "a/b", ".", "*"])
def test_a_product_that_is_not_installed_has_no_borrow(here: RealWorkstation, product: str) -> None:
    with refused("no-borrow"):
        here.check(product=product)


def test_what_an_application_asks_for_is_compared(here: RealWorkstation) -> None:
    def ask(level: str | None, *extensions: str) -> Grant:
        roots = [here.chain.root.kid]
        return verifier.check("arcgis-pro", level, extensions, roots=roots, home=here.home, now=at(START))

    assert ask("Basic", "3DAnalyst") == ask(None) == here.check()
    with refused("level-not-granted"):
        ask("Advanced")
    with refused("extension-not-granted"):
        ask("Basic", "SpatialAnalyst")


def test_a_check_judges_in_the_order_of_the_steps(here: RealWorkstation) -> None:
    """What was given up is given up, what has ended has ended; then what is asked for; only then whose it is, and its status."""
    here.chain.set_status(1, seq=2)
    here.install(here.chain.status_file())
    ended = here.chain.borrow["exp"]

    def ask(level: str, now: int) -> Grant:
        return verifier.check("arcgis-pro", level, home=here.home, now=at(now))

    with refused("revoked"):
        ask("Standard", START)
    (here.home / "machine-key.pem").unlink()
    with refused("machine-key-missing"):
        ask("Standard", START)
    with refused("level-not-granted"):
        ask("Advanced", START)
    with refused("expired"):
        ask("Advanced", ended)


def test_a_returned_borrow_is_given_up_whatever_else_it_is(here: RealWorkstation) -> None:
    here.give_up()
    with refused("given-up"):
        verifier.check("arcgis-pro", "Advanced", home=here.home, now=at(here.chain.borrow["exp"]))


def test_a_newer_status_list_is_taken_and_judged_by(here: RealWorkstation) -> None:
    here.chain.set_status(2, seq=2)
    here.install(here.chain.status_file())
    with refused("suspended"):
        here.check()
    here.chain.set_status(0, seq=3)
    here.install(here.chain.status_file())
    assert here.check().warnings == ()
    here.chain.set_status(1, seq=4)
    here.install(here.chain.status_file())
    with refused("revoked"):
        here.check()


def test_a_borrow_that_has_ended_cannot_come_back_with_its_old_list(here: RealWorkstation) -> None:
    old = here.chain.borrow_file()
    here.chain.set_status(1, seq=2)
    here.install(here.chain.status_file())
    with refused("revoked"):
        here.install(old)


def test_the_list_carried_with_a_borrow_is_kept_when_it_is_newer(here: RealWorkstation) -> None:
    older = here.chain.status_file()
    here.next_borrow("C")
    here.chain.status_list["seq"] = 9
    here.install(here.chain.borrow_file())
    with refused("status-list-rolled-back"):
        here.install(older)


def test_a_list_of_another_uri_does_not_take_the_place_of_the_newest_one(here: RealWorkstation) -> None:
    """Otherwise an older list could follow it in, and an ended borrow with it."""
    old, ended = here.chain.status_file(), here.chain.borrow_file(with_list=False)
    here.chain.set_status(1, seq=2)
    here.install(here.chain.status_file())
    here.chain.status_list |= {"sub": URI + "2", "seq": 1}
    with contextlib.suppress(CarnetError):
        here.install(here.chain.status_file())
    with refused("status-list-rolled-back"):
        here.install(old)
    with refused("revoked"):
        here.install(ended)


def test_a_newer_authorization_is_kept_from_whatever_file_brings_it(here: RealWorkstation) -> None:
    first = here.chain.authorization_file()
    here.chain.renew_authorization()
    here.chain.status_list["seq"] = 2
    here.install(here.chain.status_file())
    with refused("not-authorized"):
        here.install(first)


def test_two_different_authorizations_of_one_number_are_refused(here: RealWorkstation) -> None:
    here.chain.authorization["max_borrow_days"] = 31
    before = here.snapshot()
    with refused("not-authorized"):
        here.install(here.chain.authorization_file())
    assert here.snapshot() == before


def test_a_borrow_must_be_installed_for_the_first_time_before_its_deadline(bare: RealWorkstation) -> None:
    with pytest.raises(NotActivatedInTime, match=f"before {rfc3339_of(START + DAY)}, it is {rfc3339_of(START + DAY)}"):
        bare.install(bare.chain.borrow_file(), START + DAY)
    bare.install(bare.chain.borrow_file(), START + DAY - 1)
    bare.install(bare.chain.borrow_file(), START + 5 * DAY)
    assert bare.check(START + 5 * DAY).days_left == 2


def test_wiping_the_state_and_installing_again_after_the_deadline_is_refused(here: RealWorkstation) -> None:
    data = here.chain.borrow_file()
    here.forget()
    with refused("not-activated-in-time"):
        here.install(data, START + DAY)


def test_wiping_the_state_does_not_keep_an_installed_borrow_good_after_the_deadline(here: RealWorkstation) -> None:
    """Without its state this machine no longer knows whether the borrow was installed in time, or given up."""
    assert here.check(START + DAY).days_left == 6
    here.forget()
    with refused("not-activated-in-time", "state-damaged"):
        here.check(START + DAY)


def test_a_borrow_put_into_the_state_by_hand_after_the_deadline_is_not_good(bare: RealWorkstation) -> None:
    (bare.home / "borrows" / "arcgis-pro.borrow").write_bytes(bare.chain.borrow_file())
    with refused("not-activated-in-time"):
        bare.check(START + DAY)


def test_the_borrow_of_another_product_cannot_stand_in_the_place_of_one(here: RealWorkstation) -> None:
    (here.home / "borrows" / "arcgis-allsource.borrow").write_bytes(here.chain.borrow_file())
    with refused("wrong-product"):
        here.check(product="arcgis-allsource")


def test_every_license_is_listed_with_its_grant_or_its_error(here: RealWorkstation) -> None:
    here.next_borrow("C")
    here.chain.borrow["aud"] = "arcgis-allsource"
    here.chain.borrow["exp"] = START + 2 * HOUR
    here.install(here.chain.borrow_file())
    rows = licenses(here.store)
    assert [item.product for item in rows] == ["arcgis-allsource", "arcgis-pro"]
    assert [(item.grant is None) != (item.error is None) for item in rows] == [True, True]


def test_a_damaged_borrow_does_not_hide_the_other_licenses(here: RealWorkstation) -> None:
    (here.home / "borrows" / "arcgis-allsource.borrow").write_bytes(b"{")
    rows = licenses(here.store, at(START))
    assert [item.grant.product for item in rows if item.grant] == ["arcgis-pro"]


def test_a_store_without_a_machine_key_is_no_machine(bare: RealWorkstation) -> None:
    assert this_workstation(bare.store.machine_key_thumbprint()).machine_key == bare.store.machine_key().public.kid
    (bare.home / "machine-key.pem").unlink()
    assert this_workstation(bare.store.machine_key_thumbprint()) == Workstation(
        bare.chain.workstation.machine_id, bare.chain.workstation.user_id, "none"
    )
