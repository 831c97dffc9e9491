"""A request tells which receipt its machine made last; until that one has arrived no borrow of the machine is renewed."""

from __future__ import annotations

import pytest

from authority.domain.refusals import AlreadyBorrowed
from authority.services import borrow, endings
from authority.services.unit import Unit
from tests.support.authorities import Bench
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish


def test_a_request_made_after_a_return_is_no_renewal_of_what_was_returned(bench: Bench) -> None:
    """The receipt is still under way; a renewal would reach a workstation that gave the borrow up."""
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    issued = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-pro", days=3), bench.clock()))
    receipt = laptop.receipt_for(issued.file, bench.clock())
    request = laptop.request(Wish("arcgis-pro", days=5), bench.clock())
    with pytest.raises(AlreadyBorrowed, match="its receipt has not arrived"):
        borrow.issue(Unit(bench.authority, ada), request)
    endings.check_in(Unit(bench.authority, ada), receipt)
    again = borrow.issue(Unit(bench.authority, ada), request)
    assert (again.is_new, again.borrow.id != issued.borrow.id) == (True, True)


def test_a_receipt_of_another_product_that_arrived_hinders_no_renewal(bench: Bench) -> None:
    """The machine returned something else since, and its receipt is known here."""
    laptop, ada = SimulatedWorkstation(), bench.member("ada")
    pro = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-pro", days=3), bench.clock()))
    desktop = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-desktop", level="Advanced"), bench.clock()))
    endings.check_in(Unit(bench.authority, ada), laptop.receipt_for(desktop.file, bench.clock()))
    renewed = borrow.issue(Unit(bench.authority, ada), laptop.request(Wish("arcgis-pro", days=5), bench.clock()))
    assert renewed.borrow.id == pro.borrow.id
