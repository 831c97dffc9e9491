"""Files that do not pass: each is refused for its own reason, and nothing of the state changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chains import DAY, START, Signer, key_record, refused
from tests.support.real_workstation import RealWorkstation, make_workstation
from verifier.core import files


@pytest.fixture
def here(tmp_path: Path) -> RealWorkstation:
    return make_workstation(tmp_path / "home")


def other_machine(here: RealWorkstation) -> bytes:
    here.chain.borrow["machine"]["id"] = "machine-another"
    return here.chain.borrow_file()


def other_user(here: RealWorkstation) -> bytes:
    here.chain.borrow["sub"] = "uid:4242"
    return here.chain.borrow_file()


def other_key(here: RealWorkstation) -> bytes:
    here.chain.borrow["cnf"]["jkt"] = here.chain.root.kid
    return here.chain.borrow_file()


def other_root(here: RealWorkstation) -> bytes:
    here.chain.root = Signer()
    return here.chain.borrow_file()


def other_trust(here: RealWorkstation) -> bytes:
    return here.chain.trust_file(Signer())


def more_trust(here: RealWorkstation) -> bytes:
    return here.chain.trust_file(here.chain.root, Signer())


def expired(here: RealWorkstation) -> bytes:
    here.chain.borrow |= {"iat": START - DAY, "nbf": START - DAY, "exp": START}
    return here.chain.borrow_file()


def revoked(here: RealWorkstation) -> bytes:
    here.chain.set_status(1, seq=2)
    return here.chain.borrow_file()


def too_late(here: RealWorkstation) -> bytes:
    here.next_borrow("C")
    here.chain.borrow["act"] = START
    return here.chain.borrow_file()


def older_status(here: RealWorkstation) -> bytes:
    here.chain.status_list["seq"] = 5
    here.install(here.chain.status_file())
    here.chain.status_list["seq"] = 4
    return here.chain.status_file()


def other_status_of_one_number(here: RealWorkstation) -> bytes:
    here.chain.status_list["ttl"] += 1
    return here.chain.status_file()


def status_of_another_organization(here: RealWorkstation) -> bytes:
    here.chain.status_list["iss"] = "other-survey"
    return here.chain.status_file()


def older_authorization(here: RealWorkstation) -> bytes:
    older = here.chain.authorization_file()
    here.chain.renew_authorization()
    here.install(here.chain.authorization_file())
    return older


def revoked_key(here: RealWorkstation) -> bytes:
    stolen = here.chain.borrow_file()
    here.chain.authorization["keys"][0] |= {"revoked": True}
    here.chain.renew_authorization()
    here.install(here.chain.authorization_file())
    return stolen


def forged_list(here: RealWorkstation) -> bytes:
    """The status key was stolen and revoked; its thief carries a list in which nothing has ended."""
    own, stolen = here.chain.authorization["keys"]
    here.chain.set_status(0, seq=1_000)
    forged = here.chain.borrow_file()
    here.chain.status_key = Signer()
    renewed = key_record(here.chain.status_key, "status", START)
    here.chain.authorization["keys"] = [own, stolen | {"revoked": True}, renewed]
    here.chain.renew_authorization()
    here.chain.set_status(1, seq=2)
    here.install(here.chain.status_file())
    return forged


def status_by_a_revoked_key(here: RealWorkstation) -> bytes:
    """The older authorization in the file still takes the key; the newest one that is installed does not."""
    older = here.chain.status_file()
    here.chain.authorization["keys"][1] |= {"revoked": True}
    here.chain.renew_authorization()
    here.install(here.chain.authorization_file())
    return older


BAD: dict[str, tuple[Callable[[RealWorkstation], bytes], str]] = {
    "nothing": (lambda _: b"", "malformed"),
    "random bytes": (lambda _: bytes(range(256)), "malformed"),
    "cut short": (lambda here: here.chain.borrow_file()[:-100], "malformed"),
    "a request": (lambda here: files.render("request", {"request": "a.b.c"}), "malformed"),
    "a return": (lambda here: files.render("return", {"receipt": "a.b.c"}), "malformed"),
    "a clock reset": (lambda here: files.render("clock-reset", {"authorization": "", "reset": ""}), "malformed"),
    "a tampered borrow": (lambda here: here.chain.borrow_file().replace(b"eyJ", b"eyK", 2), "malformed"),
    "another machine": (other_machine, "wrong-machine"),
    "another user": (other_user, "wrong-user"),
    "another machine key": (other_key, "wrong-machine-key"),
    "another root": (other_root, "unknown-key"),
    "another trust file": (other_trust, "unknown-key"),
    "trust in one root more": (more_trust, "unknown-key"),
    "an expired borrow": (expired, "expired"),
    "a revoked borrow": (revoked, "revoked"),
    "a borrow not installed in time": (too_late, "not-activated-in-time"),
    "an older status list": (older_status, "status-list-rolled-back"),
    "two status lists of one number": (other_status_of_one_number, "status-list-rolled-back"),
    "a status list of another organization": (status_of_another_organization, "status-list-unusable"),
    "an older authorization": (older_authorization, "not-authorized"),
    "a borrow by a revoked key": (revoked_key, "key-not-valid"),
    "a status list by a revoked key": (forged_list, "revoked"),
    "a status file by a revoked key": (status_by_a_revoked_key, "status-list-unusable"),
}


@pytest.mark.parametrize(("make", "code"), BAD.values(), ids=BAD)
def test_a_file_that_does_not_pass_changes_nothing(
    here: RealWorkstation, make: Callable[[RealWorkstation], bytes], code: str
) -> None:
    data = make(here)
    before = here.snapshot()
    with refused(code):
        here.install(data)
    assert here.snapshot() == before
