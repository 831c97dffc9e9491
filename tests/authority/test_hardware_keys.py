"""T1: a token on another machine. The machine key may be one that hardware keeps and nobody can copy."""

from __future__ import annotations

from dataclasses import replace

import pytest

from authority.domain.refusals import NotAllowed
from authority.services import borrow, endings
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.borrowing import claims_of, issued_to
from tests.support.hardware import hardware_workstation, other_signature
from tests.support.workstations import SimulatedWorkstation
from verifier.core.grant import Grant, Workstation
from verifier.core.steps import verify
from verifier.errors import WrongMachine, WrongMachineKey
from verifier.workstation.carry import Wish


def checked(bench: Bench, file: bytes, here: Workstation) -> Grant:
    return verify(file, trust=bench.trust_file, workstation=here, now=bench.clock())


def test_t1_a_token_is_good_with_the_key_that_asked_for_it_alone(sqlite_bench: Bench) -> None:
    """All pairs of machines, of software and of hardware keys, and each machine's marks with each other's key."""
    ada = sqlite_bench.member("ada")
    machines = [SimulatedWorkstation("tower"), hardware_workstation("tablet")]
    files = [
        issued_to(sqlite_bench, ada, machine, product).file
        for machine, product in zip(machines, ("arcgis-pro", "arcgis-desktop"), strict=True)
    ]
    for own, file in zip(machines, files, strict=True):
        assert claims_of(file)["cnf"] == {"jkt": own.key.public.kid}
        assert checked(sqlite_bench, file, own.identity).member == "ada"
        for other in machines:
            if other is not own:
                with pytest.raises(WrongMachine):
                    checked(sqlite_bench, file, other.identity)
                with pytest.raises(WrongMachineKey):
                    checked(sqlite_bench, file, own.identity._replace(machine_key=other.key.public.kid))


def test_t1_a_receipt_counts_when_the_key_of_the_borrow_signed_it(sqlite_bench: Bench) -> None:
    ada, laptop = sqlite_bench.member("ada"), hardware_workstation()
    file = issued_to(sqlite_bench, ada, laptop).file
    for key in (hardware_workstation().key, SimulatedWorkstation().key):
        with pytest.raises(NotAllowed, match="another machine"):
            endings.check_in(
                Unit(sqlite_bench.authority, ada), replace(laptop, key=key).receipt_for(file, sqlite_bench.clock())
            )
    receipt = laptop.receipt_for(file, sqlite_bench.clock())
    assert endings.check_in(Unit(sqlite_bench.authority, ada), other_signature(receipt)).ended_at is not None


def test_a_request_that_hardware_signs_anew_is_the_same_request(sqlite_bench: Bench) -> None:
    """ECDSA signs one text in many ways, and who carries it can make another of the one: the answer is the same file."""
    ada, laptop = sqlite_bench.member("ada"), hardware_workstation()
    request = laptop.request(Wish("arcgis-pro"), sqlite_bench.clock(), "r" * 22)
    first = borrow.issue(Unit(sqlite_bench.authority, ada), request)
    # The very request, which counts as the first one.
    laptop.requests = 0
    for text in (laptop.request(Wish("arcgis-pro"), sqlite_bench.clock(), "r" * 22), other_signature(request)):
        assert text != request
        again = borrow.issue(Unit(sqlite_bench.authority, ada), text)
        assert (again.is_new, again.file) == (False, first.file)
