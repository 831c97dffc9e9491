"""Borrowing, on both databases."""

from __future__ import annotations

from authority.services import borrow
from tests.support.authorities import Bench
from tests.support.workstations import SimulatedWorkstation
from verifier import verify
from verifier.carried import Wish


def test_a_borrow_is_accepted_by_the_verifier(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(bench.authority, ada, laptop.request(Wish("arcgis-pro", days=3), bench.clock()))
    grant = verify(issued.file, trust=bench.trust_file, workstation=laptop.identity, now=bench.clock())
    assert (grant.product, grant.level, grant.member, grant.days_left) == ("arcgis-pro", "Advanced", "ada", 3)


def test_the_same_request_gets_the_same_bytes(bench: Bench) -> None:
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    request = laptop.request(Wish("arcgis-pro", days=3), bench.clock())
    first = borrow.issue(bench.authority, ada, request)
    bench.clock.turn(days=1)
    again = borrow.issue(bench.authority, ada, request)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.file == first.file
