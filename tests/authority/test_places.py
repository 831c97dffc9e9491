"""Containers and the like ask: the administrator sees it, and an authority may lend nothing to them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from authority.domain.borrows import Machine, check_place
from authority.domain.refusals import ContainerNotAllowed, SettingsInvalid
from authority.presentation.borrows import BorrowShown
from authority.presentation.computers import place_of
from authority.services import borrow
from authority.services.unit import Unit
from authority.wiring.settings import load
from tests.support.authorities import Bench
from tests.support.database_contents import log_rows
from tests.support.workstations import SimulatedWorkstation
from verifier.workstation.carry import Wish
from verifier.workstation.identity import MachineMark

PLACES = ("container", "wsl", "user-namespace")


class Container(SimulatedWorkstation):
    """A workstation within a container."""

    @property
    def machine(self) -> MachineMark:
        return MachineMark("machine-of-an-image", "linux-machine-id, container", None)


def test_t3_an_authority_may_lend_nothing_to_containers(sqlite_bench: Bench) -> None:
    ada, asked = sqlite_bench.member("ada"), Container().request(Wish("arcgis-pro"), sqlite_bench.clock())
    strict = replace(sqlite_bench.authority, containers=False)
    with pytest.raises(ContainerNotAllowed) as caught:
        borrow.issue(Unit(strict, ada), asked)
    assert (caught.value.place, caught.value.code) == ("container", "container-not-allowed")
    assert [row["reason"] for row in log_rows(strict.database, "denial")][:1] == ["container-not-allowed"]
    laptop = SimulatedWorkstation().request(Wish("arcgis-pro"), sqlite_bench.clock())
    assert borrow.issue(Unit(strict, ada), laptop).is_new


def test_an_administrator_sees_where_a_borrow_is(sqlite_bench: Bench) -> None:
    asked = Container().request(Wish("arcgis-pro"), sqlite_bench.clock())
    shown = BorrowShown.of(
        borrow.issue(Unit(sqlite_bench.authority, sqlite_bench.member("ada")), asked).borrow, sqlite_bench.clock()
    )
    assert shown.machine.source == "linux-machine-id, container"
    assert place_of(shown.machine) == " (container)"


def test_a_machine_of_its_own_is_no_place() -> None:
    for source in ("linux-machine-id", "windows-machine-guid", "macos-platform-uuid"):
        check_place(Machine("x", source, None, None, "k"), containers=False)
    for place in PLACES:
        with pytest.raises(ContainerNotAllowed):
            check_place(Machine("x", f"linux-machine-id, {place}", None, None, "k"), containers=False)


def test_the_setting_is_yes_or_no(tmp_path: Path) -> None:
    assert load({}, str(tmp_path)).containers
    assert not load({"CARNET_AUTHORITY_CONTAINERS": "false"}, str(tmp_path)).containers
    with pytest.raises(SettingsInvalid, match='"containers" must be true or false'):
        load({"CARNET_AUTHORITY_CONTAINERS": "no"}, str(tmp_path))
