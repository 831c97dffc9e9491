"""T29: a new root key reaches a workstation by a carried file, and what a thief of the old one signed is good no more."""

from __future__ import annotations

from pathlib import Path

from tests.support.chains import DAY, START, Signer, refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from tests.support.succeeding import replaced, trust_file, update_file
from verifier.core.keys import digest_of
from verifier.workstation.installed import TrustInstalled, TrustUpdated

HOUR = 3600


def updated(here: RealWorkstation, new: Signer, *, seq: int = 1) -> list[str]:
    """The update of the chain's root key, which the chain has from now on; what it signed until now stays good."""
    update = replaced(here.chain.root, new, seq, [digest_of(here.chain.authorization_token())])
    here.chain.root = new
    here.chain.renew_authorization()
    return update


def test_t29_a_root_is_replaced_while_borrows_are_out(tmp_path: Path) -> None:
    here = make_workstation(tmp_path)
    old, new = here.chain.root, Signer()
    update = updated(here, new)
    with refused("unknown-key"):
        here.install(here.chain.authorization_file())
    assert here.install(update_file(update)) == TrustUpdated("field-survey", (new.kid,), 1, is_new=True)
    assert here.check().member == "ada"
    here.install(here.chain.authorization_file())
    here.install(here.chain.status_file())
    assert here.check().member == "ada"
    assert here.install(update_file(update)) == TrustUpdated("field-survey", (new.kid,), 1, is_new=False)
    assert here.install(trust_file(old)) == TrustInstalled("field-survey", (new.kid,), is_new=False)


def test_a_trust_file_that_goes_on_from_the_one_that_is_here_brings_the_new_root_too(tmp_path: Path) -> None:
    here = make_workstation(tmp_path)
    old, new = here.chain.root, Signer()
    update = updated(here, new)
    for foreign in (
        trust_file(new),
        trust_file(Signer(), replaced(Signer(), new)[:0]),
        trust_file(old, update, organization="other"),
    ):
        with refused("unknown-key"):
            here.install(foreign)
    assert here.install(trust_file(old, update)) == TrustInstalled("field-survey", (new.kid,), is_new=True)
    assert here.check().member == "ada"
    with refused("unknown-key"):
        here.install(trust_file(old, replaced(old, Signer())))


def test_an_update_that_does_not_follow_or_is_of_the_future_changes_nothing(tmp_path: Path) -> None:
    here = make_workstation(tmp_path)
    root, new = here.chain.root, Signer()
    before = here.snapshot()
    for update, code in (
        (replaced(Signer(), new), "unknown-key"),
        (replaced(root, new)[:1], "bad-signature"),
        (replaced(root, new, iat=START + 2 * DAY), "clock-in-doubt"),
    ):
        with refused(code):
            here.install(update_file(update))
        with refused(code):
            here.install(trust_file(root, update)) if code != "unknown-key" else here.install(update_file(update))
    assert here.snapshot() == before


def test_t29_what_the_thief_of_a_root_key_brought_is_forgotten_with_the_update(tmp_path: Path) -> None:
    """The thief's authorization had the highest number; after the update the vendor's next one counts again."""
    here = make_workstation(tmp_path)
    chain, new = here.chain, Signer()
    update = replaced(chain.root, new, known=[digest_of(chain.authorization_token())])
    number = chain.authorization["seq"]
    chain.authorization["seq"] = number + 10**6
    here.install(chain.authorization_file())
    chain.authorization["seq"] = number + 10**6 + 1
    stolen_borrow = chain.borrow_file()
    here.install(update_file(update))
    assert here.check().member == "ada"
    with refused("key-not-valid"):
        here.install(stolen_borrow)
    chain.root, chain.authorization["seq"] = new, number + 1
    here.install(chain.authorization_file())
    assert here.check().member == "ada"
